"""The record that a delivery provider writes before it calls a vendor."""

from msgspec import Struct


class SendIntent(Struct, frozen=True):
    """A message is being handed to a vendor since `at`; removed once the outcome is known."""

    reference: str
    vendor: str
    at: int
