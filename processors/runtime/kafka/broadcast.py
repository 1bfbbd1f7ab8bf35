"""
Broadcast topics, which every process reads in full without a consumer group: settings, the quarantine and the topic clock.

They are read to their end before the first decision; changes are applied only between batches.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any, Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from processors.domain.policy import Policy
from processors.domain.quarantine import QuarantinedRecord, record_id
from processors.domain.tick import Tick
from processors.rules.rule_set import Rules
from processors.runtime.clock import TopicClock
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import REQUEST_TIMEOUT, Broker, message_kind, poll_batch
from processors.runtime.kafka.lost_brokers import BrokerProbe
from processors.runtime.wire.codec import Codec, Undecodable
from processors.topics import CLOCK, POLICIES, QUARANTINE

BATCH: Final = 1_000
LATEST_TICKS: Final = 100  # offsets to read; only the clock's last record counts, but transaction markers may follow it


class BroadcastReader:
    """Reads a single-partition topic and passes each record to a callback; `last` limits it to that many offsets before the end."""

    def __init__(self, broker: Broker, topic: str, on_record: Callable[[Message], None], *, last: int | None = None) -> None:
        self._topic_partition = (topic, 0)
        self._on_record = on_record
        end = broker.end_offsets([self._topic_partition])[self._topic_partition]
        start = OFFSET_BEGINNING if last is None else max(end - last, broker.start_offsets([self._topic_partition])[self._topic_partition])
        self._broker = broker
        self._end_reader: Consumer | None = None
        self._probe = BrokerProbe(topic)
        self._reader = self._open(start)
        self.position = 0
        self._read_until(end)

    def poll(self) -> bool:
        """Pass on what has arrived; return whether anything has. Raises Restart if the broker cannot be reached."""
        try:
            self._probe.check(self._reader)
        except Restart:
            self._reopen()
            raise
        return self._read(0)

    def catch_up(self) -> bool:
        """Pass on everything written before this call; return whether there was anything."""
        reader, self._end_reader = self._end_reader or self._broker.offsets_consumer("vn.reader"), None
        end = self._broker.end_offsets([self._topic_partition], reader)[self._topic_partition]
        self._end_reader = reader  # kept only if it answered: after an error the next call makes another
        return self._read_until(end)

    def close(self) -> None:
        self._reader.close()

    def _open(self, start: int) -> Consumer:
        # Broadcast topics are not written in transactions, so the uncommitted end is the end.
        reader = self._broker.partition_consumer(**{"isolation.level": "read_uncommitted"})
        reader.assign([TopicPartition(*self._topic_partition, start)])
        return reader

    def _reopen(self) -> None:
        """Switch to a new client, since the current one may have forgotten the brokers."""
        self._reader.close()
        self._reader = self._open(self.position)

    def _read_until(self, end: int) -> bool:
        fresh, deadline = False, monotonic() + REQUEST_TIMEOUT
        while self.position < end:
            fresh = self._read(0.1) or fresh
            if monotonic() > deadline:
                self._reopen()
                raise Restart(f"{self._topic_partition[0]} could not be read to its end")
        return fresh

    def _read(self, timeout: float) -> bool:
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
    """The rules with the current settings, read from vn.policies."""

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
    """The reasons why operators set records aside, by the record's name, read from vn.quarantine."""

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
    """The topic clock, read from vn.clock; its `topic_partition` and `position` are committed with the offsets of the inputs."""

    def __init__(self, broker: Broker, codec: Codec, prefix: str) -> None:
        self.clock = TopicClock()
        self.topic_partition = (prefix + CLOCK.name, 0)
        self._codec = codec
        self._follower = BroadcastReader(broker, prefix + CLOCK.name, self._take, last=LATEST_TICKS)

    def refresh(self, *, to_the_end: bool) -> bool:
        """Read pending clock ticks; with `to_the_end`, all those written before this call."""
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
    """Return the record; None for a tombstone and for anything that is not a `wanted` record, which is logged."""
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
