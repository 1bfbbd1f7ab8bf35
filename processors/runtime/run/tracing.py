"""
Sends spans of a stage's decisions to an OpenTelemetry collector over HTTP; none if `OTEL_EXPORTER_OTLP_ENDPOINT` is not set.

Each verdict is a span of its message's trace, from the batch's start to its commit. Spans wait in a bounded queue for an export
thread; when it is full, or more than `MAX_SPANS` were created within a second, they are dropped: a slow or dead collector does
not slow a stage down. `OTEL_TRACES_SAMPLER_ARG` is the fraction of traces that is kept, the same ones in every stage.
"""

import logging
from collections.abc import Iterable, Mapping
from threading import Thread
from time import monotonic
from typing import Any, Final

from processors.domain.journal import Verdict
from processors.domain.trace import TRACEPARENT, digest, root_of, trace_of

MAX_SPANS: Final = 50  # per second and stage: each costs about 25 µs with its export, together a hundredth of a busy stage's time
QUEUE_SIZE: Final = 2_048
EXPORT_SECONDS: Final = 2.0
EXPORT_INTERVAL: Final = 1_000.0  # milliseconds
FIRST_STAGE: Final = "read"
SAMPLING_RANGE: Final = 1 << 64


class Tracing:
    """The spans of one stage."""

    def __init__(self, endpoint: str, stage: str, share: float = 1.0) -> None:
        # Slow to import, and only needed if there is a collector.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # do not log that the collector is down
        self._stage = stage
        self._share = int(share * SAMPLING_RANGE)  # as OpenTelemetry's own sampler does
        self._resource = Resource({"service.name": f"vn-{stage}"})
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
        self._processor = BatchSpanProcessor(exporter, QUEUE_SIZE, EXPORT_INTERVAL, QUEUE_SIZE // 4)
        self._second, self._count = 0, 0

    def record(self, verdicts: Iterable[Verdict], traceparents: Mapping[tuple[str | None, str], str], began: int, ended: int) -> None:
        """
        Queue the spans of a batch's verdicts; times in nanoseconds.

        `traceparents` holds the trace contexts that came with messages, by agency and message id: the first span of a message
        is a child of the agency's own span.
        """
        for each in verdicts:
            if not self._is_within_limit():
                break
            trace = trace_of(each.ori, each.message_id, each.trace)
            if int(trace[16:], 16) < self._share:
                self._processor.on_end(self._span(trace, each, traceparents.get((each.ori, each.message_id)), (began, ended)))

    def close(self) -> None:
        """Send the queued spans, if the collector accepts them in time."""
        last = Thread(target=self._processor.shutdown, daemon=True)  # in a thread, since its own time limit is per batch
        last.start()
        last.join(EXPORT_SECONDS)

    def _is_within_limit(self) -> bool:
        second = int(monotonic())
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        return self._count <= MAX_SPANS

    def _span(self, trace: str, verdict: Verdict, traceparent: str | None, times: tuple[int, int]) -> Any:
        from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415

        root = root_of(verdict.ori, verdict.message_id)
        own, parent = root, None
        if self._stage != FIRST_STAGE:
            own, parent = digest(f"{root} {verdict.stage} {verdict.offender} {verdict.reference} {verdict.at} {times[0]}", 8), root
        elif (context := TRACEPARENT.fullmatch(traceparent or "")) is not None:
            parent = context[2]
        return ReadableSpan(
            f"{verdict.stage} {verdict.outcome}",
            _context(trace, own),
            parent=None if parent is None else _context(trace, parent),
            resource=self._resource,
            attributes=attributes_of(verdict),
            start_time=times[0],
            end_time=times[1],
        )


def attributes_of(verdict: Verdict) -> dict[str, str]:
    """Return a span's attributes: codes and ids, nothing about a registrant."""
    found = {
        "vn.message_id": verdict.message_id,
        "vn.agency": verdict.ori,
        "vn.outcome": verdict.outcome,
        "vn.reason": verdict.reason,
        "vn.offender": verdict.offender,
        "vn.review_id": verdict.review_id,
        "vn.channel": verdict.channel,
        "vn.rules": verdict.rules,
    }
    return {name: value for name, value in found.items() if value}


def _context(trace: str, span: str) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415

    return SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
