"""The record that a delivery provider writes before it calls a vendor."""

from typing import Final

from msgspec import Struct

# How the detail of a receipt begins if the provider cannot know whether the vendor accepted the message.
AMBIGUOUS: Final = "ambiguous: "
# How it begins if the message is an emergency and was therefore sent again.
SENT_AGAIN: Final = "sent again in doubt: "


def is_in_doubt(detail: str | None) -> bool:
    """Whether the detail of a receipt says that the vendor may or may not have accepted the message."""
    return (detail or "").removeprefix(SENT_AGAIN).startswith(AMBIGUOUS)


class SendIntent(Struct, frozen=True, gc=False):
    """
    A message that is being handed to a vendor since `at`; the record is removed once the outcome is known.

    `again` if the message is sent a second time because the first outcome is in doubt. An emergency may be settled ahead of
    earlier messages: the record then stays as `settled` until the consumer's position has passed it, so that it is not sent
    twice if it is read twice.
    """

    reference: str
    vendor: str
    at: int
    again: bool = False
    settled: bool = False
