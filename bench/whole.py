"""The whole pipeline: six processes, JSON submissions in, messages out."""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import Final

from confluent_kafka import Consumer, Producer, TopicPartition

from bench import feed
from bench.house import PARTITIONS, PATIENCE, RUN, House, Site, difference, percentile, until
from bench.memory import POLICIES
from processors.pipeline import PIPELINE
from processors.runtime.kafka.clients import message_kind
from processors.runtime.run.idle import Watch
from processors.topics import OUTBOUND, REGISTRATIONS, SUBMISSIONS

WARM: Final = 3  # seconds that are not counted


@dataclass(frozen=True, slots=True)
class Sustained:
    """Submissions a second from the first sent to the last told of, and the CPU seconds for 100,000 by process."""

    submissions: int
    seconds: float
    cpu: Mapping[str, float]

    @property
    def rate(self) -> float:
        return self.submissions / self.seconds

    @property
    def total(self) -> float:
        return sum(self.cpu.values())


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from a submission's sending to its message's being read, read-committed."""

    messages: int
    p50: float
    p99: float
    most: float


def begun(house: House, people: int) -> Site:
    """The six processes work on an empty pipeline in which the feed's registrants are registered."""
    site = house.site("whole.")
    site.policies(POLICIES)
    for stages in PIPELINE.values():
        for unit in stages:
            site.start(unit.name, *RUN, unit.name)
    site.settled()
    site.client.send(REGISTRATIONS, feed.registrations(people, "b"))
    idle(site)
    return site


def idle(site: Site) -> None:
    """Every unit has read everything."""
    watch = Watch(site.broker, site.prefix, PIPELINE, clock=False)
    until("everything was read", watch.idle, look=0.25)


def sustained(house: House, site: Site, count: int, run: str = "b") -> Sustained:
    records = list(feed.submissions(count, run, feed.today()))
    before = site.cpu() | house.cpu()
    began = monotonic()
    site.client.send(SUBMISSIONS, records)
    idle(site)
    seconds = monotonic() - began
    spent = difference(site.cpu() | house.cpu(), before)
    return Sustained(len(records), seconds, {name: 1e5 * cpu / len(records) for name, cpu in spent.items()})


def latency(site: Site, rate: int, seconds: int) -> Latency:
    """Send registered offenders' submissions at an even pace, each a text message, and read what leaves."""
    people = feed.registered(rate * (WARM + seconds) * feed.REGISTERED)
    site.client.send(REGISTRATIONS, feed.registrations(people.stop, "l"))
    idle(site)
    now = feed.today()
    records = [(f"l-{person}", *feed.submission(person, 0, f"l-{person}", now)) for person in people]
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    stop = Event()
    reader = Thread(target=read, args=(site, outbound(site), seen, stop))
    reader.start()
    producer = Producer(site.settings.kafka_properties() | {"linger.ms": 0, "partitioner": "murmur2_random"})
    pause, began = Event(), monotonic()
    for number, (name, ori, raw) in enumerate(records):
        pause.wait(max(0.0, began + number / rate - monotonic()))
        sent[name] = monotonic()
        producer.produce(site.prefix + SUBMISSIONS.name, raw, ori)
        producer.poll(0)
    producer.flush(PATIENCE)
    until("every message was read", lambda: len(seen) == len(sent), look=0.1)
    stop.set()
    reader.join()
    took = [1_000 * (seen[name] - at) for name, at in list(sent.items())[WARM * rate :]]
    return Latency(len(took), percentile(took, 0.5), percentile(took, 0.99), max(took))


def outbound(site: Site) -> Consumer:
    """Return a consumer of the text messages that come from now on."""
    name = site.prefix + OUTBOUND["sms"].name
    ends = site.broker.end_offsets((name, partition) for partition in range(PARTITIONS))
    consumer = site.broker.partition_consumer()
    consumer.assign([TopicPartition(*place, offset) for place, offset in ends.items()])
    return consumer


def read(site: Site, consumer: Consumer, seen: dict[str, float], stop: Event) -> None:
    while not stop.is_set():
        message = consumer.poll(0.1)
        if message is not None and message_kind(message) == "record" and (raw := message.value()) is not None:
            at = monotonic()
            seen.update((name, at) for name in site.client.codec.decode(raw).message_ids)
    consumer.close()
