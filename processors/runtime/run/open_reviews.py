"""
Metrics of open reviews: how many there are, and the age of the oldest.

Each scrape reads `vn.reviews` on from where the last one ended, so that every process reports the same. Until the end has
been reached, and while the broker is unavailable, nothing is reported: a partial count would be wrong.
"""

from collections import Counter
from collections.abc import Iterable
from threading import Lock
from time import monotonic
from typing import Any, Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from prometheus_client import Metric
from prometheus_client.registry import Collector

from processors.domain.review import Review
from processors.runtime import metrics
from processors.runtime.clock import wall
from processors.runtime.errors import Restart, Retry, UserError
from processors.runtime.kafka.clients import Broker, message_kind, poll_batch
from processors.runtime.run.telemetry import error_fields
from processors.runtime.wire.codec import Codec, Undecodable

MANY: Final = 1_000
LONGEST: Final = 3.0  # seconds a scrape may take; the next one reads the rest


class Tally:
    """The open reviews by id: reason, and since when in milliseconds."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[str, int]] = {}

    def take(self, review_id: str, review: Review | None) -> None:
        """Apply the newest record of a review; None forgets it."""
        if review is None or review.state != "open":
            self._open.pop(review_id, None)
        else:
            self._open[review_id] = (review.reason, review.since)

    def counts(self) -> Counter[str]:
        """Return the number of open reviews by reason."""
        return Counter(reason for reason, _ in self._open.values())

    def oldest(self) -> dict[str, int]:
        """Return when the oldest open review began, by reason."""
        oldest: dict[str, int] = {}
        for reason, since in self._open.values():
            oldest[reason] = min(since, oldest.get(reason, since))
        return oldest


class OpenReviews(Collector):
    """Collector of the two review metrics."""

    def __init__(self, broker: Broker, codec: Codec, topic: str) -> None:
        self._broker = broker
        self._codec = codec
        self._topic = topic
        self._scrape = Lock()  # scrapes may overlap
        self._forget()

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not read the topic."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return the metrics as of now; none if the end of the topic could not be reached."""
        with self._scrape:
            try:
                whole = self._read_on()
            except (Restart, Retry, UserError) as error:
                structlog.get_logger().warning("reviews_unread", **error_fields(error))
                self._forget()
                return []
            return self._metrics() if whole else []

    def _metrics(self) -> list[Metric]:
        for gauge in (metrics.REVIEWS_OPEN, metrics.REVIEW_OLDEST):
            gauge.clear()
        for reason, count in self._tally.counts().items():
            metrics.REVIEWS_OPEN.labels(reason).set(count)
        for reason, since in self._tally.oldest().items():
            metrics.REVIEW_OLDEST.labels(reason).set(max(0.0, (wall() - since) / 1000))
        return [*metrics.REVIEWS_OPEN.collect(), *metrics.REVIEW_OLDEST.collect()]

    def _forget(self) -> None:
        """Start over from the beginning of the topic at the next scrape."""
        self._tally = Tally()
        self._reader: Consumer | None = None
        self._unread: set[int] = set()

    def _read_on(self) -> bool:
        """Read on; return whether every partition was read to its end."""
        if self._reader is None:
            self._unread = set(range(self._broker.partition_counts([self._topic])[self._topic]))
            self._reader = self._broker.partition_consumer()
            self._reader.assign([TopicPartition(self._topic, each, OFFSET_BEGINNING) for each in self._unread])
        deadline = monotonic() + LONGEST
        while monotonic() < deadline:
            messages = poll_batch(self._reader, MANY, 0.1 if self._unread else 0)
            for message in messages:
                self._take(message)
            if not messages and not self._unread:
                return True
        return False

    def _take(self, message: Message) -> None:
        partition, what = message.partition() or 0, message_kind(message)
        if what == "end":
            self._unread.discard(partition)
        elif what == "record":
            self._unread.add(partition)
            key: Any = message.key()
            self._tally.take(key.decode(errors="replace") if key else "", self._review(message.value()))

    def _review(self, value: bytes | None) -> Review | None:
        try:
            review = None if value is None else self._codec.decode(value)
        except Undecodable:
            return None  # not written by the pipeline
        return review if isinstance(review, Review) else None
