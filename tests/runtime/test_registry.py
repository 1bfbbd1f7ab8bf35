"""A schema registry over HTTP, answering and not answering."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from processors.domain.event import Event
from processors.domain.notification import Notification
from processors.runtime.errors import Retry, Stop
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.registry import MAX_UNAVAILABLE, ConfluentRegistry
from processors.runtime.wire.schemas import RECORDS, current, schema_name
from tests.web_server import serving, url_of


class Answers(BaseHTTPRequestHandler):
    """Speaks as much of the registry's protocol as its clients need."""

    def do_POST(self) -> None:
        schema = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["schema"]
        rule_sets: Any = self.server
        rule_sets.subjects[self.path.split("/")[2]] = schema
        self.answer({"id": list(rule_sets.subjects).index(self.path.split("/")[2]) + 1})

    def do_GET(self) -> None:
        rule_sets: Any = self.server
        texts = dict(enumerate(rule_sets.subjects.values(), start=1)) | rule_sets.others
        identity = int(self.path.split("/")[3].partition("?")[0])
        if identity in texts:
            self.answer({"schema": texts[identity], **rule_sets.more})
        else:
            self.answer({"error_code": 40403, "message": "Schema not found"}, 404)

    def answer(self, document: Any, status: int = 200) -> None:
        rule_sets: Any = self.server
        body = json.dumps(document if rule_sets.status is None else {"error_code": rule_sets.status, "message": "no"}).encode()
        self.send_response(rule_sets.status or status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client asks once more without a pause."""
    monkeypatch.setattr("confluent_kafka.schema_registry._sync.schema_registry_client.full_jitter", lambda *_: 0)


@pytest.fixture
def server() -> Iterator[Any]:
    with serving(Answers) as found:
        server: Any = found
        server.subjects, server.others, server.more, server.status = {}, {}, {}, None
        yield server


@pytest.fixture
def url(server: Any) -> str:
    return url_of(server)


def test_every_schema_is_registered_under_the_prefix_when_the_codec_is_made(server: Any, url: str) -> None:
    Codec(url, prefix="test.")
    assert set(server.subjects) == {f"test.{schema_name(record)}" for record in RECORDS}
    assert json.loads(server.subjects["test.Event"]) == current("Event").source


def test_two_codecs_on_one_registry_read_each_other(url: str, example: Event) -> None:
    raw = Codec(url).encode(example)
    assert raw[:1] == b"\0"
    assert Codec(url).decode(raw) == example
    notification = Notification(registrant_id="R", registration_ids=("a",), event=example)
    assert Codec(url).decode(Codec(url).encode(notification)) == notification


@pytest.fixture
def example() -> Event:
    return Event(
        offender="o1",
        seq=1,
        received_at=1,
        message_id="M-1",
        ori="VA0430000",
        jurisdiction="VA",
        part=0,
        parts=1,
        operation="Add",
        event_type="Jail",
        event_subtype="Escape",
        notification_type="Status Update",
        action_at=1,
        past_from=1,
    )


def test_a_schema_of_another_kind_or_none_is_not_there(server: Any, url: str) -> None:
    registry = ConfluentRegistry(url, "vn.")
    assert registry.schema(77) is None
    server.others = {78: '"string"', 79: '{"type": "record", "name": "A", "fields": []}'}
    assert registry.schema(78) is None
    server.more = {"references": [{"name": "B", "subject": "B", "version": 1}]}
    assert registry.schema(79) is None


def test_an_outsiders_schema_is_there(server: Any, url: str) -> None:
    server.others = {79: '{"type": "record", "name": "gov.va.A", "fields": []}'}
    found = ConfluentRegistry(url, "vn.").schema(79)
    assert found is not None
    assert found.record == "A"


@pytest.mark.parametrize(("status", "error"), [(409, Stop), (401, Stop), (422, Stop), (503, Retry), (429, Retry)])
def test_a_refusal_says_whether_to_try_again(server: Any, url: str, status: int, error: type[Exception]) -> None:
    registry = ConfluentRegistry(url, "vn.")
    server.status = status
    with pytest.raises(error, match="schema registry"):
        registry.register(current("Tick"))


def test_silence_is_to_be_tried_again() -> None:
    registry = ConfluentRegistry("http://127.0.0.1:1", "vn.")
    with pytest.raises(Retry, match="does not answer"):
        registry.register(current("Tick"))
    with pytest.raises(Retry, match="does not answer"):
        registry.schema(1)


def test_a_url_that_is_none_stops() -> None:
    with pytest.raises(Stop, match="SCHEMA_REGISTRY_URL"):
        Codec("localhost:8081")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_whatever_is_answered_about_an_outsiders_id_is_no_reason_to_stop(server: Any, url: str, status: int) -> None:
    registry = ConfluentRegistry(url, "test.")
    server.status = status
    assert registry.schema(7) is None


def test_a_registry_that_is_unavailable_is_waited_for_but_not_for_ever(server: Any, url: str) -> None:
    registry = ConfluentRegistry(url, "test.")
    server.status = 503
    for _ in range(MAX_UNAVAILABLE - 1):
        with pytest.raises(Retry):
            registry.schema(7)
    assert registry.schema(7) is None
    with pytest.raises(Retry):
        registry.schema(8)


@pytest.mark.parametrize("text", ["{", "[]", '"string"', '{"type": "record"}', '{"type": "record", "name": 7}', "[" * 100_000])
def test_a_schema_that_is_none_is_no_schema(server: Any, url: str, text: str) -> None:
    registry = ConfluentRegistry(url, "test.")
    server.others[7] = text
    assert registry.schema(7) is None
