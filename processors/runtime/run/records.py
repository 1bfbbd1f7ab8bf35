"""Converts Kafka messages into the records that stages take."""

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import Message

from processors.runtime import metrics
from processors.runtime.clock import MAX_AHEAD
from processors.runtime.kafka.clients import traceparent_of
from processors.runtime.run.telemetry import Telemetry
from processors.runtime.wire.codec import Codec, Undecodable
from processors.stage import Record
from processors.topics import Topic


class RecordReader:
    """Converts the messages of one stage's inputs; `topics` maps the topics' names on the broker to their definitions."""

    def __init__(self, topics: Mapping[str, Topic], codec: Codec, telemetry: Telemetry, stage: str) -> None:
        self._inputs: dict[str, tuple[str, Callable[[bytes], Any]]] = {
            name: (topic.name, codec.decode_external if topic.external else codec.decode) for name, topic in topics.items()
        }
        self._telemetry = telemetry
        self._stage = stage

    def read(self, message: Message, topic: str, offset: int, now: int, step: int | None) -> Record:
        """Return the record of a message read at `now`; with the topic clock, `step` is the clock's time and the record's."""
        name, decode = self._inputs[topic]
        raw, key = message.value(), message.key()
        value: Any = None
        if raw is not None:
            try:
                value = decode(raw)
            except Undecodable as error:
                value = error.unreadable
        at = message.timestamp()[1] if step is None else step
        if at > now + MAX_AHEAD and step is None:
            self._report_ahead(message)
            at = now
        text = None if key is None else key.decode(errors="replace")
        return Record(name, message.partition() or 0, offset, text, at, value, raw, traceparent_of(message), 0 if step is not None else now)

    def _report_ahead(self, message: Message) -> None:
        """Report a record whose timestamp is too far ahead of our clock; it counts as now."""
        metrics.TIME_AHEAD.labels(self._stage).inc()
        self._telemetry.log.warning("time_ahead", topic=message.topic(), partition=message.partition(), offset=message.offset())
