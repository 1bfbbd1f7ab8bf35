"""Committed offsets are requested again while the broker loads the group's coordinator."""

from typing import Any, cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from processors.runtime.errors import Restart
from processors.runtime.kafka import clients
from processors.runtime.kafka.clients import Fenced, Unavailable, committed_offsets

PLACE = ("in", 0)


class Asked:
    """A consumer whose coordinator answers in turn; the last answer stays."""

    def __init__(self, *answers: KafkaError | int) -> None:
        self.answers = list(answers)
        self.times = 0

    def committed(self, topic_partitions: list[TopicPartition], _timeout: float) -> list[TopicPartition]:
        self.times += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, KafkaError):
            raise KafkaException(answer)
        return [TopicPartition(each.topic, each.partition, answer) for each in topic_partitions]


def ask(asked: Asked) -> Any:
    return committed_offsets(cast("Consumer", asked), [PLACE])


def test_it_is_asked_again_until_the_coordinator_is_there() -> None:
    asked = Asked(KafkaError(KafkaError.NOT_COORDINATOR), KafkaError(KafkaError.COORDINATOR_LOAD_IN_PROGRESS), 7)
    assert ask(asked) == {PLACE: 7}
    assert asked.times == 3


def test_it_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "OFFSETS_SECONDS", 0.0)
    asked = Asked(KafkaError(KafkaError.NOT_COORDINATOR))
    with pytest.raises((Restart, Unavailable, Fenced), match="NOT_COORDINATOR"):
        ask(asked)
    assert asked.times == 1


def test_any_other_error_is_raised_at_once() -> None:
    asked = Asked(KafkaError(KafkaError.UNKNOWN_MEMBER_ID), 7)
    with pytest.raises((Restart, Unavailable, Fenced), match="UNKNOWN_MEMBER_ID"):
        ask(asked)
    assert asked.times == 1
