"""
Catches a partition's cache up with the changelog, the authoritative copy of a stage's state, before the first decision.

The last record of every transaction on a changelog partition has the key `__pos` and holds a `Position`. The cache has a
`Stamp`: the position it was caught up to, its offset, and the identity of the log. The steps (their numbers are in the code):

1. Read the committed, stable offsets; then the *uncommitted* end of the changelog, with a new client.
2. Check the stamp: is it of this log, before its end, and younger than its tombstones? If not, empty the cache.
3. Read the log from the stamp's offset to the end, by position: transaction markers take offsets too.
4. Write the changes to the cache in chunks, each by compare-and-set; only the last chunk sets a stamp.
5. The position must equal the committed offsets. If not, data was lost or restored: stop, never guess.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

import msgspec
import structlog
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from msgspec import Struct

from processors.runtime.clock import wall_time
from processors.runtime.errors import Restart, Stop
from processors.runtime.kafka.clients import LOW_LATENCY, Broker, TopicAndPartition, message_kind, poll_batch
from processors.runtime.metrics import CATCH_UP_LEFT, CATCH_UP_RECORDS, REBUILDS, STAMP_AHEAD
from processors.runtime.run.store import STAMP, Store
from processors.runtime.wire.changelog import FORMAT, Position, Timer
from processors.runtime.wire.codec import Codec
from processors.topics import TOMBSTONES_KEPT

CHUNK: Final = 2_000  # changes in one compare-and-set, which blocks the store for all other clients
CHUNK_BYTES: Final = 4_000_000
STALL_TIMEOUT: Final = 30.0  # seconds without progress: a hanging transaction, or a truncated log


class Stamp(Struct, frozen=True):
    """The position that the cache was caught up to, its offset in the changelog, and the identity of that log."""

    position: Position
    offset: int
    log: str


NEW: Final = Position(seq=0, positions={})


@dataclass(frozen=True, slots=True)
class RestoredPartition:
    """A caught-up partition: its position, its cache's stamp, and its timers."""

    position: Position
    stamp: bytes
    timers: dict[str, Timer]


class Changelog:
    """One stage's changelog with its cache."""

    def __init__(self, broker: Broker, store: Store, codec: Codec, topic: str, stage: str) -> None:
        self.topic = topic
        self._broker = broker
        self._store = store
        self._codec = codec
        self._stage = stage
        self._identity = broker.topic_identity(topic)
        self._log = structlog.get_logger()

    def key(self, partition: int) -> str:
        """Return the key of the partition's hash; the braces keep it in one slot of a cluster."""
        return f"vn:{{{self.topic.removesuffix('.state')}:{partition}}}"

    def stamp(self, position: Position, offset: int) -> bytes:
        """Return the stamp for the position written at `offset`."""
        return msgspec.json.encode(Stamp(position, offset, self._identity))

    def restore(
        self, committed: Mapping[TopicAndPartition, int | None], partitions: list[int], keep_alive: Callable[[], None]
    ) -> dict[int, RestoredPartition]:
        """Catch up the partitions' caches; `keep_alive` is called regularly and raises to abort."""
        ends = self._broker.end_offsets((self.topic, partition) for partition in partitions)  # 1
        restored = {}
        for partition in partitions:
            offsets = {topic: offset for (topic, number), offset in committed.items() if number == partition}
            restored[partition] = self._restore(partition, offsets, ends[self.topic, partition], keep_alive)
        return restored

    def _restore(self, partition: int, committed: Mapping[str, int | None], end: int, keep_alive: Callable[[], None]) -> RestoredPartition:
        key = self.key(partition)
        held, _ = self._store.read(key, [])
        stamp = self._usable_stamp(held)  # 2
        caught = self._catch_up(partition, held, stamp, end, keep_alive)  # 3, 4
        if caught is None:
            # The log does not hold the stamp's position: it was truncated or restored.
            STAMP_AHEAD.labels(self._stage).inc()
            self._log.error("stamp_ahead", unit=self._stage, partition=partition)
            caught = self._catch_up(partition, held, None, end, keep_alive)
        if caught is None:
            raise Restart(f"the changelog of partition {partition} could not be read")
        position, raw = caught
        check_positions(self.topic, partition, position, committed)  # 5
        timers = {field[1:].decode(): self._codec.decode(value) for field, value in self._store.scan(key, "@*")}
        if self._store.read(key, [])[0] != raw:
            raise Restart(f"the cache of partition {partition} changed while its timers were read")
        return RestoredPartition(position, raw, timers)

    def _position(self, partition: int, raw: bytes) -> Position:
        """Return the position in a changelog record; raises Stop for a format that this version does not know."""
        position: Position = self._codec.decode(raw)
        if position.format > FORMAT:
            raise Stop(
                f"the position of {self.topic}[{partition}] has format {position.format} and this version knows formats up to {FORMAT}: "
                "a later version wrote it; run that version"
            )
        return position

    def _usable_stamp(self, held: bytes | None) -> Stamp | None:
        """Return the cache's stamp if the cache can be caught up from it, else None."""
        try:
            stamp = msgspec.json.decode(held or b"", type=Stamp)
        except msgspec.DecodeError:
            return None
        if stamp.log != self._identity or wall_time() - stamp.position.at > TOMBSTONES_KEPT // 2:
            return None
        return stamp

    def _catch_up(
        self, partition: int, held: bytes | None, stamp: Stamp | None, end: int, keep_alive: Callable[[], None]
    ) -> tuple[Position, bytes] | None:
        """Return the log's last position and the cache's new stamp; None if the log does not hold the stamp's position."""
        key, changes, size, position, offset = self.key(partition), dict[bytes, bytes | None](), 0, NEW, -1
        emptied = stamp is None and held is not None
        if stamp is None:
            REBUILDS.labels(self._stage).inc()
        elif stamp.offset >= end:
            return None
        start = max(stamp.offset, 0) if stamp else OFFSET_BEGINNING
        left = CATCH_UP_LEFT.labels(self._stage)
        left.set(end - max(start, 0))
        for at_offset, field, value in committed_records(self._broker, self.topic, partition, start, end, keep_alive):
            if field == STAMP:
                position, offset = self._position(partition, value or b""), at_offset
                if stamp is not None and at_offset == stamp.offset and position != stamp.position:
                    return None
            else:
                changes[field] = value
                size += len(value or b"")
            if len(changes) >= CHUNK or size >= CHUNK_BYTES:
                unfinished = b"unfinished " + secrets.token_hex(8).encode()
                self._swap(key, held, unfinished, changes, emptied=emptied)
                held, changes, size, emptied = unfinished, {}, 0, False
                left.set(end - at_offset)
        left.set(0)
        if stamp is not None and stamp.offset >= 0 and offset < 0:
            return None
        raw = self.stamp(position, offset)
        if raw != held:
            self._swap(key, held, raw, changes, emptied=emptied)
        return position, raw

    def _swap(self, key: str, old: bytes | None, new: bytes, changes: Mapping[bytes, bytes | None], *, emptied: bool) -> None:
        if not self._store.swap(key, old, new, changes, emptied=emptied):
            raise Restart("the cache is being written by another owner")
        CATCH_UP_RECORDS.labels(self._stage).inc(len(changes))


def committed_records(  # noqa: PLR0913, PLR0917  where to read from, and what to do meanwhile
    broker: Broker, topic: str, partition: int, start: int, end: int, keep_alive: Callable[[], None]
) -> Iterator[tuple[int, bytes, bytes | None]]:
    """Yield offset, key and value of a partition's committed records between `start` and `end`, an uncommitted end."""
    if end == 0:
        return
    reader = broker.partition_consumer(**LOW_LATENCY)
    try:
        reader.assign([TopicPartition(topic, partition, start)])
        next_offset, progress = -1, monotonic()
        while next_offset < end:
            for message in poll_batch(reader, CHUNK, 0.1):
                what, reached = message_kind(message), message.offset() or 0
                if what == "noise":
                    continue
                if what == "record":
                    yield reached, message.key() or b"", message.value()
                    reached += 1
                if reached > next_offset:
                    next_offset, progress = reached, monotonic()
            keep_alive()
            if monotonic() - progress > STALL_TIMEOUT:
                structlog.get_logger().error("catch_up_stalled", topic=topic, partition=partition, position=next_offset, end=end)
                raise Restart(f"{topic}[{partition}] is at {next_offset} and not at its end {end}: a hanging transaction?")
    finally:
        reader.close()


def read_latest(
    broker: Broker, codec: Codec, topic: str, partitions: Sequence[int], keep_alive: Callable[[], None]
) -> dict[int, dict[str, Any]]:
    """Return the latest record of every key of a compacted topic, by partition, read to the uncommitted end."""
    ends = broker.end_offsets((topic, partition) for partition in partitions)
    found: dict[int, dict[str, Any]] = {partition: {} for partition in partitions}
    for partition, latest in found.items():
        for _, key, value in committed_records(broker, topic, partition, OFFSET_BEGINNING, ends[topic, partition], keep_alive):
            if value is None:
                latest.pop(key.decode(), None)
            else:
                latest[key.decode()] = codec.decode(value)
    return found


def check_positions(topic: str, partition: int, position: Position, committed: Mapping[str, int | None]) -> None:
    """Raise Stop unless the changelog's position and the group's committed offsets agree: if not, one was lost or restored."""
    for source, offset in committed.items():
        if position.positions.get(source) != offset:
            raise Stop(
                f"{topic}[{partition}] was written up to offset {position.positions.get(source)} of {source}, but the group's committed "
                f"offset is {offset}: one of them was lost or restored; see deploy/runbook.md"
            )
