"""
Consumes one channel's outbound topic and hands its messages to vendors.

One batch takes these steps:

1. Poll outbound records; take the group's metadata, whose generation is the fence.
2. Commit the intents in a transaction of their own, with the read positions as they were.
3. Call the vendors.
4. Commit the receipts, the end of the intents and the new read positions in one transaction.

A process that ends between 2 and 4 leaves intents without outcome; whoever takes the partition over asks the same vendor.
Any error in a transaction has one answer: start over from what Kafka holds.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic, time
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from processors.domain.external import ReceiptForm
from processors.domain.notification import Outbound
from processors.domain.registration import Channel
from processors.domain.sending import SendIntent
from processors.domain.trace import HEADER
from processors.providers.dispatch import Dispatcher, Limits, Result, receipt_detail, receipt_status
from processors.providers.ledger import intent_key, read_intents
from processors.providers.outcome import Vendor
from processors.runtime import metrics
from processors.runtime.errors import Restart, Retry
from processors.runtime.kafka.clients import (
    CALL_DEADLINE,
    REQUEST_TIMEOUT,
    Broker,
    Place,
    call_with_deadline,
    committed_offsets,
    message_kind,
    poll_batch,
    traceparent_of,
    translated_errors,
)
from processors.runtime.run.faults import Faults, Point
from processors.runtime.run.slots import Slot
from processors.runtime.run.telemetry import error_fields
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Codec, Undecodable
from processors.topics import OUTBOUND, RECEIPTS, SENDS

BATCH: Final = 200  # messages of a batch that are sent, at most
QUEUE: Final = 1_000  # messages that are read ahead
POLL_TIMEOUT: Final = 0.2
FIRST_WAIT, LONGEST_WAIT = 0.05, 2.0
SEND_STATUSES: Final = ("accepted", "delivered", "temporary_failure", "permanent_failure", "opted_out")  # of an outcome
DETAIL: Final = 200  # characters of a vendor's answer that a receipt carries


def wall() -> int:
    """Return the time of day in milliseconds."""
    return int(time() * 1000)


def batch_size(limits: Sequence[Limits]) -> int:
    """
    Return how many messages a batch may have: as many as a vendor takes at the same time, and at most in a second.

    Of a batch in hand when the process ends it may not be known what left: one that waited for its turn would be in doubt too.
    """
    return max(1, min(BATCH, int(max((min(each.rate, each.connections) for each in limits), default=1.0))))


class Worker:
    """One consumer of one channel."""

    def __init__(
        self, channel: Channel, vendors: Sequence[tuple[Vendor, Limits]], settings: Settings, now: Callable[[], int] = wall
    ) -> None:
        self.channel = channel
        prefix = settings.topic_prefix
        self._codec = Codec(settings.schema_registry_url, prefix=prefix)
        self._broker = Broker(settings)
        self._outbound = prefix + OUTBOUND[channel].name
        self._receipts = prefix + RECEIPTS.name
        self._sends = prefix + SENDS.name
        self._group = f"{prefix}provider.{channel}"
        self._slot = Slot(self._group)
        self._transactional_id = f"{self._group}.{socket.gethostname()}.{self._slot.number}"
        self._fault = Faults(settings.faults).point(f"provider-{channel}")
        self._log = structlog.get_logger().bind(channel=channel)
        self._now = now
        self._batch_size = batch_size([limits for _, limits in vendors])
        self._start_at_zero([vendor.name for vendor, _ in vendors])
        self._dispatcher = Dispatcher(vendors, now, self._commit_intents)
        self._assigned: list[TopicPartition] = []
        self._generation = 0
        self._positions: dict[Place, int] = {}
        self._intents: dict[str, SendIntent] = {}
        self._queue: deque[Message] = deque()  # read and not yet taken in hand
        self._in_hand: dict[str, Place] = {}
        self._contexts: dict[str, str] = {}  # the trace contexts of what is in hand, by reference
        self._producer: Producer | None = None
        self._metadata: Any = None
        self._wait = FIRST_WAIT
        self._stopping = False

    def _start_at_zero(self, vendors: Sequence[str]) -> None:
        """Create the counters before anything is counted: an alert only sees the first increase of a counter that existed."""
        for vendor in vendors:
            metrics.AMBIGUOUS_SENDS.labels(self.channel, vendor)
            metrics.PROVIDER_SWITCHES.labels(vendor)
            metrics.UNKNOWN_CODES.labels(vendor)
            for status in SEND_STATUSES:
                metrics.PROVIDER_SENDS.labels(self.channel, vendor, status)

    def stop(self) -> None:
        """Finish the batch in hand and begin no other."""
        self._stopping = True

    def run(self) -> None:
        """Run until `stop`, then leave the group."""
        member = self._broker.group_consumer(self._group, [self._outbound], self._on_assigned, self._on_revoked)
        self._member = member
        with asyncio.Runner() as loop:
            try:
                while not self._stopping:
                    try:
                        if self._positions or self._restore(member):
                            self._run_batch(member, loop)
                    except (Retry, Restart) as error:
                        self._start_over(member, error)
            finally:
                loop.run(self._dispatcher.close())
                self._producer = None
                member.close()
                self._slot.close()

    # -- assignment

    def _on_assigned(self, partitions: list[TopicPartition]) -> None:
        self._assigned = partitions
        self._generation += 1
        self._forget_work()
        self._member.assign([])

    def _on_revoked(self) -> None:
        self._assigned = []
        self._generation += 1
        self._forget_work()

    def _forget_work(self) -> None:
        """Forget what is in hand: whoever has the partitions begins at the committed positions."""
        self._positions.clear()
        self._queue.clear()

    def _restore(self, member: Consumer) -> bool:
        """Resume the assigned partitions at their committed offsets; return whether there are any."""
        self._heartbeat(member, 0 if self._assigned else POLL_TIMEOUT)
        if not self._assigned:
            return False
        generation = self._generation

        def keep_alive() -> None:
            self._heartbeat(member, 0)
            if generation != self._generation or self._stopping:
                raise Restart("the partitions were reassigned meanwhile")

        self._fault("assigned")
        self._producer = self._broker.producer(self._transactional_id)
        places = [(each.topic, each.partition) for each in self._assigned]
        offsets = committed_offsets(member, places)
        starts = self._broker.start_offsets(place for place, offset in offsets.items() if offset is None)
        positions = {place: starts[place] if offset is None else offset for place, offset in offsets.items()}
        self._intents = read_intents(self._broker, self._codec, self._sends, [partition for _, partition in places], keep_alive)
        keep_alive()
        member.assign([TopicPartition(*place, offset) for place, offset in positions.items()])
        self._positions = positions
        self._wait = FIRST_WAIT
        self._fault("restored")
        self._log.info("ready", partitions=sorted(partition for _, partition in places), open_intents=len(self._intents))
        return True

    def _start_over(self, member: Consumer, error: Retry | Restart) -> None:
        self._log.warning("start_over", error=type(error).__name__, reason=str(error))
        self._forget_work()
        self._producer = None
        member.assign([])
        self._heartbeat(member, self._wait)
        self._wait = min(2 * self._wait, LONGEST_WAIT)

    def _heartbeat(self, member: Consumer, seconds: float) -> None:
        """Poll the group while nothing is assigned to fetch, so that we stay a member."""
        until, generation = monotonic() + seconds, self._generation
        while True:
            message = member.poll(max(0.0, until - monotonic()))
            if message is not None:
                message_kind(message)
            if monotonic() >= until or self._stopping or generation != self._generation:
                return

    # -- one batch

    def _run_batch(self, member: Consumer, loop: asyncio.Runner) -> None:
        messages = poll_batch(member, max(1, QUEUE - len(self._queue)), 0 if self._queue else POLL_TIMEOUT)  # 1
        self._metadata = member.consumer_group_metadata()
        if not self._positions:
            return
        self._queue.extend(messages)
        if not member.memberid():
            raise Restart("the group has dropped us: offsets sent without a member's id would not be fenced")
        positions = dict(self._positions)
        batch = self._next_batch(positions)
        if positions == self._positions:
            return
        self._fault("read")
        results = loop.run(self._dispatcher.deliver(batch, self._open_intents(batch))) if batch else {}  # 2, 3
        self._fault("sent")
        self._commit_results(results, positions)  # 4
        self._fault("committed")
        self._positions = positions
        self._in_hand.clear()
        self._contexts.clear()

    def _next_batch(self, positions: dict[Place, int]) -> list[Outbound]:
        """Return the next messages, as many as can be sent at the same time; of those whose lease has ended there may be any number."""
        batch: list[Outbound] = []
        to_send, now = 0, self._now()
        while self._queue and to_send < self._batch_size:
            outbound = self._taken(self._queue.popleft(), positions)
            if outbound is not None:
                batch.append(outbound)
                to_send += now < outbound.expires_at
        return batch

    def _taken(self, message: Message, positions: dict[Place, int]) -> Outbound | None:
        """Return the message to send, and note its position; None for what is no message."""
        kind = message_kind(message)
        place, offset, value = (message.topic() or "", message.partition() or 0), message.offset() or 0, message.value()
        if kind == "noise" or place not in positions or offset < positions[place]:
            return None
        positions[place] = offset if kind == "end" else offset + 1
        if kind == "end" or value is None:
            return None
        try:
            outbound = self._codec.decode(value)
        except Undecodable:
            self._log.error("unreadable", topic=place[0], partition=place[1], offset=offset)
            return None
        if not isinstance(outbound, Outbound):
            return None
        self._in_hand[outbound.reference] = place
        self._contexts[outbound.reference] = traceparent_of(message) or ""
        return outbound

    def _open_intents(self, batch: Sequence[Outbound]) -> dict[str, SendIntent]:
        found = {each.reference: self._intents.pop(intent_key(self.channel, each.reference), None) for each in batch}
        return {reference: intent for reference, intent in found.items() if intent is not None}

    def _commit_intents(self, intents: Sequence[SendIntent]) -> None:
        """Commit what is about to be handed over, with the positions as they were: the fence of this generation."""
        if not intents:
            return

        def write(producer: Producer) -> None:
            for intent in intents:
                partition = self._in_hand[intent.reference][1]
                producer.produce(self._sends, self._codec.encode(intent), intent_key(self.channel, intent.reference), partition)

        self._transaction(write, self._positions, "decided")
        self._fault("begun")

    def _commit_results(self, results: dict[str, Result], positions: dict[Place, int]) -> None:
        def write(producer: Producer) -> None:
            for reference, result in results.items():
                producer.produce(self._sends, None, intent_key(self.channel, reference), self._in_hand[reference][1])
                if result.outcome is not None:
                    context = self._contexts[reference]
                    producer.produce(
                        self._receipts,
                        self._codec.encode(self._receipt(reference, result)),
                        reference,
                        headers=[(HEADER, context)] if context else None,
                    )

        self._transaction(write, positions, "produced")
        for result in results.values():
            status = "expired" if result.outcome is None else receipt_status(result.outcome)
            metrics.PROVIDER_SENDS.labels(self.channel, result.vendor, status).inc()

    def _receipt(self, reference: str, result: Result) -> ReceiptForm:
        if result.outcome is None:
            raise ValueError("a message whose lease ended has no receipt")
        return ReceiptForm(
            reference=reference,
            status=receipt_status(result.outcome),
            occurred_at=self._now(),
            provider=result.vendor,
            detail=receipt_detail(result.outcome, again=result.again)[:DETAIL],
        )

    def _transaction(self, write: Callable[[Producer], None], positions: dict[Place, int], written: Point) -> None:
        producer = self._producer
        if producer is None:
            raise Restart("there is no producer")
        with translated_errors("the outcome of the transaction is not known"):
            producer.begin_transaction()
            write(producer)
            if producer.flush(REQUEST_TIMEOUT):
                raise Restart("the broker did not take the records in time")
            self._fault(written)
            offsets = [TopicPartition(*place, offset) for place, offset in positions.items()]
            call_with_deadline(CALL_DEADLINE, producer.send_offsets_to_transaction, offsets, self._metadata, REQUEST_TIMEOUT)
            call_with_deadline(CALL_DEADLINE, producer.commit_transaction, REQUEST_TIMEOUT)
