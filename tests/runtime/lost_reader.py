"""A reader that has forgotten every broker."""

from typing import Any

from confluent_kafka import KafkaError, KafkaException


class LostReader:
    """It gives nothing, and is not answered when it asks."""

    closed = False

    def assign(self, _: Any) -> None:
        """Take the assignment."""

    def poll(self, _: float) -> None:
        return None

    def list_topics(self, *_: Any, **__: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    def close(self) -> None:
        self.closed = True
