"""
Consumes one channel's outbound topic and hands its messages to vendors.

One batch takes these steps:

1. Poll outbound records; take the group's metadata, whose generation is the fence.
2. Commit the intents in a transaction of their own, with the read positions as they were.
3. Call the vendors.
4. Commit the receipts, the end of the intents and the new read positions in one transaction.

A process that ends between 2 and 4 leaves intents without an outcome; the next owner of the partition asks the same vendor.
After any error in a transaction the worker starts over from what Kafka holds.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from processors.domain.external import ReceiptForm
from processors.domain.notification import Outbound
from processors.domain.registration import Channel
from processors.domain.sending import SendIntent
from processors.domain.trace import HEADER
from processors.providers.backlog import Backlog, BacklogEntry
from processors.providers.dispatch import Dispatcher, SendResult, VendorLimits, receipt_detail, receipt_status
from processors.providers.ledger import intent_key, read_intents
from processors.providers.outcome import Vendor
from processors.runtime import metrics
from processors.runtime.clock import wall_time
from processors.runtime.errors import Restart, Retry
from processors.runtime.kafka.clients import (
    CALL_DEADLINE,
    REQUEST_TIMEOUT,
    Broker,
    TopicAndPartition,
    call_with_deadline,
    committed_offsets,
    message_kind,
    poll_batch,
    traceparent_of,
    translated_errors,
)
from processors.runtime.kafka.group_member import GroupMember, MemberWork
from processors.runtime.run.faults import Faults, Point
from processors.runtime.run.slots import ProcessSlot
from processors.runtime.run.telemetry import error_fields
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Codec, Undecodable
from processors.topics import OUTBOUND, RECEIPTS, SENDS

MAX_BATCH: Final = 200  # messages sent in one batch
READ_AHEAD: Final = 5_000  # records read ahead; emergencies among them are sent first
POLL_TIMEOUT: Final = 0.2  # seconds without a record
SEND_STATUSES: Final = ("accepted", "delivered", "temporary_failure", "permanent_failure", "opted_out")  # of an outcome
MAX_DETAIL: Final = 200  # characters of a vendor's answer that a receipt carries


def batch_size(limits: Sequence[VendorLimits]) -> int:
    """
    Return how many messages a batch may have: no more than a vendor takes concurrently and within a second.

    If the process ends during a batch, the outcome of all its messages is unknown, even of those that still waited to be sent.
    """
    return max(1, min(MAX_BATCH, int(max((min(each.rate, each.connections) for each in limits), default=1.0))))


class Worker:
    """The consumer of one channel's outbound topic, in this process."""

    def __init__(
        self, channel: Channel, vendors: Sequence[tuple[Vendor, VendorLimits]], settings: Settings, now: Callable[[], int] = wall_time
    ) -> None:
        self.channel = channel
        prefix = settings.topic_prefix
        self._codec = Codec(settings.schema_registry_url, prefix=prefix)
        self._broker = Broker(settings)
        self._outbound = prefix + OUTBOUND[channel].name
        self._receipts = prefix + RECEIPTS.name
        self._sends = prefix + SENDS.name
        self._group = f"{prefix}provider.{channel}"
        self._slot = ProcessSlot(self._group)
        self._transactional_id = f"{self._group}.{self._slot.host}.{self._slot.number}"
        self._fault = Faults(settings.faults).point(f"provider-{channel}")
        self._log = structlog.get_logger().bind(channel=channel)
        self._now = now
        self._batch_size = batch_size([limits for _, limits in vendors])
        self._start_at_zero([vendor.name for vendor, _ in vendors])
        self._dispatcher = Dispatcher(vendors, now, self._commit_intents)
        self._member = GroupMember(
            self._broker,
            self._group,
            [self._outbound],
            MemberWork(self._step, self._start_over, self._forget_work, self._forget_work, self._on_leave),
            self._log,
        )
        self._positions: dict[TopicAndPartition, int] = {}
        self._intents: dict[str, SendIntent] = {}
        self._fetched: dict[TopicAndPartition, int] = {}  # the next offsets to read
        self._backlog = Backlog()
        self._in_hand: dict[str, BacklogEntry] = {}
        self._loop = asyncio.Runner()
        self._more = False  # whether there was something to send last time
        self._producer: Producer | None = None
        self._metadata: Any = None

    def _start_at_zero(self, vendors: Sequence[str]) -> None:
        """Create the counters at 0: an alert does not see the first increase of a counter that did not exist before."""
        for vendor in vendors:
            metrics.AMBIGUOUS_SENDS.labels(self.channel, vendor)
            metrics.PROVIDER_SWITCHES.labels(vendor)
            metrics.UNKNOWN_CODES.labels(vendor)
            for status in SEND_STATUSES:
                metrics.PROVIDER_SENDS.labels(self.channel, vendor, status)

    def stop(self) -> None:
        """Finish the current batch, then stop."""
        self._member.stop()

    def run(self) -> None:
        """Run until `stop`, then leave the group."""
        with self._loop:
            try:
                self._member.run()
            finally:
                self._loop.run(self._dispatcher.close())
                self._slot.close()

    def _step(self, consumer: Consumer) -> None:
        if self._positions or self._restore(consumer):
            self._run_batch(consumer)

    def _on_leave(self) -> None:
        self._producer = None

    def _forget_work(self) -> None:
        """Discard uncommitted work; the partitions' next owner begins at the committed positions."""
        self._positions.clear()
        self._backlog = Backlog()

    def _restore(self, consumer: Consumer) -> bool:
        """Resume the assigned partitions at their committed offsets; return whether there are any."""
        if not self._member.is_assigned():
            return False
        keep_alive = self._member.keep_alive()
        self._fault("assigned")
        self._producer = self._broker.producer(self._transactional_id)
        topic_partitions = [(each.topic, each.partition) for each in self._member.assigned]
        offsets = committed_offsets(consumer, topic_partitions)
        starts = self._broker.start_offsets(topic_partition for topic_partition, offset in offsets.items() if offset is None)
        positions = {topic_partition: starts[topic_partition] if offset is None else offset for topic_partition, offset in offsets.items()}
        self._intents = read_intents(self._broker, self._codec, self._sends, [partition for _, partition in topic_partitions], keep_alive)
        keep_alive()
        self._member.fetch_from(positions)
        self._positions, self._fetched = positions, dict(positions)
        self._fault("restored")
        self._log.info("ready", partitions=sorted(partition for _, partition in topic_partitions), open_intents=len(self._intents))
        return True

    def _start_over(self, error: Retry | Restart) -> None:
        self._log.warning("start_over", **error_fields(error))
        self._forget_work()
        self._producer = None

    # -- one batch

    def _run_batch(self, consumer: Consumer) -> None:
        messages = poll_batch(consumer, max(1, READ_AHEAD - len(self._backlog)), 0 if self._more else POLL_TIMEOUT)  # 1
        self._metadata = consumer.consumer_group_metadata()
        if not self._positions:
            return
        if not consumer.memberid():
            raise Restart("the group has dropped us: offsets sent without a member's id would not be fenced")
        for message in messages:
            self._read(message)
        entries = self._backlog.take(self._batch_size, self._now())
        self._more = bool(entries)
        batch = {each.reference: each for each in entries}
        if entries:
            self._fault("read")
        self._in_hand = batch
        sent = [each.message for each in entries if each.message]
        results = self._loop.run(self._dispatcher.deliver(sent, self._open_intents(batch)))  # 2, 3
        moved, passed = self._backlog.settle(entries)
        if not (results or moved):
            return
        self._fault("sent")
        positions = {**self._positions, **moved}
        self._commit_results(results, positions, passed)  # 4
        self._fault("committed")
        self._positions = positions

    def _read(self, message: Message) -> None:
        """Add a message, or the end of a partition, to the backlog."""
        kind = message_kind(message)
        topic_partition, offset = (message.topic() or "", message.partition() or 0), message.offset() or 0
        if kind == "noise" or topic_partition not in self._fetched or offset < self._fetched[topic_partition]:
            return
        self._fetched[topic_partition] = offset if kind == "end" else offset + 1
        self._backlog.add(BacklogEntry(topic_partition, offset) if kind == "end" else self._entry(message, topic_partition, offset))

    def _entry(self, message: Message, topic_partition: TopicAndPartition, offset: int) -> BacklogEntry:
        """Return the entry of a record; without a message if it holds none, or if the message was settled before."""
        value, outbound = message.value(), None
        try:
            outbound = None if value is None else self._codec.decode(value)
        except Undecodable:
            self._log.error("unreadable", topic=topic_partition[0], partition=topic_partition[1], offset=offset)
        if not isinstance(outbound, Outbound):
            return BacklogEntry(topic_partition, offset + 1)
        key = intent_key(self.channel, outbound.reference)
        if key in self._intents and self._intents[key].settled:
            del self._intents[key]
            return BacklogEntry(topic_partition, offset + 1, reference=outbound.reference)
        return BacklogEntry.of(topic_partition, offset + 1, outbound, traceparent_of(message) or "")

    def _open_intents(self, references: Iterable[str]) -> dict[str, SendIntent]:
        found = {each: self._intents.pop(intent_key(self.channel, each), None) for each in references}
        return {reference: intent for reference, intent in found.items() if intent is not None}

    def _commit_intents(self, intents: Sequence[SendIntent]) -> None:
        """Commit the intents of the next calls, with unchanged positions, so that the transaction is fenced by the group's generation."""
        if not intents:
            return

        def write(producer: Producer) -> None:
            for intent in intents:
                partition = self._in_hand[intent.reference].topic_partition[1]
                producer.produce(self._sends, self._codec.encode(intent), intent_key(self.channel, intent.reference), partition)

        self._transaction(write, self._positions, "decided")
        self._fault("begun")

    def _commit_results(
        self, results: dict[str, SendResult], positions: dict[TopicAndPartition, int], passed: Sequence[BacklogEntry]
    ) -> None:
        """Commit outcomes and positions; the ledger keeps messages settled ahead until the positions have passed them."""

        def write(producer: Producer) -> None:
            for entry in passed:
                producer.produce(self._sends, None, intent_key(self.channel, entry.reference), entry.topic_partition[1])
            for reference in results.keys() & self._backlog.ahead:
                settled = SendIntent(reference, results[reference].vendor, self._now(), settled=True)
                partition = self._in_hand[reference].topic_partition[1]
                producer.produce(self._sends, self._codec.encode(settled), intent_key(self.channel, reference), partition)
            for reference, result in results.items():
                if result.outcome is not None:
                    context = self._in_hand[reference].context
                    receipt = self._codec.encode(self._receipt(reference, result))
                    producer.produce(self._receipts, receipt, reference, headers=[(HEADER, context)] if context else None)

        self._transaction(write, positions, "produced")
        for result in results.values():
            status = "expired" if result.outcome is None else receipt_status(result.outcome)
            metrics.PROVIDER_SENDS.labels(self.channel, result.vendor, status).inc()

    def _receipt(self, reference: str, result: SendResult) -> ReceiptForm:
        if result.outcome is None:
            raise ValueError("a message whose lease ended has no receipt")
        return ReceiptForm(
            reference=reference,
            status=receipt_status(result.outcome),
            occurred_at=self._now(),
            provider=result.vendor,
            detail=receipt_detail(result.outcome, again=result.again)[:MAX_DETAIL],
        )

    def _transaction(self, write: Callable[[Producer], None], positions: dict[TopicAndPartition, int], written: Point) -> None:
        producer = self._producer
        if producer is None:
            raise Restart("there is no producer")
        with translated_errors("the outcome of the transaction is not known"):
            producer.begin_transaction()
            write(producer)
            if producer.flush(REQUEST_TIMEOUT):
                raise Restart("the broker did not take the records in time")
            self._fault(written)
            offsets = [TopicPartition(*topic_partition, offset) for topic_partition, offset in positions.items()]
            call_with_deadline(CALL_DEADLINE, producer.send_offsets_to_transaction, offsets, self._metadata, REQUEST_TIMEOUT)
            call_with_deadline(CALL_DEADLINE, producer.commit_transaction, REQUEST_TIMEOUT)
