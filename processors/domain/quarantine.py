"""A record that an operator set aside."""

from msgspec import Struct


class QuarantinedRecord(Struct, frozen=True, gc=False, kw_only=True):
    """A record that its stage is not to decide: `topic` is without the prefix."""

    topic: str
    partition: int
    offset: int
    reason: str
    set_by: str
    set_at: int


def place_name(topic: str, partition: int, offset: int) -> str:
    """Return how a record is named by its place."""
    return f"{topic}-{partition}-{offset}"
