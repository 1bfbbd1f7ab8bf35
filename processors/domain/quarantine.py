"""A record that an operator quarantined."""

from msgspec import Struct


class QuarantinedRecord(Struct, frozen=True, gc=False, kw_only=True):
    """A record that its stage must skip; `topic` is without the prefix."""

    topic: str
    partition: int
    offset: int
    reason: str
    set_by: str
    set_at: int


def record_id(topic: str, partition: int, offset: int) -> str:
    """Return a record's id: topic, partition and offset."""
    return f"{topic}-{partition}-{offset}"
