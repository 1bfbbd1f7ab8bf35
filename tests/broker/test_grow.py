"""More partitions on a real broker: the sample feed continues where it stopped, and its output equals the rehearsal's."""

from pathlib import Path

import pytest

from processors.pipeline import STAGES
from processors.runtime.kafka.clients import Broker
from processors.runtime.local import LocalCluster
from processors.runtime.run.grow import shared_topics
from processors.topics import OUTBOUND, REVIEWS, TOPICS
from tests.broker.feed_run import FeedRun
from tests.broker.harness import environment
from tests.broker.killed import killed_at

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(560, method="signal")]

MORE = 4


@pytest.fixture
def feed_run(cluster: LocalCluster, tmp_path: Path) -> FeedRun:
    return FeedRun(cluster.addresses.environment, tmp_path)


def counts(feed_run: FeedRun) -> dict[str, int]:
    return Broker(feed_run.settings).partition_counts(feed_run.prefix + topic.name for topic in TOPICS)


def grow(feed_run: FeedRun) -> None:
    """Assert that `vn topics grow` succeeds, and have the stages start with the new number of partitions."""
    done = feed_run.run("topics", "grow", str(MORE))
    assert done.returncode == 0, done.stderr
    feed_run.environment["VN_PARTITIONS"] = str(MORE)


def test_half_a_feed_before_and_half_after(feed_run: FeedRun) -> None:
    half = len(feed_run.moments) // 2
    with feed_run.running():
        feed_run.play(feed_run.moments[:half])
        refused = feed_run.run("topics", "grow", str(MORE))
    assert refused.returncode == 1
    assert "stop every `vn run`" in refused.stderr
    grow(feed_run)
    assert feed_run.run("topics", "create").returncode == 0
    with feed_run.running():
        feed_run.play(feed_run.moments[half:])
    feed_run.verify()
    found = counts(feed_run)
    assert {found[feed_run.prefix + topic.name] for topic in shared_topics(STAGES)} == {MORE}
    assert {found[feed_run.prefix + topic.name] for topic in (*OUTBOUND.values(), REVIEWS)} == {2}


GROW = "processors.runtime.run.grow"
STEPS = f"{GROW}:add_partitions,{GROW}:commit_progress,{GROW}:StateWriter.write"
KILLS = (1, 2, 3, 5, 8, 11, 13, 16)  # the first before anything was done, the last while offsets are committed


def test_killed_at_any_step_it_goes_on_where_it_was(feed_run: FeedRun) -> None:
    half = len(feed_run.moments) // 2
    with feed_run.running():
        feed_run.play(feed_run.moments[:half])
    with environment(feed_run.environment):
        for number in KILLS:
            killed_at(number, STEPS, "topics", "grow", str(MORE))
    grow(feed_run)
    with feed_run.running():
        feed_run.play(feed_run.moments[half:])
    feed_run.verify()


def test_a_copy_that_is_started_in_the_middle_stops(feed_run: FeedRun) -> None:
    with feed_run.running():
        feed_run.play(feed_run.moments[:20])
    with environment(feed_run.environment):
        killed_at(4, STEPS, "topics", "grow", str(MORE))
    stopped = feed_run.run("run", "dedupe")
    assert stopped.returncode == 1
    assert "must have the same number of partitions" in stopped.stdout + stopped.stderr


def test_what_was_not_read_is_read_first(feed_run: FeedRun) -> None:
    with feed_run.running():
        feed_run.play(feed_run.moments[:5])
    with environment(feed_run.environment):
        unsent = next(each for moment in feed_run.moments[5:] for each in moment.records)
        feed_run.client.send(unsent.topic, [(None, b"{}")])
    refused = feed_run.run("topics", "grow", str(MORE))
    assert refused.returncode == 1
    assert "pause the feeds" in refused.stderr
    assert counts(feed_run)[f"{feed_run.prefix}events"] == MORE
