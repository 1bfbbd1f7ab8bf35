"""The record that a delivery provider writes before it calls a vendor."""

from typing import Final

from msgspec import Struct

AMBIGUOUS: Final = "ambiguous: "  # begins the detail of a receipt if it cannot be known whether the vendor took the message

AGAIN: Final = "sent again in doubt: "  # begins it if the message was sent once more since that could not be known, as an emergency is


def is_in_doubt(detail: str | None) -> bool:
    """Whether the detail of a receipt says that it cannot be known whether the vendor took the message."""
    return (detail or "").removeprefix(AGAIN).startswith(AMBIGUOUS)


class SendIntent(Struct, frozen=True, gc=False):
    """
    A message is being handed to a vendor since `at`, `again` if once more in doubt; removed once the outcome is known.

    An emergency may be settled ahead of messages that came before it: then this stays, `settled`, until the read position has
    passed it, so that it is not sent again when it is read again.
    """

    reference: str
    vendor: str
    at: int
    again: bool = False
    settled: bool = False
