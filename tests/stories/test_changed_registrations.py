"""A registration that changes while an event waits: the choice at receipt counts (contract §4)."""

from datetime import timedelta

import pytest

from processors.runtime.decide.driver import PipelineDriver
from tests.stories.builders import hearing, registration


@pytest.mark.parametrize(("first", "then", "told"), [((), ("Escape",), ["Court Hearing"]), (("Escape",), (), [])])
def test_what_waited_meets_the_choice_of_its_own_time(
    driver: PipelineDriver, first: tuple[str, ...], then: tuple[str, ...], told: list[str]
) -> None:
    registered = registration(event_subtypes=list(first))
    driver.register(registered)
    driver.submit(hearing(action_at="2027-01-05T10:00:00-05:00"))  # too far ahead for two days more
    driver.advance(timedelta(days=1))
    driver.register({**registered, "event_subtypes": list(then)})
    driver.advance(timedelta(days=10))
    assert [each.event.subtype for each in driver.outbound() if each.event] == told, driver.explain()


def test_the_journal_says_when_a_registration_was_removed(driver: PipelineDriver) -> None:
    driver.submit(hearing())
    registered = registration()
    driver.register(registered)
    driver.advance(timedelta(days=1))
    driver.unregister(registered["registration_id"])
    at = {each.stage: each.at for each in driver.verdicts(registered["registration_id"]) if each.reason == "registration_removed"}
    assert at["match"] == at["identify"]
