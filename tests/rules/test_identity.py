"""What is an identifier, and within what scope (contract §3.2); case B09 and its kind."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.domain.person import Identifier
from processors.rules.identity import Issuer, NotAnIdentifier, group_of, is_strong, readable_mark
from processors.rules.load import load_rules

RULES = load_rules().rule_set("VA", 0).identity
JAIL = Issuer("VA0430000", "VA")


def left_out(scheme: str, value: str) -> bool:
    try:
        RULES.mark(Identifier(scheme, value), JAIL)
    except NotAnIdentifier:
        return True
    return False


@pytest.mark.parametrize(
    "value", ["VA1234567", "va1234567", " VA 123-4567 ", "VA\u20111234567", "ＶＡ１２３４５６７", "VA1234567\u200b", "VA'1234567"]
)
def test_case_blanks_hyphens_and_what_does_not_show_make_no_other_number(value: str) -> None:
    assert RULES.mark(Identifier("sid", value), JAIL) == "SID:VA1234567"


@pytest.mark.parametrize("pair", [("0771", "771"), ("1.2", "12"), ("A1", "1")])
def test_leading_zeros_and_everything_else_do(pair: tuple[str, str]) -> None:
    assert RULES.mark(Identifier("DOC", pair[0]), JAIL) != RULES.mark(Identifier("DOC", pair[1]), JAIL)


WORDS = [
    *("NOT AVAILABLE", "UNAVAILABLE", "N.A.", ".", "?", "NO SID", "NONE GIVEN", "NOT ASSIGNED", "UNKN", "REFUSED", "NOT ON FILE"),
    *(
        "",
        "-",
        "unknown",
        "N/A",
        "None",
        "pending",
        "null",
        "n / a",
        "Not\u00a0Available",
        "UNK 1",
        "None-2",
        "to follow",
        "see notes",
        "X",
    ),
]
FILLERS = ["999999999", "111111111", "XXXXXXXXX", "0000000", "000-00-0000", "999-99-9999", "123456789", "1234567890", "12345", "0"]


@pytest.mark.parametrize("scheme", ["SID", "FBI", "DOC", "BOOKING", "ICOTS", "COUNTY"])
def test_words_and_fillers_are_no_identifiers(scheme: str) -> None:
    assert [value for value in WORDS + FILLERS if not left_out(scheme, value)] == []


@pytest.mark.parametrize("value", ["VA0000000", "VA9999999", "VA000000", "VAXXXX"])
def test_what_follows_a_states_letters_may_be_a_filler(value: str) -> None:
    assert left_out("SID", value)


@pytest.mark.parametrize(
    ("scheme", "value"),
    [
        ("SID", "VA1"),
        ("SID", "VA1234567"),
        ("SID", "NY1234567A"),
        ("FBI", "551234AB1"),
        ("BOOKING", "77"),
        ("BOOKING", "2026/00123"),
        ("DOC", "A-1234-7"),
        ("ICOTS", "7654321"),
        ("BOOKING", "JAIL-77"),
        ("BOOKING", "INMATE-2617"),
        ("FBI", "1231231"),
        ("SID", "VA1212121"),
    ],
)
def test_numbers_are_identifiers(scheme: str, value: str) -> None:
    assert not left_out(scheme, value)


@given(
    st.characters(categories=["Lu", "Nd"], max_codepoint=127), st.integers(3, 12), st.sampled_from(["SID", "FBI", "DOC", "BOOKING", "OWN"])
)
def test_one_character_repeated_is_never_an_identifier(sign: str, length: int, scheme: str) -> None:
    assert left_out(scheme, sign * length)


@pytest.mark.parametrize(
    ("identifier", "mark"),
    [
        (Identifier("SID", "7700123"), "SID:VA7700123"),  # the submitting agency's state
        (Identifier("SID", "7700123", "NC"), "SID:NC7700123"),
        (Identifier("SID", "NC7700123", "VA"), "SID:NC7700123"),  # the value's own letters come first
        (Identifier("FBI", "551234AB1"), "FBI:551234AB1"),
        (Identifier("DOC", "0733210"), "DOC@VA:0733210"),
        (Identifier("DOC", "0733210", "nc"), "DOC@NC:0733210"),
        (Identifier("BOOKING", "77"), "~BOOKING@VA0430000:77"),
        (Identifier("BOOKING", "77", "nc0010000"), "~BOOKING@NC0010000:77"),
        (Identifier("county no", "9-1"), "~COUNTYNO@VA0430000:91"),
    ],
)
def test_a_number_belongs_to_its_issuer(identifier: Identifier, mark: str) -> None:
    assert RULES.mark(identifier, JAIL) == mark


def test_a_registrations_number_without_issuer_is_anybodys() -> None:
    assert RULES.mark(Identifier("BOOKING", "77")) == "~BOOKING@*:77"
    assert RULES.mark(Identifier("DOC", "77")) == "DOC@*:77"


def test_a_person_may_have_numbers_of_several_states() -> None:
    assert group_of("SID:VA1") == "SID:VA"
    assert group_of("SID:VA1") != group_of("SID:NC1")
    assert group_of("FBI:1AA") == group_of("FBI:2BB") == "FBI"
    assert group_of("DOC@VA:1") != group_of("DOC@NC:1")
    assert [is_strong(each) for each in ("SID:VA1", "~BOOKING@VA1:7")] == [True, False]
    assert readable_mark("~BOOKING@VA0430000:77") == "BOOKING 77 of VA0430000"


def test_a_jurisdiction_adds_schemes_and_words(tmp_path: Path) -> None:
    (tmp_path / "va.toml").write_text(
        'jurisdictions = ["VA"]\n[[scheme]]\nname = "BOOKING"\nstrong = true\n'
        '[[scheme]]\nname = "GANG"\npattern = "G[0-9]+"\nscope = "state"\n'
        '[[no_identifier]]\nwords = ["CALL JAIL"]\n'
    )
    rules = load_rules(tmp_path)
    here, elsewhere = rules.rule_set("VA", 0).identity, rules.rule_set("NC", 0).identity
    assert here.mark(Identifier("BOOKING", "77"), JAIL) == "BOOKING@VA0430000:77"
    assert elsewhere.mark(Identifier("BOOKING", "77"), JAIL) == "~BOOKING@VA0430000:77"
    assert here.mark(Identifier("GANG", "G12"), JAIL) == "~GANG@VA:G12"
    for value in ("12", "CALL JAIL 5"):
        with pytest.raises(NotAnIdentifier):
            here.mark(Identifier("GANG", value), JAIL)
