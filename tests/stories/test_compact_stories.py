"""What IVINS promises, through the whole pipeline: its triggers and the nine events of its fact sheet, and the clocks behind them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processors.runtime.driver import PipelineDriver
from processors.topics import EXPECTATIONS
from tests.stories.builders import WALKER, registration, submission, tagged

QUIET_OVER = timedelta(hours=24)
TYPES = {
    "Departure": "Movement",
    "Arrival": "Movement",
    "Failure to Arrive": "Movement",
    "Return to Sending State": "Movement",
    "Retaking": "Movement",
    "Absconded": "Status Update",
    "Case Closure": "Status Update",
}
INTERNAL = {
    "Reporting Instructions Request",
    "Reporting Instructions Reply",
    "Violation Report",
    "Return Request",
    "Case Closure Reply",
    "Progress Report Request",
    "Progress Report",
    "Subsequent State Request",
}


def activity(subtype: str, driver: PipelineDriver, **changes: Any) -> dict[str, Any]:
    """A compact office's message about what happens now."""
    now = datetime.fromtimestamp(driver.now / 1000, UTC).isoformat()
    usual = {
        "agency": {"ori": "VAICOTS01", "name": "Virginia Interstate Compact", "state": "VA"},
        "event_type": "Interstate Compact",
        "event_subtype": subtype,
        "notification_type": "Internal" if subtype in INTERNAL else TYPES.get(subtype, "Information"),
        "notification_subtypes": [tagged("Validate", "Date")],
        "action_at": now,
        "offenders": [WALKER],
        "compact": {"sending_state": "VA", "receiving_state": "NC", "case_number": "1203344-2"},
    }
    return submission(**{**usual, **changes})


def run(driver: PipelineDriver, *subtypes: str) -> None:
    """The activities have happened, a day apart."""
    for subtype in subtypes:
        driver.submit(activity(subtype, driver))
        driver.advance(QUIET_OVER)


# IVINS trigger, what came before, the message, whether it is an emergency, and words that say it and no other.
TRIGGERS = [
    ("requested transfer", (), "Request ICOTS Transfer", True, "A transfer of Thomas Walker from Virginia to North Carolina was requested"),
    ("approved", ("Request ICOTS Transfer",), "Accept Transfer", True, "accepted"),
    ("denied", ("Request ICOTS Transfer",), "Deny Transfer", False, "denied"),
    ("withdrawn", ("Request ICOTS Transfer",), "Withdraw Transfer", False, "withdrawn"),
    ("address change", ("Arrival",), "Address Change", False, "address"),
    ("violation, behavior requiring retaking", ("Arrival",), "Behavior Requiring Retaking", True, "broke conditions so gravely"),
    ("departed", ("Accept Transfer",), "Departure", True, "left Virginia"),
    ("arrived", ("Departure",), "Arrival", True, "arrived"),
    ("departed, never arrived", ("Departure",), "Failure to Arrive", True, "did not"),
    ("returned", ("Arrival",), "Return to Sending State", False, "returned"),
    ("supervision ended", ("Arrival",), "Case Closure", False, "Interstate supervision of Thomas Walker in North Carolina ended"),
    ("absconder", ("Arrival",), "Absconded", True, "left supervision without permission"),
]


@pytest.mark.parametrize(("before", "subtype", "emergency", "words"), [line[1:] for line in TRIGGERS], ids=[line[0] for line in TRIGGERS])
def test_each_trigger_is_told_at_once_or_not_and_in_its_own_words(
    driver: PipelineDriver, before: tuple[str, ...], subtype: str, *, emergency: bool, words: str
) -> None:
    driver.register(registration(source="IVINS"))
    run(driver, *before)
    told_before = len(driver.outbound())
    driver.submit(activity(subtype, driver))
    driver.advance(timedelta(seconds=5) if emergency else timedelta(minutes=1))
    (told,) = driver.outbound()[told_before:]
    assert told.event is not None, driver.explain()
    assert (told.event.subtype, told.emergency, told.kind) == (subtype, emergency, "notification")
    assert words in told.body, told.body


@pytest.mark.parametrize(("subtype", "emergency"), [("Accept Transfer", True), ("Address Change", False)])
def test_an_emergency_does_not_wait_for_the_morning(driver: PipelineDriver, subtype: str, *, emergency: bool) -> None:
    driver.register(registration(source="IVINS"))
    driver.advance(timedelta(hours=10))  # 22:00 where the registrant is
    driver.submit(activity(subtype, driver))
    driver.advance(timedelta(minutes=1))
    assert bool(driver.outbound()) is emergency
    driver.advance(timedelta(hours=9))
    assert len(driver.outbound()) == 1


def test_the_fact_sheets_transfer_from_request_to_closure(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    course = ("Request ICOTS Transfer", "Accept Transfer", "Departure", "Arrival", "Address Change", "Behavior Requiring Retaking")
    course = (*course, "Return to Sending State", "Case Closure")
    run(driver, *course)
    assert [each.event.subtype for each in driver.outbound() if each.event] == list(course), driver.explain()
    assert driver.reviews() == []


def test_an_unsuccessful_notification_is_the_agencys_business_and_reaches_no_registrant(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    failed = submission(
        event_type="Message Response", event_subtype="Failed to Deliver Message", notification_type="Internal", message_id="F"
    )
    driver.submit(failed)
    driver.advance(QUIET_OVER)
    assert driver.outbound() == []
    assert [each.reason for each in driver.verdicts("F")][-1] == "internal"


def test_a_registration_is_confirmed_by_asking_the_contact_to_verify_itself(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS", contacts=[{"channel": "sms", "address": "+18045551999", "verified": False}]))
    (asked,) = driver.outbound()
    assert (asked.kind, asked.emergency, asked.event) == ("verification", False, None)


def test_the_request_tells_victims_of_their_time_to_be_heard(driver: PipelineDriver) -> None:
    contacts = [{"channel": "email", "address": "reg7@example.org", "verified": True}]
    driver.register(registration(source="IVINS", contacts=contacts))
    run(driver, "Request ICOTS Transfer")
    (told,) = driver.outbound()
    for words in ("right to be heard", "15 business days", "5th business day", "within 5 business days"):
        assert words in told.body


def test_internal_steps_move_the_case_and_its_clocks_and_reach_nobody(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    run(driver, "Reporting Instructions Request", "Reporting Instructions Reply", "Departure", "Arrival")
    assert [each.event.subtype for each in driver.outbound() if each.event] == ["Departure", "Arrival"]
    states = {each.expects: each.state for each in driver.latest(EXPECTATIONS).values()}
    assert states["Reporting Instructions Reply"] == "met"
    assert states["Request ICOTS Transfer"] == "open"
    assert states["Arrival or Failure to Arrive"] == "met"


def test_a_withdrawal_after_the_departure_is_flagged_with_both_values(driver: PipelineDriver) -> None:
    driver.register(registration(source="IVINS"))
    run(driver, "Request ICOTS Transfer", "Accept Transfer", "Departure", "Withdraw Transfer")
    (review,) = driver.reviews()
    assert review.reason == "workflow"
    assert "Withdraw Transfer of 2026-11-05 cannot follow Departure of 2026-11-04" in review.detail
    assert "supervision departed" in review.detail
    assert len(driver.outbound()) == 3


def test_a_reply_that_never_comes_is_overdue_at_its_deadline(driver: PipelineDriver) -> None:
    driver.submit(activity("Request ICOTS Transfer", driver, message_id="TREQ"))
    driver.advance(timedelta(days=60))
    (reply,) = [each for each in driver.latest(EXPECTATIONS).values() if each.rule == "ICAOS Rule 3.104"]
    assert (reply.state, reply.message_id, reply.settled_at) == ("overdue", "TREQ", reply.deadline)
    every = [each for each in driver.records(EXPECTATIONS) if each.expectation_id == reply.expectation_id]
    assert [each.state for each in every] == ["open", "overdue"]
