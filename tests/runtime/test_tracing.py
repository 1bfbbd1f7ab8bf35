"""Spans as a collector receives them; one that is slow or gone costs a stage nothing."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from socket import create_server
from threading import Event
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from processors.domain.journal import Verdict
from processors.domain.seal import Seal
from processors.domain.trace import root_of
from processors.ingest.read.decide import READ
from processors.pipeline import PIPELINE
from processors.rehearsal.samples import sample, sent_at
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.decide.task import Task
from processors.runtime.errors import UserError
from processors.runtime.run.tracing import MAX_SPANS, Tracing
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Context, Record
from processors.topics import SUBMISSIONS
from tests.web_server import serving, url_of

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SENT = GIVEN.split("-")[1]


@dataclass
class Collector:
    """A collector on a port of this machine, and what it has received."""

    url: str = ""
    spans: list[Any] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    arrived: Event = field(default_factory=Event)

    def take(self, body: bytes) -> None:
        for each in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.services |= {pair.value.string_value for pair in each.resource.attributes if pair.key == "service.name"}
            self.spans += [span for scope in each.scope_spans for span in scope.spans]
        self.arrived.set()


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            found.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with serving(Receiver) as server:
        found.url = url_of(server)
        yield found


def verdict(stage: str = "read", message_id: str = "M-1", **fields: Any) -> Verdict:
    given: dict[str, Any] = {"outcome": "accepted", "reason": "accepted", "detail": "Ann Walker", "at": 1, "ori": "VA0430000"}
    return Verdict(stage=stage, message_id=message_id, **(given | fields))


def test_the_stages_decisions_on_one_message_are_one_trace(collector: Collector) -> None:
    for stage in ("read", "dedupe"):
        tracing = Tracing(collector.url, stage)
        given = {("VA0430000", "M-1"): GIVEN} if stage == "read" else {}
        tracing.record([verdict(stage, trace=SENT)], given, 1_000, 2_000)
        tracing.close()
    first, second = sorted(collector.spans, key=lambda span: span.name, reverse=True)
    assert {span.trace_id.hex() for span in collector.spans} == {SENT}
    assert (first.name, first.start_time_unix_nano, first.end_time_unix_nano) == ("read accepted", 1_000, 2_000)
    assert first.parent_span_id.hex() == GIVEN.split("-")[2]
    assert second.parent_span_id == first.span_id == bytes.fromhex(root_of("VA0430000", "M-1"))
    assert collector.services == {"vn-read", "vn-dedupe"}
    said = {pair.key: pair.value.string_value for pair in first.attributes}
    assert said == {"vn.message_id": "M-1", "vn.agency": "VA0430000", "vn.outcome": "accepted", "vn.reason": "accepted"}


def test_a_message_is_one_trace_over_all_six_stages(collector: Collector) -> None:
    now = datetime(2026, 11, 2, 17, 0, tzinfo=UTC)
    driver = PipelineDriver(PIPELINE, load_rules(), bytes(range(64)), now)
    driver.register(json.loads(sent_at(sample("registration").text, now)))
    driver.send(SUBMISSIONS, sent_at(sample("icots-departure").text, now), headers=(("traceparent", GIVEN),))
    driver.advance(timedelta(seconds=30))
    driver.receipt(driver.outbound("sms")[-1].reference, "delivered")
    verdicts = driver.verdicts("ICOTS-NOD-931")
    for stage in dict.fromkeys(each.stage for each in verdicts):
        tracing = Tracing(collector.url, stage)
        given = {("VAICOTS01", "ICOTS-NOD-931"): GIVEN}
        tracing.record([each for each in verdicts if each.stage == stage], given, 1_000, 2_000)
        tracing.close()
    assert collector.services == {f"vn-{stage}" for stage in ("read", "identify", "dedupe", "validate", "match", "deliver")}
    assert {span.trace_id.hex() for span in collector.spans} == {SENT}
    assert "deliver receipt" in {span.name for span in collector.spans}
    (root,) = [span for span in collector.spans if span.name == "read accepted"]
    assert {span.parent_span_id for span in collector.spans if span is not root} == {root.span_id}


def test_the_same_share_of_traces_is_kept_in_every_stage(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processors.runtime.run.tracing.MAX_SPANS", 400)
    verdicts = [verdict(message_id=f"M-{number}") for number in range(400)]
    kept = []
    for stage in ("read", "match"):
        collector.spans.clear()
        tracing = Tracing(collector.url, stage, 0.25)
        tracing.record(verdicts, {}, 1, 2)
        tracing.close()
        kept.append({span.trace_id for span in collector.spans})
    assert kept[0] == kept[1]
    assert 60 < len(kept[0]) < 140


@pytest.mark.parametrize("share", ["2", "-1", "half"])
def test_a_share_that_is_none_is_refused(share: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", share)
    with pytest.raises(UserError, match="OTEL_TRACES_SAMPLER_ARG cannot be used"):
        Settings()


@pytest.mark.parametrize("kind", ["gone", "silent"])
def test_a_collector_that_does_not_answer_costs_next_to_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that decides on 5,000 messages a second: well below a hundredth of its time goes into spans."""
    monkeypatch.setattr("processors.runtime.run.tracing.EXPORT_SECONDS", 0.2)
    with create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        if kind == "gone":
            listening.close()
        tracing = Tracing(f"http://127.0.0.1:{port}", "read")
        batch = [verdict(message_id=f"M-{number}") for number in range(500)]
        tracing.record(batch[:10], {}, 1, 2)
        begun = time.process_time()
        for _ in range(60):
            tracing.record(batch, {}, 1, 2)
        assert time.process_time() - begun < 0.01 * 6 + 0.00005 * 2 * MAX_SPANS
        begun = time.monotonic()
        tracing.close()
        assert time.monotonic() - begun < 3


def test_the_context_that_came_with_a_record_goes_with_its_messages_verdicts() -> None:
    positions = {topic.name: 0 for topic in READ.inputs}
    task = Task(READ, 0, Position(0, positions), dict(positions), {})
    raw = b'{"message_id": "M-1", "agency": {"ori": "VA0430000"}}'
    record = Record(SUBMISSIONS.name, 0, 0, None, 1, raw, raw, GIVEN)
    task.enqueue(SUBMISSIONS.name, record)
    result = task.decide([record], None, 10, lambda _: [], Codec(), Context(load_rules(), Seal(bytes(range(64)))))
    assert result.traceparents == {("VA0430000", "M-1"): GIVEN}
