"""Attempts: who is reached and in which order, under which reference, and what a provider's receipt makes of one."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from processors.deliver.state import SHARED, Attempt, Held, Piece
from processors.domain.notification import Receipt
from processors.domain.registration import Channel, Contact, Contacts
from processors.domain.seal import Seal

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

OPEN: Final = msgspec.json.Decoder(Contacts)


class Reach(Struct, frozen=True, gc=False):
    """One contact of a registrant: the `place`-th of its registration, which says language and PIN."""

    contact: Contact
    place: int
    held: Held
    pin: str | None

    @property
    def channel(self) -> Channel:
        return self.contact.channel

    @property
    def address(self) -> tuple[str, str]:
        """By which two contacts are the same one."""
        return self.contact.channel, self.contact.address.casefold()


def reaches(registrations: Iterable[Held], registrant_id: str, seal: Seal) -> tuple[Reach, ...]:
    """
    Return every contact of these registrations in the order they were registered; the only place where contacts are opened.

    Nothing opened is kept for the next time: addresses are in clear for one decision, not for as long as a cache would last.
    """
    found = []
    for held in sorted(registrations, key=lambda each: (each.seq, each.registration_id)):
        contacts = OPEN.decode(seal.open(held.sealed, f"contacts:{registrant_id}"))
        found += [Reach(contact, place, held, contacts.pin) for place, contact in enumerate(contacts.contacts)]
    return tuple(found)


def distinct(found: Iterable[Reach]) -> tuple[Reach, ...]:
    """Return each verified address once, as the first registration that has it verified says."""
    kept: dict[tuple[str, str], Reach] = {}
    for reach in found:
        if reach.contact.verified:
            kept.setdefault(reach.address, reach)
    return tuple(kept.values())


def notification_id(registrant_id: str, pieces: tuple[Piece, ...]) -> str:
    """Return the one id of what is told here, for every channel, contact and attempt."""
    first = pieces[0]
    told = sorted((piece.message_id, piece.part) for piece in pieces)
    return digest(16, registrant_id, first.ori, first.event_subtype, first.action_at, first.telling, told)


def reference(registrant_id: str, notification: str, reach: Reach, number: int) -> str:
    """Return the provider's idempotency key of one attempt, which also says whose it is and of which notification."""
    own = digest(4, notification, reach.held.registration_id, reach.place, reach.channel, number)
    return f"{registrant_id}.{notification[:SHARED]}{own}"


def digest(size: int, *parts: object) -> str:
    return blake2b(msgspec.json.encode(parts), digest_size=size).hexdigest()


def status_of(receipt: Receipt, pin: str | None) -> str:
    """Return the status a receipt stands for: without the right PIN nothing is confirmed (contract §5)."""
    if receipt.status == "confirmed" and pin is not None and receipt.digits != pin:
        return "unconfirmed"
    return receipt.status


def settle(attempt: Attempt, status: str, occurred_at: int) -> Attempt | None:
    """Return the attempt after a receipt, None where it had come as far before."""
    if STATUSES[status] <= STATUSES.get(attempt.status or "", 0):
        return None
    return replace(attempt, status=status, status_at=occurred_at)
