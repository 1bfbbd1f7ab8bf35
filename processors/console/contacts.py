"""
A registrant's contacts and replies, for users with a reason to see them: read on demand from deliver's state, stored nowhere.

Addresses are masked until the user says why they must see them.
"""

from typing import Final

import msgspec
import phonenumbers
from msgspec import Struct

from processors.deliver.contacts import UNKNOWN, destinations
from processors.deliver.decide import STAGE as DELIVER
from processors.deliver.situation import STAGE_NAME, Situation
from processors.deliver.state import KnownContact, Registrant
from processors.domain.erasure import RegistrantKey
from processors.domain.inbound import PURPOSE, InboundText
from processors.domain.registration import Channel, Contact
from processors.domain.review import subject_of, unsealed_subject
from processors.domain.seal import Seal, SealBroken
from processors.masking import mask_contact
from processors.rules.rule_set import Rules
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.wire.states import state_format
from processors.topics import DELIVER_STATE, KEYS

CONFIRMED: Final = "confirmed"


class ShownContact(Struct, frozen=True):
    """A contact of a registration as the page shows it; `source` is the registration's source, `has_pin` whether it has a PIN."""

    registration_id: str
    channel: Channel
    address: str
    language: str
    state: str
    source: str = ""
    has_pin: bool = False


def contacts_of(client: UserClient, seal: Seal, rules: Rules, registrant_id: str, *, masked: bool) -> tuple[ShownContact, ...]:
    """Return the contacts of a registrant's registrations in force; raises UserError if they cannot be decrypted."""
    known, moment = load_registrant(client, seal, rules, registrant_id)
    if known is None:
        return ()
    try:
        found = destinations(known.in_force(moment.at), moment)
    except SealBroken:
        raise UserError(f"the contacts of {registrant_id} cannot be read: they were erased, or VN_KEY_FILE lacks their key") from None
    return tuple(
        ShownContact(
            each.registration.registration_id,
            each.channel,
            mask_contact(each.contact) if masked else readable_address(each.contact),
            each.language,
            contact_state(each.contact, known.contacts.get(each.name, UNKNOWN)),
            each.registration.source,
            each.pin is not None,
        )
        for each in found
    )


def reply_of(client: UserClient, seal: Seal, rules: Rules, review_id: str) -> str | None:
    """Return the registrant's reply that an open review is about; None if it is no longer stored or cannot be decrypted."""
    registrant_id = unsealed_subject(subject_of(review_id, STAGE_NAME) or "", seal)
    if registrant_id is None:
        return None
    known, moment = load_registrant(client, seal, rules, registrant_id)
    reply = next((each for each in known.replies if each.review_id == review_id), None) if known is not None else None
    if reply is None or not reply.sealed:
        return None
    try:
        return msgspec.json.decode(moment.contact_seal.open(reply.sealed, PURPOSE), type=InboundText).body
    except SealBroken:
        return None


def load_registrant(client: UserClient, seal: Seal, rules: Rules, registrant_id: str) -> tuple[Registrant | None, Situation]:
    """Return deliver's state of a registrant (None if there is none), and the Situation whose seal decrypts it."""
    sealed = client.last(KEYS, registrant_id)
    key = None if sealed is None else client.codec.decode(sealed)
    now = wall_time()
    moment = Situation(registrant_id, now, now, rules, seal, key if isinstance(key, RegistrantKey) else None)
    return read_registrant(client, registrant_id), moment


def read_registrant(client: UserClient, registrant_id: str) -> Registrant | None:
    """Return deliver's state of a registrant, with contact data sealed; None if there is none."""
    raw = client.last(DELIVER_STATE, f"={registrant_id}", registrant_id)
    known = None if raw is None else client.codec.states(state_format(DELIVER))(raw)
    return known if isinstance(known, Registrant) else None


def contact_state(contact: Contact, known: KnownContact) -> str:
    """Return in words whether messages go to a contact."""
    if known.silent:
        return "has answered STOP"
    if known.failed:
        return "could not be reached"
    return CONFIRMED if contact.verified or known.verified_at is not None else "waits for its code"


def readable_address(contact: Contact) -> str:
    """Return an address in readable form."""
    if contact.channel == "email":
        return contact.address
    return phonenumbers.format_number(phonenumbers.parse(contact.address), phonenumbers.PhoneNumberFormat.INTERNATIONAL)
