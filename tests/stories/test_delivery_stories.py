"""Stories of delivery, from registration to a confirmed notification, through the whole pipeline with a movable clock."""

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from processors.domain.notification import Outbound
from processors.domain.time import iso
from processors.topics import DEAD_LETTERS, INBOUND, RECEIPTS, REGISTRANTS, REGISTRATION_STATUS, VERIFICATIONS
from tests.stories.answered import PIN, AnsweredDriver
from tests.stories.builders import registration, submission

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PHONE = "+18045551000"
PRISON = {"kind": "State Prison", "name": "Nottoway Correctional Center"}


def contact(channel: str, address: str, *, verified: bool = True) -> dict[str, Any]:
    return {"channel": channel, "address": address, "verified": verified}


def write_from(driver: AnsweredDriver, sender: str, body: str, channel: str = "sms") -> None:
    """Somebody writes to us."""
    sent = {"provider": "test", "channel": channel, "from": sender, "to": "12345", "body": body, "occurred_at": iso(driver.now)}
    driver.send(INBOUND, sent)


def give_code(driver: AnsweredDriver, registration_id: str, code: str) -> None:
    driver.send(VERIFICATIONS, {"registration_id": registration_id, "code": code, "at": iso(driver.now)}, registration_id)


def statuses(driver: AnsweredDriver) -> dict[str, str]:
    return {key: each.status for key, each in driver.latest(REGISTRATION_STATUS).items()}


def test_a_provider_finds_its_own_receipt_by_the_dead_letter_and_nobody_the_pin(driver: AnsweredDriver) -> None:
    sent = {"reference": f"R-1.{'0' * 20}", "status": "confirmed", "occurred_at": iso(driver.now), "provider": "test", "digits": PIN}
    driver.send(RECEIPTS, sent)
    (own,) = driver.entries(RECEIPTS)
    (letter,) = driver.records(DEAD_LETTERS)
    digest = sha256(own.value or b"").hexdigest()
    assert (letter.reason, letter.topic, letter.partition, letter.offset, letter.sha256) == ("unknown_receipt", "receipts", 0, 0, digest)
    (receipt,) = driver.records(REGISTRANTS)
    assert digest.encode() not in msgspec.json.encode(receipt), "a PIN of four digits could be guessed from it"


def test_a_day_of_calls_until_the_right_pin(unanswered: AnsweredDriver) -> None:
    """Every two hours, through the night; wrong PINs and machines go on; the right PIN on the second number ends both."""
    driver = unanswered
    driver.register(registration(contacts=[contact("voice", PHONE), contact("voice", "+18045552000")]))
    driver.receipt(driver.confirmations()[0].reference, "delivered")
    driver.submit(submission())
    driver.advance(12 * HOUR + MINUTE)
    calls = driver.outbound("voice")
    assert [each.attempt for each in calls if each.to == PHONE] == [1, 2, 3, 4, 5, 6, 7]
    driver.receipt(calls[-1].reference, "confirmed", digits="0000")
    driver.receipt(calls[-2].reference, "voicemail")
    driver.receipt(calls[-1].reference, "confirmed", digits=PIN)
    driver.advance(2 * DAY)
    assert len(driver.outbound("voice")) == len(calls)
    assert [each.reason for each in driver.verdicts() if each.outcome == "delivered"] == ["reached"]


@pytest.mark.parametrize(("digits", "further"), [(PIN, 0), ("0000", 2)], ids=["right", "wrong"])
def test_calls_that_are_due_a_second_after_the_right_pin_are_not_made(unanswered: AnsweredDriver, digits: str, further: int) -> None:
    driver = unanswered
    first, second = called_on_two_numbers(driver)
    driver.receipt(first.reference, "no_answer")
    driver.advance(2 * HOUR - SECOND)
    driver.receipt(second.reference, "confirmed", digits=digits)
    driver.advance(SECOND)
    assert len(driver.outbound("voice")) == 2 + further


def test_a_call_that_left_before_the_right_pin_is_not_called_back_and_none_follows(unanswered: AnsweredDriver) -> None:
    driver = unanswered
    _, second = called_on_two_numbers(driver)
    driver.advance(2 * HOUR)
    calls = driver.outbound("voice")
    assert [each.attempt for each in calls] == [1, 1, 2, 2]
    driver.receipt(second.reference, "confirmed", digits=PIN)
    driver.receipt(calls[2].reference, "no_answer")
    driver.advance(DAY)
    assert driver.outbound("voice") == calls


def called_on_two_numbers(driver: AnsweredDriver) -> list[Outbound]:
    """Return the calls about an escape to the two numbers of a registrant, which have just left."""
    driver.register(registration(contacts=[contact("voice", PHONE), contact("voice", "+18045552000")]))
    driver.receipt(driver.confirmations()[0].reference, "delivered")
    driver.submit(submission())
    driver.advance(5 * SECOND)
    return driver.outbound("voice")


def test_a_week_of_an_unreachable_registrant(unanswered: AnsweredDriver) -> None:
    driver = unanswered
    driver.register(registration(registration_id="V-1", contacts=[contact("sms", PHONE), contact("email", "a@example.org")]))
    for _ in range(7):
        driver.submit(submission(action_at=iso(driver.now)))
        driver.advance(DAY)
    outcomes = [each.reason for each in driver.verdicts() if each.outcome in {"delivered", "undelivered"}]
    assert set(outcomes) == {"not_reached_emergency"}
    assert len({each.reference for each in driver.outbound()}) == len(driver.outbound())


def test_stop_silences_the_address_for_every_registrant_who_has_it_with_one_confirmation(driver: AnsweredDriver) -> None:
    driver.register(
        registration("R-1", contacts=[contact("sms", PHONE), contact("email", "a@example.org")]),
        registration("R-2", contacts=[contact("sms", PHONE), contact("email", "b@example.org")]),
    )
    before = len(driver.confirmations())
    write_from(driver, "(804) 555-1000", " Stop. ")
    confirmed = driver.confirmations()[before:]
    assert [(each.channel, each.to) for each in confirmed] == [("sms", PHONE)]
    driver.submit(submission())
    driver.advance(MINUTE)
    assert sorted((each.registrant_id, each.channel) for each in driver.outbound()) == [("R-1", "email"), ("R-2", "email")]
    driver.register(registration("R-3", contacts=[contact("sms", PHONE)]))
    driver.submit(submission(action_at="2026-11-02T11:30:00-05:00", event_subtype="Recapture"))
    driver.advance(MINUTE)
    assert "R-3" not in {each.registrant_id for each in driver.outbound()}
    write_from(driver, PHONE, "START")
    driver.submit(submission(action_at="2026-11-02T11:45:00-05:00"))
    driver.advance(MINUTE)
    assert {each.registrant_id for each in driver.outbound("sms")} == {"R-1", "R-2", "R-3"}


@pytest.mark.parametrize("first", [(), ("delivered",)], ids=["at once", "after it was delivered"])
def test_what_the_carrier_reports_as_opted_out_silences_other_registrants_too(unanswered: AnsweredDriver, first: tuple[str, ...]) -> None:
    """Case B21."""
    driver = unanswered
    driver.register(registration("R-1", contacts=[contact("sms", PHONE)]), registration("R-2", contacts=[contact("sms", PHONE)]))
    for each in driver.confirmations():
        driver.receipt(each.reference, "delivered")
    driver.submit(submission())
    driver.advance(MINUTE)
    for status in (*first, "opted_out"):
        driver.receipt(driver.outbound()[0].reference, status)
    left = len(driver.outbound())
    assert len(driver.confirmations()) == 2
    for minute in (10, 20, 30):
        driver.submit(submission(action_at=f"2026-11-02T11:{minute}:00-05:00", event_subtype="Recapture" if minute % 20 else "Escape"))
    driver.advance(DAY)
    assert len(driver.outbound()) == left
    assert set(statuses(driver).values()) == {"opted_out"}


def test_receipts_that_are_replayed_change_nothing(unanswered: AnsweredDriver) -> None:
    """The receiver of callbacks forgets what it took when it is restarted."""
    driver = unanswered
    driver.register(registration("R-1", contacts=[contact("sms", PHONE), contact("voice", "+18045552000")]))
    for each in driver.confirmations():
        driver.receipt(each.reference, "delivered")
    driver.submit(submission())
    driver.advance(MINUTE)
    by = {each.channel: each.reference for each in driver.outbound()}
    receipts: list[tuple[str, str, dict[str, Any]]] = [
        (by["sms"], "accepted", {}),
        (by["sms"], "delivered", {}),
        (by["sms"], "opted_out", {}),
        (by["voice"], "confirmed", {"digits": PIN}),
    ]
    for reference, status, more in receipts:
        driver.receipt(reference, status, **more)
    write_from(driver, PHONE, "START")
    before = driver.documents("deliver"), driver.documents("identify"), len(driver.outbound()), len(driver.confirmations())
    for reference, status, more in (*receipts, *reversed(receipts)):
        driver.receipt(reference, status, **more)
    driver.advance(MINUTE)
    assert (driver.documents("deliver"), driver.documents("identify"), len(driver.outbound()), len(driver.confirmations())) == before


def test_other_words_reach_a_reviewer_and_released_they_are_an_opt_out(driver: AnsweredDriver) -> None:
    driver.register(registration("R-1", contacts=[contact("sms", PHONE)]))
    write_from(driver, PHONE, "please leave me alone")
    (review,) = driver.reviews()
    assert review.reason == "unclear_reply"
    assert "R-1" not in review.review_id
    driver.review("release", review.review_id)
    assert driver.reviews() == []
    driver.submit(submission())
    driver.advance(MINUTE)
    assert driver.outbound() == []


def test_a_code_makes_a_contact_count(driver: AnsweredDriver) -> None:
    driver.register(registration("R-1", registration_id="V-1", contacts=[contact("sms", PHONE, verified=False)]))
    (asked,) = driver.outbound()
    assert statuses(driver) == {"V-1": "awaiting_verification"}
    found = re.search(r"\d{6}", asked.body)
    assert found is not None
    give_code(driver, "V-1", "000000" if found[0] != "000000" else "000001")
    assert statuses(driver) == {"V-1": "awaiting_verification"}
    give_code(driver, "V-1", found[0])
    assert statuses(driver) == {"V-1": "active"}
    assert [each.kind for each in driver.confirmations()] == ["confirmation"]
    driver.submit(submission())
    driver.advance(MINUTE)
    assert [each.kind for each in driver.outbound()] == ["verification", "notification"]


def test_a_confirmation_says_where_the_offender_stands_when_it_leaves(driver: AnsweredDriver) -> None:
    """Between registering and the code an escape was recorded: the confirmation says so, for no message told of it."""
    email = contact("email", "reg1@example.org", verified=False)
    driver.submit(submission(event_subtype="Intake", notification_type="Movement", status="Incarcerated", location=PRISON))
    driver.register(registration("R-1", registration_id="V-1", contacts=[email]))
    (asked,) = driver.outbound()
    driver.advance(HOUR)
    driver.submit(submission(event_subtype="Escape", action_at=iso(driver.now)))
    found = re.search(r"\d{6}", asked.body)
    assert found is not None
    give_code(driver, "V-1", found[0])
    (confirmed,) = driver.confirmations()
    assert "Status: escaped, since" in confirmed.body


def test_a_confirmation_of_who_is_not_known_yet_leaves_at_once(driver: AnsweredDriver) -> None:
    driver.register(registration("R-1"))
    assert ["Status" in each.body for each in driver.confirmations()] == [False]


def test_an_address_is_asked_to_verify_itself_three_times_a_day_over_all_registrants(driver: AnsweredDriver) -> None:
    """Nobody can have a stranger's number flooded (contract §4)."""
    for number in range(5):
        driver.register(registration(f"R-{number}", contacts=[contact("sms", PHONE, verified=False)]))
    assert len(driver.outbound()) == 3
    driver.advance(DAY)
    assert len(driver.outbound()) == 5


def test_a_number_that_changes_in_a_running_series(unanswered: AnsweredDriver) -> None:
    driver = unanswered
    first = registration("R-1", registration_id="V-1", contacts=[contact("voice", PHONE)])
    driver.register(first)
    driver.receipt(driver.confirmations()[0].reference, "delivered")
    driver.submit(submission())
    driver.advance(3 * HOUR)
    driver.register({**first, "contacts": [contact("voice", "+18045552000")]})
    driver.advance(5 * HOUR)
    assert [each.to for each in driver.outbound("voice")] == [PHONE, PHONE, "+18045552000", "+18045552000", "+18045552000"]


def test_receipts_that_are_unknown_doubled_early_or_late_are_harmless(unanswered: AnsweredDriver) -> None:
    """Case B20."""
    driver = unanswered
    driver.register(registration("R-1", contacts=[contact("sms", PHONE)]))
    driver.submit(submission())
    driver.receipt(f"R-1.{'0' * 20}", "delivered")
    driver.advance(MINUTE)
    reference = driver.outbound()[0].reference
    for status in ("delivered", "delivered", "accepted", "permanent_failure", "temporary_failure"):
        driver.receipt(reference, status)
    driver.advance(2 * DAY)
    assert len(driver.outbound()) == 1
    assert [each.reason for each in driver.verdicts("M") if each.outcome == "undelivered"] == []
    said = [
        each.reason for each in driver.verdicts() if each.reference == reference and each.stage == "deliver" and each.outcome == "receipt"
    ]
    assert said == ["receipt", "late_receipt", "late_receipt", "late_receipt", "late_receipt"]
