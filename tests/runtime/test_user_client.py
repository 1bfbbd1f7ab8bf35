"""What a command reads at one place of a topic: the record, nothing, or a sentence that the broker does not answer."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import first_message

PLACE = TopicPartition("vn.decisions", 1, 7)
RECORD = SimpleNamespace(error=lambda: None)


def told(code: int, **more: Any) -> Any:
    return SimpleNamespace(error=lambda: KafkaError(code, **more))


END = told(KafkaError._PARTITION_EOF)
BUSY = told(KafkaError.LEADER_NOT_AVAILABLE, retriable=True)
FORBIDDEN = told(KafkaError.TOPIC_AUTHORIZATION_FAILED)


def reader(*events: Any) -> Any:
    left = iter(events)
    return SimpleNamespace(assign=lambda _: None, poll=lambda _: next(left))


@pytest.mark.parametrize(("events", "found"), [((RECORD,), RECORD), ((BUSY, BUSY, RECORD), RECORD), ((END,), None), ((BUSY, END), None)])
def test_what_the_library_retries_is_waited_for(events: Any, found: Any) -> None:
    assert first_message(reader(*events), PLACE) is found


@pytest.mark.parametrize(
    ("events", "why"), [((None,), "stopped answering"), ((BUSY, None), "stopped answering"), ((FORBIDDEN,), "cannot be read")]
)
def test_a_broker_that_does_not_say_is_not_taken_for_one_without_the_record(events: Any, why: str) -> None:
    with pytest.raises(UserError, match=f"vn.decisions.*{why}|{why}.*vn.decisions"):
        first_message(reader(*events), PLACE)
