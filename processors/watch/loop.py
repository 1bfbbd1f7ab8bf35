"""
The loop of `vn watch`: measures every few seconds; each measurement replaces the previous one.

The parts are measured separately, so that an unavailable store does not hide the broker's values. What could not be measured
is absent from the page; `vn_broker_up` and `vn_store_up` say why, and `vn_watch_look_timestamp_seconds` shows that the watch
itself is running.
"""

from collections.abc import Callable, Iterable, Iterator
from threading import Event
from time import monotonic
from typing import Any, Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from processors.domain.notification import Outbound
from processors.domain.seal import SealBroken
from processors.pipeline import PIPELINE
from processors.rules.rule_set import Rules
from processors.runtime.clock import wall_time
from processors.runtime.errors import Restart, Retry, UserError
from processors.runtime.kafka.broadcast import PolicyReader
from processors.runtime.kafka.clients import LOW_LATENCY, Broker, message_kind, poll_batch
from processors.runtime.kafka.lost_brokers import BrokerProbe
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.run.store import Store
from processors.runtime.run.telemetry import error_fields
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Undecodable
from processors.topics import (
    AGENCIES,
    DEAD_LETTERS,
    DEAD_LETTERS_SETTLED,
    EXPECTATIONS,
    OUTBOUND_CANARY,
    RECEIPTS,
    REGISTRATIONS,
    REVIEWS,
    SUBMISSIONS,
    Topic,
)
from processors.watch import brokers, canary, certificates, groups, metrics, redis, tables
from processors.watch.metrics import MetricFamily, MetricsPage, Sample

MEASURE_SECONDS: Final = 5.0
CLUSTER_SECONDS: Final = 30.0  # between measurements of the brokers
CERTIFICATES_SECONDS: Final = 600.0  # between measurements of certificates
CANARY_SECONDS: Final = 300.0  # between two canaries
FIRST_CANARY_SECONDS: Final = 60.0  # the same until one has come out: the first may be read before its registration
READ_SECONDS: Final = 3.0  # to read the tables; if that is not enough, they are absent, and the next measurement reads on
MAX_RECORDS: Final = 5_000


class TopicTables:
    """Reads compacted topics without a consumer group and passes each record to the tables of its topic."""

    def __init__(self, broker: Broker, decode: Callable[[bytes], Any], prefix: str, followed: dict[Topic, tuple[Any, ...]]) -> None:
        self._decode = decode
        self._tables = {prefix + topic.name: found for topic, found in followed.items()}
        counts = broker.partition_counts(self._tables)
        self._unread = {(topic, each) for topic, count in counts.items() for each in range(count)}
        self._reader: Consumer = broker.partition_consumer(**LOW_LATENCY)
        self._reader.assign([TopicPartition(*topic_partition, OFFSET_BEGINNING) for topic_partition in self._unread])
        self._probe = BrokerProbe(next(iter(self._tables)))

    def read(self) -> bool:
        """Read on; return whether the topics have been read to their ends. Raises Restart if the broker cannot be reached."""
        self._probe.check(self._reader)
        deadline = monotonic() + READ_SECONDS
        while monotonic() < deadline:
            for message in poll_batch(self._reader, MAX_RECORDS, 0.1):
                topic_partition = (message.topic() or "", message.partition() or 0)
                what = message_kind(message)
                if what == "end":
                    self._unread.discard(topic_partition)
                elif what == "record":
                    self._unread.add(topic_partition)
                    key, value = message.key() or b"", message.value()
                    for table in self._tables[topic_partition[0]]:
                        table.apply(key.decode(errors="replace"), None if value is None else self._value_of(value))
            if not self._unread:  # even if new records keep arriving, as when an agency floods a topic
                return True
        return False

    def _value_of(self, value: bytes) -> Any:
        try:
            return self._decode(value)
        except (Undecodable, SealBroken):
            return None  # not written by the pipeline, so not counted

    def close(self) -> None:
        self._reader.close()


class Watch:
    """Measures the pipeline: once with `measure`, until stopped with `run`."""

    def __init__(self, settings: Settings, rules: Rules, page: MetricsPage, *, with_canary: bool = True) -> None:
        self._settings = settings
        self._rules = rules
        self._page = page
        self._client = UserClient(settings)
        self._broker = Broker(settings)
        self._store = Store(settings.redis())
        self._stages = [stage for stages in PIPELINE.values() for stage in stages]
        self._groups = groups.Groups(self._broker, settings.topic_prefix, self._stages)
        self._policies: PolicyReader | None = None
        self._tables: TopicTables | None = None
        self._all_tables: tuple[tables.WatchTable, ...] = ()
        self._cluster_measured_at: int | None = None
        self._certificates_measured_at: int | None = None
        self._canary = Canary(self._client, self._broker) if with_canary else None
        self._log = structlog.get_logger()

    def run(self, stopped: Event) -> None:
        """Measure until `stopped` is set."""
        while True:
            self.measure(wall_time())
            if stopped.wait(MEASURE_SECONDS):
                return

    def measure(self, now: int) -> None:
        """Measure once; a part that fails is logged and absent from the page, the others are still measured."""
        self._page.replace(redis.FAMILIES, list(redis.measure(self._store)))
        if self._certificates_measured_at is None or now - self._certificates_measured_at >= CERTIFICATES_SECONDS * 1000:
            self._measure_part(certificates.FAMILIES, lambda: certificates.measure(self._settings))
            self._certificates_measured_at = now
        up = self._measure_part(groups.FAMILIES, lambda: self._groups.measure(now))
        if up and (self._cluster_measured_at is None or now - self._cluster_measured_at >= CLUSTER_SECONDS * 1000):
            up = self._measure_part(brokers.FAMILIES, lambda: brokers.measure(self._broker, self._settings.topic_prefix))
            self._cluster_measured_at = now if up else None
        if up:
            self._measure_part(tables.families_of(self._all_tables) | {metrics.TABLES_READ}, lambda: self._measure_tables(now))
            if self._canary is not None:
                self._measure_part(frozenset(), lambda: self._canary.measure(now) if self._canary is not None else ())
                self._page.replace(Canary.families, list(self._canary.samples()))  # still true, even if this time it failed
        self._page.replace(frozenset({metrics.BROKER_UP}), [(metrics.BROKER_UP, (), float(up))])
        self._page.replace(
            frozenset({metrics.LAST_MEASURED, metrics.STAGE_EXPECTED}),
            [(metrics.LAST_MEASURED, (), wall_time() / 1000), *((metrics.STAGE_EXPECTED, (stage.name,), 1) for stage in self._stages)],
        )

    def _measure_part(self, families: frozenset[MetricFamily], measure: Callable[[], Iterable[Sample]]) -> bool:
        """Measure one part; return whether it succeeded. On failure its families show nothing."""
        try:
            samples = list(measure())
        except (Restart, Retry, UserError) as error:
            self._log.warning("not_seen", **error_fields(error))
            self._page.replace(families, [])
            self._forget()
            return False
        self._page.replace(families | {family for family, _, _ in samples}, samples)
        return True

    def _measure_tables(self, now: int) -> Iterable[Sample]:
        if self._tables is None:
            codec, prefix = self._client.codec, self._settings.topic_prefix
            self._policies = PolicyReader(self._broker, codec, self._rules, prefix)
            reviews, expectations = tables.OpenReviews(self._rules_in_force), tables.Expectations()
            agencies, letters = tables.Agencies(self._rules_in_force), tables.DeadLetters()
            self._all_tables = (reviews, expectations, agencies, letters)
            followed: dict[Topic, tuple[Any, ...]] = {
                REVIEWS: (reviews,),
                EXPECTATIONS: (expectations,),
                AGENCIES: (agencies,),
                DEAD_LETTERS: (letters,),
                DEAD_LETTERS_SETTLED: (letters,),
            }
            self._tables = TopicTables(self._broker, codec.decode, prefix, followed)
        if self._policies is not None:
            self._policies.refresh()
        if not self._tables.read():
            return []
        read: Sample = (metrics.TABLES_READ, (), now / 1000)
        return [read, *(sample for table in self._all_tables for sample in table.samples(now))]

    def _rules_in_force(self) -> Rules:
        return self._rules if self._policies is None else self._policies.rules

    def _forget(self) -> None:
        """Discard the clients, which may never work again after a broker's restart; the next measurement creates new ones."""
        if self._tables is not None:
            self._tables.close()
        if self._policies is not None:
            self._policies.close()
        self._tables = self._policies = None
        if self._canary is not None:
            self._canary.close()


class Canary:
    """Sends a canary every five minutes (every minute until one has come out) and reads the canaries' outbound topic."""

    families: Final = frozenset({metrics.CANARY_SENT, metrics.CANARY_SUCCESS, metrics.CANARY_SECONDS})

    def __init__(self, client: UserClient, broker: Broker) -> None:
        self._client = client
        self._broker = broker
        self._reader: Consumer | None = None
        self._probe: BrokerProbe  # of the reader
        self._position = OFFSET_BEGINNING  # where a new reader begins, so that each record is read once
        self._registered: set[str] = set()
        self._sent: dict[str, int] = {}
        self._last_sent: int | None = None
        self._last_seen: int | None = None
        self._seconds: float | None = None

    def measure(self, now: int) -> Iterable[Sample]:
        """Send the next canary if it is time, and collect those that arrived."""
        wait = FIRST_CANARY_SECONDS if self._last_seen is None else CANARY_SECONDS
        if self._last_sent is None or now - self._last_sent >= wait * 1000:
            self._register(now)
            message_id, submission = canary.submission(now)
            self._client.send(SUBMISSIONS, [(canary.ORI, submission)])
            self._sent[message_id], self._last_sent = now, now
        for message in self._arrivals():
            outbound = self._client.codec.decode(message.value() or b"")
            if isinstance(outbound, Outbound):
                self._client.send(RECEIPTS, [(outbound.registrant_id, canary.receipt(outbound.reference, now))])
                for message_id in outbound.message_ids:
                    if (sent := self._sent.pop(message_id, None)) is not None:
                        self._last_seen = message.timestamp()[1]
                        self._seconds = (self._last_seen - sent) / 1000
            self._position = (message.offset() or 0) + 1
        return self.samples()

    def samples(self) -> Iterable[Sample]:
        """Yield when the last canaries were sent and came out, as far as known."""
        yield metrics.CANARY_SENT, (), (self._last_sent or 0) / 1000
        if self._last_seen is not None and self._seconds is not None:
            yield metrics.CANARY_SUCCESS, (), self._last_seen / 1000
            yield metrics.CANARY_SECONDS, (), self._seconds

    def _register(self, now: int) -> None:
        """Register for today's and tomorrow's offender: a registration and a canary sent together may be read in either order."""
        for day in (now, now + canary.DAY):
            registration_id, registration = canary.registration(day)
            if registration_id not in self._registered:
                self._client.send(REGISTRATIONS, [(registration_id, registration)])
                self._registered.add(registration_id)

    def _arrivals(self) -> Iterator[Message]:
        """Yield the canaries' outbound records since the last call."""
        if self._reader is None:
            self._reader = self._broker.partition_consumer(**LOW_LATENCY)
            topic = self._client.topic(OUTBOUND_CANARY)
            self._reader.assign([TopicPartition(topic, 0, self._position)])
            self._probe = BrokerProbe(topic)
        self._probe.check(self._reader)
        while messages := poll_batch(self._reader, MAX_RECORDS, 0.1):
            yield from (message for message in messages if message_kind(message) == "record" and message.value() is not None)

    def close(self) -> None:
        """Close the reader; the next measurement creates a new one."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None
