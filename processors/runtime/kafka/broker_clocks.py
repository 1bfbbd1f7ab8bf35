"""Measures how far the brokers' clocks are from ours, by the timestamps that they give to test records."""

import time
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from processors.domain.tick import Tick
from processors.runtime.clock import wall_time
from processors.runtime.kafka.clients import REQUEST_TIMEOUT, Unavailable
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Codec
from processors.topics import CLOCK_CHECK

SAMPLES: Final = 3  # per broker; the fastest answer counts


@dataclass(frozen=True, slots=True)
class ClockDifference:
    """By how many seconds a broker's clock is ahead of ours; `uncertain` is the margin of error, half the time of the answer."""

    broker: int
    ahead: float
    uncertain: float


def clock_differences(settings: Settings) -> list[ClockDifference]:
    """Return the clock difference of each broker that leads a partition of the test topic."""
    name = settings.topic_prefix + CLOCK_CHECK.name
    producer = Producer({**settings.kafka_properties(), "linger.ms": 0})
    metadata = producer.list_topics(name, timeout=REQUEST_TIMEOUT).topics[name]
    leaders = {each.leader: partition for partition, each in metadata.partitions.items()}
    codec = Codec(settings.schema_registry_url, settings.topic_prefix)
    return [
        min((sample(producer, codec, name, *each) for _ in range(SAMPLES)), key=lambda found: found.uncertain) for each in leaders.items()
    ]


def sample(producer: Producer, codec: Codec, topic: str, broker: int, partition: int) -> ClockDifference:
    """Send one record and return the clock difference that its timestamp shows."""
    stamps: list[int] = []

    def note_delivery(error: KafkaError | None, message: Message) -> None:
        if error is None:
            stamps.append(message.timestamp()[1])

    sent, began = wall_time(), time.monotonic()
    producer.produce(topic, codec.encode(Tick(sent)), partition=partition, on_delivery=note_delivery)
    producer.flush(REQUEST_TIMEOUT)
    took = time.monotonic() - began
    if not stamps:
        raise Unavailable("the broker took no record")
    return ClockDifference(broker, (stamps[0] - sent) / 1000 - took / 2, took / 2)
