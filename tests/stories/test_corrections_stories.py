"""A correction starts from what registrants were told last, not from what an agency said that never reached them."""

from datetime import timedelta
from typing import Any

import pytest

from processors.domain.notification import Outbound
from processors.runtime.decide.driver import PipelineDriver
from tests.stories.builders import hearing, registration

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TOLD = "2026-12-14T10:00:00-05:00"
LATER = "2026-12-20T10:00:00-05:00"
UNTOLD = {"too far ahead": "2027-09-01T10:00:00-04:00", "past": "2026-10-01T10:00:00-04:00", "a day": "2027-09-01"}


def told(driver: PipelineDriver) -> list[Outbound]:
    driver.advance(HOUR)
    return driver.outbound()


@pytest.fixture(params=UNTOLD)
def moved(request: pytest.FixtureRequest, driver: PipelineDriver) -> PipelineDriver:
    """A hearing that was told and then moved to a date of which nobody is told."""
    driver.register(registration())
    driver.submit(hearing(message_id="A", action_at=TOLD))
    driver.advance(HOUR)
    driver.submit(hearing(message_id="B", operation="Update", refers_to="A", action_at=UNTOLD[request.param]))
    driver.advance(HOUR)
    assert [each.message_ids for each in driver.outbound()] == [("A",)]
    return driver


def again(**changes: Any) -> dict[str, Any]:
    return hearing(operation="Update", refers_to="A", **changes)


def test_a_change_after_one_that_was_not_told_is_told_from_what_was_told_last(moved: PipelineDriver) -> None:
    moved.submit(again(message_id="C", action_at=LATER))
    _, change = told(moved)
    assert (change.kind, change.message_ids) == ("correction", ("C",)), moved.explain()
    assert "Dec 14" in change.body, change.body
    assert "Dec 20" in change.body, change.body
    assert moved.reviews() == []
    assert [each.reason for each in moved.verdicts("C") if each.stage == "dedupe"] == ["changed"]


def test_a_change_back_to_what_was_told_last_is_silent_and_supersedes_the_review(moved: PipelineDriver) -> None:
    moved.submit(again(message_id="C", action_at=TOLD))
    assert len(told(moved)) == 1, moved.explain()
    assert moved.reviews() == []
    last = moved.verdicts("C")[-1]
    assert (last.stage, last.outcome, last.reason) == ("validate", "suppressed", "inconsequential")
    moved.submit(again(message_id="D", action_at=LATER))
    assert "Dec 14" in told(moved)[-1].body


def test_a_cancellation_names_the_date_that_was_told_last(moved: PipelineDriver) -> None:
    moved.submit(hearing(message_id="C", operation="Cancel", refers_to="A"))
    _, cancellation = told(moved)
    assert "Dec 14" in cancellation.body, cancellation.body
    assert cancellation.event is not None
    assert cancellation.event.action_at == 1_797_260_400_000  # 2026-12-14T15:00Z


def test_cancelled_and_resubmitted_as_it_was_told_last_is_silent(moved: PipelineDriver) -> None:
    moved.submit(hearing(message_id="C", operation="Cancel", refers_to="B"))
    moved.advance(5 * MINUTE)
    moved.submit(hearing(message_id="A2", action_at=TOLD))
    assert len(told(moved)) == 1, moved.explain()
    assert moved.reviews() == []


def test_journal_and_review_say_what_registrants_still_hold(moved: PipelineDriver) -> None:
    said = moved.verdicts("B")[-1].detail
    assert "registrants still hold what they were told of message A: 2026-12-14T15:00:00Z" in said
    assert all("2026-12-14T15:00:00Z" in each.detail for each in moved.reviews())


def test_a_change_that_a_reviewer_discards_is_not_what_registrants_hold(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="A", action_at="2026-12-14"))
    driver.advance(HOUR)
    driver.submit(again(message_id="B", action_at=UNTOLD["too far ahead"], case={"number": "CR26-9", "court": "Riverside Circuit Court"}))
    driver.review("discard", driver.reviews()[0].review_id)
    driver.submit(hearing(message_id="C", operation="Cancel", refers_to="B"))
    _, cancellation = told(driver)
    assert cancellation.kind == "correction"
    assert "Dec 14, 2026" in cancellation.body, cancellation.body
    assert "AM" not in cancellation.body, "it was told as a day"


def test_a_change_that_comes_within_range_is_told_from_what_was_told_last_and_then_holds(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="A", action_at=TOLD))
    driver.advance(HOUR)
    driver.submit(again(message_id="B", action_at=UNTOLD["too far ahead"]))
    driver.advance(timedelta(days=280))
    change = driver.outbound()[-1]
    assert ("Dec 14" in change.body, "Sep 1" in change.body) == (True, True), driver.explain()
    driver.submit(again(message_id="C", action_at="2027-09-02T10:00:00-04:00"))
    last = told(driver)[-1]
    assert ("Sep 1" in last.body, "Sep 2" in last.body) == (True, True), last.body


def test_case_numbers_are_the_same_however_spelt(driver: PipelineDriver) -> None:
    appeal = {"notification_type": "Information", "action_at": "2026-11-02T11:00:00-05:00"}
    validate, expect = {"subtype": "Validate", "validations": ["Previous Event"]}, {"subtype": "Expect Subsequent Event"}
    filed = hearing(message_id="F", event_type="Attorney General", event_subtype="Appeal Filed", notification_subtypes=[expect], **appeal)
    court = {"event_type": "Court", "event_subtype": "Appeal Decision", "notification_subtypes": [validate]}
    driver.register(registration())
    driver.submit(filed, hearing(message_id="D", **court, **appeal, case={"number": "cr26 7"}))
    assert sorted(each.message_ids for each in told(driver)) == [("D",), ("F",)], driver.explain()
