"""
Growth: the cost of a record and the size of memory and store, as the number of offenders and registrations grows.

All stages in one process as in bench.memory, but with their states in a Redis of their own, so that the process's memory is
that of the stages: timers, tables, caches. Every offender has one event, every second one a registration. What else the machine
does changes what a record costs, so each point is also given beside the cost of the same work in stages without any states.
`python -m bench.growth OFFENDERS` writes bench/growth.json, from which the plot in docs/performance.md is drawn.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from redis import Redis

from bench import feed
from bench.cluster import cpu_seconds, until
from bench.memory import RunningStage, feed_through, running_stages
from processors.runtime.local.programs import redis_server
from processors.topics import REGISTRATIONS, SUBMISSIONS

RESULTS: Final = Path(__file__).with_name("growth.json")
CHUNK: Final = 5_000  # offenders between two measurements of the process's memory
REGISTERED: Final = 2  # every second offender
SMALLEST: Final = 10_000
MARKS: Final = (1, 2, 5)  # measurements at 10,000, 20,000, 50,000, 100,000 ... offenders


@dataclass(frozen=True, slots=True)
class Point:
    """
    The figures at one number of offenders and registrations.

    `cost` is microseconds of CPU a record, by stage, over the last 5,000 offenders, `submission` that of all stages together, and
    `empty` what it is at the same time in stages without any states. `memory` is the size of the process and `store` that of
    Redis, in bytes.
    """

    offenders: int
    registrations: int
    cost: Mapping[str, float]
    submission: float
    empty: float
    memory: int
    store: int


class StatesInRedis:
    """A stage's states as the runner keeps them: fields of one hash."""

    def __init__(self, client: "Redis[bytes]", name: str) -> None:
        self._client = client
        self._name = name

    def read(self, names: Sequence[bytes]) -> Sequence[bytes | None]:
        found: Any = self._client.hmget(self._name, list(names)) if names else []
        return list(found)

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        kept: dict[Any, Any] = {name: value for name, value in changes.items() if value is not None}
        with self._client.pipeline(transaction=False) as commands:
            if kept:
                commands.hset(self._name, mapping=kept)
            if gone := [name for name, value in changes.items() if value is None]:
                commands.hdel(self._name, *gone)  # type: ignore[arg-type]
            commands.execute()


@contextmanager
def redis_alone() -> "Iterator[Redis[bytes]]":
    """Run a Redis without persistence in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="vn-growth-") as folder:
        socket = f"{folder}/redis.sock"
        command = (redis_server(), "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", folder)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            until("Redis listens", Path(socket).exists)
            yield Redis(unix_socket_path=socket)
        finally:
            process.terminate()
            process.wait()


def measure(offenders: int, client: "Redis[bytes]") -> Iterator[Point]:
    """Feed all stages offender by offender, and yield a point at each mark on the way."""
    marks = {mark * 10**power for power in range(4, 8) for mark in MARKS if mark * 10**power <= offenders} | {offenders}
    # Made before anything is fed: what is there when stages are made is left out by the garbage collector.
    empty = [running_stages(lambda name: StatesInRedis(client, f"empty-{name}")) for _ in marks]
    units = running_stages(lambda name: StatesInRedis(client, name))
    for first in range(0, offenders, CHUNK):
        people = range(first, first + CHUNK)
        total = submission_cost(units, people)
        if people.stop in marks:
            yield point_at(units, people.stop, total, submission_cost(empty.pop(), range(CHUNK)), client)
            client.delete(*(f"empty-{unit.stage.name}" for unit in units))


def submission_cost(units: Sequence[RunningStage], people: range) -> float:
    """Feed the stages with new offenders, and return what a submission costs all of them together."""
    now = feed.now()
    feed_through(units, REGISTRATIONS, (feed.registration(each, each, f"g-{each}") for each in people if each % REGISTERED == 0))
    feed_through(units, SUBMISSIONS, (feed.submission(each, 0, f"g-{each}", now) for each in people))
    return sum(unit.cost.records * unit.cost.micros for unit in units) / len(people)


def point_at(units: Sequence[RunningStage], offenders: int, total: float, empty: float, client: "Redis[bytes]") -> Point:
    return Point(
        offenders=offenders,
        registrations=offenders // REGISTERED,
        cost={unit.stage.name: unit.cost.micros for unit in units},
        submission=total,
        empty=empty,
        memory=psutil.Process().memory_info().rss,
        store=int(client.info("memory")["used_memory"]),
    )


def main(offenders: int) -> None:
    points = []
    print("offenders | registrations | µs a submission | µs in empty stages | memory, MiB | store, MiB | CPU s")
    with redis_alone() as client:
        for point in measure(max(SMALLEST, offenders - offenders % CHUNK), client):
            points.append(asdict(point))
            sizes = f"{point.memory / 2**20:,.0f} | {point.store / 2**20:,.0f}"
            cpu = cpu_seconds(psutil.Process())
            print(
                f"{point.offenders:,} | {point.registrations:,} | {point.submission:,.0f} | {point.empty:,.0f} | {sizes} | {cpu:.0f}",
                flush=True,
            )
            RESULTS.write_text(json.dumps(points, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]))
