"""
The headers of an outbound record: CloudEvents in binary mode (Kafka protocol binding 1.0) and W3C trace context.

They contain no address and no text, since many tools show headers. All messages of one notification share a trace: that of the
first submission told.
"""

from collections.abc import Mapping
from typing import Final

from processors.domain.notification import Outbound
from processors.domain.time import iso
from processors.domain.trace import HEADER, Headers, digest, trace_of, traceparent

SOURCE: Final = "/vn/deliver"
SCHEMA: Final = "urn:vn:avro:Outbound"


def headers_of(outbound: Outbound, traces: Mapping[str, str]) -> Headers:
    """Return the headers of an attempt, always the same for the same attempt; `traces` are the agencies' own traces, by message id."""
    return (
        ("ce_specversion", "1.0"),
        ("ce_id", outbound.reference),
        ("ce_source", SOURCE),
        ("ce_type", f"vn.outbound.{outbound.channel}.{outbound.kind}"),
        ("ce_time", iso(outbound.created_at)),
        ("ce_subject", outbound.notification_id),
        ("ce_dataschema", SCHEMA),
        ("content-type", "application/avro"),
        (HEADER, traceparent(trace_of_outbound(outbound, traces), digest(outbound.reference, 8))),
    )


def trace_of_outbound(outbound: Outbound, traces: Mapping[str, str]) -> str:
    """Return the trace of the first submission told; without a submission, a trace derived from the notification."""
    if outbound.agency is None or not outbound.message_ids:
        return digest(outbound.notification_id, 16)
    first = outbound.message_ids[0]
    return trace_of(outbound.agency.ori, first, traces.get(first))
