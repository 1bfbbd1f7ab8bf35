"""Invisible signs, generations, blanks in surnames and fillers: who is the same person, and who is not (B06 to B09)."""

from typing import Any

import msgspec
import pytest

from processors.domain.registration import Contact, Contacts, Registration
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import REGISTRATIONS
from tests.cases.given import registrants, told
from tests.ingest.records import REGISTRATION, SEAL, changed, taken
from tests.stories.builders import registration, submission

BORN = "1979-02-11"
SIGNS = ["\u200b", "\u00ad", "\u200d", "\u200c", "\ufeff", "\u200e", "\u200f", "\u2060", "\u202a", "\u2066"]


def person(name: dict[str, Any] | str | None = None, *sids: str, born: str | None = BORN) -> dict[str, Any]:
    named = {"full": name} if isinstance(name, str) else name
    identifiers = [{"scheme": "SID", "value": each} for each in sids]
    return {"identifiers": identifiers, **({"name": named} if named else {}), **({"birth_date": born} if born else {})}


def heard(driver: PipelineDriver, registered: dict[str, Any], submitted: dict[str, Any]) -> bool:
    """Whether somebody registered for the one hears of the other."""
    driver.register(registration("R-1", offender=registered))
    driver.submit(submission(offenders=[submitted]))
    return registrants(driver) == ["R-1"]


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
    found = msgspec.json.decode(taken(changed(REGISTRATION, contacts=sent), REGISTRATIONS).body, type=Registration)
    contacts = msgspec.json.decode(SEAL.open(found.sealed, "contacts:R-1"), type=Contacts)
    assert contacts.contacts == (Contact(channel, address, verified=True),)  # type: ignore[arg-type]


def test_b06_nor_within_an_email_address() -> None:
    sent = [{"channel": "email", "address": "re\u00adg7@exam\u200bple.org", "verified": True}]
    found = msgspec.json.decode(taken(changed(REGISTRATION, contacts=sent), REGISTRATIONS).body, type=Registration)
    assert msgspec.json.decode(SEAL.open(found.sealed, "contacts:R-1"), type=Contacts).contacts[0].address == "reg7@example.org"


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
    ],
    ids=str,
)
def test_b07_a_generation_counts_for_nothing_wherever_it_stands(driver: PipelineDriver, name: Any) -> None:
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
    ],
)
def test_b08_blanks_hyphens_and_apostrophes_count_for_nothing_in_a_name(driver: PipelineDriver, one: str, other: str) -> None:
    assert heard(driver, person({"given": "Todd", "sur": one}), person({"given": "TODD", "sur": other}))


def test_b08_nor_in_a_given_name_and_what_is_told_keeps_the_agencys_spelling(driver: PipelineDriver) -> None:
    driver.register(registration("R-1", offender=person({"given": "Mary-Ann", "sur": "OBryan"})))
    driver.submit(submission(offenders=[person({"given": "Maryann", "sur": "O'Bryan"})]))
    (message,) = told(driver)
    assert message.offenders is not None
    assert [each.name for each in message.offenders] == ["Maryann O'Bryan"]


@pytest.mark.parametrize(("one", "other"), [("Bryan", "O'Bryan"), ("Donald", "McDonald"), ("Smith", "Smith-Jones"), ("Walker", "Walter")])
def test_b08_another_name_is_another_person(driver: PipelineDriver, one: str, other: str) -> None:
    assert not heard(driver, person({"given": "Todd", "sur": one}), person({"given": "Todd", "sur": other}))


# --- B09 -----------------------------------------------------------------------------------------------------------------

FILLERS = """NOT AVAILABLE|UNAVAILABLE|N.A.|N/A|.|?|NO SID|NONE GIVEN|NOT ASSIGNED|UNKN|REFUSED|NOT ON FILE|999999999|111111111
XXXXXXXXX|-|0000000|UNKNOWN|NONE|NULL|TBD|PENDING|123456789|00000000|VA0000000|VA9999999|not available|N O N E
*****|#N/A|see file|TEST|000-00-0000""".replace("\n", "|").split("|")


@pytest.mark.parametrize("filler", FILLERS)
def test_b09_a_filler_makes_nobody_the_same_as_anybody(driver: PipelineDriver, filler: str) -> None:
    carl = person({"given": "Carl", "sur": "Muster"}, filler, born="1988-01-09")
    dana = person({"given": "Dana", "sur": "Other"}, filler, born="1965-07-30")
    assert not heard(driver, carl, dana)


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
    found = {each.registrant_id: each.message_ids for each in told(driver)}
    assert found == {"R-1": ("A",), "R-2": ("B",)}, driver.explain()
    assert driver.reviews() == []
