"""How a command reads at an offset and sends many records; a broker that fails is reported in a sentence."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import MAX_BYTES_IN_FLIGHT, RECORD_OVERHEAD, UserClient, first_message
from processors.runtime.settings import Settings
from processors.topics import SUBMISSIONS

PLACE = TopicPartition("vn.decisions", 1, 7)
RECORD = SimpleNamespace(error=lambda: None)


def told(code: int, **more: Any) -> Any:
    return SimpleNamespace(error=lambda: KafkaError(code, **more))


END = told(KafkaError._PARTITION_EOF)
BUSY = told(KafkaError.LEADER_NOT_AVAILABLE, retriable=True)
FORBIDDEN = told(KafkaError.TOPIC_AUTHORIZATION_FAILED)


def reader(*events: Any) -> Any:
    left = iter(events)
    return SimpleNamespace(assign=lambda _: None, poll=lambda _: next(left))


@pytest.mark.parametrize(("events", "found"), [((RECORD,), RECORD), ((BUSY, BUSY, RECORD), RECORD), ((END,), None), ((BUSY, END), None)])
def test_what_the_library_retries_is_waited_for(events: Any, found: Any) -> None:
    assert first_message(reader(*events), PLACE) is found


@pytest.mark.parametrize(
    ("events", "why"), [((None,), "stopped answering"), ((BUSY, None), "stopped answering"), ((FORBIDDEN,), "cannot be read")]
)
def test_a_broker_that_does_not_say_is_not_taken_for_one_without_the_record(events: Any, why: str) -> None:
    with pytest.raises(UserError, match=f"vn.decisions.*{why}|{why}.*vn.decisions"):
        first_message(reader(*events), PLACE)


class TakingProducer:
    """Takes records, and acknowledges those that are flushed until it refuses one more flush."""

    def __init__(self, flushes: int) -> None:
        self.flushed: list[int] = []
        self._waiting: list[Callable[..., None]] = []
        self._flushes = flushes

    def produce(self, _topic: str, _value: bytes | None, *, on_delivery: Callable[..., None], **_place: Any) -> None:
        self._waiting.append(on_delivery)

    def flush(self, _: float) -> int:
        refused = len(self.flushed) == self._flushes
        self.flushed.append(len(self._waiting))
        for each in self._waiting:
            each(KafkaError(KafkaError._MSG_TIMED_OUT) if refused else None, None)
        self._waiting.clear()
        return 0


def sending(producer: TakingProducer, monkeypatch: pytest.MonkeyPatch) -> UserClient:
    monkeypatch.setattr(UserClient, "_new_producer", lambda *_: producer)
    return UserClient(Settings())


def records(count: int, taken: list[int]) -> Iterator[tuple[str, bytes]]:
    for number in range(count):
        taken.append(number)
        yield "VA0430000", bytes(MAX_BYTES_IN_FLIGHT // 4)


def test_many_records_are_sent_no_more_at_a_time_than_a_request_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = TakingProducer(flushes=10)
    assert sending(producer, monkeypatch).send(SUBMISSIONS, records(10, [])) == 10
    assert producer.flushed == [4, 4, 2]


def test_tombstones_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    producer = TakingProducer(flushes=10)
    most = MAX_BYTES_IN_FLIGHT // RECORD_OVERHEAD
    assert sending(producer, monkeypatch).send(SUBMISSIONS, (("", None) for _ in range(most + 1))) == most + 1
    assert producer.flushed == [most, 1]


def test_after_a_failure_no_more_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    with pytest.raises(UserError, match=r"did not take 4 of the first 8 records .*no more were sent"):
        sending(TakingProducer(flushes=1), monkeypatch).send(SUBMISSIONS, records(100, taken))
    assert len(taken) == 8
