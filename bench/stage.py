"""One stage against the upper bound: a stage under the real runner and a raw copy of the same records, in turns."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final

import msgspec

from bench.cluster import RUN, BenchCluster, Deployment, cpu_seconds, peak_memory, until
from bench.memory import StoredRecord
from processors.domain.event import Event
from processors.runtime.wire.codec import Codec
from processors.topics import CONFIRMED, DISTINCT, Topic

NAME: Final = "validate"


@dataclass(frozen=True, slots=True)
class Speed:
    """Records a second between the first and last commit seen, the process's CPU seconds for 100,000, and its most memory in MiB."""

    rate: float
    cpu: float
    memory: float


def events(few: list[StoredRecord], count: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` events, made from a few by changing their offenders and message ids."""
    codec = Codec()
    sample: list[Event] = [value for _, raw in few if raw and isinstance(value := codec.decode(raw), Event)]
    for number in range(count):
        turn, index = divmod(number, len(sample))
        each = sample[index]
        offender = f"o{turn:04x}{each.offender[5:]}"
        yield offender, codec.encode(msgspec.structs.replace(each, offender=offender, message_id=f"{each.message_id}-{turn}", seq=number))


def compare(cluster: BenchCluster, few: list[StoredRecord], count: int, rounds: int) -> tuple[list[Speed], list[Speed]]:
    """Measure the raw copy and the stage in turns; return their speeds."""
    records = list(events(few, count))
    copies, stages = [], []
    for turn in range(rounds):
        deployment = cluster.deploy(f"stage{turn}.")
        source, target = deployment.prefix + DISTINCT.name, deployment.prefix + CONFIRMED.name
        deployment.client.send(DISTINCT, records)
        copies.append(measure_speed(deployment, "copy", DISTINCT, count, *copy_command(deployment, source, target)))
        stages.append(measure_speed(deployment, NAME, DISTINCT, count, *RUN, NAME))
    return copies, stages


def copy_command(deployment: Deployment, source: str, target: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "bench.raw_copy", deployment.prefix + "copy", source, target)


def measure_speed(deployment: Deployment, group: str, topic: Topic, count: int, *command: str) -> Speed:
    """Start a process that reads this many records, and measure it from its first commit to its last."""
    done = deployment.progress(group, topic.name)
    return measure_parts(deployment, group, done, (count,), *command)[0]


def measure_parts(deployment: Deployment, name: str, done: Callable[[], int], ends: Sequence[int], *command: str) -> list[Speed]:
    """Start a process, and measure it between these numbers of records done; the first part begins with the first record."""
    process = deployment.start(name, *command)
    found = []
    until(f"{name} has begun", done, interval=0.01)
    began, first, cpu = monotonic(), done(), cpu_seconds(process)
    for end in ends:
        until(f"{name} has done {end:,}", lambda end=end: done() >= end)  # type: ignore[misc]
        now, last, spent = monotonic(), done(), cpu_seconds(process)
        found.append(Speed((last - first) / (now - began), 1e5 * (spent - cpu) / (last - first), peak_memory(process)))
        began, first, cpu = now, last, spent
    deployment.stop()
    return found
