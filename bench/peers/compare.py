"""Measures the systems that run the peers' job in turns, on the same records, beside a raw copy of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import TopicPartition

from bench.cluster import PARTITIONS, BenchCluster, Deployment
from bench.peers import job
from bench.peers.systems import SYSTEMS
from bench.stage import Speed, copy_command, measure_parts
from processors.runtime.kafka.clients import message_kind, poll_batch
from processors.runtime.kafka.topics_admin import create_topics
from processors.topics import Topic

MOST: Final = 50_000  # records of a sink read at once


@dataclass(frozen=True, slots=True)
class Peer:
    """A system's speeds in every turn, for its first half (cold) and its second (warm), and whether its output is correct."""

    title: str
    speeds: tuple[tuple[Speed, Speed], ...]
    right: bool


class Sinks:
    """Counts what a system has written, read-committed: each call reads what is new, and returns the total."""

    def __init__(self, deployment: Deployment, topics: Sequence[Topic]) -> None:
        self._count = 0
        self._consumer = deployment.broker.partition_consumer()
        names = [deployment.prefix + topic.name for topic in topics]
        self._consumer.assign([TopicPartition(name, partition, 0) for name in names for partition in range(PARTITIONS)])

    def __call__(self) -> int:
        self._count += sum(message_kind(each) == "record" for each in poll_batch(self._consumer, MOST, 0))
        return self._count


def compare_peers(cluster: BenchCluster, count: int, rounds: int) -> list[Peer]:
    """Measure the raw copy and the systems; leave out those that cannot run here."""
    sent = list(job.changes(count))
    records = [(each.offender, job.WRITE_CHANGE(each)) for each in sent]
    expected = job.expected(sent)
    speeds: dict[str, list[tuple[Speed, Speed]]] = {"raw copy": []}
    right = dict.fromkeys((system.title for system in SYSTEMS), True)
    for turn in range(rounds):
        deployment = cluster.deploy(f"peers{turn}.")
        topics = (*job.TOPICS, *(sink for system in SYSTEMS for sink in job.sinks(system.name)))
        create_topics(deployment.settings, topics)
        deployment.wait_for_topics(topics)
        deployment.client.send(job.CHANGES, records)
        copying = copy_command(deployment, deployment.prefix + job.CHANGES.name, deployment.prefix + job.COPIED.name)
        speeds["raw copy"].append(halves(deployment, "copy", Sinks(deployment, [job.COPIED]), count, *copying))
        for system in SYSTEMS:
            command = system.start(deployment)
            if command is not None:
                sinks = Sinks(deployment, job.sinks(system.name))
                speeds.setdefault(system.title, []).append(halves(deployment, system.name, sinks, expected.total(), *command))
                right[system.title] &= job.written(deployment, system.name) == expected
    return [Peer(title, tuple(each), right.get(title, True)) for title, each in speeds.items()]


def halves(deployment: Deployment, name: str, sinks: Sinks, count: int, *command: str) -> tuple[Speed, Speed]:
    cold, warm = measure_parts(deployment, name, sinks, (count // 2, count), *command)
    return cold, warm
