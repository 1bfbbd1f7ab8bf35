"""One stage against the upper bound: `validate` under the real runner and a raw copy of the same records, in turns."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

import msgspec

from bench.cluster import RUN, BenchCluster, Deployment, cpu_seconds, until
from bench.memory import StoredRecord
from processors.domain.event import Event
from processors.runtime.wire.codec import Codec
from processors.topics import CONFIRMED, DISTINCT

NAME: Final = "validate"


@dataclass(frozen=True, slots=True)
class Speed:
    """Records a second between the first and last commit seen, and the process's CPU seconds for 100,000."""

    rate: float
    cpu: float


def events(few: list[StoredRecord], count: int) -> Iterator[tuple[str, bytes]]:
    """Yield `count` events made from a few by changing their offenders and message ids."""
    codec = Codec()
    sample: list[Event] = [value for _, raw in few if raw and isinstance(value := codec.decode(raw), Event)]
    for number in range(count):
        turn, place = divmod(number, len(sample))
        each = sample[place]
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
        copies.append(
            measure_speed(deployment, "copy", count, sys.executable, "-m", "bench.copying", deployment.prefix + "copy", source, target)
        )
        stages.append(measure_speed(deployment, NAME, count, *RUN, NAME))
    return copies, stages


def measure_speed(deployment: Deployment, group: str, count: int, *command: str) -> Speed:
    done = deployment.progress(group, DISTINCT.name)
    process = deployment.start(group, *command)
    until(f"{group} has begun", done, interval=0.01)
    began, first, cpu = monotonic(), done(), cpu_seconds(process)
    until(f"{group} has read all", lambda: done() >= count)
    seconds, records = monotonic() - began, count - first
    spent = cpu_seconds(process) - cpu
    deployment.stop()
    return Speed(records / seconds, 1e5 * spent / records)
