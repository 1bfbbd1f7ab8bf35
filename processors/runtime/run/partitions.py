"""Checks that a stage's topics and assigned partitions fit together."""

from collections.abc import Iterable
from typing import Any

from processors.runtime.errors import Restart, Stop
from processors.runtime.kafka.clients import Broker, TopicAndPartition
from processors.stage import Stage
from processors.topics import DEAD_LETTERS, DECISIONS, KEY_IDS, POLICIES, QUARANTINE


def check_topics(broker: Broker, stage: Stage[Any], prefix: str) -> int:
    """Return the inputs' partition count; raises Stop unless the topics exist and inputs, changelog and table have the same count."""
    changelog = [stage.changelog] if stage.changelog else []
    tables = [stage.table.topic] if stage.table else []
    together = {prefix + topic.name for topic in (*stage.inputs, *changelog, *tables)}
    counts = broker.partition_counts(
        {*together, *(prefix + topic.name for topic in (*stage.outputs, DECISIONS, DEAD_LETTERS, POLICIES, KEY_IDS, QUARANTINE))}
    )
    if missing := sorted(name for name, count in counts.items() if count == 0):
        raise Stop(f"there is no topic {', '.join(missing)}: run `vn topics create`")
    if len({counts[name] for name in together}) > 1:
        unlike = {name: counts[name] for name in sorted(together)}
        raise Stop(f"the inputs and the changelog of {stage.name} must have the same number of partitions, and have {unlike}")
    return max(counts[name] for name in together)


def common_partitions(topic_partitions: Iterable[TopicAndPartition], topics: Iterable[str]) -> list[int]:
    """Return the partition numbers assigned to us; raises Restart if a number is assigned for some inputs only."""
    found = set(topic_partitions)
    partitions = sorted({partition for _, partition in found})
    if any((topic, partition) not in found for topic in topics for partition in partitions):
        raise Restart("the inputs of one partition were given to different members: another copy reads other topics")
    return partitions
