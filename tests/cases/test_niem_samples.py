"""Our own samples of how each version of NIEM writes what docs/xml.md lists."""

from pathlib import Path

import pytest

from processors.domain.person import Identifier, Name, Person
from processors.domain.submission import Case, NotificationSubtype, Place, Submission
from tests.ingest.records import submission

SAMPLES = {path.stem: path for path in (Path(__file__).parent / "niem").glob("*.xml")}
VALIDATE = (NotificationSubtype("Validate", ("Date",)),)


def read(name: str) -> Submission:
    return submission(SAMPLES[name].read_bytes())


def test_niem_2_parole() -> None:
    found = read("niem-2-parole")
    assert found.offenders == (
        Person((Identifier("SID", "VA7700456"),), Name(given="Dale", sur="Hooper"), (Name(full="Dale Cooper"),), "1975-06-30"),
    )
    assert (found.agency.ori, found.event_subtype, found.action_at, found.notification_subtypes) == (
        "VA043015G",
        "Parole Board Hearing",
        "2026-11-20",
        VALIDATE,
    )


def test_niem_3_custody_release() -> None:
    found = read("niem-3-custody-release")
    assert found.offenders == (Person((Identifier("BOOKING", "26-004411"),), Name(given="Ruth", middle="A", sur="Marsh"), (), "1988-07"),)
    assert (found.location, found.remarks, found.notification_subtypes) == (Place("Community", "Brighton, CO"), None, VALIDATE)
    assert found.action_at == "2026-11-02T09:10:00-07:00"


def test_niem_5_court_event() -> None:
    found = read("niem-5-court-event")
    assert found.offenders == (Person((), Name(given="Lena", sur="Boudreaux"), (), "1991-03-04"),)
    assert found.case == Case("521-877", "Orleans Criminal District Court")
    assert (found.action_at, found.notification_subtypes) == ("2026-12-14T10:00:00-06:00", (NotificationSubtype("Validate"),))


def test_niem_6_intake() -> None:
    found = read("niem-6-intake")
    assert found.offenders == (Person((Identifier("DOC", "1187654"),), Name(given="Omar", sur="Reyes"), (), "1969-09-19"),)
    assert (found.agency.name, found.notification_subtypes, found.details) == ("Department of Corrections", VALIDATE, {})


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_tried(name: str) -> None:
    assert f"test_{name.replace('-', '_')}" in globals()


def test_a_number_names_the_state_that_issued_it() -> None:
    state = "<nc:LocationStateUSPostalServiceCode>NC</nc:LocationStateUSPostalServiceCode>"
    jurisdiction = f"<nc:IdentificationJurisdiction>{state}</nc:IdentificationJurisdiction>"
    text = SAMPLES["niem-2-parole"].read_text()
    number = "<nc:IdentificationID>VA7700456</nc:IdentificationID>"
    assert text.count(number) == 1
    (offender,) = submission(text.replace(number, number + jurisdiction).encode()).offenders
    assert offender.identifiers == (Identifier("SID", "VA7700456", "NC"),)
