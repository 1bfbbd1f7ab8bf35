"""When an agency last sent a message."""

from msgspec import Struct


class AgencyHeard(Struct, frozen=True, gc=False, kw_only=True):
    """An agency's latest message, published at most once a minute. The key is the ORI; `heard_at` is in milliseconds."""

    ori: str
    jurisdiction: str
    message_id: str
    heard_at: int
