"""
Measures lag, age and hidden records of every stage, from Kafka alone.

The committed offset and the record at that offset show how far a stage is behind and since when, whether it runs, hangs or is
gone. Records behind an open transaction are hidden from everybody: the read-committed end stays below the log's end, and the
topic's metric says for how long.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import LOW_LATENCY, Broker, TopicAndPartition, committed_offsets, message_kind, poll_batch
from processors.stage import Stage
from processors.topics import FOREVER, OUTBOUND
from processors.watch import metrics
from processors.watch.metrics import Sample

READ_SECONDS: Final = 3.0  # to read the oldest unread records of all stages
FAMILIES: Final = frozenset({metrics.GROUP_LAG, metrics.GROUP_OLDEST, metrics.HIDDEN, metrics.RETENTION_LEFT, metrics.OUTBOUND_UNREAD})


@dataclass(frozen=True, slots=True)
class Unread:
    """The unread records of one stage in one partition; `oldest` is the first one's time in milliseconds, None if there are none."""

    unit: str
    topic: str
    records: int
    oldest: int | None


class Groups:
    """Measures the stages' consumer groups; discards its clients whenever the broker fails to answer."""

    def __init__(self, broker: Broker, prefix: str, stages: Sequence[Stage[Any]]) -> None:
        self._broker = broker
        self._prefix = prefix
        self._inputs = {stage.name: [prefix + topic.name for topic in stage.inputs] for stage in stages}
        self._retention = {prefix + topic.name: topic.retention for stage in stages for topic in stage.inputs}
        self._observers: dict[str, Consumer] = {}
        self._stable: Consumer | None = None
        self._stuck: dict[TopicAndPartition, tuple[int, int]] = {}  # the stable end that stays below the log's end, and since when
        self._times: dict[
            tuple[str, TopicAndPartition], tuple[int, int]
        ] = {}  # each stage's next offset of a partition, and that record's time

    def measure(self, now: int) -> Iterator[Sample]:
        """Yield the samples of every stage's inputs; raises Restart if the broker does not answer."""
        try:
            yield from self._measure(now)
        except Restart:
            self._observers.clear()
            self._stable = None
            raise

    def _measure(self, now: int) -> Iterator[Sample]:
        counts = self._broker.partition_counts({topic for topics in self._inputs.values() for topic in topics})
        topic_partitions = {
            unit: [(topic, each) for topic in topics for each in range(counts[topic])] for unit, topics in self._inputs.items()
        }
        every = {topic_partition for found in topic_partitions.values() for topic_partition in found}
        offsets = {unit: committed_offsets(self._observer(unit), found) for unit, found in topic_partitions.items() if found}
        if self._stable is None:
            self._stable = self._broker.partition_consumer()
        stable = self._broker.end_offsets(every, self._stable)
        ends = self._broker.end_offsets(every, self._observer(next(iter(self._inputs))))
        yield from self._hidden_seconds(stable, ends, now)
        begins = self._broker.start_offsets(every)
        behind = {
            (unit, topic_partition): max(offset or 0, begins[topic_partition])
            for unit, found in offsets.items()
            for topic_partition, offset in found.items()
            if (offset or 0) < ends[topic_partition]
        }
        oldest = self._oldest(behind, ends, now)
        yield from samples_of(
            [
                Unread(
                    unit,
                    topic_partition[0].removeprefix(self._prefix),
                    max(0, ends[topic_partition] - (offset or 0)),
                    oldest.get((unit, topic_partition)),
                )
                for unit, found in offsets.items()
                for topic_partition, offset in found.items()
            ],
            {name.removeprefix(self._prefix): retention for name, retention in self._retention.items()},
            now,
        )
        yield from self._outbound()

    def _observer(self, unit: str) -> Consumer:
        if unit not in self._observers:
            self._observers[unit] = self._broker.offsets_consumer(f"{self._prefix}{unit}")
        return self._observers[unit]

    def _hidden_seconds(self, stable: Mapping[TopicAndPartition, int], ends: Mapping[TopicAndPartition, int], now: int) -> Iterator[Sample]:
        """Yield for how long each topic's stable end has been stuck below its end."""
        stuck = {}
        for topic_partition, end in stable.items():
            if end < ends[topic_partition]:
                before = self._stuck.get(topic_partition)
                stuck[topic_partition] = before if before is not None and before[0] == end else (end, now)
        self._stuck = stuck
        longest: dict[str, int] = defaultdict(int)
        for (topic, _), (_, since) in stuck.items():
            longest[topic] = max(longest[topic], now - since)
        for topic in {topic for topic, _ in stable}:
            yield metrics.HIDDEN, (topic.removeprefix(self._prefix),), longest[topic] / 1000

    def _oldest(
        self, behind: Mapping[tuple[str, TopicAndPartition], int], ends: Mapping[TopicAndPartition, int], now: int
    ) -> dict[tuple[str, TopicAndPartition], int]:
        """
        Return the time of the first record at or after each offset; nothing if only transaction markers follow.

        For records that an open transaction hides, it is the time since which they have been hidden. For a record that the broker
        does not deliver in time, it is the time known from an earlier measurement, or since when it has not been delivered.
        """
        found: dict[tuple[str, TopicAndPartition], int] = {}
        not_delivered: set[tuple[str, TopicAndPartition]] = set()
        deadline = monotonic() + READ_SECONDS
        starts: dict[str, dict[TopicAndPartition, int]] = defaultdict(
            dict
        )  # two stages may be behind on one partition at different offsets
        for (unit, topic_partition), offset in behind.items():
            starts[unit][topic_partition] = offset
        for unit, offsets in starts.items():
            reader = self._broker.partition_consumer(**LOW_LATENCY)
            try:
                reader.assign([TopicPartition(*topic_partition, offset) for topic_partition, offset in offsets.items()])
                waiting = set(offsets)
                while waiting and monotonic() < deadline:
                    for message in poll_batch(reader, 1, 0.1):
                        topic_partition = (message.topic() or "", message.partition() or 0)
                        what = message_kind(message)
                        if what == "noise" or topic_partition not in waiting:
                            continue
                        waiting.discard(topic_partition)
                        if what == "record":
                            found[unit, topic_partition] = message.timestamp()[1]
                        elif (message.offset() or 0) < ends[topic_partition] and topic_partition in self._stuck:
                            found[unit, topic_partition] = self._stuck[topic_partition][1]
                not_delivered.update((unit, topic_partition) for topic_partition in waiting)
            finally:
                reader.close()
        for each in not_delivered:
            offset, time = self._times.get(each, (-1, now))
            found[each] = time if offset == behind[each] else now
        self._times = {each: (behind[each], time) for each, time in found.items()}
        return found

    def _outbound(self) -> Iterator[Sample]:
        """Yield what our own providers (`vn provider`) have not read; the groups of other providers are unknown."""
        for channel, topic in OUTBOUND.items():
            name = self._prefix + topic.name
            topic_partitions = [(name, each) for each in range(self._broker.partition_counts([name])[name])]
            offsets = committed_offsets(self._observer(f"provider.{channel}"), topic_partitions)
            if any(offset is not None for offset in offsets.values()):
                ends = self._broker.end_offsets(topic_partitions)
                yield (
                    metrics.OUTBOUND_UNREAD,
                    (topic.name,),
                    sum(ends[topic_partition] - (offset or 0) for topic_partition, offset in offsets.items()),
                )


def samples_of(unread: Sequence[Unread], retention: Mapping[str, int], now: int) -> Iterator[Sample]:
    """Yield lag, age and the time left until retention removes unread records, by stage and topic over all partitions."""
    lag: dict[tuple[str, str], int] = defaultdict(int)
    age: dict[tuple[str, str], int] = defaultdict(int)
    for each in unread:
        labels = (each.unit, each.topic)
        lag[labels] += each.records if each.oldest is not None else 0
        age[labels] = max(age[labels], now - each.oldest if each.oldest is not None else 0)
    for labels, records in lag.items():
        yield metrics.GROUP_LAG, labels, records
        yield metrics.GROUP_OLDEST, labels, age[labels] / 1000
    for topic, kept in retention.items():
        if kept != FOREVER:
            oldest = max((seconds for (_, name), seconds in age.items() if name == topic), default=0)
            yield metrics.RETENTION_LEFT, (topic,), (kept - oldest) / 1000
