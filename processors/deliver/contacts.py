"""The contacts of a registrant; they are decrypted only here."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from processors.deliver.situation import Situation
from processors.deliver.state import KnownContact, KnownRegistration, Registrant
from processors.deliver.wording.templates import Message
from processors.domain.registration import Channel, Contact, Contacts, address_digest

_contacts = msgspec.json.Decoder(Contacts).decode
UNKNOWN = KnownContact()


class Destination(Struct, frozen=True, gc=False):
    """
    One contact of a registrant, from one registration, which determines language and PIN.

    `name` identifies the contact without its address: channel and keyed digest of the address. `message` is the message for it, if
    it has been written already.
    """

    contact: Contact
    name: str
    registration: KnownRegistration
    pin: str | None
    message: Message | None = None

    @property
    def channel(self) -> Channel:
        return self.contact.channel

    @property
    def language(self) -> str:
        return self.registration.language


def destinations(registrations: Iterable[KnownRegistration], situation: Situation) -> tuple[Destination, ...]:
    """
    Return every contact of these registrations, in the order in which they were registered.

    The result is not cached, so that addresses are in clear text during one decision only.
    """
    found = []
    seal = situation.contact_seal
    for registration in sorted(registrations, key=lambda each: (each.seq, each.registration_id)):
        contacts = _contacts(seal.open(registration.sealed, f"contacts:{situation.registrant_id}"))
        found += [
            Destination(contact, contact_name(contact.channel, address_digest(contact.address, situation.seal)), registration, contacts.pin)
            for contact in contacts.contacts
        ]
    return tuple(found)


def contact_name(channel: Channel, address: str) -> str:
    """Return the name of a contact from the keyed digest of its address."""
    return f"{channel}:{address}"


def address_of(name: str) -> str:
    """Return the keyed digest of the address in a contact's name."""
    return name.partition(":")[2]


def usable_contacts(registrant: Registrant, situation: Situation) -> dict[str, Destination]:
    """Return the contacts that may be told of events (verified and not opted out) by name, each once."""
    found: dict[str, Destination] = {}
    for destination in destinations(registrant.in_force(situation.at), situation):
        known = registrant.contacts.get(destination.name, UNKNOWN)
        if (destination.contact.verified or known.verified_at is not None) and not known.silent:
            found.setdefault(destination.name, destination)
    return found


def find_contact(registrant: Registrant, name: str, situation: Situation) -> Destination | None:
    """Return a contact by its name, verified or not; None if no registration in force has it."""
    return next((each for each in destinations(registrant.in_force(situation.at), situation) if each.name == name), None)


def pins(registrant: Registrant, situation: Situation) -> frozenset[str]:
    """Return the keyed PINs of the registrations in force."""
    return frozenset(each.pin for each in destinations(registrant.in_force(situation.at), situation) if each.pin is not None)
