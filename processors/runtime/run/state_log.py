"""Reads a stage's whole changelog, and writes to it while no copy of the stage is running."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Producer, murmur2

from processors.runtime.clock import wall_time
from processors.runtime.kafka.clients import CALL_DEADLINE, REQUEST_TIMEOUT, Broker, Unavailable, call_with_deadline, translated_errors
from processors.runtime.run.catchup import committed_records
from processors.runtime.run.store import STAMP
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Stage

Change = tuple[int, bytes, bytes | None]  # partition, field, value

MAX_CHANGES: Final = 5_000  # of one transaction
MAX_BYTES: Final = 16 * 1024 * 1024
STATE, TIMER = b"=", b"@"  # prefixes of the field names of states and timers


@dataclass(slots=True)
class PartitionState:
    """The contents of one partition of a changelog: the last position, and the fields by name."""

    position: Position | None = None
    fields: dict[bytes, bytes] = field(default_factory=dict)

    def change(self, name: bytes, value: bytes | None) -> None:
        """Set a field; None removes it."""
        if value is None:
            self.fields.pop(name, None)
        else:
            self.fields[name] = value


def read_partition(broker: Broker, codec: Codec | None, topic: str, partition: int) -> PartitionState:
    """Return the contents of a partition of a changelog, or of a memory table if `codec` is None; waits for open transactions."""
    found = PartitionState()
    end = broker.end_offsets([(topic, partition)])[topic, partition]
    start = broker.start_offsets([(topic, partition)])[topic, partition]
    if start >= end:
        return found
    for _, name, value in committed_records(broker, topic, partition, start, end, lambda: None):
        if name == STAMP and codec is not None:
            found.position = codec.decode(value or b"")
        else:
            found.change(name, value)
    return found


def next_timer(codec: Codec, fields: Mapping[bytes, bytes]) -> int | None:
    """Return when the first timer among the fields is due."""
    return min((codec.decode(value).due_at for name, value in fields.items() if name.startswith(TIMER)), default=None)


def partition_of(stage: Stage[Any], state_key: bytes, partitions: int) -> int:
    """Return the partition of a state among this many: the one that the records of its owner go to."""
    return murmur2(stage.owner(state_key.decode()).encode(), partitions)


def new_position(positions: Mapping[str, int], partitions: int, *, seq: int = 1, time: int = 0, settled: str = "") -> Position:
    """Return the position of a partition whose state was moved."""
    return Position(seq=seq, positions=dict(positions), time=time, at=wall_time(), settled=settled, partitions=partitions)


class StateWriter:
    """Writes to a changelog, one transaction per call; a second writer fences the first."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._topic = topic
        self._producer: Producer = broker.producer(f"{topic}.writer")

    def write(self, changes: Iterable[Change]) -> int:
        """Write all changes in one transaction; return their number."""
        producer, count = self._producer, 0
        with translated_errors(f"{self._topic} could not be written"):
            producer.begin_transaction()
            for partition, name, value in changes:
                producer.produce(self._topic, value, name, partition)
                count += 1
            if producer.flush(REQUEST_TIMEOUT):
                raise Unavailable(f"{self._topic} could not be written: the broker takes no records")
            call_with_deadline(CALL_DEADLINE, producer.commit_transaction, REQUEST_TIMEOUT)
        return count


def bounded_batches(groups: Iterable[list[Change]]) -> Iterator[list[Change]]:
    """Yield the changes in batches of bounded size; a group of changes is never split."""
    together: list[Change] = []
    size = 0
    for group in groups:
        together += group
        size += sum(len(value or b"") for _, _, value in group)
        if len(together) >= MAX_CHANGES or size >= MAX_BYTES:
            yield together
            together, size = [], 0
    if together:
        yield together
