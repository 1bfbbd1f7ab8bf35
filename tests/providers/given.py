"""An outbound message to send, and vendors that answer as they are told."""

from collections.abc import Callable
from typing import Any

from processors.domain.notification import Outbound
from processors.providers.outcome import Accepted, SendOutcome

AT = 1_793_628_000_000
MINUTE = 60_000


def outbound(number: int = 1, **fields: Any) -> Outbound:
    given: dict[str, Any] = {
        "reference": f"R-1001.{number:012x}abcdef01",
        "notification_id": "9d1c",
        "attempt": 1,
        "registrant_id": "R-1001",
        "kind": "notification",
        "channel": "email",
        "to": "r1001@example.org",
        "language": "en",
        "subject": "Departure: John Q Sample",
        "body": "John Q Sample has left Virginia.\n.A line that begins with a dot.\n",
        "emergency": False,
        "event": None,
        "offenders": None,
        "agency": None,
        "message_ids": ("ICOTS-NOD-931",),
        "created_at": AT,
        "not_before": None,
        "expires_at": AT + 15 * MINUTE,
        "confirm": False,
    }
    return Outbound(**(given | fields))


def prompt(language: str, confirm: bool) -> str:  # noqa: FBT001  as vendors are given it
    return f"{'Enter your PIN' if confirm else 'Press 9'} ({language})."


class Scripted:
    """A vendor that gives the answers of a script, then takes everything; `sent` is what it was asked to send."""

    def __init__(
        self, name: str, *answers: SendOutcome, found: SendOutcome | None = None, before: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self.sent: list[str] = []
        self._answers = list(answers)
        self._found = found
        self._before = before

    async def send(self, message: Outbound) -> SendOutcome:
        self._before()
        self.sent.append(message.reference)
        return self._answers.pop(0) if self._answers else Accepted("accepted", "taken")

    async def find(self, message: Outbound) -> SendOutcome:
        assert self._found is not None, message.reference
        return self._found

    async def close(self) -> None:
        pass
