"""A feed that fails is noticed (contract §6 `feed.silence`; Kentucky's jails were silent for two months and nobody noticed)."""

from datetime import timedelta

from processors.runtime.decide.driver import PipelineDriver
from processors.topics import EXPECTATIONS
from tests.stories.builders import submission

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def silences(driver: PipelineDriver) -> dict[str, str]:
    found = [each for each in driver.latest(EXPECTATIONS).values() if each.rule == "feed.silence"]
    return {each.owed_by: each.state for each in found}


def test_an_agency_that_was_heard_within_the_limit_is_not_silent(driver: PipelineDriver) -> None:
    for _ in range(4):
        driver.submit(submission())
        driver.advance(DAY - HOUR)
    assert silences(driver) == {}


def test_a_silence_is_told_once_for_the_agency_alone_and_ends_when_it_is_heard_again(driver: PipelineDriver) -> None:
    driver.submit(submission(message_id="LAST"), submission(agency={"ori": "NC0920000", "state": "NC"}))
    driver.advance(DAY - HOUR)
    driver.submit(submission(agency={"ori": "NC0920000", "state": "NC"}))
    driver.advance(2 * HOUR)
    assert silences(driver) == {"VA0430000": "overdue"}
    (noticed,) = [each for each in driver.verdicts() if each.reason == "feed_silence"]
    assert (noticed.ori, noticed.outcome) == ("VA0430000", "noted")
    assert "LAST" in noticed.detail
    assert noticed.message_id != "LAST", "a silence is no part of the message's own life"
    driver.submit(submission())
    assert silences(driver) == {"VA0430000": "met"}
    driver.advance(DAY + HOUR)
    assert silences(driver) == {"VA0430000": "overdue", "NC0920000": "overdue"}


def test_the_limit_is_a_setting_of_the_agencys_jurisdiction(driver: PipelineDriver) -> None:
    driver.set_policy("feed.silence", "2h", jurisdiction="VA")
    driver.submit(submission(), submission(agency={"ori": "NC0920000", "state": "NC"}))
    driver.advance(3 * HOUR)
    assert silences(driver) == {"VA0430000": "overdue"}
