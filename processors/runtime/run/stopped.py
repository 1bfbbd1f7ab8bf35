"""
Checks that the stages are stopped and have read what they must have read before their state may be moved.

No process is asked: a group without members has no running copy, and the broker fences its committed offsets against a copy
that wakes up later.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, TopicPartition

from processors.runtime.errors import Restart, UserError
from processors.runtime.kafka.clients import (
    CALL_DEADLINE,
    FENCED_ERRORS,
    Broker,
    TopicAndPartition,
    call_with_deadline,
    committed_progress,
    offsets_of,
    translated_errors,
)
from processors.runtime.kafka.groups import describe_groups
from processors.runtime.run.catchup import committed_records
from processors.runtime.run.inputs import Origin
from processors.runtime.run.watermark import next_timer_metadata
from processors.stage import Stage


def check_stopped(broker: Broker, prefix: str, stages: Iterable[Stage[Any]]) -> None:
    """Raise UserError if a copy of a stage is running, that is, a member of its group."""
    with translated_errors("the consumer groups could not be described"):
        groups = describe_groups(broker, [prefix + each.name for each in stages])
    for name, group in groups.items():
        if group.hosts:
            raise UserError(
                f"{len(group.hosts)} of {name} at work, on {group.hosts[0]}: stop every `vn run`, then try again (one that was killed "
                "still counts for ten seconds)"
            )


def input_partitions(broker: Broker, prefix: str, stage: Stage[Any]) -> list[TopicAndPartition]:
    """Return every partition of the stage's inputs."""
    counts = broker.partition_counts(prefix + topic.name for topic in stage.inputs)
    return [(topic, partition) for topic, count in counts.items() for partition in range(count)]


def unread_partition(broker: Broker, prefix: str, stage: Stage[Any]) -> TopicAndPartition | None:
    """Return a partition of the stage's inputs with an unread record; None if there is none."""
    topic_partitions = input_partitions(broker, prefix, stage)
    committed = committed_progress(broker.offsets_consumer(prefix + stage.name), topic_partitions)
    starts, ends = broker.start_offsets(topic_partitions), broker.end_offsets(topic_partitions)
    for topic_partition in topic_partitions:
        offset = committed[topic_partition][0]
        if holds_records(broker, topic_partition, starts[topic_partition] if offset is None else offset, ends[topic_partition]):
            return topic_partition
    return None


def check_read(broker: Broker, prefix: str, stages: Iterable[Stage[Any]]) -> None:
    """Raise UserError if a stage has not read all its inputs: unread records are partitioned like its present state."""
    for stage in stages:
        if (topic_partition := unread_partition(broker, prefix, stage)) is not None:
            raise UserError(
                f"{topic_partition[0]}[{topic_partition[1]}] holds records that {stage.name} has not read: let it read them with "
                "`vn run all --until-idle 5`, then try again"
            )


def holds_records(broker: Broker, topic_partition: TopicAndPartition, start: int, end: int) -> bool:
    """Whether there is a committed record between the offsets, and not only transaction markers and aborted records."""
    return start < end and any(True for _ in committed_records(broker, *topic_partition, start, end, lambda: None))


def commit_progress(
    broker: Broker,
    group: str,
    offsets: Mapping[TopicAndPartition, int],
    origins: Mapping[TopicAndPartition, Origin],
    next_timers: Mapping[int, int | None],
) -> None:
    """
    Commit offsets for a group without members, with the same metadata as its stage would commit.

    Raises UserError if the group has a member by now, in which case the broker refuses.
    """
    wanted = [
        TopicPartition(
            *topic_partition,
            offset,
            f"{next_timer_metadata(next_timers.get(topic_partition[1]))} {origins[topic_partition].metadata()}".strip(),
        )
        for topic_partition, offset in offsets.items()
    ]
    consumer = broker.offsets_consumer(group)
    try:
        with translated_errors(f"the offsets of {group} could not be committed"):
            answer: Sequence[TopicPartition] = call_with_deadline(
                CALL_DEADLINE, lambda: consumer.commit(offsets=wanted, asynchronous=False)
            )
        offsets_of(answer, f"the offsets of {group} could not be committed")
    except Restart as error:
        if any(KafkaError(code).name() in str(error) for code in FENCED_ERRORS):
            raise UserError(f"a copy of {group} was started meanwhile: stop it, then run the same command again") from None
        raise
