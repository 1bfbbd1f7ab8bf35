"""
The watermark: a time up to which every received message has reached this stage.

A hold must not end while the message that would resolve it waits unread before an earlier stage, so timers fire by the
watermark and not by the clock. It is measured from what is committed in Kafka, and only when a timer is due: nothing is
written for it, no process is asked, and it also works for a stage that runs alone or a pipeline without traffic.

One measurement, at system time T (`Measurement`; the numbers are in the code):

1. Read the ends of the first stage's inputs. What was received by T - `CLOCK_SKEW` lies before them.
2. Wait until the first stage has committed up to them, or up to nothing but transaction markers: a stage that was stopped does
   not commit that it has passed those. Its outputs were committed together with that, so they lie before the ends of the next
   stage's inputs, which are read only now; and so on, stage by stage in the pipeline's order.
3. A stage may hold a message until a timer fires. Each stage commits, as metadata of its offsets, when its next timer is due:
   the watermark does not pass that.
4. The ends of our own inputs come last. A partition that has been read up to them has seen everything received by then.

The watermark never decreases, since offsets and ends never do; so it stays valid after a rebalance.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Condition, Thread
from time import monotonic
from typing import Any, Final, NamedTuple, Protocol

import structlog
from confluent_kafka import Consumer, TopicPartition

from processors.runtime.clock import wall_time
from processors.runtime.errors import Restart, UserError
from processors.runtime.kafka.clients import LOW_LATENCY, Broker, TopicAndPartition, committed_progress, message_kind, poll_batch
from processors.runtime.run.telemetry import error_fields
from processors.stage import Stage

CLOCK_SKEW: Final = 250  # milliseconds by which the clocks of brokers and stages may differ
FIRST_PAUSE, MAX_PAUSE = 0.01, 0.5  # seconds between checks of a stage that is behind
NEVER: Final = 1 << 62
MAX_MARKERS: Final = 1_000  # a longer gap means that the stage is behind, and is not read
READ_TIMEOUT: Final = 2.0  # seconds to read a gap


class CommittedProgress(NamedTuple):
    """What a stage has committed for one partition: the next offset, and when the partition's next timer is due."""

    offset: int | None
    next_timer: int | None


class ProgressSource(Protocol):
    """Tells a measurement how far the stages and the logs are."""

    def ends(self, topics: Sequence[str]) -> Mapping[TopicAndPartition, int]:
        """Return the uncommitted end of every partition of the topics."""
        ...

    def read_committed(self, stage: str, topic_partitions: Iterable[TopicAndPartition]) -> Mapping[TopicAndPartition, CommittedProgress]:
        """Return what the stage has committed for the partitions."""
        ...

    def only_markers(self, topic_partition: TopicAndPartition, start: int, end: int) -> bool:
        """Whether there is no committed record between the offsets, only transaction markers and aborted records."""
        ...


@dataclass(frozen=True, slots=True)
class Watermark:
    """A watermark `time` (milliseconds), valid for every partition of ours that has been read up to `ends`."""

    time: int
    ends: Mapping[TopicAndPartition, int]

    def has_reached(self, partition: int, positions: Mapping[str, int]) -> bool:
        """Whether the partition has been read far enough for the watermark to hold there."""
        return all(offset >= self.ends.get((topic, partition), NEVER) for topic, offset in positions.items())


NO_WATERMARK: Final = Watermark(0, {})


class Measurement:
    """
    One measurement, taken at `now`; call `step` until it returns the watermark.

    `upstream` are the stages before ours in the pipeline's order, each with its input topics.
    """

    def __init__(self, log: ProgressSource, upstream: Sequence[tuple[str, Sequence[str]]], inputs: Sequence[str], now: int) -> None:
        self._log = log
        self._upstream = list(upstream)
        self._inputs = inputs
        self._time = now - CLOCK_SKEW
        self._ends: Mapping[TopicAndPartition, int] | None = None
        self._behind: Mapping[TopicAndPartition, tuple[int, int]] = {}  # as of the last step

    def step(self) -> Watermark | None:
        """Continue as far as the earlier stages have progressed; return the watermark once all have passed, else None."""
        while self._upstream:
            stage, topics = self._upstream[0]
            if self._ends is None:
                self._ends = self._log.ends(topics)  # 1, and again for every stage: only after those before it have passed
            committed = self._log.read_committed(stage, self._ends)
            behind = {
                topic_partition: (offset, end)
                for topic_partition, end in self._ends.items()
                if (offset := committed[topic_partition].offset or 0) < end
            }
            stuck, self._behind = behind == self._behind, behind
            if behind and not (
                stuck and all(self._log.only_markers(topic_partition, *gap) for topic_partition, gap in behind.items())
            ):  # 2
                return None
            timers = [each.next_timer for each in committed.values() if each.next_timer is not None]
            self._time = min([self._time, *timers])  # 3
            self._upstream.pop(0)
            self._ends = None
        return Watermark(self._time, self._log.ends(self._inputs))  # 4


class KafkaProgressSource:
    """Asks Kafka; discards its clients at the first error, since one that lived through a broker's restart may give wrong answers."""

    def __init__(self, broker: Broker, prefix: str) -> None:
        self._broker = broker
        self._prefix = prefix
        self._observers: dict[str, Consumer] = {}
        self._partitions: dict[str, int] = {}
        self._records: dict[TopicAndPartition, int] = {}  # offsets known to be followed by a record

    def ends(self, topics: Sequence[str]) -> Mapping[TopicAndPartition, int]:
        if unknown := [topic for topic in topics if topic not in self._partitions]:
            self._partitions |= self._broker.partition_counts(unknown)
        topic_partitions = [(topic, each) for topic in topics for each in range(self._partitions[topic])]
        return self._broker.end_offsets(topic_partitions, self._observer("watermark"))

    def read_committed(self, stage: str, topic_partitions: Iterable[TopicAndPartition]) -> Mapping[TopicAndPartition, CommittedProgress]:
        found = committed_progress(self._observer(stage), topic_partitions)
        return {
            topic_partition: CommittedProgress(offset, parse_next_timer(metadata)) for topic_partition, (offset, metadata) in found.items()
        }

    def only_markers(self, topic_partition: TopicAndPartition, start: int, end: int) -> bool:
        if end - start > MAX_MARKERS:
            return False
        if self._records.get(topic_partition) == start:
            return False
        reader = self._broker.partition_consumer(**LOW_LATENCY)
        try:
            reader.assign([TopicPartition(*topic_partition, start)])
            deadline = monotonic() + READ_TIMEOUT
            while monotonic() < deadline:
                for message in poll_batch(reader, MAX_MARKERS, 0.1):
                    kind = message_kind(message)
                    if kind == "record":
                        self._records[topic_partition] = start
                        return False
                    if kind == "end" and (message.offset() or 0) >= end:
                        return True
            return False
        finally:
            reader.close()

    def forget(self) -> None:
        """Discard all clients."""
        self._observers.clear()
        self._partitions.clear()

    def _observer(self, stage: str) -> Consumer:
        if stage not in self._observers:
            self._observers[stage] = self._broker.offsets_consumer(f"{self._prefix}{stage}")
        return self._observers[stage]


class Watermarks:
    """Measures watermarks in a thread, until it has reached the latest one requested."""

    def __init__(self, broker: Broker, prefix: str, stage: Stage[Any], upstream: Sequence[Stage[Any]]) -> None:
        self.latest = NO_WATERMARK
        self._log = KafkaProgressSource(broker, prefix)
        self._upstream = [(each.name, [prefix + topic.name for topic in each.inputs]) for each in upstream]
        self._inputs = [prefix + topic.name for topic in stage.inputs]
        self._stage = stage.name
        self._wanted = 0
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._run, name="watermark", daemon=True)
        self._thread.start()

    def request(self, time: int) -> None:
        """Request a watermark of at least this time; `latest` holds it once it has been measured."""
        if time > self._wanted:
            with self._changed:
                self._wanted = time
                self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(MAX_PAUSE)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        measurement: Measurement | None = None
        while self._wait(pause if measurement is not None else None):
            try:
                if measurement is None:
                    measurement, pause = Measurement(self._log, self._upstream, self._inputs, wall_time()), FIRST_PAUSE
                found = measurement.step()
            except (Restart, UserError) as error:
                structlog.get_logger().warning("watermark_unmeasured", unit=self._stage, **error_fields(error))
                self._log.forget()
                found, pause = None, MAX_PAUSE
            if found is None:
                pause = min(2 * pause, MAX_PAUSE)
                continue
            advanced = found.time > self.latest.time
            if advanced or not self.latest.ends:
                self.latest = found
            measurement, pause = None, FIRST_PAUSE if advanced else pause

    def _wait(self, pause: float | None) -> bool:
        """Wait until a watermark is requested, or for `pause` seconds between steps; return False once closed."""
        with self._changed:
            if pause is not None or self._wanted > self.latest.time:
                self._changed.wait_for(lambda: self._closed, pause or FIRST_PAUSE)
            else:
                self._changed.wait_for(lambda: self._closed or self._wanted > self.latest.time)
            return not self._closed


def next_timer_metadata(at: int | None) -> str:
    """Return the metadata for a partition's committed offsets that says when its next timer is due."""
    return "" if at is None else f"next_timer={at}"


def parse_next_timer(metadata: str | None) -> int | None:
    """Return when the next timer is due; None if there is none, or if an earlier version committed the offsets."""
    name, _, value = (metadata or "").partition(" ")[0].partition("=")
    return int(value) if name == "next_timer" and value.isdigit() else None
