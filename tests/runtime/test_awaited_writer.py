"""Records whose senders wait for them, through a producer that may lose the brokers."""

import asyncio
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from confluent_kafka import KafkaError

from processors.runtime.errors import UserError
from processors.runtime.kafka import awaited_writer
from processors.runtime.kafka.awaited_writer import AwaitedWriter


class Producer:
    """A producer that says of each record what became of it, at its next poll."""

    def __init__(self, error: KafkaError | None = None) -> None:
        self.written: list[tuple[Any, ...]] = []
        self.flushed = Event()
        self._error = error
        self._waiting: list[Callable[[KafkaError | None, Any], None]] = []
        self._arrived = Event()

    def produce(self, *record: Any, on_delivery: Callable[[KafkaError | None, Any], None], **where: int) -> None:
        self.written.append((*record, *where.values()))
        self._waiting.append(on_delivery)
        self._arrived.set()

    def poll(self, seconds: float) -> None:
        if self._arrived.wait(seconds):
            self._arrived.clear()
            while self._waiting:
                self._waiting.pop(0)(self._error, None)

    def flush(self) -> None:
        self.flushed.set()


def written(writer: AwaitedWriter, key: str | None) -> None:
    async def write() -> None:
        await writer.write("vn.receipts", key, b"value")

    asyncio.run(write())


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> Producer:
    monkeypatch.setattr(awaited_writer, "POLL_SECONDS", 0.01)
    return Producer(KafkaError(KafkaError._MSG_TIMED_OUT))


def test_a_record_is_waited_for_and_one_without_key_goes_to_the_first_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(awaited_writer, "POLL_SECONDS", 0.01)
    producer = Producer()
    writer = AwaitedWriter(lambda: producer)  # type: ignore[arg-type,return-value]
    written(writer, "r-1")
    written(writer, None)
    assert producer.written == [("vn.receipts", b"value", b"r-1"), ("vn.receipts", b"value", 0)]


def test_another_producer_follows_one_that_lost_the_brokers(lost: Producer) -> None:
    following = Producer()
    left = iter([lost, following])
    writer = AwaitedWriter(lambda: next(left))  # type: ignore[arg-type,return-value]
    with pytest.raises(ConnectionError, match="did not take the record"):
        written(writer, "r-1")
    assert lost.flushed.wait(10), "whoever waits for a record of it hears what came of it"
    written(writer, "r-1")
    assert following.written == [("vn.receipts", b"value", b"r-1")]


def test_a_producer_is_replaced_as_soon_as_the_broker_answers_again(lost: Producer) -> None:
    following, asked = Producer(), Event()
    answers = iter([lost, UserError("the broker does not answer"), UserError("the broker does not answer"), following])

    def new_producer() -> Any:
        answer = next(answers)
        if isinstance(answer, UserError):
            asked.set()
            raise answer
        return answer

    writer = AwaitedWriter(new_producer)
    with pytest.raises(ConnectionError):
        written(writer, "r-1")
    assert asked.wait(10)
    assert lost.flushed.wait(10)
    written(writer, "r-2")
    assert following.written == [("vn.receipts", b"value", b"r-2")]
