"""When an agency last sent a message."""

from msgspec import Struct


class AgencyHeard(Struct, frozen=True, gc=False, kw_only=True):
    """One agency's newest message, published at most once a minute; key is the ORI, `heard_at` in milliseconds."""

    ori: str
    jurisdiction: str
    message_id: str
    heard_at: int
