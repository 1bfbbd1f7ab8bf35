"""The whole pipeline: six processes, JSON submissions in, messages out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import Final

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from bench import feed
from bench.cluster import DEFAULT_PARTITIONS, RUN, TIMEOUT, BenchCluster, Deployment, difference, percentile, until
from bench.memory import POLICIES
from processors.pipeline import PIPELINE
from processors.runtime.kafka.clients import message_kind
from processors.runtime.run.idle import PipelineProgress
from processors.topics import OUTBOUND, REGISTRATIONS, SUBMISSIONS, Topic

WARM: Final = 3  # seconds that are not counted
# What `vn run` is asked for: the name of a group runs all of its stages.
PROCESSES: Final = tuple(
    name
    for group, stages in PIPELINE.items()
    for name in ((group,) if group in {stage.name for stage in stages} else tuple(stage.name for stage in stages))
)


@dataclass(frozen=True, slots=True)
class Throughput:
    """Seconds from the first submission to the last message; CPU seconds for 100,000 submissions and the most memory in MiB by process."""

    submissions: int
    seconds: float
    cpu: Mapping[str, float]
    memory: Mapping[str, float]

    @property
    def rate(self) -> float:
        return self.submissions / self.seconds

    @property
    def total(self) -> float:
        return sum(self.cpu.values())


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from sending a submission to reading its message, read-committed."""

    messages: int
    p50: float
    p99: float
    most: float


def start_pipeline(cluster: BenchCluster, people: int) -> Deployment:
    """Start the six processes on an empty pipeline and register the feed's registrants."""
    deployment = cluster.deploy("whole.", DEFAULT_PARTITIONS)
    deployment.set_policies(POLICIES)
    for name in PROCESSES:
        deployment.start(name, *RUN, name)
    deployment.wait_until_settled()
    deployment.client.send(REGISTRATIONS, feed.registrations(people, "b"))
    wait_until_idle(deployment)
    return deployment


def wait_until_idle(deployment: Deployment) -> None:
    """Wait until every stage has read everything."""
    watch = PipelineProgress(deployment.broker, deployment.prefix, PIPELINE, clock=False)
    until("everything was read", watch.is_idle, interval=0.25)


def measure_throughput(cluster: BenchCluster, deployment: Deployment, count: int, run: str = "b") -> Throughput:
    records = list(feed.submissions(count, run, feed.now()))
    before = deployment.cpu() | cluster.cpu()
    began = monotonic()
    deployment.client.send(SUBMISSIONS, records)
    wait_until_idle(deployment)
    seconds = monotonic() - began
    spent = difference(deployment.cpu() | cluster.cpu(), before)
    return Throughput(len(records), seconds, {name: 1e5 * cpu / len(records) for name, cpu in spent.items()}, deployment.memory())


def measure_latency(deployment: Deployment, rate: int, seconds: int, step: int) -> Latency:
    """Send submissions at an even pace, each of which leads to one text message, and time those; each `step` has events of its own."""
    people = feed.registered_people(rate * (WARM + seconds) * feed.REGISTERED)
    deployment.client.send(REGISTRATIONS, feed.registrations(people.stop, "l"))
    wait_until_idle(deployment)
    now = feed.now()
    names = {person: f"l{step}-{person}" for person in people}
    records = [(name, *feed.submission(person, step, name, now)) for person, name in names.items()]
    codec = deployment.client.codec
    return time_at_pace(
        deployment, SUBMISSIONS, records, outbound(deployment), lambda message: codec.decode(message.value() or b"").message_ids, rate
    )


def time_at_pace(  # noqa: PLR0913, PLR0917  what is sent, and how it is recognized
    deployment: Deployment,
    topic: Topic,
    records: Iterable[tuple[str, str, bytes]],
    consumer: Consumer,
    names_in: Callable[[Message], Iterable[str]],
    rate: int,
) -> Latency:
    """Send records (name, key, value) at an even pace, and time each until the consumer reads a record with its name in it."""
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    stop = Event()
    reader = Thread(target=read, args=(consumer, names_in, seen, stop), daemon=True)
    reader.start()
    producer = Producer(deployment.settings.kafka_properties() | {"linger.ms": 0, "partitioner": "murmur2_random"})
    pause, began = Event(), monotonic()
    for number, (name, key, raw) in enumerate(records):
        pause.wait(max(0.0, began + number / rate - monotonic()))
        sent[name] = monotonic()
        producer.produce(deployment.prefix + topic.name, raw, key)
        producer.poll(0)
    producer.flush(TIMEOUT)
    until("every record was read", lambda: len(seen) == len(sent), interval=0.1)
    stop.set()
    reader.join()
    took = [1_000 * (seen[name] - at) for name, at in list(sent.items())[WARM * rate :]]
    return Latency(len(took), percentile(took, 0.5), percentile(took, 0.99), max(took))


def outbound(deployment: Deployment) -> Consumer:
    """Return a consumer of text messages sent from now on."""
    name = deployment.prefix + OUTBOUND["sms"].name
    ends = deployment.broker.end_offsets((name, partition) for partition in range(deployment.partitions))
    consumer = deployment.broker.partition_consumer()
    consumer.assign([TopicPartition(*topic_partition, offset) for topic_partition, offset in ends.items()])
    return consumer


def read(consumer: Consumer, names_in: Callable[[Message], Iterable[str]], seen: dict[str, float], stop: Event) -> None:
    while not stop.is_set():
        message = consumer.poll(0.1)
        if message is not None and message_kind(message) == "record":
            at = monotonic()
            seen.update((name, at) for name in names_in(message))
    consumer.close()
