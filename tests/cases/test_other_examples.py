"""The kinds of B06 to B26 as other programs, forms and languages write them."""

from datetime import UTC

import pytest

from processors.domain.addresses import normalize
from processors.domain.docket import docket_keys, same_case
from processors.domain.registration import Channel
from processors.ingest.read.dates import parse_birth_date, parse_when
from processors.runtime.decide.driver import PipelineDriver
from tests.cases.test_b06_b09_people import BORN, heard, person

FILLERS = [
    *("1000000", "9999998", "1111112", "999-99-9998", "99998", "9223372036854775807"),  # codes for "missing", and round numbers
    *("AAA111", "ABCD1234", "ZZZ999", "QAZ123", "1Q2W3E4R", "13579", "24680"),  # what a hand types
    *("111222333", "1112223333", "33322211"),
    *("${SID}1", "%SID1%", "<SID1>", "@sid1", ":sid1", "{{sid}} 1"),
    *("01-JAN-00", "1-Jan-1900", "Jan-00", "1753-01-01", "1900-01-00", "1/1/0001"),
    *("7.7E6", "7.700123E6"),
    *("9999-12-31T23:59:59Z", "1970-01-01 00:00:00", "12:00:00 AM", "XX999999", "ZZ111111", "A1B2C3D4"),
    *("BED 4", "BED04", "SEG 2", "TST0001", "DUP1", "NKA 1"),
]


@pytest.mark.parametrize("scheme", ["SID", "DOC", "BOOKING"])
@pytest.mark.parametrize("filler", FILLERS)
def test_b09_other_fillers_make_nobody_the_same_as_anybody(driver: PipelineDriver, filler: str, scheme: str) -> None:
    numbers = [{"scheme": scheme, "value": filler, "issuer": "VA0430000"}]
    carl, dana = ({**person({"given": given, "sur": "Muster"}), "identifiers": numbers} for given in ("Carl", "Dana"))
    assert not heard(driver, carl, dana)


@pytest.mark.parametrize("number", ["0000001", "1000001", "1111121", "A1234", "112234", "7700123", "100000"])
def test_b09_a_number_that_only_looks_a_little_like_one_is_a_number(driver: PipelineDriver, number: str) -> None:
    assert heard(driver, person(None, f"VA{number}", born=None), person(None, f"VA{number}", born=None))


@pytest.mark.parametrize("number", ["P0KR5WH6R", "ACD1EF2HJ", "0KR5WH6RP", "123456FH8", "62760NY12", "8", "551234AB1"])
def test_b09_a_universal_control_number_may_begin_with_a_letter(driver: PipelineDriver, number: str) -> None:
    """Found as a variant: such a number was left out, so that nobody who registered by it heard anything."""
    someone = {"identifiers": [{"scheme": "FBI", "value": number}]}
    assert heard(driver, someone, someone)


@pytest.mark.parametrize("number", ["K12345", "ABCDEFHJK", "PENDING12", "UNKNOWN12", "B12345678"])
def test_b09_but_no_other_number_of_the_fbi_does(driver: PipelineDriver, number: str) -> None:
    carl, dana = (
        {**person({"given": given, "sur": "Muster"}), "identifiers": [{"scheme": "FBI", "value": number}]} for given in ("Carl", "Dana")
    )
    assert not heard(driver, carl, dana)


@pytest.mark.parametrize(
    "name",
    [
        *("Unspecified Unspecified", "No Identificado", "NO IDENTIFICADO, NO IDENTIFICADO", "Male, White", "Hispanic Male", "Do Not Use"),
        *("DO NOT USE, DO NOT USE", "To Be Determined", "Duplicate Record", "Fulano de Tal", "John Q Public", "Asdf, Qwer", "LNAME, FNAME"),
        *("Desconhecido", "Sans Nom", "不明", "Sample, Sample", "Deleted Deleted"),
        *("NMN NMN", "See Remarks", "Unable to Obtain", "New Inmate", "BOOKING, NEW", "Temp, Temp", "No Tiene Nombre", "Not on File"),
    ],
)
def test_b09_other_names_that_are_nobodys(driver: PipelineDriver, name: str) -> None:
    known, other = ({**person(name), "identifiers": [{"scheme": "COUNTY", "value": number}]} for number in ("C-77102", "C-88203"))
    assert not heard(driver, known, other)


@pytest.mark.parametrize(
    "name",
    ["Jack White", "Ann Black", "John Sample", "Peter Public", "Grace See", "Hong Do", "Ida Alias", "Ann New", "Void, Carl", "Na, On"],
)
def test_b09_but_people_have_such_surnames(driver: PipelineDriver, name: str) -> None:
    assert heard(driver, person(name), person(name))


@pytest.mark.parametrize(
    "name", ["Miss Ana Ruiz", "Sra. Ana Ruiz", "RUIZ, SRTA ANA", "Rev. Ana Ruiz", "Ana Ruiz, Ph.D.", "Ana Ruiz Hijo", "RUIZ, ANA TBD"]
)
def test_b07_other_titles_and_generations_count_for_nothing(driver: PipelineDriver, name: str) -> None:
    assert heard(driver, person({"given": "Ana", "middle": "Q", "sur": "Ruiz"}), person(name))


@pytest.mark.parametrize(
    ("channel", "written", "address"),
    [
        *(
            ("sms", written, "+18045551007")
            for written in (
                *("cell: 804-555-1007", "Mobile 804 555 1007", "C: (804) 555-1007", "Tel.: +1 804 555 1007", "Teléfono: 804.555.1007"),
                *("804-555-1007 (cell)", "804-555-1007 mobile", "Ph# 804-555-1007"),
                *("(c) 804-555-1007", "[cell] 804-555-1007", "804-555-1007 (M)", "804-555-1007 - cell"),
            )
        ),
        *(
            ("email", written, "reg7@example.org")
            for written in (
                *("reg7@example.org <reg7@example.org>", "reg7@example.org<mailto:reg7@example.org>", "reg7@example.org (work)"),
                *("[reg7@example.org](mailto:reg7@example.org)", "mailto:reg7@example.org?subject=x", "SMTP:reg7@example.org"),
                *("Correo: reg7@example.org", "Correo electrónico: reg7@example.org", "reg7&#64;example.org"),
            )
        ),
        *(
            ("sms", written, None)
            for written in ("fax: 804-555-1007", "cell: 911", "804-555-1007 (cell) 804-555-1008", "work cell 804-555-1007 x5", "cell")
        ),
        *(
            ("email", written, None)
            for written in ("reg7@example.org <reg8@example.org>", "refused@x.org", "sincorreo@x.org", "not.provided@x.org")
        ),
    ],
)
def test_b16_other_ways_to_write_one_address(channel: Channel, written: str, address: str | None) -> None:
    assert normalize(channel, written) == address


@pytest.mark.parametrize(
    "nothing",
    [
        *("1/1/0001", "01/01/1900", "01/01/0001 00:00:00", "1/1/0001 12:00:00 AM", "12/30/1899", "12/31/9999", "XX/XX/XXXX", "31.12.9999"),
        *("N/K", "s/f", "sin fecha", "no consta", "inconnue", "NaT", "Not Specified", "unspecified"),
    ],
)
def test_b26_other_ways_to_say_that_no_birth_date_is_known(nothing: str) -> None:
    assert parse_birth_date(nothing) is None


@pytest.mark.parametrize("wrong", ["02/11/1979", "1/1/79", "02/11/19000", "13/13/2013"])
def test_b26_a_birth_date_of_which_the_month_is_not_said_is_still_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="not an ISO 8601 calendar date"):
        parse_birth_date(wrong)


@pytest.mark.parametrize("written", ["2026-11-02 17:40:00 UTC", "2026-11-02T17:40:00UTC", "2026-11-02T17:40:00.000 GMT"])
def test_b11_the_zone_that_has_one_offset_only_is_read_by_its_name(written: str) -> None:
    assert parse_when(written, UTC) == parse_when("2026-11-02T17:40:00Z", UTC)


@pytest.mark.parametrize("none", ["TBD 1", "unknown 1", "PENDING-2026", "none 0", "XXX-001"])
def test_b22_a_word_for_no_docket_number_is_in_every_case_with_a_digit_beside_it_too(none: str) -> None:
    assert same_case("CR26-1432", none)
    assert not docket_keys(none)


@pytest.mark.parametrize("written", ["CR26-1432 - State v. Walker", "Causa Núm. CR26-1432", "Expte. CR26-1432", "Dossier CR26-1432"])
def test_b22_other_words_around_a_docket_number(written: str) -> None:
    assert same_case("CR26-1432", written)
    assert not same_case("CR26-1433", written)


def test_b26_an_escape_is_told_though_the_birth_date_is_a_databases_first_day(driver: PipelineDriver) -> None:
    walker = person({"given": "Thomas", "sur": "Walker"}, "VA7700123", born=BORN)
    assert heard(driver, walker, {**walker, "birth_date": "01/01/1900"})
