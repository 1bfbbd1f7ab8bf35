"""
W3C trace context of a message: every stage's decision on it belongs to one trace, whose id is a digest of agency and message id.

So nothing has to be carried for it, whatever holds, queues and merges a message goes through, and the journal names it too. The
span of `read` is linked to the trace context that the agency sent along.
"""

import re
from hashlib import blake2b
from typing import Final

TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}")
HEADER: Final = "traceparent"


def trace_of(ori: str | None, message_id: str) -> str:
    """Return the id of a message's trace."""
    return digest(f"{ori or ''}\n{message_id}", 16)


def root_of(trace: str) -> str:
    """Return the id of the span that a trace begins with."""
    return digest(trace, 8)


def traceparent(trace: str, span: str) -> str:
    """Return the header that ties a record to a span of a trace."""
    return f"00-{trace}-{span}-01"


def valid_traceparent(text: str | bytes | None) -> str | None:
    """Return a header that is well formed; None for any other: it is never a reason to refuse a message."""
    if isinstance(text, bytes):
        text = text.decode("ascii", errors="replace")
    return text if text is not None and TRACEPARENT.fullmatch(text) else None


def digest(text: str, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()
