"""The sample feed through all stages, killed at every point of the protocol, store and broker lost: as rehearsed, record by record."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from redis import Redis

from processors.rehearsal.feed import Step
from processors.runtime.local import Local
from processors.runtime.run.faults import Point
from tests.broker.bench import until
from tests.broker.day import NAMES, Day

pytestmark = [pytest.mark.broker, pytest.mark.timeout(1200, method="signal")]

# Where a batch can be killed: `read` is reached by every turn, also an idle one, the others by every batch that commits.
KILLS: Final[tuple[Point, ...]] = ("read", "decided", "begun", "produced", "sent", "committed", "applied")
HITS: Final = 9


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A broker and a store of this file's own, which it may kill."""
    own = Local(tmp_path_factory.mktemp("feed") / "vn")
    try:
        own.up()
        yield own
    finally:
        own.down()


@pytest.fixture
def day(local: Local, tmp_path: Path) -> Day:
    return Day(local.up().environment, tmp_path)


def flush(local: Local) -> None:
    with Redis.from_url(local.addresses.redis_url) as store:
        store.flushall()


def add_up(day: Day) -> None:
    """`vn audit` finds every submission read, and every offender's part of it ended."""
    done = day.run("audit", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    sums = json.loads(done.stdout)
    sent = sum(sending.topic.name == "submissions" for step in day.moments for sending in step.sendings)
    assert sums["missing"] == 0
    assert sums["submissions"] == sums["read"] == sent


def caught_up(day: Day) -> None:
    """Whoever took the partitions over next has brought every cache up to date, also one that was emptied and not needed since."""
    with day.running():
        day.play([Step(day.moments[-1].at, ())])


def test_undisturbed(day: Day) -> None:
    with day.running() as run:
        day.play(day.moments)
        assert not run.killed()
    day.verify()
    add_up(day)


def test_every_unit_killed_at_every_point(day: Day, local: Local) -> None:
    """A unit's first process dies at the first of its points, the one in its place at the next; meanwhile the store loses all."""
    faults = [f"{unit}.{point}=kill@{HITS}" for number, unit in enumerate(NAMES) for point in (*KILLS[number:], *KILLS[:number])]
    every = len(day.moments) // len(KILLS)
    with day.running(*faults) as run:
        day.play(day.moments, before=lambda number: flush(local) if number % every == every - 1 else None)
        until("every fault has struck", lambda: run.killed() == Counter(dict.fromkeys(NAMES, len(KILLS))))
        day.play([Step(day.moments[-1].at, ())])
    caught_up(day)
    day.verify()
    add_up(day)


def test_store_emptied_store_killed_broker_killed(day: Day, local: Local) -> None:
    moments = len(day.moments)
    with day.running() as run:
        blows = {
            moments // 7: lambda: run.kill(0),
            moments * 2 // 7: lambda: flush(local),
            moments * 3 // 7: lambda: (local.kill_store(), local.up()),
            moments * 4 // 7: lambda: run.kill(4),
            moments * 5 // 7: lambda: (local.kill_broker(), local.up()),
            moments * 6 // 7: lambda: (run.kill(2), flush(local)),
        }
        day.play(day.moments, before=lambda number: blows.get(number, bool)())
        assert run.killed().total() == 3
    caught_up(day)
    day.verify()
    add_up(day)
