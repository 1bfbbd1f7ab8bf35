"""
The headers of an outbound record: CloudEvents in binary mode (Kafka protocol binding 1.0) and W3C trace context.

They hold no address and nothing of the text, since many tools show headers. All
messages of one notification share a trace.
"""

from hashlib import blake2b
from typing import Final

from processors.domain.notification import Outbound
from processors.domain.time import iso

SOURCE: Final = "/vn/deliver"
SCHEMA: Final = "urn:vn:avro:Outbound"


def headers_of(outbound: Outbound) -> tuple[tuple[str, str], ...]:
    """Return the headers of an attempt; the same attempt has the same headers."""
    return (
        ("ce_specversion", "1.0"),
        ("ce_id", outbound.reference),
        ("ce_source", SOURCE),
        ("ce_type", f"vn.outbound.{outbound.channel}.{outbound.kind}"),
        ("ce_time", iso(outbound.created_at)),
        ("ce_subject", outbound.notification_id),
        ("ce_dataschema", SCHEMA),
        ("content-type", "application/avro"),
        ("traceparent", f"00-{digest(outbound.notification_id, 16)}-{digest(outbound.reference, 8)}-01"),
    )


def digest(text: str, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()
