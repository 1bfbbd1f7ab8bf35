"""Prints messages instead of sending them: to try out the pipeline, and as the shortest example of a vendor."""

from collections.abc import Callable

from processors.domain.notification import Outbound
from processors.domain.time import iso
from processors.providers.outcome import Accepted, SendOutcome, VendorUnavailable


class ConsoleVendor:
    """Writes each message to a stream; every one counts as delivered."""

    name = "console"

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    async def send(self, message: Outbound) -> SendOutcome:
        """Print the message."""
        head = f"{iso(message.created_at)} {message.channel} to {message.to} ({message.kind}, {message.language}, {message.reference})"
        self._write("\n".join((head, *([message.subject] if message.subject else []), message.body, "")))
        return Accepted("delivered", "printed")

    async def find(self, message: Outbound) -> SendOutcome:
        """Return that the message was not taken, so that it is printed again: its output may be lost."""
        return VendorUnavailable(f"{message.reference} is printed again")

    async def close(self) -> None:
        """Do nothing."""
