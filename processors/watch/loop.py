"""
The loop of `vn watch`: measures every few seconds; each measurement replaces the one before.

The parts are measured separately, so that an unavailable store does not hide the broker's values. What could not be
measured is absent from the page; `vn_broker_up` and `vn_store_up` say why, and `vn_watch_look_timestamp_seconds` that the
watch itself is running.
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
from processors.rules.book import Rules
from processors.runtime.clock import wall
from processors.runtime.errors import Restart, Retry, UserError
from processors.runtime.kafka.broadcast import PolicyReader
from processors.runtime.kafka.clients import LOW_LATENCY, Broker, message_kind, poll_batch
from processors.runtime.kafka.lost_brokers import Reach
from processors.runtime.kafka.user_client import Client
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
from processors.watch.metrics import Family, Page, Sample

LOOK_SECONDS: Final = 5.0
CLUSTER_SECONDS: Final = 30.0  # between two descriptions of the cluster
CERTIFICATES_SECONDS: Final = 600.0  # between two looks at certificates
CANARY_SECONDS: Final = 300.0  # between two canaries
FIRST_SECONDS: Final = 60.0  # between two until one has come out: the first may be read before its registration
READ_SECONDS: Final = 3.0  # of one look at the tables; if that is not enough, they are absent, and the next look reads on
MANY: Final = 5_000


class TopicTables:
    """Reads compacted topics without a consumer group, and passes each record to the tables of its topic."""

    def __init__(self, broker: Broker, decode: Callable[[bytes], Any], prefix: str, followed: dict[Topic, tuple[Any, ...]]) -> None:
        self._decode = decode
        self._tables = {prefix + topic.name: found for topic, found in followed.items()}
        counts = broker.partition_counts(self._tables)
        self._unread = {(topic, each) for topic, count in counts.items() for each in range(count)}
        self._reader: Consumer = broker.partition_consumer(**LOW_LATENCY)
        self._reader.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in self._unread])
        self._reach = Reach(next(iter(self._tables)))

    def read(self) -> bool:
        """Read on; return whether everything up to the present ends has been read. Raises Restart if the broker is not reached."""
        self._reach.check(self._reader)
        deadline = monotonic() + READ_SECONDS
        while monotonic() < deadline:
            for message in poll_batch(self._reader, MANY, 0.1):
                place = (message.topic() or "", message.partition() or 0)
                what = message_kind(message)
                if what == "end":
                    self._unread.discard(place)
                elif what == "record":
                    self._unread.add(place)
                    key, value = message.key() or b"", message.value()
                    for table in self._tables[place[0]]:
                        table.take(key.decode(errors="replace"), None if value is None else self._value_of(value))
            if not self._unread:  # even if more comes all the time, as while an agency floods
                return True
        return False

    def _value_of(self, value: bytes) -> Any:
        try:
            return self._decode(value)
        except (Undecodable, SealBroken):
            return None  # not written by the pipeline: nothing that is counted

    def close(self) -> None:
        self._reader.close()


class Watch:
    """The watch; `look` measures once, `run` until it is stopped."""

    def __init__(self, settings: Settings, rules: Rules, page: Page, *, with_canary: bool = True) -> None:
        self._settings = settings
        self._rules = rules
        self._page = page
        self._client = Client(settings)
        self._broker = Broker(settings)
        self._store = Store(settings.redis())
        self._stages = [stage for stages in PIPELINE.values() for stage in stages]
        self._groups = groups.Groups(self._broker, settings.topic_prefix, self._stages)
        self._settled: PolicyReader | None = None
        self._tables: TopicTables | None = None
        self._rows: tuple[tables.Table, ...] = ()
        self._described: int | None = None
        self._certificates_seen: int | None = None
        self._canary = Canary(self._client, self._broker) if with_canary else None
        self._log = structlog.get_logger()

    def run(self, stopped: Event) -> None:
        """Measure until `stopped` is set."""
        while True:
            self.look(wall())
            if stopped.wait(LOOK_SECONDS):
                return

    def look(self, now: int) -> None:
        """Measure once; a part that fails is logged and shown as absent, the others are still measured."""
        self._page.replace(redis.FAMILIES, list(redis.look(self._store)))
        if self._certificates_seen is None or now - self._certificates_seen >= CERTIFICATES_SECONDS * 1000:
            self._part(certificates.FAMILIES, lambda: certificates.look(self._settings))
            self._certificates_seen = now
        up = self._part(groups.FAMILIES, lambda: self._groups.look(now))
        if up and (self._described is None or now - self._described >= CLUSTER_SECONDS * 1000):
            up = self._part(brokers.FAMILIES, lambda: brokers.look(self._broker, self._settings.topic_prefix))
            self._described = now if up else None
        if up:
            self._part(tables.families_of(self._rows) | {metrics.TABLES_READ}, lambda: self._tables_look(now))
            if self._canary is not None:
                self._part(frozenset(), lambda: self._canary.look(now) if self._canary is not None else ())
                self._page.replace(Canary.families, list(self._canary.samples()))  # what was is true, even if this look failed
        self._page.replace(frozenset({metrics.BROKER_UP}), [(metrics.BROKER_UP, (), float(up))])
        self._page.replace(
            frozenset({metrics.LOOK, metrics.STAGE_EXPECTED}),
            [(metrics.LOOK, (), wall() / 1000), *((metrics.STAGE_EXPECTED, (stage.name,), 1) for stage in self._stages)],
        )

    def _part(self, families: frozenset[Family], look: Callable[[], Iterable[Sample]]) -> bool:
        """Measure one part; return whether it succeeded. On failure its families show nothing."""
        try:
            samples = list(look())
        except (Restart, Retry, UserError) as error:
            self._log.warning("not_seen", **error_fields(error))
            self._page.replace(families, [])
            self._forget()
            return False
        self._page.replace(families | {family for family, _, _ in samples}, samples)
        return True

    def _tables_look(self, now: int) -> Iterable[Sample]:
        if self._tables is None:
            codec, prefix = self._client.codec, self._settings.topic_prefix
            self._settled = PolicyReader(self._broker, codec, self._rules, prefix)
            reviews, expectations = tables.OpenReviews(self._rules_in_force), tables.Expectations()
            agencies, letters = tables.Agencies(self._rules_in_force), tables.DeadLetters()
            self._rows = (reviews, expectations, agencies, letters)
            followed: dict[Topic, tuple[Any, ...]] = {
                REVIEWS: (reviews,),
                EXPECTATIONS: (expectations,),
                AGENCIES: (agencies,),
                DEAD_LETTERS: (letters,),
                DEAD_LETTERS_SETTLED: (letters,),
            }
            self._tables = TopicTables(self._broker, codec.decode, prefix, followed)
        if self._settled is not None:
            self._settled.refresh()
        if not self._tables.read():
            return []
        read: Sample = (metrics.TABLES_READ, (), now / 1000)
        return [read, *(sample for table in self._rows for sample in table.samples(now))]

    def _rules_in_force(self) -> Rules:
        return self._rules if self._settled is None else self._settled.rules

    def _forget(self) -> None:
        """Clients that lived through a broker's restart may never answer again: the next look makes new ones."""
        if self._tables is not None:
            self._tables.close()
        if self._settled is not None:
            self._settled.close()
        self._tables = self._settled = None
        if self._canary is not None:
            self._canary.close()


class Canary:
    """Sends a canary every five minutes, every minute until one has come out, and waits for it on the canaries' outbound topic."""

    families: Final = frozenset({metrics.CANARY_SENT, metrics.CANARY_SUCCESS, metrics.CANARY_SECONDS})

    def __init__(self, client: Client, broker: Broker) -> None:
        self._client = client
        self._broker = broker
        self._reader: Consumer | None = None
        self._reach: Reach  # of the reader
        self._position = OFFSET_BEGINNING  # a new reader begins here: what came out before is read once
        self._registered: set[str] = set()
        self._sent: dict[str, int] = {}
        self._last_sent: int | None = None
        self._last_seen: int | None = None
        self._seconds: float | None = None

    def look(self, now: int) -> Iterable[Sample]:
        """Send the next canary if it is time, and collect those that arrived."""
        wait = FIRST_SECONDS if self._last_seen is None else CANARY_SECONDS
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
        """Yield when canaries were sent and came out, as far as is known."""
        yield metrics.CANARY_SENT, (), (self._last_sent or 0) / 1000
        if self._last_seen is not None and self._seconds is not None:
            yield metrics.CANARY_SUCCESS, (), self._last_seen / 1000
            yield metrics.CANARY_SECONDS, (), self._seconds

    def _register(self, now: int) -> None:
        """Register for today's person, and for tomorrow's: what is sent together may be read in either order."""
        for day in (now, now + canary.DAY):
            registration_id, registration = canary.registration(day)
            if registration_id not in self._registered:
                self._client.send(REGISTRATIONS, [(registration_id, registration)])
                self._registered.add(registration_id)

    def _arrivals(self) -> Iterator[Message]:
        """Yield what came since the last look."""
        if self._reader is None:
            self._reader = self._broker.partition_consumer(**LOW_LATENCY)
            topic = self._client.topic(OUTBOUND_CANARY)
            self._reader.assign([TopicPartition(topic, 0, self._position)])
            self._reach = Reach(topic)
        self._reach.check(self._reader)
        while messages := poll_batch(self._reader, MANY, 0.1):
            yield from (message for message in messages if message_kind(message) == "record" and message.value() is not None)

    def close(self) -> None:
        """Close the reader; the next look makes another."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None
