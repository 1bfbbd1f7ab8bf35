"""
W3C trace context of a message: every stage's decision on it belongs to one trace.

The trace id is the one in the agency's `traceparent` header; if the header is missing or malformed, a digest of agency and message id.
An agency's trace id travels with the message: in the headers of every record, and in records and states that outlive it. Our own
trace ids are computed wherever they are needed and are not stored.
"""

import re
from collections.abc import Collection
from functools import cache
from hashlib import blake2b
from typing import Any, Final

TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
HEADER: Final = "traceparent"

Headers = tuple[tuple[str, str], ...]


def trace_of(ori: str | None, message_id: str, sent: str | None = None) -> str:
    """Return the id of a message's trace: `sent` by the agency, or derived from the message."""
    return sent or digest(f"{ori or ''}\n{message_id}", 16)


def root_of(ori: str | None, message_id: str) -> str:
    """Return the id of our first span of a message; it depends on the message, since an agency may send several in one trace."""
    return digest(f"{ori or ''}\n{message_id}\nread", 8)


def traceparent(trace: str, span: str) -> str:
    """Return the header that ties a record to a span of a trace."""
    return f"00-{trace}-{span}-01"


def message_headers(ori: str | None, message_id: str, trace: str) -> Headers:
    """Return the headers of a record about a message."""
    return ((HEADER, traceparent(trace, root_of(ori, message_id))),)


def headers_of(value: Any, came_with: str | None) -> Headers:
    """
    Return the headers of a record: the trace of the message that it is about.

    A record about no message gets the header of the input that led to it, `came_with`.
    """
    about = about_a_message(value.__class__)
    if about is None:
        return ((HEADER, came_with),) if came_with else ()
    message = value.event if about == "event" else value
    trace = getattr(message, "trace", None)
    return () if trace is None else message_headers(message.ori, message.message_id, trace)


@cache
def about_a_message(record: type) -> str | None:
    """Return the field that holds the message in records of this type ("trace" if the record is the message itself); None if none does."""
    return next((name for name in ("trace", "event") if hasattr(record, name)), None)


def header_in(headers: Collection[tuple[str, Any]]) -> str | None:
    """Return the trace context in a record's headers: empty if it is malformed, None if there is none."""
    if not headers:
        return None
    return next((valid_traceparent(value) or "" for name, value in headers if name == HEADER), None)


def valid_traceparent(text: str | bytes | None) -> str | None:
    """Return the header if it is well-formed, otherwise None; a malformed header is never a reason to refuse a message."""
    if isinstance(text, bytes):
        text = text.decode("ascii", errors="replace")
    return text if text is not None and TRACEPARENT.fullmatch(text) else None


def trace_in(header: str | None) -> str | None:
    """Return the trace id in a header; None if there is no header, or if it is malformed."""
    found = TRACEPARENT.fullmatch(header) if header else None
    return None if found is None else found[1]


def digest(text: str, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()
