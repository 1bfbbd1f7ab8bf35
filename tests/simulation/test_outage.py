"""A simulated month in the middle of which ingest is down for an hour ends exactly as the oracle says."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from processors.cli.simulate import write
from processors.domain.time import millis
from processors.rehearsal.answer_key import differences
from processors.rehearsal.feed import Step, read_feed
from processors.rehearsal.player import rehearse
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.simulation.world import simulate
from processors.topics import DEAD_LETTERS, SUBMISSIONS

START = millis("2026-03-01T00:00:00-05:00")
HOUR, DAY = 3_600_000, 86_400_000
INGEST = ("read", "identify")


def busiest_hour(steps: list[Step]) -> int:
    """Return the beginning of that hour, of those in the middle of the month, in which most submissions come."""
    middle = [step for step in steps if START + 10 * DAY <= step.at < START + 20 * DAY]
    counts = Counter(step.at // HOUR for step in middle for each in step.records if each.topic is SUBMISSIONS)
    return counts.most_common(1)[0][0] * HOUR


def outage(begin: int) -> dict[int, Callable[[PipelineDriver], None]]:
    def stop(driver: PipelineDriver) -> None:
        for stage in INGEST:
            driver.hold(stage)

    def go_on(driver: PipelineDriver) -> None:
        for stage in INGEST:
            driver.release(stage)

    return {begin: stop, begin + HOUR: go_on}


@pytest.mark.slow
def test_a_month_with_ingest_stopped_for_an_hour_is_exact(tmp_path: Path) -> None:
    world = simulate(START, 30, 7, 0.002)
    key = world.key()
    write(world, key, tmp_path)
    steps = list(read_feed(tmp_path / "feed.jsonl"))
    begin = busiest_hour(steps)
    driver = rehearse(steps, load_rules(None), bytes(64), outage(begin)).driver
    late = [verdict for verdict in driver.verdicts() if verdict.stage == "identify" and begin <= verdict.at < begin + HOUR]
    assert len(late) >= 3, "the outage met submissions"
    assert differences(key, driver.outbound(), driver.verdicts(), driver.records(DEAD_LETTERS)) == []
