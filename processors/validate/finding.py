"""The finding of a failed check."""

from typing import Literal

from msgspec import Struct


class Finding(Struct, frozen=True, gc=False):
    """
    One failed check: what happens to the message, the reason code, and a sentence with both values.

    `due` is when the message is checked again: the end of a wait, or when a date comes within range.
    """

    outcome: Literal["waiting", "flagged", "suppressed"]
    reason: str
    detail: str
    due: int | None = None
