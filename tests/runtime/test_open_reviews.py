"""Open reviews are counted from their topic alone."""

from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from processors.domain.review import Review, ReviewState
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import EOF
from processors.runtime.run import open_reviews
from processors.runtime.run.open_reviews import OpenReviews
from processors.runtime.wire.codec import Codec

CODEC = Codec()
NOW = 1_793_628_000_000


def review(number: int, state: ReviewState = "open", reason: str = "workflow", since: int = NOW) -> tuple[str, Review]:
    return str(number), Review(
        review_id=str(number),
        message_id=f"M-{number}",
        ori="VA0430000",
        stage="validate",
        offender="o1",
        state=state,
        reason=reason,
        detail="",
        since=since,
        jurisdiction="VA",
        event_type="Jail",
        event_subtype="Escape",
    )


class Ended:
    """The word that a partition has no more."""

    def code(self) -> int:
        return EOF


class Said:
    """One message of a consumer: a record, or the end of its partition."""

    def __init__(self, record: tuple[str, Review | None] | None) -> None:
        self._record = record

    def error(self) -> Ended | None:
        return Ended() if self._record is None else None

    def partition(self) -> int:
        return 0

    def key(self) -> bytes | None:
        return None if self._record is None else self._record[0].encode()

    def value(self) -> bytes | None:
        return None if self._record is None or self._record[1] is None else CODEC.encode(self._record[1])


class Reader:
    """A consumer of one partition; `None` among the records is its end, and nothing comes after the last."""

    def __init__(self) -> None:
        self.records: list[tuple[str, Review | None] | None] = []

    def assign(self, _: Sequence[Any]) -> None:
        pass

    def poll(self, _: float) -> Said | None:
        return Said(self.records.pop(0)) if self.records else None

    def consume(self, *_: Any) -> list[Said]:
        return []


class Topic:
    """A broker with one topic of one partition, which may be away."""

    def __init__(self) -> None:
        self.reading = Reader()
        self.away = False

    def partition_counts(self, topics: Sequence[str]) -> dict[str, int]:
        if self.away:
            raise Restart("it does not answer")
        return dict.fromkeys(topics, 1)

    def partition_consumer(self) -> Reader:
        return self.reading


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    monkeypatch.setattr(open_reviews, "wall", lambda: NOW + 60_000)
    monkeypatch.setattr(open_reviews, "LONGEST", 0.05)
    return Topic()


def scraped(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    return {(each.name, each.labels["reason"]): each.value for metric in registry.collect() for each in metric.samples}


def test_what_is_open_is_counted_and_the_oldest_named_scrape_after_scrape(topic: Topic) -> None:
    registry = CollectorRegistry()
    registry.register(OpenReviews(topic, CODEC, "vn.reviews"))  # type: ignore[arg-type]
    topic.reading.records = [review(1, since=NOW - 30_000), review(2), review(3, reason="surge"), review(4), ("4", None), None]
    assert scraped(registry) == {
        ("vn_reviews_open", "workflow"): 2,
        ("vn_reviews_open", "surge"): 1,
        ("vn_review_oldest_seconds", "workflow"): 90,
        ("vn_review_oldest_seconds", "surge"): 60,
    }
    topic.reading.records = [review(1, "released"), review(3, "discarded", "surge"), None]
    assert scraped(registry) == {("vn_reviews_open", "workflow"): 1, ("vn_review_oldest_seconds", "workflow"): 60}


def test_nothing_is_said_before_the_end_was_reached_or_while_the_broker_is_away(topic: Topic) -> None:
    registry = CollectorRegistry()
    topic.away = True
    registry.register(OpenReviews(topic, CODEC, "vn.reviews"))  # type: ignore[arg-type]
    assert scraped(registry) == {}
    topic.away = False
    topic.reading.records = [review(1)]
    assert scraped(registry) == {}
    topic.reading.records = [None]
    assert scraped(registry) == {("vn_reviews_open", "workflow"): 1, ("vn_review_oldest_seconds", "workflow"): 60}
