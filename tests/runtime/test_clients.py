"""Errors of Kafka's clients, by what the caller must do about them."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from processors.runtime.errors import Restart, Stop
from processors.runtime.kafka.clients import DENIED, Fenced, Unavailable, UnknownTopic, message_kind, poll_batch, translated_errors


def message(code: int) -> Any:
    return SimpleNamespace(error=lambda: KafkaError(code), topic=lambda: "vn.events", partition=lambda: 0, offset=lambda: 7)


class Fetched:
    """A consumer that has fetched one record, and gets two more a while later."""

    def poll(self, timeout: float) -> str | None:
        return "first" if timeout else None

    def consume(self, most: int, timeout: float) -> list[str]:
        return ["second", "third"][:most] if timeout >= 0.2 else []


@pytest.mark.parametrize(
    ("most", "timeout", "linger", "batch"),
    [
        (9, 1, 0, ["first"]),
        (9, 1, 0.2, ["first", "second", "third"]),
        (2, 1, 0.2, ["first", "second"]),
        (1, 1, 0.2, ["first"]),
        (9, 0, 0.2, []),
    ],
)
def test_a_batch_waits_for_more_records_only_where_its_stage_lingers(most: int, timeout: float, linger: float, batch: list[str]) -> None:
    assert poll_batch(Fetched(), most, timeout, linger) == batch  # type: ignore[arg-type, comparison-overlap]


@pytest.mark.parametrize("code", DENIED)
def test_a_right_that_is_lacking_is_a_sentence_and_no_noise(code: int) -> None:
    with pytest.raises(Stop, match=r"^vn\.events cannot be read: .* (grant|fix) "):
        message_kind(message(code))
    with pytest.raises(Stop, match=r"^the commit failed: .* (grant|fix) "), translated_errors("the commit failed"):
        raise KafkaException(KafkaError(code))


@pytest.mark.parametrize("code", [KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC])
def test_a_topic_that_is_not_known_any_more_is_looked_for_again(code: int) -> None:
    with pytest.raises(UnknownTopic, match=r"^the broker does not know vn\.events"):
        message_kind(message(code))


def test_what_the_client_recovers_from_is_noise() -> None:
    assert message_kind(message(KafkaError._TRANSPORT)) == "noise"
    assert message_kind(message(KafkaError._PARTITION_EOF)) == "end"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (KafkaError.PRODUCER_FENCED, Fenced),
        (KafkaError._TIMED_OUT, Unavailable),
        (KafkaError.INVALID_TXN_STATE, Restart),
        (KafkaError.MSG_SIZE_TOO_LARGE, Stop),
    ],
)
def test_every_other_error_has_its_kind(code: int, kind: type[Exception]) -> None:
    with pytest.raises(kind), translated_errors("the commit failed"):
        raise KafkaException(KafkaError(code))
