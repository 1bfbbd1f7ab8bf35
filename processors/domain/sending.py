"""The record that a delivery provider writes before it calls a vendor."""

from typing import Final

from msgspec import Struct

AMBIGUOUS: Final = "ambiguous: "  # begins the detail of a receipt if it cannot be known whether the vendor took the message


class SendIntent(Struct, frozen=True, gc=False):
    """A message is being handed to a vendor since `at`; removed once the outcome is known."""

    reference: str
    vendor: str
    at: int
