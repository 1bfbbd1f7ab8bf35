"""One stage against the upper bound: a stage under the real runner and a raw copy of the same records, in turns."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

import msgspec

from bench import peers
from bench.cluster import RUN, BenchCluster, Deployment, cpu_seconds, peak_memory, until
from bench.memory import StoredRecord
from processors.domain.event import Event
from processors.runtime.kafka.topics_admin import create_topics
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
        copies.append(measure_copy(deployment, DISTINCT, source, target, count))
        stages.append(measure_speed(deployment, NAME, DISTINCT, count, *RUN, NAME))
    return copies, stages


def compare_peers(cluster: BenchCluster, count: int, rounds: int) -> tuple[list[Speed], list[Speed], bool]:
    """Measure the raw copy and the job of bench.peers in turns; return their speeds, and whether what was written is right."""
    sent = list(peers.changes(count))
    records = [(each.offender, peers.WRITE_CHANGE(each)) for each in sent]
    expected = peers.expected(sent)
    copies, stages, right = [], [], True
    for turn in range(rounds):
        deployment = cluster.deploy(f"peers{turn}.")
        create_topics(deployment.settings, peers.TOPICS)
        deployment.wait_for_topics(peers.TOPICS)
        source, target = deployment.prefix + peers.CHANGES.name, deployment.prefix + peers.COPIED.name
        deployment.client.send(peers.CHANGES, records)
        copies.append(measure_copy(deployment, peers.CHANGES, source, target, count))
        stages.append(measure_speed(deployment, peers.NAME, peers.CHANGES, count, sys.executable, "-m", "bench.peers"))
        right = right and peers.written(deployment) == expected
    return copies, stages, right


def measure_copy(deployment: Deployment, topic: Topic, source: str, target: str, count: int) -> Speed:
    command = (sys.executable, "-m", "bench.copying", deployment.prefix + "copy", source, target)
    return measure_speed(deployment, "copy", topic, count, *command)


def measure_speed(deployment: Deployment, group: str, topic: Topic, count: int, *command: str) -> Speed:
    done = deployment.progress(group, topic.name)
    process = deployment.start(group, *command)
    until(f"{group} has begun", done, interval=0.01)
    began, first, cpu = monotonic(), done(), cpu_seconds(process)
    until(f"{group} has read all", lambda: done() >= count)
    seconds, records = monotonic() - began, count - first
    spent, memory = cpu_seconds(process) - cpu, peak_memory(process)
    deployment.stop()
    return Speed(records / seconds, 1e5 * spent / records, memory)
