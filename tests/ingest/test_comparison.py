import pytest

from processors.domain.person import Identifier, Name, Person
from processors.ingest.comparison import alike, mark, marks, names, whole


@pytest.mark.parametrize("value", ["VA1234567", "va1234567", " VA 123-4567 ", "VA\u20111234567", "ＶＡ１２３４５６７"])
def test_case_blanks_and_hyphens_do_not_make_another_number(value: str) -> None:
    assert mark(Identifier("sid", value)) == "SID:VA1234567"


@pytest.mark.parametrize("pair", [("0771", "771"), ("VA1", "NC1"), ("1.2", "12")])
def test_leading_zeros_and_everything_else_do(pair: tuple[str, str]) -> None:
    assert mark(Identifier("DOC", pair[0])) != mark(Identifier("DOC", pair[1]))


@pytest.mark.parametrize("value", ["", "-", "unknown", "N/A", "None", "0000000", "pending"])
def test_words_for_no_number_are_no_number(value: str) -> None:
    assert mark(Identifier("SID", value)) is None


def test_the_scheme_belongs_to_the_number() -> None:
    assert mark(Identifier("SID", "1")) != mark(Identifier("FBI", "1"))


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
    assert whole(name) == "jose angel obrien smith"


def test_letters_that_are_no_composition_are_written_plainly() -> None:
    assert whole(Name(given="Łukasz", sur="Größmann-Sørensen")) == "lukasz grossmann sorensen"


def test_names_of_another_script_stay_apart() -> None:
    assert whole(Name(full="Иван Петров")) == "иван петров"


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
        ("john a b sample", "john a sample", False),
    ],
)
def test_what_is_between_first_and_last_word_must_not_contradict(one: str, other: str, *, same: bool) -> None:
    assert alike(one, other) is same
    assert alike(other, one) is same


def test_a_name_counts_only_with_a_birth_date() -> None:
    assert names(Person(name=Name(full="John Sample"))) == ()
    assert names(Person(name=Name(full="John Sample"), aliases=(Name(full="Jack Sample"),), birth_date="1981-05-17")) == (
        "john sample|1981-05-17",
        "jack sample|1981-05-17",
    )


def test_a_name_of_punctuation_is_none() -> None:
    assert names(Person(name=Name(full="?"), birth_date="1981-05-17")) == ()


def test_each_number_counts_once() -> None:
    assert marks(Person((Identifier("SID", "VA1"), Identifier("SID", "va-1")))) == ("SID:VA1",)
