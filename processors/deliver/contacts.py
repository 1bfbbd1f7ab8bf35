"""Where a registrant can be reached; the only place where contacts are opened."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from processors.deliver.state import KnownRegistration
from processors.domain.registration import Channel, Contact, Contacts
from processors.domain.seal import Seal

_contacts = msgspec.json.Decoder(Contacts).decode


class Destination(Struct, frozen=True, gc=False):
    """One contact of a registrant: the `place`-th of its registration, which says language and PIN."""

    contact: Contact
    place: int
    registration: KnownRegistration
    pin: str | None

    @property
    def channel(self) -> Channel:
        return self.contact.channel

    @property
    def language(self) -> str:
        return self.registration.language

    @property
    def address(self) -> tuple[str, str]:
        """By which two contacts are the same one."""
        return self.contact.channel, self.contact.address.casefold()


def destinations(registrations: Iterable[KnownRegistration], registrant_id: str, seal: Seal) -> tuple[Destination, ...]:
    """
    Return every contact of these registrations in the order they were registered.

    Nothing opened is kept for the next time: addresses are in clear for one decision, not for as long as a cache would last.
    """
    found = []
    for registration in sorted(registrations, key=lambda each: (each.seq, each.registration_id)):
        contacts = _contacts(seal.open(registration.sealed, f"contacts:{registrant_id}"))
        found += [Destination(contact, place, registration, contacts.pin) for place, contact in enumerate(contacts.contacts)]
    return tuple(found)


def verified(found: Iterable[Destination]) -> tuple[Destination, ...]:
    """Return each verified address once, as the first registration that has it verified says."""
    kept: dict[tuple[str, str], Destination] = {}
    for destination in found:
        if destination.contact.verified:
            kept.setdefault(destination.address, destination)
    return tuple(kept.values())
