"""The headers of outbound records are CloudEvents in binary mode with a trace, and hold nothing of a registrant."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from processors.deliver.dispatch.headers import headers_of
from processors.domain.notification import Outbound
from processors.pipeline import PIPELINE
from processors.rehearsal.samples import sample, sent_at
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import OUTBOUND

NOW = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)


class Opaque(JSONFormat):
    """Leaves the data of an event as it is: it is Avro."""

    def read_data(self, body: Any, datacontenttype: str | None) -> Any:  # noqa: ARG002
        return body


def sent() -> list[tuple[dict[str, str], Outbound]]:
    driver = PipelineDriver(PIPELINE, load_rules(), bytes(range(64)), NOW)
    driver.register(json.loads(sent_at(sample("registration").text, NOW)))
    driver.submit(sent_at(sample("icots-departure").text, NOW))
    driver.advance(timedelta(minutes=1))
    entries = [entry for topic in OUTBOUND.values() for entry in driver.entries(topic)]
    every = [(dict(entry.headers), driver.codec.decode(entry.value)) for entry in entries if entry.value is not None]
    return [(headers, outbound) for headers, outbound in every if outbound.kind == "notification"]


def test_a_reader_of_cloudevents_understands_them() -> None:
    found = sent()
    assert len(found) == 3
    for headers, outbound in found:
        message = KafkaMessage({name: value.encode() for name, value in headers.items()}, outbound.registrant_id, b"\xc3\x01")
        event = from_binary(message, Opaque())
        assert event.get_id() == outbound.reference
        assert event.get_type() == f"vn.outbound.{outbound.channel}.notification"
        assert event.get_source() == "/vn/deliver"
        assert event.get_subject() == outbound.notification_id
        assert event.get_time() == datetime.fromtimestamp(outbound.created_at / 1000, UTC)
        assert event.get_datacontenttype() == "application/avro"


def test_the_messages_of_a_notification_share_a_trace() -> None:
    parents = [re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01", headers["traceparent"]) for headers, _ in sent()]
    assert all(parents)
    assert len({parent[1] for parent in parents if parent}) == 1
    assert len({parent[2] for parent in parents if parent}) == 3


def test_no_header_holds_an_address_or_a_name() -> None:
    for headers, outbound in sent():
        text = " ".join(headers.values())
        assert outbound.to not in text
        assert outbound.to.removeprefix("+1") not in text
        assert "Sample" not in text


def test_the_same_attempt_has_the_same_headers() -> None:
    (_, outbound), *_ = sent()
    assert headers_of(outbound, {}) == headers_of(outbound, {})
