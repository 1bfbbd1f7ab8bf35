"""
Registrations that an agency's staff make: converts a form to the document that the pipeline reads.

A registration is changed by sending it again under its id. Only registrations made here can be changed: of others the console
does not know the events and cases, and the site that made them would overwrite the change.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from processors.console.contacts import CONFIRMED, ShownContact
from processors.domain.addresses import normalize
from processors.domain.registration import Channel
from processors.runtime.errors import UserError

SOURCE: Final = "AGENCY"
OWN_ID: Final = re.compile(r"AGY-[0-9a-f]{12}")
CHANNELS: Final[tuple[Channel, ...]] = ("sms", "email", "voice")
DISCREET: Final = "-x-discreet"
REQUIRED: Final = {"registrant_id": "the registrant's id", "scheme": "the kind of number", "value": "the number"}

Form = Mapping[str, str]


def new_registration(form: Form) -> dict[str, Any]:
    """Return a registration under a new id; raises UserError if something is missing."""
    return document(form, f"AGY-{uuid4().hex[:12]}", known=())


def changed_registration(form: Form, before: Sequence[ShownContact]) -> dict[str, Any]:
    """
    Return the changed registration, given its contacts so far.

    Confirmed contacts stay confirmed. Raises UserError if something is missing, or if the registration was not made here.
    """
    mine = contacts_to_change(form.get("registration_id", ""), before)
    if mine[0].has_pin and not form.get("pin"):
        raise UserError("Give a PIN: the current one cannot be read, so agree on one again, the same or another.")
    return document(form, mine[0].registration_id, known=mine)


def contacts_to_change(registration_id: str, contacts: Sequence[ShownContact]) -> list[ShownContact]:
    """Return the contacts of a registration; raises UserError if it may not be changed here."""
    mine = [each for each in contacts if each.registration_id == registration_id]
    if not mine:
        raise UserError("This registrant has no such registration in force: look up the registrant, and change it from there.")
    if not is_made_here(mine[0]):
        raise UserError(f"Registration {registration_id} was made by {mine[0].source or 'a site'}: it is changed where it was made.")
    return mine


def is_made_here(contact: ShownContact) -> bool:
    """Whether the contact's registration was made with the console's form."""
    return contact.source == SOURCE and OWN_ID.fullmatch(contact.registration_id) is not None


def filled_form(registrant_id: str, mine: Sequence[ShownContact]) -> dict[str, str]:
    """Return the form filled with a registration's known values; the offender must be entered again."""
    language, _, private = mine[0].language.partition("-x-")
    return {
        "registration_id": mine[0].registration_id,
        "registrant_id": registrant_id,
        "language": language,
        "discreet": "1" if "discreet" in private else "",
        "has_pin": "1" if mine[0].has_pin else "",
        **{each.channel: each.address for each in reversed(mine)},
    }


def document(form: Form, registration_id: str, known: Sequence[ShownContact]) -> dict[str, Any]:
    """Return the registration that a form describes; contacts in `known` that are confirmed need no new code."""
    confirmed = {(each.channel, comparable(each.channel, each.address)) for each in known if each.state == CONFIRMED}
    contacts = [
        {"channel": channel, "address": form[channel], "verified": (channel, comparable(channel, form[channel])) in confirmed}
        for channel in CHANNELS
        if form.get(channel)
    ]
    missing = [label for name, label in REQUIRED.items() if not form.get(name)]
    if missing or not contacts:
        raise UserError(f"Fill in {', '.join([*missing, *(() if contacts else ('a telephone number or an email address',))])}.")
    return {
        "registration_id": registration_id,
        "registrant_id": form["registrant_id"],
        "source": SOURCE,
        "offender": {
            "identifiers": [{"scheme": form["scheme"], "value": form["value"]}],
            "name": {"given": form.get("given") or None, "sur": form.get("sur") or None},
            "birth_date": form.get("birth_date") or None,
        },
        "language": f"{form.get('language') or 'en'}{DISCREET if form.get('discreet') else ''}",
        "contacts": contacts,
        **({"pin": form["pin"]} if form.get("pin") else {}),
    }


def comparable(channel: Channel, address: str) -> str:
    """Return an address in canonical form, if it has one, for comparison."""
    return normalize(channel, address) or address
