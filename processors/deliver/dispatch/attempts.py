"""Attempts: under which reference each leaves, and what a provider's receipt makes of it."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec.structs import replace

from processors.deliver.contacts import Destination
from processors.deliver.state import SHARED, Attempt, Notice
from processors.domain.notification import Receipt

# How far each status of a receipt (contract §5) takes an attempt; a receipt counts only where it takes it further, so
# that a final state is never overwritten.
ON_ITS_WAY: Final = 1
ENDED: Final = 2  # this attempt is over, another may follow
FINAL: Final = 3  # nothing more is to be done for this contact
STATUSES: Final[Mapping[str, int]] = {
    "accepted": ON_ITS_WAY,
    "busy": ENDED,
    "no_answer": ENDED,
    "temporary_failure": ENDED,
    "unconfirmed": ENDED,
    "voicemail": ENDED,
    "confirmed": FINAL,
    "delivered": FINAL,
    "opted_out": FINAL,
    "permanent_failure": FINAL,
}


def notification_id(registrant_id: str, notices: tuple[Notice, ...]) -> str:
    """Return the one id of what is told here, for every channel, contact and attempt."""
    first = notices[0]
    told = sorted((notice.message_id, notice.part) for notice in notices)
    return digest(16, registrant_id, first.ori, first.event_subtype, first.action_at, first.telling, told)


def reference(registrant_id: str, notification: str, destination: Destination, number: int) -> str:
    """Return the provider's idempotency key of one attempt, which also says whose it is and of which notification."""
    own = digest(4, notification, destination.registration.registration_id, destination.place, destination.channel, number)
    return f"{registrant_id}.{notification[:SHARED]}{own}"


def digest(size: int, *parts: object) -> str:
    """Return a digest of the parts in hexadecimal, `size` bytes long."""
    return blake2b(msgspec.json.encode(parts), digest_size=size).hexdigest()


def status_of(receipt: Receipt, pin: str | None) -> str:
    """Return the status a receipt stands for: without the right PIN nothing is confirmed (contract §5)."""
    if receipt.status == "confirmed" and pin is not None and receipt.digits != pin:
        return "unconfirmed"
    return receipt.status


def after_receipt(attempt: Attempt, status: str, occurred_at: int) -> Attempt | None:
    """Return the attempt after a receipt, None where it had come as far before."""
    if STATUSES[status] <= STATUSES.get(attempt.status or "", 0):
        return None
    return replace(attempt, status=status, status_at=occurred_at)
