"""A message's way through the whole pipeline."""

from datetime import timedelta
from typing import Any

import msgspec

from processors.domain.submission import Submission
from processors.pipeline import PIPELINE
from processors.rules.rule_set import Rules
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import DEAD_LETTERS, TOPICS
from tests.stories.builders import BAKER, WALKER, hearing, registration, submission, tagged

MINUTE = timedelta(minutes=1)


def ends(driver: PipelineDriver, message_id: str) -> list[tuple[str, str, str]]:
    return [(each.stage, each.outcome, each.reason) for each in driver.verdicts(message_id)]


def test_an_escape_is_told_at_once_to_whom_it_concerns(driver: PipelineDriver) -> None:
    driver.register(registration("R-1"), registration("R-2", offender=BAKER))
    driver.submit(submission(message_id="M"))
    assert driver.outbound() == []
    driver.advance(5 * timedelta(seconds=1))
    (told,) = driver.outbound()
    assert (told.registrant_id, told.kind, told.channel, told.emergency) == ("R-1", "notification", "sms", True), driver.explain()
    assert told.event is not None
    assert told.event.subtype == "Escape"
    assert told.message_ids == ("M",)
    assert "Walker" in told.body
    driver.advance(timedelta(days=1))
    assert len(driver.outbound()) == 1
    assert ends(driver, "M") == [
        ("read", "accepted", "accepted"),
        ("identify", "passed", "identified"),
        ("dedupe", "passed", "first_sighting"),
        ("validate", "passed", "confirmed"),
        ("match", "matched", "matched"),
        ("deliver", "gathered", "merge_window"),
        ("deliver", "sent", "attempted"),
        ("deliver", "receipt", "receipt"),
        ("deliver", "delivered", "reached"),
    ]


def test_the_same_event_in_json_and_avro_is_told_once(driver: PipelineDriver) -> None:
    driver.register(registration())
    document = submission(message_id="M-A")
    driver.submit(document, msgspec.convert({**document, "message_id": "M-B"}, Submission))
    driver.advance(MINUTE)
    assert len(driver.outbound()) == 1, driver.explain()
    assert ("dedupe", "suppressed", "duplicate") in ends(driver, "M-B")


def test_two_offenders_with_one_hearing_are_named_in_one_message(driver: PipelineDriver) -> None:
    driver.register(registration("R-1"), registration("R-1", offender=BAKER))
    driver.submit(hearing(offenders=[WALKER, BAKER]))
    driver.advance(MINUTE)
    for told in driver.outbound():
        assert {each.name for each in told.offenders or ()} == {"Thomas Walker", "Luis Baker"}, driver.explain()
    assert {told.registrant_id for told in driver.outbound()} == {"R-1"}


def test_a_cancelled_hearing_is_told_after_the_hold(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M"))
    driver.advance(MINUTE)
    driver.submit(hearing(message_id="C", operation="Cancel", refers_to="M"))
    driver.advance(14 * MINUTE)
    assert len(driver.outbound()) == 1, driver.explain()
    driver.advance(2 * MINUTE)
    assert len(driver.outbound()) == 2, driver.explain()
    assert driver.outbound()[1].notification_id != driver.outbound()[0].notification_id


def test_a_date_too_far_ahead_waits_for_a_reviewer_who_lets_it_go(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M", action_at="2027-06-01T10:00:00-04:00"))
    (review,) = driver.reviews()
    assert (review.message_id, review.reason) == ("M", "too_far_ahead"), driver.explain()
    driver.review("release", review.review_id, reviewer="jd")
    driver.advance(MINUTE)
    assert [each.message_ids for each in driver.outbound()] == [("M",)], driver.explain()
    assert driver.reviews() == []
    assert driver.latest("reviews")[review.review_id].state == "released"


def test_a_setting_changes_what_comes_after_it(driver: PipelineDriver) -> None:
    driver.set_policy("date.future", "300d", notification_type="Hearing Notice")
    driver.submit(hearing(message_id="M", action_at="2027-06-01T10:00:00-04:00"))
    assert driver.reviews() == [], driver.explain()
    driver.set_policy("date.future", None, notification_type="Hearing Notice")
    driver.submit(hearing(message_id="N", action_at="2027-06-02T10:00:00-04:00"))
    assert [review.message_id for review in driver.reviews()] == ["N"], driver.explain()


def test_an_ended_registration_is_told_nothing(driver: PipelineDriver) -> None:
    form = registration()
    driver.register(form)
    driver.unregister(form["registration_id"])
    driver.submit(submission(message_id="M"))
    driver.advance(MINUTE)
    assert driver.outbound() == []
    assert ends(driver, "M")[-1] == ("match", "unmatched", "no_registration"), driver.explain()


def test_what_cannot_be_read_is_kept_with_its_reason_and_stops_nothing(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(b"\xc3\x01nonsense", b"\0\0\0\0\1x", "{", "<a", submission(message_id="M"))
    driver.advance(MINUTE)
    assert [letter.reason for letter in driver.records(DEAD_LETTERS)] == ["unknown_schema", "no_registry", "malformed", "malformed"]
    assert len(driver.outbound()) == 1, driver.explain()


def test_a_receipt_finds_its_attempt(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(submission(message_id="M"))
    driver.advance(MINUTE)
    driver.receipt(driver.outbound()[0].reference, "delivered")
    assert [each.outcome for each in driver.verdicts() if each.stage == "deliver"][-1] == "receipt", driver.explain()


def feed(driver: PipelineDriver, documents: list[Any]) -> None:
    for kind, document in documents:
        getattr(driver, kind)(document)
        driver.advance(MINUTE)
    for review in driver.reviews():
        driver.review("discard", review.review_id)
    driver.advance(timedelta(days=2))


def test_the_same_inputs_give_the_same_bytes(rules: Rules) -> None:
    escape = submission(notification_subtypes=[tagged("Validate", "Date"), tagged("Expect Subsequent Event")])
    documents = [
        ("register", registration("R-1")),
        ("register", registration("R-2", language="es")),
        ("submit", escape),
        ("submit", submission(event_subtype="Recapture", notification_subtypes=[tagged("Validate", "Date", "Previous Event")])),
        ("submit", hearing(message_id="H", offenders=[WALKER, BAKER])),
        ("submit", hearing(message_id="HC", operation="Cancel", refers_to="H", offenders=[WALKER, BAKER])),
        ("submit", hearing(action_at="2027-11-01")),
        ("submit", "{"),
    ]
    first, second = (PipelineDriver(PIPELINE, rules, bytes(64)) for _ in range(2))
    feed(first, documents)
    feed(second, documents)
    assert first.log() == second.log()
    assert first.outbound()


def test_no_contact_data_is_in_clear_but_where_it_goes_out(driver: PipelineDriver) -> None:
    driver.register(registration(contacts=[{"channel": "sms", "address": "+18045559876", "verified": True}]))
    driver.submit(submission())
    driver.advance(timedelta(days=1))
    inside = {topic.name for topic in TOPICS} - {"registrations", "outbound.sms"}
    for name, records in driver.log().items():
        if name in inside:
            assert not [value for _, value in records if value is not None and b"5559876" in value], name
    assert driver.outbound()[0].to == "+18045559876"
    kept = [
        value
        for stage in ("identify", "dedupe", "validate", "match", "deliver")
        for value in driver._stage_named(stage).states.fields.values()
    ]
    assert kept
    assert not [value for value in kept if b"5559876" in value]
