"""
The lower bound of latency: six transactional hops that decide nothing, at the pace of the `latency` part.

The second topic has one partition, as the intake has; the others have as many as the pipeline's.

Each hop is a process with the runner's clients, settings and order of steps. A batch is what has arrived: every record is
passed on unchanged with one record to the hop's changelog, and the batch has one record of the journal.
"""

import sys
from collections.abc import Iterator
from typing import Any, Final

from confluent_kafka import TopicPartition

from bench.cluster import DEFAULT_PARTITIONS, BenchCluster
from bench.whole import WARM, Latency, time_at_pace
from processors.runtime.kafka.clients import CALL_DEADLINE, REQUEST_TIMEOUT, Broker, CallThread, message_kind, poll_batch
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.run.transaction import produce
from processors.runtime.settings import Settings
from processors.topics import Topic

HOPS: Final = 6
MOST: Final = 5_000
PADDING: Final = b"x" * 600
LINKS: Final = tuple(Topic(f"link{number}", (), "any", partitions=1 if number == 1 else "shared") for number in range(HOPS + 1))
STATES: Final = tuple(Topic(f"hop{number}.state", (), "any") for number in range(HOPS))
JOURNAL: Final = Topic("journal", (), "hop")


def measure_chain(cluster: BenchCluster, rate: int, seconds: int) -> Latency:
    """Send records through the hops at an even pace, and time those after the first seconds."""
    deployment = cluster.deploy("chain.", DEFAULT_PARTITIONS)
    topics = (*LINKS, *STATES, JOURNAL)
    create_topics(deployment.settings, topics)
    deployment.wait_for_topics(topics)
    for hop in range(HOPS):
        deployment.start(f"hop{hop}", sys.executable, "-m", "bench.chain", str(hop))
    try:
        deployment.wait_until_settled()
        consumer = deployment.broker.partition_consumer()
        consumer.assign([TopicPartition(deployment.prefix + LINKS[-1].name, partition, 0) for partition in range(deployment.partitions)])
        records = [(name, name, PADDING) for name in map(str, range(rate * (WARM + seconds)))]
        return time_at_pace(deployment, LINKS[0], records, consumer, lambda message: [(message.key() or b"").decode()], rate)
    finally:
        deployment.stop()


def run_hop(hop: int) -> None:
    """Pass on records until the process is killed."""
    settings = Settings()
    broker, prefix = Broker(settings), settings.topic_prefix
    source, target, state = (prefix + topic.name for topic in (LINKS[hop], LINKS[hop + 1], STATES[hop]))
    producer, calls = broker.producer(f"{prefix}hop{hop}"), CallThread()
    consumer: Any = None

    def assigned(partitions: list[TopicPartition]) -> None:
        consumer.assign([TopicPartition(each.topic, each.partition, 0) for each in partitions])
        print('"ready"', flush=True)

    consumer = broker.group_consumer(f"{prefix}hop{hop}", [source], assigned, lambda: None)
    while True:
        messages = [each for each in poll_batch(consumer, MOST, 0.2) if message_kind(each) == "record"]
        if messages:
            ends = {each.partition() or 0: (each.offset() or 0) + 1 for each in messages}
            offsets = [TopicPartition(source, partition, offset) for partition, offset in ends.items()]
            producer.begin_transaction()
            produce(producer, passed_on(messages, hop, prefix, target, state))
            sent = calls.start(producer.send_offsets_to_transaction, offsets, consumer.consumer_group_metadata(), REQUEST_TIMEOUT)
            producer.flush(REQUEST_TIMEOUT)
            sent(CALL_DEADLINE)
            producer.commit_transaction(REQUEST_TIMEOUT)


def passed_on(messages: list[Any], hop: int, prefix: str, target: str, state: str) -> Iterator[tuple[Any, ...]]:
    for each in messages:
        yield target, each.value(), each.key()
        yield state, PADDING, each.key(), each.partition()
    yield prefix + JOURNAL.name, PADDING, str(hop)


if __name__ == "__main__":
    run_hop(int(sys.argv[1]))
