"""How text messages are encoded, and how many segments they have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.deliver.wording.segments import MOST_SEGMENTS, encode, encoding, fits, segments


@pytest.mark.parametrize(
    ("text", "leaves", "kind"),
    [
        ("José Núñez", "José Nuñez", "gsm7"),
        ("John – “Jack”", 'John - "Jack"', "gsm7"),
        ("Жук вышел", "Жук вышел", "ucs2"),
        ("张伟", "张伟", "ucs2"),
        ("José и Жук", "José и Жук", "ucs2"),
        ("Why? ★", "Why? ?", "gsm7"),
    ],
)
def test_a_script_that_gsm_7_cannot_write_leaves_as_it_is(text: str, leaves: str, kind: str) -> None:
    assert encode(text) == leaves
    assert encoding(encode(text)) == kind


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("ж" * 68 + "😀", 1),  # outside the basic plane: two units
        ("ж" * 69 + "😀", 2),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, count: int) -> None:
    assert segments(text) == count


def test_a_text_in_ucs_2_may_have_a_few_segments_and_no_more() -> None:
    assert fits("ж" * 67 * MOST_SEGMENTS)
    assert not fits("ж" * (67 * MOST_SEGMENTS + 1))
    assert not fits("a" * 161)


@given(st.text())
def test_no_letter_becomes_a_question_mark(text: str) -> None:
    letters = sum(map(str.isalnum, text.replace("?", "")))
    assert letters == 0 or encode(text).count("?") <= len(text) - letters
