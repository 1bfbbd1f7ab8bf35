"""A client that was answered that the cluster has no brokers never asks again: this is noticed, and the client replaced."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from processors.runtime.errors import Restart
from processors.runtime.kafka import lost_brokers
from processors.runtime.kafka.broadcast import BroadcastReader
from processors.runtime.kafka.lost_brokers import MAX_ABSENCE, PROBE_INTERVAL, BrokerProbe, GroupAbsence
from tests.runtime.lost_reader import LostReader
from tests.runtime.stepped_clock import SteppedClock


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> SteppedClock:
    made = SteppedClock()
    monkeypatch.setattr(lost_brokers, "monotonic", made)
    return made


def test_only_a_member_without_an_id_is_absent(time: SteppedClock) -> None:
    member: Any = SimpleNamespace(memberid=lambda: name)
    absence = GroupAbsence()
    name = ""
    assert not absence.is_long(member)
    time.now += MAX_ABSENCE
    assert not absence.is_long(member)
    time.now += 1
    assert absence.is_long(member)
    name = "rdkafka-1"
    assert not absence.is_long(member)
    name = ""
    assert not absence.is_long(member), "an absence that has ended is not counted"


def test_a_reader_asks_now_and_then_whether_it_reaches_a_broker(time: SteppedClock) -> None:
    asked: list[str] = []

    def answer(topic: str, **_: float) -> None:
        asked.append(topic)
        if len(asked) > 1:
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))

    reader: Any = SimpleNamespace(list_topics=answer)
    reach = BrokerProbe("vn.policies")
    for seconds, times in ((PROBE_INTERVAL - 1, 0), (1, 1), (PROBE_INTERVAL - 1, 1)):
        time.now += seconds
        reach.check(reader)
        assert asked == ["vn.policies"] * times
    time.now += 1
    with pytest.raises(Restart, match=r"vn\.policies was not reached"):
        reach.check(reader)


def test_settings_are_followed_by_another_reader_once_one_reaches_no_broker(time: SteppedClock) -> None:
    first, second = made = LostReader(), LostReader()
    left = iter(made)
    broker: Any = SimpleNamespace(
        end_offsets=lambda topic_partitions: dict.fromkeys(topic_partitions, 0), partition_consumer=lambda **_: next(left)
    )
    reader = BroadcastReader(broker, "vn.policies", lambda _: None)
    time.now += PROBE_INTERVAL
    with pytest.raises(Restart):
        reader.poll()
    assert first.closed
    reader.close()
    assert second.closed
