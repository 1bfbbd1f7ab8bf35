"""
Creates the tasks of the assigned partitions from what Kafka holds: at start, after a rebalance, after any error.

Stops the stage if that is unsafe: committed offsets are lost or belong to other logs, or states do not fit their topics.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer

from processors.runtime.decide.failures import FailureLog
from processors.runtime.decide.task import Task
from processors.runtime.errors import Stop
from processors.runtime.kafka.clients import Broker, TopicAndPartition, committed_offsets, committed_progress
from processors.runtime.run.caches import Caches
from processors.runtime.run.catchup import read_latest
from processors.runtime.run.inputs import Origin, Origins, check_bookmarks, check_identities, check_not_lost
from processors.runtime.run.partitions import check_topics, common_partitions
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Context, MemoryTable, Stage
from processors.topics import DEAD_LETTERS

KeepAlive = Callable[[], None]  # called regularly during long work; raises to abort


class RestoredTasks(NamedTuple):
    """The tasks of the assigned partitions, and the origins of the offsets that they continue from."""

    tasks: Sequence[Task]
    origins: Origins


class Restorer:
    """Creates the tasks of one stage."""

    def __init__(  # noqa: PLR0913, PLR0917  all that a task is made of
        self, broker: Broker, stage: Stage[Any], prefix: str, codec: Codec, caches: Caches | None, failures: FailureLog
    ) -> None:
        self._broker = broker
        self._stage = stage
        self._prefix = prefix
        self._topics = [prefix + topic.name for topic in stage.inputs]
        self._codec = codec
        self._caches = caches
        self._failures = failures
        self._partition_count = 0
        self._identities: Mapping[str, str] = {}

    def check_topics(self) -> None:
        """Load the inputs' partition count and ids; raises Stop unless the stage's topics fit together."""
        self._partition_count = check_topics(self._broker, self._stage, self._prefix)
        self._identities = self._broker.topic_identities(self._topics)

    def restore(
        self, member: Consumer, topic_partitions: Sequence[TopicAndPartition], context: Context, keep_alive: KeepAlive
    ) -> RestoredTasks:
        """Return the tasks of these partitions, as of the group's committed offsets."""
        partitions = common_partitions(topic_partitions, self._topics)
        offsets, origins = self._checked_offsets(member, topic_partitions, keep_alive)
        tasks = self._tasks(offsets, partitions, keep_alive)
        if self._stage.table is not None:
            self._load(self._stage.table, tasks, context, keep_alive)
        return RestoredTasks(tasks, origins)

    def _checked_offsets(
        self, member: Consumer, topic_partitions: Iterable[TopicAndPartition], keep_alive: KeepAlive
    ) -> tuple[Mapping[TopicAndPartition, int | None], Origins]:
        """Return the committed offsets and their origins; raises Stop if the offsets belong to other logs or are lost."""
        progress = committed_progress(member, topic_partitions)
        offsets = {topic_partition: offset for topic_partition, (offset, _) in progress.items()}
        origins = {
            topic_partition: Origin.parse(metadata) for topic_partition, (offset, metadata) in progress.items() if offset is not None
        }
        check_identities(origins, self._identities)
        check_bookmarks(self._broker, origins, keep_alive)
        if self._stage.changelog is None and not origins:
            self._check_not_lost(member)
        bookmarks = {
            topic_partition: each.bookmark for topic_partition, each in origins.items() if each is not None and each.bookmark is not None
        }
        return offsets, Origins(self._identities, bookmarks)

    def _check_not_lost(self, member: Consumer) -> None:
        """Raise Stop if a stage without a changelog has written before but has no committed offsets at all."""
        everywhere = [(topic, partition) for topic in self._topics for partition in range(self._partition_count)]
        own = [self._prefix + topic.name for topic in self._stage.outputs if topic is not DEAD_LETTERS]
        counts = self._broker.partition_counts(own)
        ends = self._broker.end_offsets((topic, each) for topic, count in counts.items() for each in range(count))
        committed = any(offset is not None for offset in committed_offsets(member, everywhere).values())
        check_not_lost(self._stage.name, ends.values(), committed=committed)

    def _tasks(self, offsets: Mapping[TopicAndPartition, int | None], partitions: list[int], keep_alive: KeepAlive) -> list[Task]:
        """Return the partitions' tasks as of the committed offsets, or from the start of the log if none were ever committed."""
        begins = self._broker.start_offsets(topic_partition for topic_partition, offset in offsets.items() if offset is None)
        restored = {} if self._caches is None else self._caches.restore(offsets, partitions, keep_alive)
        tasks = []
        for partition in partitions:
            known = {topic: offsets[topic, partition] for topic in self._topics}
            positions = {topic: begins[topic, partition] if offset is None else offset for topic, offset in known.items()}
            before = Position(0, {topic: offset for topic, offset in known.items() if offset is not None})
            position, timers = (restored[partition].position, restored[partition].timers) if restored else (before, {})
            if position.partitions not in {0, self._partition_count}:
                raise Stop(
                    f"the state of {self._stage.name} was written with {position.partitions} partitions and its topics have "
                    f"{self._partition_count}: partitions were added by hand; see deploy/runbook.md"
                )
            due = {key: each.due_at for key, each in timers.items()}
            urgent = (key for key, each in timers.items() if each.urgent)
            task = Task(self._stage, partition, position, positions, due, self._partition_count, urgent)
            task.failures = self._failures
            tasks.append(task)
        return tasks

    def _load(self, table: MemoryTable, tasks: Sequence[Task], context: Context, keep_alive: KeepAlive) -> None:
        """Load the tasks' memory tables; raises Stop if they hold records that were destroyed."""
        name, partitions = self._prefix + table.topic.name, [task.partition for task in tasks]
        found = read_latest(self._broker, self._codec, name, partitions, keep_alive)
        marks = read_latest(self._broker, self._codec, self._prefix + table.marks.name, [0], keep_alive)[0]
        for task in tasks:
            task.table = found[task.partition]
            if count := table.count_destroyed(task.table, marks, context):
                raise Stop(
                    f"{name}[{task.partition}] holds {count} records that were destroyed: a backup of it was "
                    "restored, which must not be made; see deploy/runbook.md"
                )
