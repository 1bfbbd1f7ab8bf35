"""
A provider for rehearsals. Its receipts depend only on the references of attempts, so that the same feed has the same receipts.

First attempts fail temporarily at the rates of `FAILURES`; every later attempt succeeds. Calls that ask for a PIN are confirmed with
the registrant's PIN.
"""

import json
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

from processors.domain.notification import Outbound, ReceiptStatus
from processors.domain.time import iso
from processors.rehearsal.feed import FeedRecord, Step
from processors.topics import RECEIPTS, REGISTRATIONS

NAME: Final = "rehearsal"
DELAY: Final = 30_000  # milliseconds from an attempt to its receipts
# The share of first attempts that do not succeed, and how they end.
FAILURES: Final[dict[str, tuple[float, tuple[ReceiptStatus, ...]]]] = {
    "sms": (0.06, ("temporary_failure",)),
    "email": (0.06, ("temporary_failure",)),
    "voice": (0.20, ("busy", "no_answer", "voicemail", "unconfirmed")),
}


class RehearsalProvider:
    """Answers every attempt after `DELAY`: that it was accepted, and how it ended."""

    def __init__(self) -> None:
        self._pins: dict[str, str] = {}

    def note(self, records: Iterable[FeedRecord]) -> None:
        """Remember the PINs of registrations."""
        for record in records:
            if record.topic is REGISTRATIONS and record.value is not None:
                registration = json.loads(record.value)
                if "pin" in registration:
                    self._pins[registration["registrant_id"]] = registration["pin"]

    def answers(self, outbound: Iterable[Outbound], at: int) -> Step:
        """Return the receipts of attempts that left at `at`."""
        occurred = at + DELAY
        return Step(occurred, tuple(record for each in outbound for record in self._receipts(each, occurred)))

    def _receipts(self, outbound: Outbound, occurred: int) -> Iterable[FeedRecord]:
        yield receipt(outbound, "accepted", occurred)
        status = outcome(outbound)
        digits = {"digits": self._pins[outbound.registrant_id]} if status == "confirmed" else {}
        yield receipt(outbound, status, occurred, **digits)


def outcome(outbound: Outbound) -> ReceiptStatus:
    """Return how an attempt ends."""
    rate, failures = FAILURES[outbound.channel]
    drawn = int.from_bytes(blake2b(outbound.reference.encode(), digest_size=8).digest()) / 2**64
    if outbound.attempt == 1 and drawn < rate:
        return failures[int(drawn / rate * len(failures))]
    return "confirmed" if outbound.confirm else "delivered"


def receipt(outbound: Outbound, status: ReceiptStatus, occurred: int, **more: Any) -> FeedRecord:
    """Return a receipt as a provider sends it."""
    document = {"reference": outbound.reference, "status": status, "occurred_at": iso(occurred), "provider": NAME, **more}
    return FeedRecord(RECEIPTS, outbound.reference, json.dumps(document).encode())
