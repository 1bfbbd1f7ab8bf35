"""The transaction of a batch, with a producer that records its calls."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Timer
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from processors.domain.journal import Verdict
from processors.domain.notification import Receipt
from processors.runtime.decide.batch import BatchResult, OutputRecord
from processors.runtime.decide.task import Task
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import CallThread, Fenced, Unavailable, call_with_deadline
from processors.runtime.run.faults import Point
from processors.runtime.run.inputs import Origins
from processors.runtime.run.telemetry import Telemetry
from processors.runtime.run.transaction import DecidedBatch, Transactions
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Decision, Stage
from processors.topics import Topic

IN, OUT = Topic("in", (Receipt,), "key"), Topic("out", (Receipt,), "key")
STAGE: Stage[Any] = Stage("probe", (IN,), (OUT,), None, None, lambda *_: (), lambda *_: Decision())


class NotingProducer:
    """Notes the calls; `flush` waits until the offsets are on their way, as they are sent beside it."""

    def __init__(self, *, left: int = 0, refusal: KafkaException | None = None) -> None:
        self.calls: list[str] = []
        self.offsets: list[TopicPartition] = []
        self.journal_keys: list[Any] = []
        self._left = left
        self._refusal = refusal
        self._sending = Event()

    def begin_transaction(self) -> None:
        self.calls.append("begin")

    def produce(self, topic: str, _value: Any, key: Any, *more: Any) -> None:
        self.calls.append(f"produce {topic}")
        if topic == "x.decisions":
            self.journal_keys.append(key)
        if topic == NotingCaches.topic:
            _, written = more
            written(None, SimpleNamespace(offset=lambda: 5))

    def flush(self, _: float) -> int:
        assert self._sending.wait(10), "the offsets are not sent before the flush has ended"
        self.calls.append("flush")
        return self._left

    def send_offsets_to_transaction(self, offsets: list[TopicPartition], _metadata: Any, _timeout: float) -> None:
        self.offsets = offsets
        self._sending.set()
        if self._refusal is not None:
            raise self._refusal

    def commit_transaction(self, _: float) -> None:
        self.calls.append("commit")


class NotingCaches:
    """Caches whose update waits until it may go on, and then notes the partition or raises."""

    topic = "x.probe.state"

    def __init__(self, refusal: Exception | None = None) -> None:
        self.applied: list[int] = []
        self.may_go_on = Event()
        self._refusal = refusal

    def apply(self, partition: int, *_: Any) -> None:
        assert self.may_go_on.wait(10)
        if self._refusal is not None:
            raise self._refusal
        self.applied.append(partition)


@contextmanager
def transactions(
    producer: Any, *partitions: int, caches: Any = None, reach: Callable[[Point], None] = lambda _: None
) -> Iterator[tuple[Transactions, Callable[[], None]]]:
    """Yield transactions by this producer, and a function that commits a batch of each partition."""
    tasks = [Task(STAGE, each, Position(0, {"x.in": 7}), {"x.in": 9}, {}) for each in partitions]
    result = BatchResult(
        Position(1, {"x.in": 9}),
        outputs=[OutputRecord(OUT, b"k", b"v"), OutputRecord(OUT, b"k", b"w", (("a", "b"),))],
        verdicts=[Verdict(stage="probe", message_id="m", outcome="passed", reason="confirmed", detail="", at=0)],
    )
    made = Transactions(STAGE, "x.", Codec(), caches, Telemetry("probe"), reach)
    made.use_producer(producer)
    try:
        yield made, lambda: made.commit(DecidedBatch([(task, result) for task in tasks], "r1"), Origins({"x.in": "c/t"}, {}), None, [])
    finally:
        made.use_producer(None)


def test_offsets_go_with_the_records_and_the_commit_comes_after_both() -> None:
    producer = NotingProducer()
    with transactions(producer, 3) as (_, commit):
        commit()
    assert producer.calls == ["begin", "produce x.out", "produce x.out", "produce x.decisions", "flush", "commit"]
    assert [(each.topic, each.partition, each.offset, each.metadata) for each in producer.offsets] == [("x.in", 3, 9, "topic=c/t")]


def test_all_partitions_of_a_transaction_share_one_journal_record() -> None:
    producer = NotingProducer()
    with transactions(producer, 2, 3) as (_, commit):
        commit()
    assert producer.calls.count("produce x.out") == 4
    assert producer.journal_keys == ["probe"]


def test_nothing_is_committed_unless_the_broker_has_every_record() -> None:
    producer = NotingProducer(left=1)
    with transactions(producer, 3) as (_, commit), pytest.raises(Unavailable, match="the broker takes no records"):
        commit()
    assert "commit" not in producer.calls


def test_nothing_is_committed_when_the_offsets_are_refused() -> None:
    producer = NotingProducer(refusal=KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION)))
    with transactions(producer, 3) as (_, commit), pytest.raises(Fenced):
        commit()
    assert "commit" not in producer.calls


def test_the_caches_follow_while_the_next_records_are_polled_and_are_waited_for() -> None:
    caches = NotingCaches()
    with transactions(NotingProducer(), 2, 3, caches=caches) as (made, commit):
        commit()
        assert caches.applied == []
        caches.may_go_on.set()
        made.finish()
        assert caches.applied == [2, 3]
        made.finish()  # there is nothing left to wait for


@pytest.mark.parametrize("caches", [None, NotingCaches()])
def test_every_point_is_reached_once_with_caches_and_without(caches: NotingCaches | None) -> None:
    if caches is not None:
        caches.may_go_on.set()
    points: list[Point] = []
    with transactions(NotingProducer(), 3, caches=caches, reach=points.append) as (made, commit):
        commit()
        made.finish()
    assert points == ["begun", "produced", "sent", "committed", "applied"]


def test_a_cache_that_did_not_follow_is_noticed_before_the_next_batch_is_decided() -> None:
    caches = NotingCaches(Restart("the cache is not the one"))
    caches.may_go_on.set()
    with transactions(NotingProducer(), 3, caches=caches) as (made, commit):
        commit()
        with pytest.raises(Restart, match="not the one"):
            made.finish()
        made.finish()


def test_a_restart_waits_for_the_caches_and_is_not_held_up_by_their_errors() -> None:
    caches = NotingCaches(Restart("the cache is not the one"))
    with transactions(NotingProducer(), 3, caches=caches) as (made, commit):
        commit()
        Timer(0.05, caches.may_go_on.set).start()
        made.use_producer(None)
        assert caches.may_go_on.is_set()
        made.finish()


def test_without_a_producer_everything_starts_over() -> None:
    with transactions(None, 3) as (_, commit), pytest.raises(Restart, match="no producer"):
        commit()


def test_a_call_that_hangs_is_abandoned_and_says_so() -> None:
    released = Event()
    with pytest.raises(Unavailable, match="did not return in time"):
        call_with_deadline(0.01, released.wait)
    released.set()


def test_calls_of_one_thread_come_one_after_the_other_with_what_each_returned_or_raised() -> None:
    calls = CallThread()
    first, second, third = calls.start(int, "1"), calls.start(int, "x"), calls.start(int, "3")
    calls.close()
    assert third(10) == 3
    assert first(10) == 1
    with pytest.raises(ValueError, match="x"):
        second(10)
