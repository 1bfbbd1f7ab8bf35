"""Prints messages instead of sending them: to try the pipeline out, and as the shortest example of a vendor."""

from collections.abc import Callable

from processors.domain.notification import Outbound
from processors.domain.time import iso
from processors.providers.outcome import Outcome, Taken, Unavailable


class ConsoleVendor:
    """Writes each message to a stream; every one counts as delivered."""

    name = "console"

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    async def send(self, message: Outbound) -> Outcome:
        """Print the message."""
        head = f"{iso(message.created_at)} {message.channel} to {message.to} ({message.kind}, {message.language}, {message.reference})"
        self._write("\n".join((head, *([message.subject] if message.subject else []), message.body, "")))
        return Taken("delivered", "printed")

    async def find(self, message: Outbound) -> Outcome:
        """Return that it was not taken: nobody can be sure that somebody read what an ended process had printed."""
        return Unavailable(f"{message.reference} is printed again")

    async def close(self) -> None:
        """Do nothing."""
