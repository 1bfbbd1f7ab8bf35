"""An earlier stage that lags changes only when registrants are told, not what."""

from datetime import timedelta

import pytest

from processors.runtime.decide.driver import PipelineDriver
from tests.stories.builders import registration, submission

MINUTE = timedelta(minutes=1)
BEFORE_DEDUPE = ("read", "identify")
BEFORE_DELIVER = (*BEFORE_DEDUPE, "dedupe", "validate", "match")


def told(driver: PipelineDriver) -> list[str]:
    kinds = {"notification": "news", "correction": "cancellation"}
    return [kinds[each.kind] for each in driver.outbound()]


@pytest.fixture
def cancelled(driver: PipelineDriver) -> PipelineDriver:
    """An event was told and cancelled; the cancellation is held for a quarter of an hour."""
    driver.register(registration())
    driver.submit(submission(message_id="ADD"))
    driver.advance(MINUTE)
    driver.submit(submission(message_id="CANCEL", operation="Cancel", refers_to="ADD"))
    return driver


def test_a_resubmission_in_time_is_silent(cancelled: PipelineDriver) -> None:
    cancelled.advance(10 * MINUTE)
    cancelled.submit(submission(message_id="AGAIN"))
    cancelled.advance(60 * MINUTE)
    assert told(cancelled) == ["news"]


@pytest.mark.parametrize("stage", BEFORE_DEDUPE)
def test_a_resubmission_that_lies_unread_before_an_earlier_stage_is_waited_for(cancelled: PipelineDriver, stage: str) -> None:
    cancelled.hold(stage)
    cancelled.advance(10 * MINUTE)
    cancelled.submit(submission(message_id="AGAIN"))
    cancelled.advance(6 * MINUTE)
    assert told(cancelled) == ["news"]
    cancelled.release(stage)
    cancelled.advance(60 * MINUTE)
    assert told(cancelled) == ["news"], cancelled.explain("CANCEL")
    assert [each.reason for each in cancelled.verdicts("CANCEL") if each.stage == "dedupe"] == ["cancel_hold", "resubmitted"]


@pytest.mark.parametrize("stage", BEFORE_DEDUPE)
def test_a_hold_ends_once_the_stages_before_have_caught_up(cancelled: PipelineDriver, stage: str) -> None:
    cancelled.hold(stage)
    cancelled.submit(submission(message_id="OTHER", event_subtype="Recapture"))
    cancelled.advance(60 * MINUTE)
    assert told(cancelled) == ["news"], "what lies unread might be the resubmission"
    cancelled.release(stage)
    cancelled.advance(MINUTE)
    assert told(cancelled)[:2] == ["news", "cancellation"]


def test_without_anything_on_its_way_a_stopped_stage_holds_nobody_up(cancelled: PipelineDriver) -> None:
    cancelled.hold("read")
    cancelled.advance(60 * MINUTE)
    assert told(cancelled) == ["news", "cancellation"]


@pytest.mark.parametrize("stage", BEFORE_DELIVER)
def test_a_night_does_not_end_before_the_cancellation_that_was_received_in_it(driver: PipelineDriver, stage: str) -> None:
    """What waits for the end of quiet hours is taken back by a cancellation that lies unread, or that is still held."""
    driver.set_policy("quiet.hours", "12:00-13:00")
    driver.register(registration())
    driver.submit(submission(message_id="ADD", event_subtype="Recapture"))
    driver.advance(30 * MINUTE)
    assert told(driver) == []
    driver.hold(stage)
    driver.submit(submission(message_id="CANCEL", operation="Cancel", refers_to="ADD", event_subtype="Recapture"))
    driver.advance(60 * MINUTE)
    driver.release(stage)
    driver.advance(60 * MINUTE)
    assert told(driver) == [], driver.explain()


@pytest.mark.parametrize("stage", BEFORE_DEDUPE)
def test_without_the_watermark_a_cancellation_that_was_taken_back_is_told(
    cancelled: PipelineDriver, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: timers that fire by the clock."""
    monkeypatch.setattr(PipelineDriver, "_watermark", lambda driver, _: driver.now)
    cancelled.hold(stage)
    cancelled.advance(10 * MINUTE)
    cancelled.submit(submission(message_id="AGAIN"))
    cancelled.advance(6 * MINUTE)
    cancelled.release(stage)
    cancelled.advance(60 * MINUTE)
    assert told(cancelled) == ["news", "cancellation", "news"]
