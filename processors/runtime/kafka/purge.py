"""
Deletes the records at the front of topics that all readers have read (Kafka's DeleteRecords), of all registrants and for good.

A short retention would not do: during an outage it would delete records that nobody has read yet.
"""

from collections.abc import Iterable, Mapping
from secrets import token_hex
from time import monotonic
from typing import Final

from confluent_kafka import TopicPartition

from processors.runtime.errors import UserError
from processors.runtime.kafka.clients import (
    CALL_DEADLINE,
    REQUEST_TIMEOUT,
    Broker,
    TopicAndPartition,
    call_with_deadline,
    committed_offsets,
    message_kind,
    poll_batch,
    translated_errors,
)

ANY_GROUP: Final = ""  # as a topic's reader: every consumer group that has read the topic


class Purge:
    """Deletes the records that topics hold now; `readers` names the consumer group that must have read each topic."""

    def __init__(self, broker: Broker, readers: Mapping[str, str]) -> None:
        self._broker = broker
        self._readers = readers
        counts = broker.partition_counts(readers)
        topic_partitions = [(topic, partition) for topic, count in counts.items() for partition in range(count)]
        self._ends = broker.end_offsets(topic_partitions)

    def delete(self) -> None:
        """Delete those of the records that have been read."""
        upto = {topic_partition: min(offset, self._ends[topic_partition]) for topic_partition, offset in self._read_up_to().items()}
        wanted = [TopicPartition(*topic_partition, offset) for topic_partition, offset in upto.items() if offset > 0]
        if not wanted:
            return
        with translated_errors("the records could not be deleted"):
            admin = self._broker.admin()  # kept, or its futures never answer
            answers = admin.delete_records(wanted, request_timeout=REQUEST_TIMEOUT)
            for answer in answers.values():
                answer.result(CALL_DEADLINE)

    def topic_partitions(self) -> tuple[TopicAndPartition, ...]:
        """Return the partitions of these topics."""
        return tuple(self._ends)

    def topics_left(self) -> tuple[str, ...]:
        """Return the topics that still hold some of the records."""
        starts = self._broker.start_offsets(self._ends)
        return tuple(dict.fromkeys(topic for (topic, partition), end in self._ends.items() if starts[topic, partition] < end))

    def _read_up_to(self) -> dict[TopicAndPartition, int]:
        """Return the offset up to which each partition has been read by all its groups: its end if only transaction markers follow."""
        found: dict[TopicAndPartition, int] = {}
        for group, topic_partitions in self._partitions_by_group().items():
            for topic_partition, offset in committed_offsets(self._broker.offsets_consumer(group), topic_partitions).items():
                if offset is not None:
                    found[topic_partition] = min(offset, found.get(topic_partition, offset))
        return {topic_partition: self._past_markers(topic_partition, offset) for topic_partition, offset in found.items()}

    def _partitions_by_group(self) -> dict[str, list[TopicAndPartition]]:
        """Return the partitions that each group may have read."""
        others = tuple(self._groups()) if ANY_GROUP in self._readers.values() else ()
        found: dict[str, list[TopicAndPartition]] = {}
        for topic, partition in self._ends:
            for group in others if self._readers[topic] == ANY_GROUP else (self._readers[topic],):
                found.setdefault(group, []).append((topic, partition))
        return found

    def _groups(self) -> Iterable[str]:
        with translated_errors("the consumer groups could not be listed"):
            admin = self._broker.admin()
            listed = admin.list_consumer_groups(request_timeout=REQUEST_TIMEOUT).result(CALL_DEADLINE)
        return (each.group_id for each in listed.valid)

    def _past_markers(self, topic_partition: TopicAndPartition, offset: int) -> int:
        """Return the partition's end if only transaction markers lie between the offset and the end, else the offset."""
        end = self._ends[topic_partition]
        if offset >= end:
            return offset
        reader = self._broker.partition_consumer()
        try:
            reader.assign([TopicPartition(*topic_partition, offset)])
            deadline = monotonic() + REQUEST_TIMEOUT
            while monotonic() < deadline:
                for message in poll_batch(reader, 1, 0.1):
                    kind = message_kind(message)
                    if kind == "record":
                        return offset
                    if kind == "end":
                        return end
        finally:
            reader.close()
        raise UserError(f"{topic_partition[0]}[{topic_partition[1]}] could not be read to its end in time: run `vn doctor`")


def end_segments(broker: Broker, prefix: str, topic_partitions: Iterable[TopicAndPartition]) -> None:
    """
    Append an aborted transaction to partitions, so that the broker rolls segments that are old enough.

    A broker rolls a segment only when something is appended, and neither compacts nor deletes the active segment: in a topic
    without new records, deleted ones would stay on its disk.
    """
    producer = broker.producer(f"{prefix}purge.{token_hex(8)}")
    with translated_errors("the segments could not be rolled"):
        producer.begin_transaction()
        for topic, partition in topic_partitions:
            producer.produce(topic, None, b"", partition)
        producer.flush(REQUEST_TIMEOUT)
        call_with_deadline(CALL_DEADLINE, producer.abort_transaction, REQUEST_TIMEOUT)
