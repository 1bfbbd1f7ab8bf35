"""
Kafka client of the `vn` commands: send records to the external topics, read any topic.

Not part of the exactly-once path: `send` waits until the broker has acknowledged every record; `read` returns
committed records only and joins no consumer group.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, TypeVar

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition, murmur2

from processors.domain.journal import Verdict, Verdicts
from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import BATCHED, MAX_RECORD_BYTES
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Codec
from processors.topics import Topic

C = TypeVar("C", Consumer, Producer)

REQUEST_TIMEOUT: Final = 10.0  # seconds until a silent broker counts as unavailable
DEADLINE: Final = 30.0  # seconds a responsive broker may take for one operation
FETCH_FOLLOWING: Final = {"fetch.wait.max.ms": 50}
FETCH_TO_END: Final = {"fetch.wait.max.ms": 1}  # the broker reports the end of a partition at once
MAX_BYTES_IN_FLIGHT: Final = 2 * 1024 * 1024  # less than one request holds
RECORD_OVERHEAD: Final = 32
LOG: Final = logging.getLogger("librdkafka")  # silent unless configured: the user sees our own error messages instead
LOG.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """One record of a topic, independent of the client library; `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: str | None
    headers: dict[str, str]
    value: bytes | None


class UserClient:
    """Sends and reads records on the Kafka cluster that the settings name."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.codec = Codec(settings.schema_registry_url, prefix=settings.topic_prefix)
        self._sender: Producer | None = None

    def topic(self, topic: Topic) -> str:
        """Return the topic's name on the broker."""
        return f"{self.settings.topic_prefix}{topic.name}"

    def producer(self, topic: Topic) -> Producer:
        """Return a producer that sends each record at once; raises UserError if the broker does not answer or has no such topic."""
        return self._new_producer(topic, {"linger.ms": 0})

    def send(self, topic: Topic, records: Iterable[tuple[str | None, bytes | None]]) -> int:
        """
        Send the records, wait until all are acknowledged, and return how many; stops at the first failure.

        Records without a key go to the first partition, so they keep their order.
        """
        failures: list[KafkaError] = []

        def note_delivery(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error)

        if self._sender is None:
            self._sender = self._new_producer(topic, BATCHED)
        producer = self._sender
        name, count, waiting = self.topic(topic), 0, 0
        for key, value in records:
            target: dict[str, Any] = {"partition": 0} if key is None else {"key": key.encode()}
            try:
                producer.produce(name, value, on_delivery=note_delivery, **target)
            except KafkaException as error:
                producer.flush(DEADLINE)
                raise UserError(
                    f"record {count + 1} cannot be sent ({error.args[0].str()}): one record may have {MAX_RECORD_BYTES} bytes; "
                    f"the {count} before it were sent"
                ) from None
            count += 1
            waiting += len(key or "") + len(value or b"") + RECORD_OVERHEAD
            if waiting >= MAX_BYTES_IN_FLIGHT:
                left, waiting = producer.flush(DEADLINE), 0
                if left or failures:
                    break
        else:
            left = producer.flush(DEADLINE)
        if failures or left:
            self._sender = None  # which may have forgotten the brokers: see lost_brokers.py
            why = failures[0].str() if failures else "it did not answer in time"
            missing = max(len(failures), left)
            raise UserError(f"the broker did not take {missing} of the first {count} records ({why}); no more were sent: run `vn doctor`")
        return count

    def read(
        self, topic: Topic, *, beginning: bool = True, follow: float | None = 0.0, starts: Mapping[int, int] | None = None
    ) -> Iterator[TopicRecord]:
        """
        Yield the committed records of a topic, in order within each partition; `starts` maps partitions to offsets to start from.

        With `follow` 0 it stops at the end of the topic as of the call; with a number of seconds, once no record arrived for
        that long; with None, never.
        """
        name = self.topic(topic)
        consumer = self._partition_reader(FETCH_TO_END if follow == 0.0 else FETCH_FOLLOWING)
        try:
            partitions = self._partitions(consumer, name)
            start = OFFSET_BEGINNING if beginning else OFFSET_END
            consumer.assign([TopicPartition(name, partition, (starts or {}).get(partition, start)) for partition in partitions])
            open_partitions, last = set(partitions), monotonic()
            while open_partitions or follow != 0.0:
                message = consumer.poll(0.2)
                if message is None:
                    if follow and monotonic() - last >= follow:
                        return
                    if follow == 0.0 and monotonic() - last >= DEADLINE:
                        raise UserError(f"the broker stopped answering while {name} was read: run `vn doctor`")
                    continue
                if (error := message.error()) is not None:
                    if is_end(error, name):
                        open_partitions.discard(message.partition())
                    continue
                last = monotonic()
                yield topic_record(message)
        finally:
            consumer.close()

    def start_offsets(self, topic: Topic) -> dict[int, int]:
        """Return the first offset that each partition still holds."""
        name = self.topic(topic)
        consumer = self._partition_reader()
        try:
            return {
                partition: consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=REQUEST_TIMEOUT)[0]
                for partition in self._partitions(consumer, name)
            }
        except KafkaException as error:
            raise UserError(f"the broker did not say what {name} holds ({error.args[0].str()}): run `vn doctor`") from None
        finally:
            consumer.close()

    def read_at(self, topic: Topic, offsets: Iterable[tuple[int, int]]) -> Iterator[TopicRecord]:
        """Yield the committed records at these partitions and offsets, except those that retention has removed."""
        name = self.topic(topic)
        wanted = list(offsets)
        if not wanted:
            return
        consumer = self._partition_reader(FETCH_TO_END)
        try:
            for partition, offset in wanted:
                message = first_message(consumer, TopicPartition(name, partition, offset))
                if message is not None and message.offset() == offset:
                    yield topic_record(message)
        finally:
            consumer.close()

    def last(self, topic: Topic, key: str, owner: str | None = None) -> bytes | None:
        """Return the latest value of a key, None if deleted; for a state, `owner` is the record key that selects its partition."""
        name, found = self.topic(topic), None
        consumer = self._partition_reader()
        try:
            partition = murmur2((owner or key).encode(), len(self._partitions(consumer, name)))
            start, end = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=REQUEST_TIMEOUT)
            consumer.assign([TopicPartition(name, partition, start)])
            while start < end:
                message = consumer.poll(REQUEST_TIMEOUT)
                if message is None:
                    raise UserError(f"the broker stopped answering while {name} was read: run `vn doctor`")
                if message.error() is not None:
                    break  # the end
                if message.key() == key.encode():
                    found = message.value()
        finally:
            consumer.close()
        return found

    def newest(self, topic: Topic, most: int) -> list[TopicRecord]:
        """Return roughly the `most` newest records of a topic, newest first."""
        name = self.topic(topic)
        consumer = self._partition_reader()
        try:
            starts = []
            for partition in self._partitions(consumer, name):
                low, high = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=REQUEST_TIMEOUT)
                if high > low:
                    starts.append(TopicPartition(name, partition, max(low, high - most)))
            consumer.assign(starts)
            unread, found = {each.partition for each in starts}, list[TopicRecord]()
            while unread and (message := consumer.poll(REQUEST_TIMEOUT)) is not None:
                if message.error() is None:
                    found.append(topic_record(message))
                else:
                    unread.discard(message.partition() or 0)
            return sorted(found, key=lambda record: -record.timestamp)[:most]
        finally:
            consumer.close()

    def values(self, topic: Topic) -> Iterator[Any]:
        """Yield the decoded values of one of the pipeline's own topics, without tombstones."""
        return self.values_in(self.read(topic))

    def values_in(self, records: Iterable[TopicRecord]) -> Iterator[Any]:
        """Yield the decoded values of these records, without tombstones."""
        return (self.codec.decode(record.value) for record in records if record.value is not None)

    def table(self, topic: Topic) -> dict[str, Any]:
        """Return the latest value of every key of a compacted topic, without deleted keys."""
        rows = self.latest(topic)
        return {key: self.codec.decode(value) for key, value in rows.items() if value is not None}

    def latest(self, topic: Topic, starts: Mapping[int, int] | None = None) -> dict[str, bytes | None]:
        """Return the latest value of every key, None if deleted; with `starts`, only of keys written since those offsets."""
        found: dict[str, dict[int, bytes | None]] = {}
        for record in self.read(topic, starts=starts):
            if record.key is not None:
                found.setdefault(record.key, {})[record.partition] = record.value
        # A key that was moved to another partition exists there, and has a tombstone in its old one.
        return {key: next((value for value in values.values() if value is not None), None) for key, values in found.items()}

    def verdicts(self, topic: Topic) -> Iterator[Verdict]:
        """Yield every verdict of the journal."""
        return (verdict for _, verdict in self.journal(topic))

    def journal(self, topic: Topic, starts: Mapping[int, int] | None = None) -> Iterator[tuple[int, Verdict]]:
        """Yield every verdict of the journal with the time it was written (milliseconds); with `starts`, those written since."""
        return self.verdicts_in(self.read(topic, starts=starts))

    def verdicts_in(self, records: Iterable[TopicRecord]) -> Iterator[tuple[int, Verdict]]:
        """Yield every verdict in these records of the journal with the time it was written."""
        for record in records:
            value = None if record.value is None else self.codec.decode(record.value)
            if isinstance(value, Verdicts):
                yield from ((record.timestamp, verdict) for verdict in value.verdicts)

    def _partition_reader(self, fetch: Mapping[str, int] = FETCH_FOLLOWING) -> Consumer:
        """Return a read-committed consumer that joins no group, for partitions assigned explicitly."""
        return self._create(
            Consumer,
            {
                "group.id": f"{self.settings.topic_prefix}reader",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                **fetch,
            },
        )

    def _new_producer(self, topic: Topic, properties: Mapping[str, Any]) -> Producer:
        fixed = {"enable.idempotence": True, "partitioner": "murmur2_random", "message.max.bytes": MAX_RECORD_BYTES}
        producer = self._create(Producer, {**fixed, "delivery.timeout.ms": int(DEADLINE * 1000), **properties})
        self._partitions(producer, self.topic(topic))
        return producer

    def _create(self, make: Callable[..., C], properties: Mapping[str, Any]) -> C:
        try:
            return make({**self.settings.kafka_properties(), **properties}, logger=LOG)
        except KafkaException as error:
            raise UserError(f"a KAFKA_ setting cannot be used: {error.args[0].str()}") from None

    def _partitions(self, client: Consumer | Producer, name: str) -> list[int]:
        try:
            metadata = client.list_topics(name, timeout=REQUEST_TIMEOUT).topics[name]
        except KafkaException as error:
            raise UserError(
                f"the broker does not answer ({error.args[0].str()}): start one with `vn local up` or fix KAFKA_BOOTSTRAP_SERVERS"
            ) from None
        if metadata.error is not None or not metadata.partitions:
            raise UserError(f"there is no topic {name}: create the topics with `vn topics create`")
        return sorted(metadata.partitions)


def topic_record(message: Message) -> TopicRecord:
    """Return a consumed message as a TopicRecord."""
    key = message.key()
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return TopicRecord(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp=message.timestamp()[1],
        key=key.decode(errors="replace") if isinstance(key, bytes) else key,
        headers={name: value.decode(errors="replace") if isinstance(value, bytes) else str(value) for name, value in pairs},
        value=message.value(),
    )


def first_message(consumer: Consumer, start: TopicPartition) -> Message | None:
    """Return the first message at or after an offset; None if there is none. Raises UserError if the broker does not answer."""
    consumer.assign([start])
    while (message := consumer.poll(REQUEST_TIMEOUT)) is not None:
        if (error := message.error()) is None:
            return message
        if is_end(error, start.topic):
            return None
    raise UserError(f"the broker stopped answering while {start.topic} was read: run `vn doctor`")


def is_end(error: KafkaError, name: str) -> bool:
    """Whether the error means the end of a partition; false for errors that the library retries. Raises UserError for others."""
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  the library's own public name of it
        return True
    if error.fatal() or not error.retriable():
        raise UserError(f"{name} cannot be read ({error.str()}): run `vn doctor`")
    return False
