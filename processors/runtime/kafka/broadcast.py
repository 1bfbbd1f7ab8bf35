"""
Broadcast topics, read in full by every process outside the consumer groups: settings and the topic clock.

They are read to their end before the first decision; changes are applied between batches only.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any, Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from processors.domain.policy import Policy
from processors.domain.quarantine import QuarantinedRecord, record_id
from processors.domain.tick import Tick
from processors.rules.book import Rules
from processors.runtime.clock import TopicClock
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import REQUEST_TIMEOUT, Broker, message_kind, poll_batch
from processors.runtime.kafka.lost_brokers import Reach
from processors.runtime.wire.codec import Codec, Undecodable
from processors.topics import CLOCK, POLICIES, QUARANTINE

BATCH: Final = 1_000
LATEST_TICKS: Final = 100  # only the clock's last record counts; marks of transactions may follow it


class BroadcastReader:
    """Reads a single-partition topic and passes each record to a callback."""

    def __init__(self, broker: Broker, topic: str, on_record: Callable[[Message], None], *, last: int | None = None) -> None:
        self._place = (topic, 0)
        self._on_record = on_record
        end = broker.end_offsets([self._place])[self._place]
        start = OFFSET_BEGINNING if last is None else max(end - last, broker.start_offsets([self._place])[self._place])
        self._broker = broker
        self._asked: Consumer | None = None
        self._reach = Reach(topic)
        self._reader = self._open(start)
        self.position = 0
        self._until(end)

    def poll(self) -> bool:
        """Pass on what has arrived; return whether anything had. Raises Restart if the broker is not reached, and begins anew."""
        try:
            self._reach.check(self._reader)
        except Restart:
            self._open_again()
            raise
        return self._take(0)

    def catch_up(self) -> bool:
        """Pass on everything written before this call; return whether there was anything."""
        asked, self._asked = self._asked or self._broker.offsets_consumer("vn.reader"), None
        end = self._broker.end_offsets([self._place], asked)[self._place]
        self._asked = asked  # kept only if it answered: after an error the next call makes another
        return self._until(end)

    def close(self) -> None:
        self._reader.close()

    def _open(self, start: int) -> Consumer:
        # No such topic is written in transactions, so the uncommitted end is the end.
        reader = self._broker.partition_consumer(**{"isolation.level": "read_uncommitted"})
        reader.assign([TopicPartition(*self._place, start)])
        return reader

    def _open_again(self) -> None:
        """Go on with another client, since the last one may have forgotten the brokers."""
        self._reader.close()
        self._reader = self._open(self.position)

    def _until(self, end: int) -> bool:
        fresh, deadline = False, monotonic() + REQUEST_TIMEOUT
        while self.position < end:
            fresh = self._take(0.1) or fresh
            if monotonic() > deadline:
                self._open_again()
                raise Restart(f"{self._place[0]} could not be read to its end")
        return fresh

    def _take(self, timeout: float) -> bool:
        fresh = False
        for message in poll_batch(self._reader, BATCH, timeout):
            what = message_kind(message)
            if what == "record":
                self._on_record(message)
                self.position, fresh = (message.offset() or 0) + 1, True
            elif what == "end":
                self.position = message.offset() or 0
        return fresh


class PolicyReader:
    """The rules under the current settings, read from vn.policies."""

    def __init__(self, broker: Broker, codec: Codec, rules: Rules, prefix: str) -> None:
        self.rules = self._rules = rules
        self._codec = codec
        self._policies: dict[bytes, Policy] = {}
        self._follower = BroadcastReader(broker, prefix + POLICIES.name, self._take)
        self._apply()

    def refresh(self) -> bool:
        """Read pending changes; return whether there were any, in which case `rules` is new."""
        return self._follower.poll() and self._apply()

    def close(self) -> None:
        self._follower.close()

    def _apply(self) -> bool:
        with_policies: Any = self._rules.with_policies
        self.rules = with_policies([self._policies[key] for key in sorted(self._policies)])
        return True

    def _take(self, message: Message) -> None:
        key = message.key() or b""
        policy = decode_or_warn(self._codec, message, Policy)
        if policy is None:
            self._policies.pop(key, None)
        else:
            self._policies[key] = policy


class QuarantineReader:
    """Why operators set records aside, by the record's name, read from vn.quarantine."""

    def __init__(self, broker: Broker, codec: Codec, prefix: str) -> None:
        self.reasons: dict[str, str] = {}
        self._codec = codec
        self._follower = BroadcastReader(broker, prefix + QUARANTINE.name, self._take)

    def refresh(self) -> bool:
        """Read pending changes; return whether there were any."""
        return self._follower.poll()

    def close(self) -> None:
        self._follower.close()

    def _take(self, message: Message) -> None:
        record = decode_or_warn(self._codec, message, QuarantinedRecord)
        if record is not None:
            self.reasons[record_id(record.topic, record.partition, record.offset)] = f"{record.reason} ({record.set_by})"


class ClockReader:
    """The topic clock, read from vn.clock; its `place` and `position` are committed with the offsets of the inputs."""

    def __init__(self, broker: Broker, codec: Codec, prefix: str) -> None:
        self.clock = TopicClock()
        self.place = (prefix + CLOCK.name, 0)
        self._codec = codec
        self._follower = BroadcastReader(broker, prefix + CLOCK.name, self._take, last=LATEST_TICKS)

    def refresh(self, *, to_the_end: bool) -> bool:
        """Read pending clock ticks; with `to_the_end`, all that were written before this call."""
        return self._follower.catch_up() if to_the_end else self._follower.poll()

    @property
    def position(self) -> int:
        """The offset after the last tick read."""
        return self._follower.position

    def close(self) -> None:
        self._follower.close()

    def _take(self, message: Message) -> None:
        tick = decode_or_warn(self._codec, message, Tick)
        if tick is not None:
            self.clock.tick(tick)


def decode_or_warn(codec: Codec, message: Message, wanted: type) -> Any:
    """Return the record; None for a tombstone, or for anything but a `wanted` record, which is logged."""
    value = message.value()
    if value is None:
        return None
    try:
        record = codec.decode(value)
    except Undecodable as error:
        record = error.unreadable
    if isinstance(record, wanted):
        return record
    structlog.get_logger().warning("broadcast_unreadable", topic=message.topic(), offset=message.offset())
    return None
