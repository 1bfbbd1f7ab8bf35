"""Whether the pipeline is idle, without a broker: what is asked, and how the answers are interpreted."""

from collections.abc import Iterable
from typing import Any

import pytest

from processors.pipeline import PIPELINE
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import TopicAndPartition
from processors.runtime.run import idle

UNITS = {unit.name: unit for units in PIPELINE.values() for unit in units}


class Kafka:
    """Ends of logs and committed offsets that the test sets; notes which groups it was asked for."""

    def __init__(self) -> None:
        self.end: dict[TopicAndPartition, int] = {(topic.name, 0): 5 for unit in UNITS.values() for topic in unit.inputs} | {
            ("clock", 0): 3
        }
        self.committed = {name: {(topic.name, 0): 5 for topic in unit.inputs} | {("clock", 0): 3} for name, unit in UNITS.items()}
        self.asked: list[str] = []
        self.observers = 0
        self.away = False

    def partition_counts(self, topics: Iterable[str]) -> dict[str, int]:
        return dict.fromkeys(topics, 1)

    def offsets_consumer(self, group: str) -> str:
        self.observers += 1
        return group

    def end_offsets(self, topic_partitions: Iterable[TopicAndPartition], _: Any) -> dict[TopicAndPartition, int]:
        return {topic_partition: self.end[topic_partition] for topic_partition in topic_partitions}

    def offsets(self, group: str, topic_partitions: Iterable[TopicAndPartition]) -> dict[TopicAndPartition, int | None]:
        if self.away:
            raise Restart("the broker is away")
        self.asked.append(group)
        return {topic_partition: self.committed[group][topic_partition] for topic_partition in topic_partitions}


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    made = Kafka()
    monkeypatch.setattr(idle, "committed_offsets", made.offsets)
    return made


def watching(kafka: Kafka) -> idle.PipelineProgress:
    broker: Any = kafka
    return idle.PipelineProgress(broker, "", PIPELINE)


def test_idle_is_who_has_read_everything_and_fired_every_timer(kafka: Kafka) -> None:
    watch = watching(kafka)
    assert watch.is_idle()
    kafka.committed["deliver"]["clock", 0] = 2
    assert not watch.is_idle()
    kafka.committed["deliver"]["clock", 0] = 3
    assert watch.is_idle()


def test_what_was_written_while_the_units_were_asked_is_still_to_be_read(kafka: Kafka) -> None:
    watch = watching(kafka)
    assert watch.is_idle()
    kafka.end["events", 0] = 6
    assert not watch.is_idle()
    kafka.committed["dedupe"]["events", 0] = 6
    assert watch.is_idle()


def test_who_was_behind_is_asked_first_and_alone_until_it_has_come_up(kafka: Kafka) -> None:
    watch = watching(kafka)
    assert watch.is_idle()
    kafka.committed["match"]["clock", 0] = 2
    assert not watch.is_idle()
    kafka.asked.clear()
    assert not watch.is_idle()
    assert kafka.asked == ["match"]
    kafka.committed["match"]["clock", 0] = 3
    kafka.asked.clear()
    assert watch.is_idle()
    assert sorted(kafka.asked) == sorted(UNITS), "whoever was not behind may be by now"


def test_after_the_broker_was_away_every_client_is_a_new_one(kafka: Kafka) -> None:
    watch = watching(kafka)
    assert watch.is_idle()
    made, kafka.away = kafka.observers, True
    with pytest.raises(Restart):
        watch.is_idle()
    kafka.away = False
    assert watch.is_idle()
    assert kafka.observers == 2 * made
