"""What the watch shows when a measurement is incomplete: a flood, a canary that cannot be sent, a broker that answers late."""

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from processors.rules.load import load_rules
from processors.runtime.errors import Restart
from processors.runtime.kafka import lost_brokers
from processors.topics import REVIEWS, Topic
from processors.watch import brokers, certificates, groups, loop, metrics, redis
from processors.watch.groups import Groups
from processors.watch.loop import Canary, TopicTables, Watch
from processors.watch.metrics import MetricsPage
from tests.runtime.lost_reader import LostReader

NOW = 1_793_628_000_000
PLACE = ("events", 0)


class Reader:
    """A consumer of one partition to which one more record comes with every poll."""

    def assign(self, _: object) -> None:
        """Take the assignment."""

    def poll(self, _: float) -> Any:
        return SimpleNamespace(error=lambda: None, topic=lambda: "reviews", partition=lambda: 0, key=lambda: b"k", value=lambda: b"v")

    def consume(self, *_: object) -> list[Any]:
        end = SimpleNamespace(code=lambda: -191)
        return [SimpleNamespace(error=lambda: end, topic=lambda: "reviews", partition=lambda: 0)]


def test_tables_are_read_while_more_comes_all_the_time() -> None:
    taken: list[str] = []
    broker: Any = SimpleNamespace(partition_counts=lambda _: {"reviews": 1}, partition_consumer=lambda **_: Reader())
    followed: dict[Topic, tuple[Any, ...]] = {REVIEWS: (SimpleNamespace(apply=lambda key, _: taken.append(key)),)}
    tables = TopicTables(broker, lambda value: value, "", followed)
    assert tables.read()
    assert taken == ["k"]


class Client:
    """A client whose sending fails while `refuses`."""

    def __init__(self) -> None:
        self.refuses = False

    def send(self, *_: object) -> int:
        if self.refuses:
            raise Restart("the broker does not answer")
        return 1

    def topic(self, topic: Topic) -> str:
        return topic.name


class Silent(Canary):
    """Canaries of which none comes out."""

    def _arrivals(self) -> Iterator[Any]:
        return iter(())


def shown(page: MetricsPage) -> dict[str, float]:
    return {sample.name: sample.value for metric in page.registry.collect() for sample in metric.samples}


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> tuple[Watch, MetricsPage, Client]:
    """A watch that sees nothing but its canaries."""
    for part in (redis, certificates, brokers):
        monkeypatch.setattr(part, "measure", lambda *_: [])
    monkeypatch.setattr(groups.Groups, "measure", lambda *_: [])
    monkeypatch.setattr(Watch, "_measure_tables", lambda *_: [])
    monkeypatch.setattr(loop, "UserClient", lambda _: None)
    monkeypatch.setattr(loop, "Broker", lambda _: None)
    monkeypatch.setattr(loop, "Store", lambda _: None)
    settings: Any = SimpleNamespace(topic_prefix="vn.", redis=lambda: "")
    page, client, rules = MetricsPage(), Client(), SimpleNamespace()
    made = Watch(settings, rules, page, with_canary=False)  # type: ignore[arg-type]
    made._canary = Silent(client, SimpleNamespace())  # type: ignore[arg-type]
    return made, page, client


def test_when_a_canary_was_sent_stays_on_the_page_though_the_next_cannot_be(watch: tuple[Watch, MetricsPage, Client]) -> None:
    made, page, client = watch
    made.measure(NOW)
    assert shown(page)[metrics.CANARY_SENT.name] == NOW / 1000
    client.refuses = True
    made.measure(NOW + 600_000)
    assert shown(page)[metrics.CANARY_SENT.name] == NOW / 1000


def test_a_watch_that_could_never_send_a_canary_shows_that_it_would(watch: tuple[Watch, MetricsPage, Client]) -> None:
    made, page, client = watch
    client.refuses = True
    made.measure(NOW)
    assert shown(page)[metrics.CANARY_SENT.name] == 0.0
    assert metrics.CANARY_SUCCESS.name not in shown(page)


def test_a_watch_without_canaries_shows_none(watch: tuple[Watch, MetricsPage, Client]) -> None:
    made, page, _ = watch
    made._canary = None
    made.measure(NOW)
    assert metrics.CANARY_SENT.name not in shown(page)


class Found(LostReader):
    """A reader that reaches the broker."""

    def list_topics(self, *_: object, **__: object) -> None:
        """Answer."""


def test_canaries_are_read_by_another_reader_once_one_reaches_no_broker(
    watch: tuple[Watch, MetricsPage, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_brokers, "PROBE_INTERVAL", 0)
    made, _, client = watch
    lost, found = readers = LostReader(), Found()
    left = iter(readers)
    made._canary = Canary(client, SimpleNamespace(partition_consumer=lambda **_: next(left)))  # type: ignore[arg-type]
    made.measure(NOW)
    assert lost.closed
    made.measure(NOW + 5_000)
    assert next(left, None) is None
    assert not found.closed


def test_tables_are_read_by_another_reader_once_one_reaches_no_broker(
    watch: tuple[Watch, MetricsPage, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(lost_brokers, "PROBE_INTERVAL", 0)
    made, page, _ = watch
    lost, found = readers = LostReader(), Found()
    left = iter(readers)
    made._client = SimpleNamespace(codec=SimpleNamespace(decode=None))  # type: ignore[assignment]
    made._broker = SimpleNamespace(partition_counts=lambda _: {}, partition_consumer=lambda **_: next(left))  # type: ignore[assignment]
    monkeypatch.setattr(loop, "PolicyReader", lambda *_: SimpleNamespace(refresh=lambda: False, close=lambda: None, rules=load_rules(None)))

    def look() -> bool:
        made._measure_part(frozenset({metrics.TABLES_READ}), lambda: made._measure_tables(NOW))
        return metrics.TABLES_READ.name in shown(page)

    assert not look()
    assert lost.closed
    assert look()
    assert not found.closed


class Broker:
    """A broker that says where a partition ends, and gives its records only if they `come`."""

    def __init__(self) -> None:
        self.comes = False
        self.committed = 5

    def partition_counts(self, topics: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(topics, 1)

    def offsets_consumer(self, _: str) -> Any:
        return self

    def partition_consumer(self, **_: object) -> Any:
        return SimpleNamespace(assign=lambda _: None, poll=self._poll, close=lambda: None)

    def end_offsets(self, topic_partitions: Iterable[Any], *_: object) -> dict[Any, int]:
        return dict.fromkeys(topic_partitions, 8)

    def start_offsets(self, topic_partitions: Iterable[Any]) -> dict[Any, int]:
        return dict.fromkeys(topic_partitions, 0)

    def _poll(self, _: float) -> Any:
        if not self.comes:
            return None
        return SimpleNamespace(error=lambda: None, topic=lambda: PLACE[0], partition=lambda: PLACE[1], timestamp=lambda: (1, NOW - 90_000))


def test_what_the_broker_does_not_give_in_time_is_behind_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker()
    stage: Any = SimpleNamespace(name="dedupe", inputs=(Topic("events", (), "offender"),))
    monkeypatch.setattr(groups, "committed_offsets", lambda of, topic_partitions: dict.fromkeys(topic_partitions, of.committed))
    monkeypatch.setattr(groups, "OUTBOUND", {})
    monkeypatch.setattr(groups, "READ_SECONDS", 0.05)
    looking = Groups(broker, "", [stage])  # type: ignore[arg-type]

    def look(now: int) -> tuple[float, float]:
        found = {(family, labels): value for family, labels, value in looking.measure(now)}
        return found[metrics.GROUP_LAG, ("dedupe", "events")], found[metrics.GROUP_OLDEST, ("dedupe", "events")]

    assert look(NOW) == (3, 0.0)  # nothing is known of the record's time yet
    assert look(NOW + 60_000) == (3, 60.0)  # it has not been given for so long
    broker.comes = True
    assert look(NOW + 61_000) == (3, 151.0)
    broker.comes = False
    assert look(NOW + 70_000) == (3, 160.0)  # the same record, whose time was seen
    broker.committed = 6
    assert look(NOW + 75_000) == (2, 0.0)  # another record


def test_whoever_reads_the_page_while_it_is_replaced_sees_every_sample_of_one_look() -> None:
    page = MetricsPage()
    families = frozenset({metrics.AGENCY_HEARD})
    page.replace(families, [(metrics.AGENCY_HEARD, (f"VA{number}",), 1.0) for number in range(3)])
    reading = page.collect()
    first = next(reading)
    page.replace(families, [(metrics.AGENCY_HEARD, ("NC1",), 2.0)])
    assert [sample.labels["ori"] for sample in first.samples] == ["VA0", "VA1", "VA2"]
    assert [sample.labels["ori"] for metric in page.collect() for sample in metric.samples] == ["NC1"]
    page.replace(families, [])
    assert list(page.collect()) == []
