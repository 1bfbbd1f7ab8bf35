"""One segment of a text message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.deliver.wording import gsm7, segments


def test_the_alphabet_has_the_standards_127_letters_and_9_that_count_twice() -> None:
    assert len(gsm7.BASIC) == len(set(gsm7.BASIC)) == 127
    assert gsm7.septets("a") == 1
    assert gsm7.septets("[a]~€") == 9


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("José Núñez", "José Nuñez"),
        ("salió, ¿qué?", "salio, ¿qué?"),
        ("Łukasz Þór", "Lukasz Thor"),
        ("“Smith’s” – court…", '"Smith\'s" - court...'),
        ("5:00\u202fPM\u00a0EST", "5:00 PM EST"),
        ("Жук", "???"),
        ("Zoe\u0301", "Zoe"),
    ],
)
def test_other_letters_are_written_with_the_nearest(text: str, written: str) -> None:
    assert gsm7.transliterate(text) == written


@given(st.text())
def test_what_is_written_has_only_letters_of_the_alphabet(text: str) -> None:
    assert set(gsm7.transliterate(text)) <= gsm7.ALPHABET


def test_160_septets_fit_and_no_more() -> None:
    assert segments.fits("a" * 160)
    assert not segments.fits("a" * 161)
    assert not segments.fits("a" * 159 + "€")


def test_a_cut_is_marked_and_never_longer() -> None:
    assert gsm7.cut("Featherstonehaugh", 10) == "Featherst."
    assert gsm7.cut("Sample", 10) == "Sample"
