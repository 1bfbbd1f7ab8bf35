"""The sample feed through all stages under kills and losses of store and broker equals the rehearsal, record by record."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from redis import Redis

from processors.rehearsal.feed import Step
from processors.runtime.local import LocalCluster
from processors.runtime.run.faults import Point
from tests.broker.feed_run import NAMES, FeedRun
from tests.broker.harness import until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(1200, method="signal")]

# `read` is reached by every iteration, even an idle one; the others by every batch that commits.
KILLS: Final[tuple[Point, ...]] = ("read", "decided", "begun", "produced", "sent", "committed", "applied")
HITS: Final = 9


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A broker and a store that these tests may kill."""
    own = LocalCluster(tmp_path_factory.mktemp("feed") / "vn")
    try:
        own.up()
        yield own
    finally:
        own.down()


@pytest.fixture
def feed_run(local: LocalCluster, tmp_path: Path) -> FeedRun:
    return FeedRun(local.up().environment, tmp_path)


def flush(local: LocalCluster) -> None:
    with Redis.from_url(local.addresses.redis_url) as store:
        store.flushall()


def add_up(feed_run: FeedRun) -> None:
    """Assert that `vn audit` finds every submission read and accounted for."""
    done = feed_run.run("audit", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    sums = json.loads(done.stdout)
    sent = sum(record.topic.name == "submissions" for step in feed_run.moments for record in step.records)
    assert sums["missing"] == 0
    assert sums["submissions"] == sums["read"] == sent


def caught_up(feed_run: FeedRun) -> None:
    """Restart the stages, so that even a cache that was emptied and not used since is rebuilt."""
    with feed_run.running():
        feed_run.play([Step(feed_run.moments[-1].at, ())])


@pytest.mark.long  # what is killed and emptied below must come out the same
def test_undisturbed(feed_run: FeedRun) -> None:
    with feed_run.running() as run:
        feed_run.play(feed_run.moments)
        assert not run.killed()
    feed_run.verify()
    add_up(feed_run)


def test_every_unit_killed_at_every_point_while_store_and_broker_are_lost(feed_run: FeedRun, local: LocalCluster) -> None:
    """
    Each stage's processes die one after another, each at the next point.

    Meanwhile the store is emptied again and again and killed once, and the broker is killed once.
    """
    faults = [f"{unit}.{point}=kill@{HITS}" for number, unit in enumerate(NAMES) for point in (*KILLS[number:], *KILLS[:number])]
    every = len(feed_run.moments) // len(KILLS)
    blows: dict[int, Callable[[], object]] = {number * every - 1: lambda: flush(local) for number in range(1, len(KILLS) + 1)}
    blows[3 * every] = lambda: (local.kill_store(), local.up())
    blows[5 * every] = lambda: (local.kill_broker(), local.up())
    with feed_run.running(*faults) as run:
        feed_run.play(feed_run.moments, before=lambda number: blows.get(number, bool)())
        until("every fault has struck", lambda: run.killed() == Counter(dict.fromkeys(NAMES, len(KILLS))))
        feed_run.play([Step(feed_run.moments[-1].at, ())])
    caught_up(feed_run)
    feed_run.verify()
    add_up(feed_run)
