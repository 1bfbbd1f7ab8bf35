"""Where a registrant can be reached; contacts are decrypted only here."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from processors.deliver.moment import Moment
from processors.deliver.state import KnownContact, KnownRegistration, Registrant
from processors.deliver.wording.templates import Message
from processors.domain.registration import Channel, Contact, Contacts, address_digest

_contacts = msgspec.json.Decoder(Contacts).decode
UNKNOWN = KnownContact()


class Destination(Struct, frozen=True, gc=False):
    """
    One contact of a registrant from one registration, which gives language and PIN.

    `name` identifies the contact without its address: its channel and the keyed digest of the address.
    `message` is what it is told, if that has been written already.
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


def destinations(registrations: Iterable[KnownRegistration], moment: Moment) -> tuple[Destination, ...]:
    """
    Return every contact of these registrations in the order they were registered.

    The result is not cached: addresses are in clear text for one decision only.
    """
    found = []
    seal = moment.contact_seal
    for registration in sorted(registrations, key=lambda each: (each.seq, each.registration_id)):
        contacts = _contacts(seal.open(registration.sealed, f"contacts:{moment.registrant_id}"))
        found += [
            Destination(contact, contact_name(contact.channel, address_digest(contact.address, moment.seal)), registration, contacts.pin)
            for contact in contacts.contacts
        ]
    return tuple(found)


def contact_name(channel: Channel, address: str) -> str:
    """Return the name of a contact from the keyed digest of its address."""
    return f"{channel}:{address}"


def address_of(name: str) -> str:
    """Return the keyed digest of the address of a contact's name."""
    return name.partition(":")[2]


def usable(registrant: Registrant, moment: Moment) -> dict[str, Destination]:
    """Return each contact that may be told of events once, by name: verified and not opted out."""
    found: dict[str, Destination] = {}
    for destination in destinations(registrant.in_force(moment.at), moment):
        known = registrant.contacts.get(destination.name, UNKNOWN)
        if (destination.contact.verified or known.verified_at is not None) and not known.silent:
            found.setdefault(destination.name, destination)
    return found


def find(registrant: Registrant, name: str, moment: Moment) -> Destination | None:
    """Return a contact by its name, verified or not; None if no registration in force has it."""
    return next((each for each in destinations(registrant.in_force(moment.at), moment) if each.name == name), None)


def pins(registrant: Registrant, moment: Moment) -> frozenset[str]:
    """Return the keyed PINs of the registrations in force."""
    return frozenset(each.pin for each in destinations(registrant.in_force(moment.at), moment) if each.pin is not None)
