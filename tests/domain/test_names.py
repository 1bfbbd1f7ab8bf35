"""Names and docket numbers compare as people write them (contract §3.2, Comparing)."""

import pytest

from processors.domain.docket import compared_docket
from processors.domain.names import alike, compared_name
from processors.domain.person import Name

WALKER = Name(given="Thomas", middle="Quincy", sur="Walker")


@pytest.mark.parametrize(
    "name",
    [
        Name(given="José", middle="Ángel", sur="O'Brien-Smith"),
        Name(given="JOSE", middle="angel", sur="OBrien Smith"),
        Name(full="O’Brien-Smith, José  Ángel"),
        Name(full="José Ángel O'Brien-Smith, Jr."),
        Name(full="jose angel obrien smith III"),
    ],
)
def test_case_punctuation_diacritics_and_order_do_not_make_another_name(name: Name) -> None:
    assert alike(compared_name(Name(given="Jose", middle="Angel", sur="OBrien-Smith")), compared_name(name))


def test_letters_that_are_no_composition_are_written_plainly() -> None:
    assert compared_name(Name(given="Łukasz", sur="Größmann-Sørensen")) == "lukasz,grossmann+sorensen"


def test_names_of_another_script_stay_apart() -> None:
    assert compared_name(Name(full="Иван Петров")) == "иван петров"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("john sample", "john sample", True),
        ("john q sample", "john sample", True),
        ("john q sample", "john quincy sample", True),
        ("john q sample", "john r sample", False),
        ("john quincy sample", "john quentin sample", False),
        ("john sample", "jon sample", False),
        ("john sample", "john samples", False),
        ("juan garcia lopez", "juan lopez", True),
        ("juan,garcia+lopez", "juan,lopez", False),
        ("juan,garcia+lopez", "juan lopez", False),
        ("juan,garcia+lopez", "juan garcia lopez", True),
        ("john a b sample", "john a sample", False),
        ("mary ann,xu", "maryann,xu", True),
    ],
)
def test_what_is_between_first_and_last_word_must_not_contradict(one: str, other: str, *, same: bool) -> None:
    assert alike(one, other) is same
    assert alike(other, one) is same


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\u200d", "\ufeff", "\u200e", "\u2060"])
def test_characters_that_do_not_show_count_for_nothing(sign: str) -> None:
    """Case B06."""
    assert compared_name(Name(given="Tho" + sign + "mas", sur=sign + "Wal" + sign + "ker")) == "thomas,walker"


@pytest.mark.parametrize(
    "name",
    [
        Name(full="WALKER, THOMAS QUINCY JR"),
        Name(full="Walker, Thomas Quincy, Jr."),
        Name(full="Walker, Jr., Thomas Quincy"),
        Name(full="WALKER, THOMAS Q II"),
        Name(full="Walker Jr., Thomas Quincy"),
        Name(full="Thomas Quincy Walker, Jr."),
        Name(full="Thomas Jr Walker"),
        Name(full="JR THOMAS QUINCY WALKER"),
        Name(given="Thomas", middle="Quincy Jr", sur="Walker"),
        Name(given="Thomas 4th", sur="Walker"),
        *(Name(given="Thomas", sur=f"Walker {each}") for each in ("Junior", "3rd", "V", "Sr.", "iii", "SENIOR", "5th")),
    ],
)
def test_a_generation_counts_for_nothing_wherever_it_stands(name: Name) -> None:
    """Case B07."""
    assert alike(compared_name(WALKER), compared_name(name))


@pytest.mark.parametrize("name", [Name(full="Junior Walker"), Name(given="V", sur="Walker"), Name(given="Senior", sur="Walker")])
def test_a_first_name_that_could_be_a_generation_is_one(name: Name) -> None:
    assert compared_name(name).split(",")[0] in {"junior walker", "v", "senior"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("O'Bryan", each) for each in ("O BRYAN", "O-Bryan", "O´Bryan", "O’Bryan", "O`Bryan", "OʼBryan", "O′Bryan", "O＇Bryan")),
        ("Mc Donald", "McDonald"),
        ("De La Cruz", "DelaCruz"),
        ("Smith-Jones", "Smith Jones"),
        ("Smith–Jones", "SmithJones"),
        ("St. John", "StJohn"),
        ("D'Angelo", "D Angelo"),
        ("Weiß", "WEISS"),
        ("Ｗａｌｋｅｒ", "walker"),
    ],
)
def test_blanks_hyphens_and_apostrophes_inside_a_surname_count_for_nothing(one: str, other: str) -> None:
    """Case B08."""
    for written in (Name(given="TODD", sur=other), Name(full=f"Todd {other}"), Name(full=f"{other}, Todd")):
        assert alike(compared_name(Name(given="Todd", sur=one)), compared_name(written))


@pytest.mark.parametrize(
    "one", ["CR26-001432", "No. CR26-1432", "cr 26 1432", "CR-26-1432", "Case No. CR26-1432", "CR26-1432-00", "CR26\u200b-1432"]
)
def test_leading_zeros_and_words_for_number_count_for_nothing_in_a_docket_number(one: str) -> None:
    """Case B22."""
    assert compared_docket(one) == compared_docket("CR26-1432")


@pytest.mark.parametrize(("one", "other"), [("12-3", "1-23"), ("123", "12-3"), ("CR26-1432", "CR26-14320"), ("26-10", "26-1")])
def test_the_groups_of_a_docket_number_stay_apart(one: str, other: str) -> None:
    assert compared_docket(one) != compared_docket(other)


@pytest.mark.parametrize("nothing", ["", "000", "-", "No."])
def test_what_names_no_docket(nothing: str) -> None:
    assert compared_docket(nothing) in {"", "no"}
