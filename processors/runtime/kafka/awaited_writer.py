"""A producer for concurrent callers: each waits until the broker has acknowledged its record."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Thread
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from processors.runtime.errors import UserError

POLL_SECONDS: Final = 1.0


class AwaitedWriter:
    """Writes records with one producer, replaced after a failure; a thread polls for acknowledgements."""

    def __init__(self, new_producer: Callable[[], Producer]) -> None:
        self._new_producer = new_producer
        self._producer = new_producer()
        self._failed = False
        Thread(target=self._poll_acknowledgements, daemon=True).start()

    def write(self, topic: str, key: str | None, value: bytes) -> Awaitable[None]:
        """
        Produce a record; the returned awaitable waits until the broker has acknowledged it, and raises ConnectionError if it fails.

        Records without a key go to the first partition, so they keep their order.
        """
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()

        def settle(error: KafkaError | None) -> None:
            if written.cancelled():
                return
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(ConnectionError(f"the broker did not take the record: {error.str()}"))

        def note_delivery(error: KafkaError | None, _: Message) -> None:
            self._failed = self._failed or error is not None
            loop.call_soon_threadsafe(settle, error)

        if key is None:
            self._producer.produce(topic, value, partition=0, on_delivery=note_delivery)
        else:
            self._producer.produce(topic, value, key.encode(), on_delivery=note_delivery)
        return written

    def _poll_acknowledgements(self) -> None:
        while True:
            self._producer.poll(POLL_SECONDS)
            if self._failed:
                self._replace_producer()

    def _replace_producer(self) -> None:
        """Switch to a new producer, since the current one may have forgotten the brokers (lost_brokers.py)."""
        try:
            new = self._new_producer()
        except UserError:
            return  # the broker does not answer: tried again after the next poll
        old, self._producer, self._failed = self._producer, new, False
        Thread(target=old.flush, daemon=True).start()  # settles the records that callers still wait for
