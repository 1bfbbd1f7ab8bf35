"""A view continues after its reader has lost the brokers."""

from pathlib import Path
from typing import Any

import pytest

from processors.runtime.kafka import lost_brokers
from processors.views import follower
from processors.views.database import View
from processors.views.follower import Follower
from processors.views.tables import STAFF_MODEL
from tests.runtime.lost_reader import LostReader


class Reader(LostReader):
    """A reader that reaches the broker, and has its follower stop."""

    following: Follower

    def list_topics(self, *_: Any, **__: Any) -> None:
        """Answer."""

    def poll(self, _: float) -> None:
        self.following.stop()


class Broker:
    """A broker whose first reader has lost it."""

    def __init__(self) -> None:
        self.readers = [LostReader(), Reader()]
        self._left = iter(self.readers)

    def topic_identity(self, topic: str) -> str:
        return topic

    def partition_counts(self, topics: Any) -> dict[str, int]:
        return dict.fromkeys(topics, 1)

    def end_offsets(self, topic_partitions: Any) -> dict[Any, int]:
        return dict.fromkeys(topic_partitions, 0)

    def partition_consumer(self) -> LostReader:
        return next(self._left)


def test_a_view_is_followed_by_another_reader_once_one_reaches_no_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_brokers, "PROBE_INTERVAL", 0)
    monkeypatch.setattr(follower, "RETRY_SECONDS", 0)
    broker: Any = Broker()
    following = Reader.following = Follower(broker, None, "vn.", View(tmp_path / "view.sqlite", STAFF_MODEL))  # type: ignore[arg-type]
    following._run()
    lost, _ = broker.readers
    assert lost.closed
    assert next(broker._left, None) is None
