"""
The ledger of intents without an outcome, in a compacted Kafka topic that is partitioned like the outbound topics.

An intent is committed before the call, and its tombstone after it, together with the receipt and the read position. Intents
left at the start of a process belong to calls in progress when an earlier process ended.
"""

from collections.abc import Callable, Iterable
from time import monotonic
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from processors.domain.sending import SendIntent
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import LOW_LATENCY, Broker, message_kind, poll_batch
from processors.runtime.wire.codec import Codec

BATCH: Final = 5_000
STALL_TIMEOUT: Final = 30.0  # seconds without progress, for example behind a hanging transaction


def read_intents(
    broker: Broker, codec: Codec, topic: str, partitions: Iterable[int], keep_alive: Callable[[], None]
) -> dict[str, SendIntent]:
    """Return the open intents of these partitions by their keys, read to the uncommitted end of the topic."""
    ends = broker.end_offsets((topic, partition) for partition in partitions)
    ends = {topic_partition: end for topic_partition, end in ends.items() if end > 0}
    found: dict[str, SendIntent] = {}
    if not ends:
        return found
    reader = broker.partition_consumer(**LOW_LATENCY)
    try:
        reader.assign([TopicPartition(*topic_partition, OFFSET_BEGINNING) for topic_partition in ends])
        positions = dict.fromkeys(ends, 0)
        deadline = monotonic() + STALL_TIMEOUT
        while any(positions[topic_partition] < end for topic_partition, end in ends.items()):
            keep_alive()
            messages = poll_batch(reader, BATCH, 0.1)
            if not messages and monotonic() > deadline:
                raise Restart(f"{topic} could not be read to its end")
            for message in messages:
                topic_partition, offset, key = (message.topic() or "", message.partition() or 0), message.offset() or 0, message.key()
                match message_kind(message):
                    case "end":
                        positions[topic_partition] = offset
                    case "record":
                        positions[topic_partition] = offset + 1
                        value = message.value()
                        if value is None:
                            found.pop((key or b"").decode(), None)
                        elif isinstance(intent := codec.decode(value), SendIntent):
                            found[(key or b"").decode()] = intent
                    case "noise":
                        continue
                deadline = monotonic() + STALL_TIMEOUT
    finally:
        reader.close()
    return found


def intent_key(channel: str, reference: str) -> str:
    """Return the key of an intent in the ledger, which all channels share."""
    return f"{channel}/{reference}"
