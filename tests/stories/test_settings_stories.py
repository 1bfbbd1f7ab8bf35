"""A changed setting applies at once, also to what already waits (contract §1 `vn policy set`, §6)."""

from datetime import datetime, timedelta

import pytest

from processors.runtime.decide.driver import PipelineDriver
from processors.topics import EXPECTATIONS
from tests.stories.builders import hearing, registration, submission

EVENING = datetime.fromisoformat("2026-11-02T22:00:00-05:00")


def told(driver: PipelineDriver) -> list[tuple[str, ...]]:
    return [each.message_ids for each in driver.outbound()]


def test_a_range_that_is_widened_lets_go_what_it_reaches_and_nothing_else(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.set_policy("merge.window", "0s")
    driver.submit(
        hearing(message_id="NEAR", action_at="2027-02-01T10:00:00-05:00"), hearing(message_id="FAR", action_at="2028-02-01T10:00:00-05:00")
    )
    assert [each.message_id for each in driver.reviews()] == ["NEAR", "FAR"]
    driver.set_policy("date.future", "200d", jurisdiction="NC")
    assert told(driver) == []
    driver.set_policy("date.future", "200d", jurisdiction="VA")
    assert told(driver) == [("NEAR",)], driver.explain()
    assert {each.message_id: each.state for each in driver.reviews(None)} == {"NEAR": "released", "FAR": "open"}
    assert "in_range" in [each.reason for each in driver.verdicts("NEAR")]


def test_a_range_that_is_narrowed_keeps_in_review_what_is_there_until_its_new_day(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="H", action_at="2027-01-11T10:00:00-05:00"))  # 70 days ahead
    driver.set_policy("date.future", "30d")
    driver.advance(timedelta(days=39))
    assert told(driver) == []
    driver.advance(timedelta(days=2))
    assert told(driver) == [("H",)], driver.explain()


@pytest.mark.parametrize("hours", ["none", "23:00-07:00"])
def test_quiet_hours_that_end_earlier_let_go_what_waited_for_the_morning(driver: PipelineDriver, hours: str) -> None:
    driver.register(registration())
    driver.set_policy("merge.window", "0s")
    driver.advance_to(EVENING)
    driver.submit(hearing(message_id="H"))
    assert told(driver) == []
    driver.set_policy("quiet.hours", "21:30-08:00")
    driver.set_policy("quiet.hours", hours)
    assert told(driver) == [("H",)], driver.explain()


def test_quiet_hours_that_end_later_keep_what_waits(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.set_policy("merge.window", "0s")
    driver.advance_to(EVENING)
    driver.submit(hearing(message_id="H"))
    driver.set_policy("quiet.hours", "21:00-09:00")
    driver.advance(timedelta(hours=10, minutes=59))
    assert told(driver) == []
    driver.advance(timedelta(minutes=1))
    assert told(driver) == [("H",)]


def test_a_hold_that_is_shortened_ends_what_waited_longer(driver: PipelineDriver) -> None:
    driver.register(registration())
    release = {"event_subtype": "Release", "location": {"kind": "State Prison", "name": "Greenfield"}}
    driver.submit(submission(message_id="R", **release))
    driver.advance(timedelta(hours=2))
    assert told(driver) == []
    driver.set_policy("transfer.hold", "1h")
    driver.advance(timedelta(seconds=30))
    assert told(driver) == [("R",)], driver.explain()


def test_a_silence_that_is_too_long_by_a_shorter_limit_is_noticed_at_once(driver: PipelineDriver) -> None:
    driver.submit(submission())
    driver.advance(timedelta(hours=3))
    driver.set_policy("feed.silence", "2h")
    assert [each.state for each in driver.latest(EXPECTATIONS).values() if each.rule == "feed.silence"] == ["overdue"], driver.explain()
