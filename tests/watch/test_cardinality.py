"""A simulated month leaves few series: labels are codes, so a feed three times as large has fewer for each message."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter

from processors.cli.simulate import write
from processors.domain.reasons import REASONS
from processors.domain.time import millis
from processors.pipeline import PIPELINE
from processors.rehearsal.feed import read_feed
from processors.rehearsal.player import rehearse
from processors.rules.load import load_rules
from processors.runtime import metrics
from processors.simulation.world import simulate
from processors.topics import AGENCIES, DEAD_LETTERS, EXPECTATIONS, REVIEWS
from processors.watch import tables
from processors.watch.metrics import MAX_AGENCIES

START = millis("2026-03-01T00:00:00-05:00")
STAGES = [stage.name for stages in PIPELINE.values() for stage in stages]
BOUND = 150  # decisions' and attempts' series of a month; what is declared allows some hundreds


def series(share: float, folder: Path) -> tuple[int, int, int]:
    """Return the messages of a simulated month, the series of what stages count of it, and those of the watch."""
    folder.mkdir()
    world = simulate(START, 30, 7, share)
    write(world, world.key(), folder)
    driver = rehearse(read_feed(folder / "feed.jsonl"), load_rules(None), bytes(64)).driver
    registry = CollectorRegistry()
    decisions = Counter("decisions", "", metrics.DECISIONS._labelnames, registry=registry)
    attempts = Counter("attempts", "", metrics.ATTEMPTS._labelnames, registry=registry)
    verdicts = driver.verdicts()
    for each in verdicts:
        assert each.stage in STAGES
        assert each.reason in REASONS
        decisions.labels(each.stage, each.outcome, each.reason).inc()
        if each.status is not None and each.channel is not None:
            attempts.labels(each.channel, each.status).inc()
    counted = sum(sample.name.endswith("_total") for metric in registry.collect() for sample in metric.samples)
    reviews, expectations = tables.OpenReviews(lambda: load_rules(None)), tables.Expectations()
    agencies, letters = tables.Agencies(lambda: load_rules(None)), tables.DeadLetters()
    for topic, table in ((REVIEWS, reviews), (EXPECTATIONS, expectations), (AGENCIES, agencies), (DEAD_LETTERS, letters)):
        for key, value in driver.latest(topic).items():
            table.apply(key, value)
    seen = sum(len(list(table.samples(driver.now))) for table in (reviews, expectations, letters))
    assert len(list(agencies.samples(driver.now))) <= 2 * (MAX_AGENCIES + 1)
    return len({each.message_id for each in verdicts}), counted, seen


@pytest.mark.slow
def test_a_simulated_month_leaves_few_series_and_a_larger_one_fewer_for_each_message(tmp_path: Path) -> None:
    messages, counted, seen = series(0.0002, tmp_path / "small")
    more_messages, more_counted, more_seen = series(0.0006, tmp_path / "large")
    assert more_messages > 2 * messages
    assert counted <= more_counted < BOUND
    assert seen <= more_seen < BOUND
    assert more_counted / more_messages < counted / messages
