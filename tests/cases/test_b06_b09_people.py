"""Invisible signs, generations, blanks in surnames and fillers: who is the same person, and who is not (B06 to B09)."""

import json
import re
from typing import Any

import msgspec
import pytest

from processors.domain.event import Event
from processors.domain.registration import Contact, Registration
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import REGISTRATIONS
from tests.cases.given import DEPARTURE, messages_sent, registrants_told, swap_text
from tests.ingest.records import REGISTRATION, accepted_record, opened_contacts, with_changes
from tests.stories.builders import registration, submission

BORN = "1979-02-11"
SIGNS = [*"\u200b\u00ad\u200d\u200c\ufeff\u200e\u200f\u2060\u202a\u2066\u061c\u180e\u034f\u115f\u3164\u2800\ufe0f\U000e0041\U000e0100"]


def person(name: dict[str, Any] | str | None = None, *sids: str, born: str | None = BORN) -> dict[str, Any]:
    named = {"full": name} if isinstance(name, str) else name
    identifiers = [{"scheme": "SID", "value": each} for each in sids]
    return {"identifiers": identifiers, **({"name": named} if named else {}), **({"birth_date": born} if born else {})}


def heard(driver: PipelineDriver, registered: dict[str, Any], submitted: dict[str, Any]) -> bool:
    """Whether somebody registered for the one hears of the other."""
    driver.register(registration("R-1", offender=registered))
    driver.submit(submission(offenders=[submitted]))
    return registrants_told(driver) == ["R-1"]


# --- B06 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_b06_signs_that_nobody_sees_count_for_nothing_in_a_number(driver: PipelineDriver, sign: str) -> None:
    assert heard(driver, person(None, "VA7700123", born=None), person(None, f"VA77{sign}00123{sign}", born=None))


@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_b06_nor_in_a_name(driver: PipelineDriver, sign: str) -> None:
    plain = person({"given": "Thomas", "sur": "Walker"})
    assert heard(driver, plain, person({"given": f"{sign}Thomas", "sur": f"Wal{sign}ker"}))


@pytest.mark.parametrize("sign", [*SIGNS, "\u00a0", "\u2009", "\u3000", "\t"], ids=ascii)
@pytest.mark.parametrize(("channel", "address"), [("email", "reg7@example.org"), ("sms", "+18045551007")])
def test_b06_nor_in_an_address(channel: str, address: str, sign: str) -> None:
    sent = [{"channel": channel, "address": f"{sign}{address}{sign}", "verified": True}]
    found = msgspec.json.decode(accepted_record(with_changes(REGISTRATION, contacts=sent), REGISTRATIONS).body, type=Registration)
    assert opened_contacts(found) == (Contact(channel, address, verified=True),)  # type: ignore[arg-type]


def test_b06_nor_within_an_email_address() -> None:
    sent = [{"channel": "email", "address": "re\u00adg7@exam\u200bple.org", "verified": True}]
    found = msgspec.json.decode(accepted_record(with_changes(REGISTRATION, contacts=sent), REGISTRATIONS).body, type=Registration)
    assert opened_contacts(found)[0].address == "reg7@example.org"


@pytest.mark.parametrize(
    "changes",
    [
        {"event_subtype": "Esc\u200bape\ufeff"},
        {"notification_type": "Status\u00a0Update"},
        {"operation": "Add\u200b"},
        {"message_id": "\ufeffM-1\u200b", "agency": {"ori": "VA0430000\u200b", "state": "VA\u200e"}},
        {"action_at": "2026-11-02T11:00:00\u200b-05:00\u00a0"},
        {"notification_subtypes": [{"subtype": "Validate\u200b", "validations": ["Da\u00adte"]}]},
        {"offenders": [{"identifiers": [{"scheme": "SID\u200b", "value": "VA7700123"}], "birth_date": "1979-02-11\u200b"}]},
    ],
    ids=ascii,
)
def test_b06_nor_in_a_code_an_id_or_a_date(driver: PipelineDriver, changes: dict[str, Any]) -> None:
    driver.register(registration("R-1"))
    driver.submit(submission(**changes))
    assert registrants_told(driver) == ["R-1"], driver.explain()


def test_b06_nor_in_any_field_of_a_registration(driver: PipelineDriver) -> None:
    changes = {"source": "VI\u200bNE", "language": "e\u200bs", "time_zone": "America/New_York\ufeff", "pin": "2580\u200b"}
    contacts = [{"channel": "sms\u200b", "address": "+18045551001", "verified": True}]
    driver.register(registration("R-1\u200b", contacts=contacts, event_subtypes=["Escape\u200b"], case_numbers=[], **changes))
    driver.submit(submission())
    assert {(each.registrant_id, each.language) for each in messages_sent(driver)} == {("R-1", "es")}


@pytest.mark.parametrize("sign", [*SIGNS, "\u0000", "\u0007", "\u007f", "\u009c"], ids=ascii)
def test_b06_nor_does_a_control_character_that_fills_a_field(driver: PipelineDriver, sign: str) -> None:
    """Fields of a fixed width are filled with NUL; the escape was refused as of an unknown code."""
    filled = {"message_id": f"M-1{sign}", "event_type": f"Jail{sign * 3}", "event_subtype": f"Escape{sign * 3}"}
    agency = {"ori": f"VA0430000{sign}", "state": f"VA{sign}"}
    offender = person({"given": f"Thomas{sign}", "sur": f"Walker{sign}"}, born=f"{BORN}{sign}")
    driver.register(registration("R-1", offender=person({"given": "Thomas", "sur": "Walker"})))
    driver.submit(json.dumps(submission(agency=agency, offenders=[offender], **filled), ensure_ascii=False))
    assert registrants_told(driver) == ["R-1"], driver.explain()


XML_LEAVES = sorted(set(re.findall(r">([^<>]*\S[^<>]*)</", DEPARTURE)))


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "&#xFEFF;", "&#x2060;", "\u3164", "\u00a0", "\u0085"], ids=ascii)
@pytest.mark.parametrize("leaf", XML_LEAVES)
def test_b06_nor_does_an_invisible_sign_in_any_text_of_an_xml_message(driver: PipelineDriver, leaf: str, sign: str) -> None:
    """Found as a variant: only the JSON of a submission was cleaned, so that a code, an ORI or a date in XML was refused."""
    driver.register(registration("R-1", offender=person(None, "VA1234567", born=None)))
    driver.submit(swap_text(DEPARTURE, f">{leaf}</", f">{sign}{leaf}{sign}</"))
    assert registrants_told(driver) == ["R-1"], driver.explain()


def test_b06_nor_in_a_reference_of_an_xml_message(driver: PipelineDriver) -> None:
    driver.register(registration("R-1", offender=person(None, "VA1234567", born=None)))
    driver.submit(swap_text(DEPARTURE, 'ref="NotificationSubtype001"', 'ref="NotificationSubtype001\u200b"'))
    assert registrants_told(driver) == ["R-1"], driver.explain()


# --- B07, B08 ------------------------------------------------------------------------------------------------------------

WALKER_PLAIN = {"given": "Thomas", "middle": "Quincy", "sur": "Walker"}


@pytest.mark.parametrize(
    "name",
    [
        "WALKER, THOMAS QUINCY JR",
        "Walker, Thomas Quincy, Jr.",
        "WALKER, THOMAS Q II",
        "Walker Jr., Thomas Quincy",
        "Thomas Quincy Walker, Jr.",
        "Thomas Quincy Walker III",
        "Jr Walker, Thomas Quincy",
        {"given": "Thomas", "middle": "Quincy Jr", "sur": "Walker"},
        {"given": "Thomas", "middle": "Quincy", "sur": "Walker Junior"},
        {"given": "Thomas", "middle": "Quincy", "sur": "Walker 3rd"},
        {"given": "Thomas", "middle": "Quincy", "sur": "Walker V"},
        {"given": "Thomas IV", "middle": "Quincy", "sur": "Walker"},
        {"given": "Thomas", "middle": "Quincy", "sur": "Walker-Sr."},
        {"given": "Thomas", "middle": "Quincy", "sur": "Walker Senior"},
        {"given": "Thomas", "middle": "Q.", "sur": "WALKER 2ND"},
        {"sur": "WALKER, THOMAS QUINCY JR"},
        {"sur": "Walker", "full": "Thomas Quincy Walker Sr."},
        {"given": "Thomas", "middle": "NMN", "sur": "Walker"},
        {"given": "Thomas", "middle": "(NMI)", "sur": "Walker Jr"},
        {"given": "Thomas", "middle": "N/A", "sur": "Walker"},
        "WALKER, THOMAS NMN III",
        "Thomas NMI Walker II",
        "Thomas Quincy Walker, Jnr.",
        "WALKER SNR, THOMAS Q",
        "Thomas Walker 2d",
        "Thomas Q. Walker 3",
        "Mr. Thomas Quincy Walker",
        "WALKER, MR THOMAS Q",
        "Thomas Walker, Esq.",
        {"given": "Mr Thomas", "sur": "Walker"},
        "Walker 2, Thomas",
        "WALKER, THOMAS Q 1",
        {"given": "Thomas", "middle": "Quincy", "sur": "Walker 2"},
        {"given": "Thomas", "middle": "none given", "sur": "Walker"},
        {"given": "Thomas", "middle": "Not Available", "sur": "Walker"},
        {"given": "Thomas", "middle": "No Middle Name", "sur": "Walker"},
    ],
    ids=str,
)
def test_b07_a_generation_counts_for_nothing_wherever_it_stands(driver: PipelineDriver, name: Any) -> None:
    assert heard(driver, person(WALKER_PLAIN), person(name))


@pytest.mark.parametrize(
    "name",
    [
        "WALKER, THOMAS (TOMMY) Q",
        'Thomas "TJ" Walker',
        "Thomas 'TJ' Walker",
        "Walker, Thomas “TJ” Quincy",
        "WALKER, THOMAS [AKA TOM]",
        "ＷＡＬＫＥＲ，ＴＨＯＭＡＳ",
        {"given": "Thomas (Tom)", "middle": "Quincy", "sur": "Walker"},
        {"given": "Thomas", "middle": '"TJ"', "sur": "Walker"},
    ],
    ids=str,
)
def test_b07_nor_does_what_else_somebody_is_called_beside_the_name(driver: PipelineDriver, name: Any) -> None:
    assert heard(driver, person(WALKER_PLAIN), person(name))


@pytest.mark.parametrize("name", ["WALKER, JUNIOR", "Junior Walker", "Walker, Junior Q", {"given": "JUNIOR", "sur": "WALKER JR"}], ids=str)
def test_b07_a_generation_that_is_the_only_first_name_is_one(driver: PipelineDriver, name: Any) -> None:
    assert heard(driver, person({"given": "Junior", "sur": "Walker"}), person(name))


@pytest.mark.parametrize("name", ['Walker, "Thomas"', '"Thomas" Walker', "(Thomas) Walker"])
def test_b07_a_name_in_quotation_marks_alone_is_the_name(driver: PipelineDriver, name: str) -> None:
    assert heard(driver, person(WALKER_PLAIN), person(name))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("O'Bryan", "O BRYAN"),
        ("O'Bryan", "O-Bryan"),
        ("O'Bryan", "O´Bryan"),
        ("O'Bryan", "OʻBryan"),
        ("O'Bryan", "O`Bryan"),
        ("O'Bryan", "O’Bryan"),
        ("O'Bryan", "Oʹbryan"),
        ("O'Bryan", "OBRYAN"),
        ("McDonald", "Mc Donald"),
        ("DeLaCruz", "De La Cruz"),
        ("Smith-Jones", "SmithJones"),
        ("Smith-Jones", "Smith Jones"),
        ("Smith-Jones", "Smith–Jones"),
        ("St. John", "StJohn"),
        ("D'Angelo", "D Angelo"),
        ("Muñoz", "MUNOZ"),
        ("Groß", "GROSS"),
        ("Ħali", "HALI"),
        ("OˮBryan", "O'Bryan"),
        ("Oʾbryan", "O'Bryan"),
        ("O&#39;Bryan", "O'Bryan"),
        ("O_Bryan", "O'Bryan"),
        ("O·Bryan", "O'Bryan"),
        ("Müller", "Mueller"),
        ("Müller", "Muller"),
        ("MU\u0308LLER", "Mueller"),
        ("Sørensen", "Soerensen"),
        ("Håkansson", "Haakansson"),
        ("Jäger-Schönfeld", "Jaeger Schoenfeld"),
    ],
)
def test_b08_blanks_hyphens_and_apostrophes_count_for_nothing_in_a_name(driver: PipelineDriver, one: str, other: str) -> None:
    assert heard(driver, person({"given": "Todd", "sur": one}), person({"given": "TODD", "sur": other}))


def test_b08_nor_in_a_given_name_and_what_is_told_keeps_the_agencys_spelling(driver: PipelineDriver) -> None:
    driver.register(registration("R-1", offender=person({"given": "Mary-Ann", "sur": "OBryan"})))
    driver.submit(submission(offenders=[person({"given": "Maryann", "sur": "O'Bryan"})]))
    (message,) = messages_sent(driver)
    assert message.offenders is not None
    assert [each.name for each in message.offenders] == ["Maryann O'Bryan"]


@pytest.mark.parametrize(
    ("one", "other"), [("Muller", "Mueller"), ("Bryan", "O'Bryan"), ("Donald", "McDonald"), ("Smith", "Smith-Jones"), ("Walker", "Walter")]
)
def test_b08_another_name_is_another_person(driver: PipelineDriver, one: str, other: str) -> None:
    assert not heard(driver, person({"given": "Todd", "sur": one}), person({"given": "Todd", "sur": other}))


@pytest.mark.parametrize(
    "written",
    [
        "551 234 AB1",
        "UCN 551234AB1",
        "FBI/UCN: 551234AB1",
        "551-234-ab1",
        "#551234AB1",
        "FBI 551234AB1",
        "FBI# 551234AB1",
        "F.B.I. No. 551234AB1",
        '="551234AB1"',
        "551234AB1.",
    ],
)
def test_b08_nor_around_a_number(driver: PipelineDriver, written: str) -> None:
    def known(number: str) -> dict[str, Any]:
        return {"identifiers": [{"scheme": "FBI", "value": number}]}

    assert heard(driver, known("551234AB1"), known(written))


@pytest.mark.parametrize(
    "written", ["VA/7700123", "VA# 7700123", "VA.7700123", "(VA) 7700123", "State ID: VA7700123", "SID No. VA-7700123"]
)
def test_b08_nor_between_a_state_and_its_number(driver: PipelineDriver, written: str) -> None:
    assert heard(driver, person(None, "VA7700123", born=None), person(None, written, born=None))


@pytest.mark.parametrize(
    "scheme", ["FBI", "fbi ", "F.B.I.", "FBI #", "FBI\u200b", "FBI Number", "FBI No.", "FBI_ID", "FBI/UCN", "UCN"], ids=ascii
)
def test_b08_nor_in_the_name_of_a_scheme(driver: PipelineDriver, scheme: str) -> None:
    known = {"identifiers": [{"scheme": "FBI", "value": "551234AB1"}]}
    assert heard(driver, known, {"identifiers": [{"scheme": scheme, "value": "551234AB1"}]})


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("State ID", "SID"), ("SID Number", "SID"), ("DOC #", "DOC"), ("DOC number", "DOC"), ("ICOTS Offender ID", "ICOTS")],
)
def test_b08_a_scheme_is_known_by_other_names(driver: PipelineDriver, name: str, scheme: str) -> None:
    """Found as a variant: such a number counted as the agency's own, so that nobody registered by it was told."""
    known, sent = ({"identifiers": [{"scheme": each, "value": "7700123", "issuer": "VA"}]} for each in (scheme, name))
    assert heard(driver, known, sent)


@pytest.mark.parametrize("name", ["State", "ID", "Number", "Inmate number", "County ID", "FBI case number"])
def test_b08_but_no_other_number_is_one_of_it(driver: PipelineDriver, name: str) -> None:
    known, sent = ({"identifiers": [{"scheme": each, "value": "7700123"}]} for each in ("FBI", name))
    assert not heard(driver, known, {**sent, "name": {"given": "Carl", "sur": "Muster"}, "birth_date": BORN})


def issued(by: str, value: str = "7700123") -> dict[str, Any]:
    return {"identifiers": [{"scheme": "SID", "value": value, "issuer": by}]}


@pytest.mark.parametrize(
    "by",
    ["va", "Va.", "Virginia", "COMMONWEALTH OF VIRGINIA", "US-VA", "VADOC", "VA DOC", "VA0430000", "Virginia Department of Corrections"],
)
def test_b08_the_state_that_issued_a_number_is_understood_however_it_is_written(driver: PipelineDriver, by: str) -> None:
    assert heard(driver, person(None, "VA7700123", born=None), issued(by))


@pytest.mark.parametrize(
    ("by", "begins"),
    [("Maine", "MA"), ("Missouri", "MI"), ("Alaska", "AL"), ("Nevada", "NE"), ("Virginia", "VI"), ("Ontario", "VA"), ("FBI", "VA")],
)
def test_b08_a_state_is_never_taken_for_another_that_begins_alike(driver: PipelineDriver, by: str, begins: str) -> None:
    assert not heard(driver, person(None, f"{begins}7700123", born=None), issued(by))


def test_b08_nebraska_is_itself_by_both_its_codes(driver: PipelineDriver) -> None:
    driver.register(registration("R-1", offender=person(None, "NE7700123", born=None)))
    nebraskan = {"ori": "NB0310000", "name": "Jail"}
    driver.submit(submission(agency=nebraskan, offenders=[{"identifiers": [{"scheme": "SID", "value": "7700123"}]}]))
    recapture = {"event_subtype": "Recapture", "action_at": "2026-11-02T11:30:00-05:00"}
    driver.submit(submission(agency=nebraskan, offenders=[person(None, "NB7700123", born=None)], **recapture))
    assert len({each.message_ids for each in messages_sent(driver) if each.kind == "notification"}) == 2, driver.explain()


def test_b08_an_agencys_state_may_be_a_name(driver: PipelineDriver) -> None:
    driver.register(registration("R-1", offender=issued("VA")))
    driver.submit(
        submission(agency={"ori": "JAIL0001", "state": "Virginia"}, offenders=[{"identifiers": [{"scheme": "SID", "value": "7700123"}]}])
    )
    assert registrants_told(driver) == ["R-1"]
    assert {each.jurisdiction for each in driver.records("events") if isinstance(each, Event)} == {"VA"}


# --- B09 -----------------------------------------------------------------------------------------------------------------

FILLERS = """NOT AVAILABLE|UNAVAILABLE|N.A.|N/A|.|?|NO SID|NONE GIVEN|NOT ASSIGNED|UNKN|REFUSED|NOT ON FILE|999999999|111111111
XXXXXXXXX|-|0000000|UNKNOWN|NONE|NULL|TBD|PENDING|123456789|00000000|VA0000000|VA9999999|not available|N O N E
*****|#N/A|see file|TEST|000-00-0000|UNKNOWN 1|DESCONOCIDO 1|no tiene|KEINE0|INCONNU 2|AUCUN|SIN NUMERO 1|S/N 0|N/A 0
VA1111111|VA-8888888|987654321|9876543210|123123123|121212121|A0000000|0000000A|VA000|XXXXX1234|****5521|###-##-5521|77??0123
-1|-99|1.23E+08|7E+10|2147483647|078-05-1120|1900-01-01|VA UNKNOWN 1|U N K N O W N 1|not yet assigned 1|TO BE DETERMINED 1
0987654321|9876543210|1234321|123454321|1234554321|12344321|11223344|1122334455|12341234|123123|147258369
741852963|789456123|DOE 1|FAKE 5|FILLER1|PLACEHOLDER1|BLOCK 12|CELL 12|POD 3|UNIT 2-114|INTAKE 1|NUMBER 0|NaN 0
TEMP 1|NOT-AVAIL-1|awaiting prints 1|SEE REMARKS 2|ＵＮＫＮＯＷＮ１|ABC123|(null) 0|#DIV/0!|12/31/9999|31.12.1999""".replace(
    "\n", "|"
).split("|")


@pytest.mark.parametrize("filler", FILLERS)
def test_b09_a_filler_makes_nobody_the_same_as_anybody(driver: PipelineDriver, filler: str) -> None:
    carl = person({"given": "Carl", "sur": "Muster"}, filler, born="1988-01-09")
    dana = person({"given": "Dana", "sur": "Other"}, filler, born="1965-07-30")
    assert not heard(driver, carl, dana)


@pytest.mark.parametrize("filler", [each for each in FILLERS if not each.startswith("VA")])
def test_b09_nor_if_the_birth_date_is_the_same(driver: PipelineDriver, filler: str) -> None:
    """A weak number with a birth date would tie two people."""

    def someone(given: str) -> dict[str, Any]:
        schemes = ("FBI", "DOC", "ICOTS", "BOOKING", "COUNTY")
        numbers = [{"scheme": scheme, "value": filler, "issuer": "VA0430000"} for scheme in schemes]
        return {"identifiers": numbers, "name": {"given": given, "sur": "Muster"}, "birth_date": BORN}

    assert not heard(driver, someone("Carl"), someone("Dana"))


@pytest.mark.parametrize(
    "number", ["TEST0123", "NONE4417", "FAKE4417", "ASDF4417", "PLACEHOLDER4417", "VATEST0117", "VANONE4417", "VA-PENDING-4417"]
)
@pytest.mark.parametrize("scheme", ["SID", "DOC", "BOOKING", "COUNTY"])
def test_b09_a_word_with_a_number_after_it_is_no_number_either(driver: PipelineDriver, scheme: str, number: str) -> None:
    def someone(given: str) -> dict[str, Any]:
        return {
            "identifiers": [{"scheme": scheme, "value": number, "issuer": "VA0430000"}],
            "name": {"given": given, "sur": "Muster"},
            "birth_date": BORN,
        }

    assert not heard(driver, someone("Carl"), someone("Dana"))


@pytest.mark.parametrize("number", ["XX7700123", "ZZ-7700123", "SO7700123", "AB7700123"])
def test_b09_letters_that_are_no_state_do_not_make_one_person_of_two_states_numbers(driver: PipelineDriver, number: str) -> None:
    """Found as a variant: somebody registered for a Virginian heard of a North Carolinian whose number a form began alike."""

    def escape(state: str, at: str) -> dict[str, Any]:
        agency = {"ori": f"{state}0430000", "name": "Jail", "state": state}
        return submission(message_id=state, agency=agency, offenders=[person(None, number, born=None)], action_at=at)

    driver.register(registration("R-1", offender={"identifiers": [{"scheme": "SID", "value": number, "issuer": "VA"}]}))
    driver.submit(escape("VA", "2026-11-02T11:00:00-05:00"), escape("NC", "2026-11-02T11:05:00-05:00"))
    assert {each.message_ids for each in messages_sent(driver)} == {("VA",)}


UNNAMED: list[dict[str, str]] = [
    {"given": "UNKNOWN", "sur": "UNKNOWN"},
    {"given": "FNU", "sur": "LNU"},
    {"given": "FNU", "sur": "Muster"},
    {"full": "LNU, CARL"},
    {"full": "Unknown Male"},
    {"given": "Carl", "sur": "UNK"},
    {"given": "N/A", "sur": "N/A"},
    {"given": "None", "sur": "None"},
    {"given": "null", "sur": "null"},
    {"given": "undefined", "sur": "undefined"},
    {"given": "TBD", "sur": "TBD"},
    {"given": "John", "sur": "Doe"},
    {"full": "DOE, JANE"},
    {"full": "John Q Doe 2"},
    {"given": "Baby Boy", "sur": "Doe"},
    {"full": "Not Available"},
    {"full": "Name Withheld"},
    {"full": "Refused, Refused"},
    {"full": "NO NAME GIVEN"},
    {"full": "Redacted Redacted"},
    {"full": "Sealed Record"},
    {"full": "Confidential Juvenile"},
    {"full": "INMATE, TEST"},
    {"given": "Firstname", "sur": "Lastname"},
    {"full": "LAST, FIRST MIDDLE"},
    {"full": "Unnamed Male"},
    {"full": "XXXX XXXX"},
    {"given": "XX", "sur": "XX"},
    {"given": "X", "sur": "X"},
    {"full": "J. S."},
    {"given": "J", "middle": "R", "sur": "S"},
    {"given": "John", "sur": "N/A"},
    {"given": "N/A", "sur": "Muster"},
    {"given": "John", "sur": "Last Name Unknown"},
    {"given": "Carl", "sur": "None"},
    {"given": "Carl", "sur": "Not Available"},
    {"given": "Name Withheld", "sur": "Muster"},
    {"given": "Unknown 1", "sur": "Muster"},
    {"given": "Carl", "sur": "Unknown2"},
    {"full": "Sin Nombre"},
    {"full": "Nombre Desconocido"},
    {"full": "Keine Angabe"},
]
REAL_NAMES: list[dict[str, str]] = [
    {"given": "Christopher", "sur": "Null"},
    {"given": "John", "sur": "Sample"},
    {"given": "Yuna", "sur": "Na"},
    {"given": "Johanna", "sur": "Doe"},
    {"given": "Will", "sur": "Test"},
    {"given": "Male", "sur": "Boyd"},
    {"full": "Grace Given"},
    {"given": "Jo", "sur": "Xx"},
    {"given": "Ada", "sur": "First"},
    {"given": "Aa", "sur": "Bb"},
    {"given": "Sadaharu", "sur": "O"},
    {"given": "J. R.", "sur": "Walker"},
    {"given": "Baby", "sur": "Walker"},
    {"given": "T", "sur": "Walker"},
]


@pytest.mark.parametrize("name", UNNAMED, ids=str)
def test_b09_a_name_of_which_a_part_is_unknown_is_nobodys(driver: PipelineDriver, name: dict[str, str]) -> None:
    def known(number: str) -> dict[str, Any]:
        return {"identifiers": [{"scheme": "COUNTY", "value": number}], "name": name, "birth_date": BORN}

    assert not heard(driver, known("C-77102"), known("C-88203"))


@pytest.mark.parametrize("name", REAL_NAMES, ids=str)
def test_b09_but_people_are_called_so(driver: PipelineDriver, name: dict[str, str]) -> None:
    assert heard(driver, {"name": name, "birth_date": BORN}, {"name": name, "birth_date": BORN})


@pytest.mark.parametrize("name", [{"full": "DOE, JOHN"}, {"given": "N/A", "sur": "N/A"}], ids=str)
def test_b09_a_name_that_is_nobodys_contradicts_nothing(driver: PipelineDriver, name: dict[str, str]) -> None:
    carl = person({"given": "Carl", "sur": "Muster"}, "VA7700123", born="1988-01-09")
    assert heard(driver, carl, {**carl, "name": name, "birth_date": "1988-01-08"})


@pytest.mark.parametrize("known_before", [False, True], ids=["registered first", "known before"])
def test_b09_who_registers_by_a_number_that_name_and_birth_date_contradict_is_not_told_and_a_person_is_asked(
    driver: PipelineDriver, *, known_before: bool
) -> None:
    """Found as a variant: nobody was told, and nobody knew."""
    dana = person({"given": "Dana", "sur": "Other"}, "VA7700001", born="1965-07-30")
    if known_before:
        driver.submit(submission(offenders=[dana]))
    driver.register(registration("R-1", offender=person({"given": "Carl", "sur": "Muster"}, "VA7700001", born="1988-01-09")))
    driver.submit(submission(offenders=[dana], event_subtype="Recapture", action_at="2026-11-02T11:30:00-05:00"))
    assert "notification" not in {each.kind for each in messages_sent(driver)}
    (review,) = driver.reviews()
    assert review.reason == "possible_match"
    assert "SID VA7700001 agrees; name against another name; birth date 1988-01-09 against 1965-07-30" in review.detail
    driver.review("release", review.review_id)
    driver.submit(submission(offenders=[dana], event_subtype="Escape", action_at="2026-11-03T11:30:00-05:00"))
    assert "notification" in {each.kind for each in messages_sent(driver)}


def test_b09_a_filler_beside_two_numbers_mixes_up_nobody(driver: PipelineDriver) -> None:
    def someone(sid: str, given: str, born: str) -> dict[str, Any]:
        return {
            "identifiers": [{"scheme": "SID", "value": sid}, {"scheme": "FBI", "value": "UNAVAILABLE"}],
            "name": {"given": given, "sur": "Muster"},
            "birth_date": born,
        }

    driver.register(registration("R-1", offender=person(None, "VA7700001", born=None)))
    driver.register(registration("R-2", offender=person(None, "VA7700002", born=None)))
    driver.submit(submission(message_id="A", offenders=[someone("VA7700001", "Carl", "1988-01-09")]))
    driver.submit(submission(message_id="B", offenders=[someone("VA7700002", "Dana", "1965-07-30")]))
    found = {each.registrant_id: each.message_ids for each in messages_sent(driver)}
    assert found == {"R-1": ("A",), "R-2": ("B",)}, driver.explain()
    assert driver.reviews() == []
