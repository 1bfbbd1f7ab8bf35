"""Four agencies know one person by four numbers, which are linked late (contract §3.2)."""

from datetime import timedelta
from typing import Any

from processors.runtime.decide.driver import PipelineDriver
from processors.topics import CONFIRMED, DISTINCT, EVENTS
from tests.stories.builders import registration, submission

PERSON = {"name": {"given": "Dean", "sur": "Colton"}, "birth_date": "1984-05-17"}
NUMBERS = {"SID": "VA5512340", "FBI": "123456AB7", "ICOTS": "7654321", "DOC": "1155221"}


def known_by(*schemes: str, **more: Any) -> dict[str, Any]:
    """Return the offender by these numbers alone."""
    return {"identifiers": [{"scheme": scheme, "value": NUMBERS[scheme]} for scheme in schemes], **more}


def registered(driver: PipelineDriver) -> None:
    """One registrant by each of the four numbers."""
    for number, scheme in enumerate(NUMBERS, 1):
        driver.register(registration(f"R-{number}", offender=known_by(scheme)))


def escape(message_id: str, offender: dict[str, Any], at: str = "2026-11-02T11:00:00-05:00", **more: Any) -> dict[str, Any]:
    return submission(message_id=message_id, offenders=[offender], action_at=at, **more)


def told(driver: PipelineDriver) -> list[tuple[str, str]]:
    """Return who was told of which messages, in order."""
    return sorted((each.registrant_id, message) for each in driver.outbound() for message in each.message_ids)


def test_after_the_numbers_have_met_everybody_hears_of_the_person(driver: PipelineDriver) -> None:
    registered(driver)
    driver.submit(escape("E-1", known_by("SID")))
    driver.advance(timedelta(minutes=1))
    assert told(driver) == [("R-1", "E-1")]
    for scheme in ("FBI", "ICOTS", "DOC"):  # each known by its own number before the numbers meet
        intake = {"event_type": "Corrections", "event_subtype": "Intake", "notification_type": "Movement"}
        driver.submit(escape(f"I-{scheme}", known_by(scheme), at="2026-11-02T09:00:00-05:00", **intake))
    driver.submit(escape("I-ALL", known_by(*NUMBERS), at="2026-11-02T11:30:00-05:00", event_subtype="Recapture"))
    driver.advance(timedelta(days=1))
    heard = {registrant for registrant, message in told(driver) if message == "I-ALL"}
    assert heard == {"R-1", "R-2", "R-3", "R-4"}, driver.explain("I-ALL")
    for topic in (EVENTS, DISTINCT, CONFIRMED):
        keys = {entry.key for entry in driver.entries(topic)}
        assert len(keys) == 4, topic.name
    for stage in ("dedupe", "validate", "match"):
        owners = {key[:17] for key in driver.keys(stage)}
        assert len(owners) == 1, f"{stage} keeps something under a key that was merged away: {driver.keys(stage)}"


def test_what_one_agency_said_under_one_number_is_told_once_when_another_number_says_it(driver: PipelineDriver) -> None:
    registered(driver)
    driver.submit(escape("E-1", known_by("FBI")))
    driver.submit(escape("E-2", known_by("FBI", "SID"), at="2026-11-02T11:00:00-05:00"))
    driver.advance(timedelta(days=1))
    assert told(driver).count(("R-2", "E-1")) == 1
    assert ("R-2", "E-2") not in told(driver)


def test_a_cancellation_under_the_other_number_reaches_those_who_were_told(driver: PipelineDriver) -> None:
    registered(driver)
    driver.submit(escape("E-1", known_by("FBI")))
    driver.submit(escape("X-1", known_by("SID")))
    driver.submit(escape("I-1", known_by("SID", "FBI"), at="2026-11-02T11:30:00-05:00", event_subtype="Recapture"))
    driver.submit(escape("C-1", known_by("SID"), operation="Cancel", refers_to="E-1"))
    driver.advance(timedelta(days=1))
    assert ("R-2", "C-1") in told(driver), driver.explain()
