"""
Tells from what is committed in Kafka, without asking any process, whether the pipeline has any work left.

A stage commits its outputs together with the offsets it read, and logs only grow. So if the ends of all logs, read last,
equal the offsets that the stages had committed before, no stage had anything left to read or write. (While a transaction is
ending its old offsets are seen: the stage seems to be behind and is checked again.) With `VN_CLOCK=topic` a stage also commits
an offset of the clock with each batch: after the last tick if it has fired every timer due, one less if more may be due.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer

from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import Broker, TopicAndPartition, committed_offsets
from processors.stage import Stage
from processors.topics import CLOCK

Pipeline = Mapping[str, tuple[Stage[Any], ...]]


class PipelineProgress:
    """The committed progress of a pipeline's stages, all or those named; `clock` says whether they run by the topic clock."""

    def __init__(self, broker: Broker, prefix: str, pipeline: Pipeline, stages: Iterable[str] | None = None, *, clock: bool = True) -> None:
        wanted = None if stages is None else set(stages)
        self._broker = broker
        self._prefix = prefix
        self._stages = [stage for stages in pipeline.values() for stage in stages if wanted is None or stage.name in wanted]
        self._clock = [(prefix + CLOCK.name, 0)] if clock else []
        self._inputs: dict[str, list[TopicAndPartition]] = {}
        self._observers: dict[str, Consumer] = {}
        self._behind: Stage[Any] | None = None
        self._ends: dict[TopicAndPartition, int] = {}  # as last seen; no log ends before this

    def is_idle(self) -> bool:
        """
        Return whether every stage has read all of its inputs and fired all timers due by the topic clock's last tick.

        Stops at the first stage that is behind and starts with that one the next time, since callers poll this.
        """
        with self._end_reader() as ends:
            groups = []
            for stage in sorted(self._stages, key=lambda each: each is not self._behind):
                groups.append(committed_offsets(self._observer(stage.name), self._topic_partitions(stage)))
                if any((offset or 0) < self._ends.get(topic_partition, 0) for topic_partition, offset in groups[-1].items()):
                    self._behind = stage
                    return False
            self._ends = ends()
        return all((offset or 0) == self._ends[topic_partition] for group in groups for topic_partition, offset in group.items())

    def offsets(self) -> dict[tuple[str, TopicAndPartition], tuple[int | None, int]]:
        """Return the committed offset and the end of every input by stage and partition; raises Restart if the broker is unavailable."""
        with self._end_reader() as ends:
            groups = {stage.name: committed_offsets(self._observer(stage.name), self._topic_partitions(stage)) for stage in self._stages}
            self._ends = ends()
        return {
            (stage, topic_partition): (offset, self._ends[topic_partition])
            for stage, topic_partitions in groups.items()
            for topic_partition, offset in topic_partitions.items()
        }

    @contextmanager
    def _end_reader(self) -> Iterator[Callable[[], dict[TopicAndPartition, int]]]:
        """Yield a function that reads the ends of all logs; discard all clients if the broker is unavailable."""
        topic_partitions = {topic_partition for stage in self._stages for topic_partition in self._topic_partitions(stage)}
        try:
            yield lambda: self._broker.end_offsets(topic_partitions, self._observer(self._stages[0].name))
        except Restart:
            self._observers.clear()  # one that lived through a broker's restart may never answer again
            self._ends.clear()
            raise

    def _observer(self, stage: str) -> Consumer:
        if stage not in self._observers:
            self._observers[stage] = self._broker.offsets_consumer(f"{self._prefix}{stage}")
        return self._observers[stage]

    def _topic_partitions(self, stage: Stage[Any]) -> Sequence[TopicAndPartition]:
        if stage.name not in self._inputs:
            counts = self._broker.partition_counts([self._prefix + topic.name for topic in stage.inputs])
            inputs = [(topic, each) for topic, count in counts.items() for each in range(count)]
            self._inputs[stage.name] = [*inputs, *self._clock]
        return self._inputs[stage.name]
