"""
The upper bound: copy records from one topic to another in transactions, exactly once, unchanged.

Uses the runner's clients, settings and order of steps; batches are as large as they arrive, up to 5,000.
Run as `python -m bench.raw_copy GROUP SOURCE TARGET`.
"""

import sys
from typing import Any, Final

from confluent_kafka import TopicPartition

from processors.runtime.kafka.clients import REQUEST_TIMEOUT, Broker, message_kind, poll_batch
from processors.runtime.settings import Settings

MOST: Final = 5_000


def main(group: str, source: str, target: str) -> None:
    broker = Broker(Settings())
    producer = broker.producer(f"{group}.copy")
    consumer: Any = None

    def assigned(partitions: list[TopicPartition]) -> None:
        consumer.assign([TopicPartition(each.topic, each.partition, 0) for each in partitions])
        print('"ready"', flush=True)

    consumer = broker.group_consumer(group, [source], assigned, lambda: None)
    while True:
        messages = [each for each in poll_batch(consumer, MOST, 0.2) if message_kind(each) == "record"]
        if not messages:
            continue
        ends: dict[int, int] = {}
        producer.begin_transaction()
        for each in messages:
            producer.produce(target, each.value(), each.key())
            ends[each.partition() or 0] = (each.offset() or 0) + 1
        producer.flush(REQUEST_TIMEOUT)
        offsets = [TopicPartition(source, partition, offset) for partition, offset in ends.items()]
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), REQUEST_TIMEOUT)
        producer.commit_transaction(REQUEST_TIMEOUT)


if __name__ == "__main__":
    main(*sys.argv[1:])
