"""A canary goes all the way, on a topic that no provider reads, and one receipt ends it."""

from datetime import timedelta

from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import OUTBOUND_CANARY, RECEIPTS, REGISTRATIONS, SUBMISSIONS
from processors.watch import canary


def test_a_canary_leaves_on_its_own_topic_alone_and_its_receipt_ends_it() -> None:
    driver = PipelineDriver(PIPELINE, load_rules(None), bytes(64))
    registration_id, registration = canary.registration(driver.now)
    driver.send(REGISTRATIONS, registration, registration_id)
    driver.advance(timedelta(seconds=30))
    for _ in range(3):
        message_id, submission = canary.submission(driver.now)
        driver.send(SUBMISSIONS, submission, canary.ORI)
        driver.advance(timedelta(seconds=10))
        (outbound,) = [each for each in driver.records(OUTBOUND_CANARY) if message_id in each.message_ids]
        assert outbound.emergency
        driver.send(RECEIPTS, canary.receipt(outbound.reference, driver.now), outbound.registrant_id)
        driver.advance(timedelta(minutes=5))
    driver.advance(timedelta(hours=12))
    told = [each for each in driver.records(OUTBOUND_CANARY) if each.message_ids]
    assert len({each.notification_id for each in told}) == len(told) == 3
    assert driver.outbound() == []
    assert driver.reviews() == []
