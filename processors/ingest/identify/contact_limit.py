"""
The limit on the contacts of all registrations of one registrant, which deliver keeps in one document.

A registration that expired counts until it is removed. The number is stored with the list of the registrant's registrations.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import structs

from processors.domain.journal import DeadLetter
from processors.domain.origin import Origin, open_origin
from processors.domain.quarantine import record_id
from processors.domain.registration import Reachable, Registration
from processors.ingest.identify import pages
from processors.ingest.identify.journal import STAGE, intake_verdict
from processors.ingest.identify.state import (
    UNCHANGED,
    CurrentRegistration,
    ListHead,
    State,
    States,
    address_key,
    find,
    registrant_key,
    registration_key,
    registrations_key,
)
from processors.stage import Context, Decision, Output, Record
from processors.topics import DEAD_LETTERS, REGISTRANTS

MAX_REGISTRANT_CONTACTS: Final = 1_000
REASON: Final = "too_many_contacts"
ADDRESS_LISTS: Final = registrations_key(address_key(""))


def list_key(registrant_id: str) -> str:
    """Return the key of the list of a registrant's registrations."""
    return registrations_key(registrant_key(registrant_id))


def count_keys(registrant_id: str, states: States) -> Iterator[str]:
    """Yield the keys needed to know the number; those of all registrations if an earlier version, which did not count, wrote the list."""
    key = list_key(registrant_id)
    yield key
    head = find(states, key, ListHead)
    if head is not None and head.contacts is None:
        yield from pages.all_page_keys(key, states)
        yield from map(registration_key, pages.items(states, key))


def contacts_together(states: States, registrant_id: str) -> int:
    """Return how many contacts the registrant's registrations have together."""
    key = list_key(registrant_id)
    head = find(states, key, ListHead)
    if head is not None and head.contacts is not None:
        return head.contacts
    listed = (find(states, registration_key(each), CurrentRegistration) for each in pages.items(states, key))
    return sum(contacts_of(each) for each in listed if each is not None)


def contacts_of(registration: CurrentRegistration) -> int:
    """Return how many addresses a registration has."""
    return sum(each.startswith(ADDRESS_LISTS) for each in registration.rolls)


def exceeds_limit(states: States, registration: Registration) -> bool:
    """Whether this registration would bring its registrant above the limit."""
    before = find(states, registration_key(registration.registration_id), CurrentRegistration)
    had = contacts_of(before) if before is not None and before.registrant_id == registration.registrant_id else 0
    more = len(registration.addresses) - had
    return more > 0 and contacts_together(states, registration.registrant_id) + more > MAX_REGISTRANT_CONTACTS


def with_count(states: States, registrant_id: str, contacts: int) -> Decision[State]:
    """Return the state change that stores the number of contacts."""
    key = list_key(registrant_id)
    head = find(states, key, ListHead)
    return UNCHANGED if head is None else Decision(states={key: structs.replace(head, contacts=contacts)})


def with_fewer(states: States, registrant_id: str, contacts: int) -> Decision[State]:
    """Return the state change that reduces the number of contacts; if it was never counted, the next registration counts it."""
    head = find(states, list_key(registrant_id), ListHead)
    return UNCHANGED if head is None or head.contacts is None else with_count(states, registrant_id, head.contacts - contacts)


def reject_registration(registration: Registration, record: Record, states: States, context: Context) -> Decision[State]:
    """Dead-letter a registration. An earlier version of it stays in force; without one, the site is told that it was refused."""
    before = find(states, registration_key(registration.registration_id), CurrentRegistration)
    stays = "" if before is None else " What was registered under this id stays in force."
    detail = (
        f"The registrant's registrations have {contacts_together(states, registration.registrant_id)} contacts, and with "
        f"{len(registration.addresses)} more there would be more than {MAX_REGISTRANT_CONTACTS}: remove those that ended.{stays}"
    )
    letter_id = record_id(record.topic, record.partition, record.offset)
    own = Origin.of(record.topic, record.partition, record.offset, record.raw or b"")
    origin = open_origin(record.value.origin, context.seal) or own
    letter = DeadLetter(
        dead_letter_id=letter_id,
        reason=REASON,
        detail=f"Registration {registration.registration_id}: {detail}",
        stage=STAGE,
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        received_at=record.value.received_at,
        sha256=origin.sha256,
        encrypted=False,
        original=None,  # not kept: it would have to be erased with the registrant, and the site has it
        length=origin.length,
    )
    verdict = structs.replace(intake_verdict(record.value, context, REASON, detail, registration.registrant_id), outcome="rejected")
    refused = Reachable(
        registrant_id=registration.registrant_id,
        seq=record.offset,
        received_at=record.value.received_at,
        registration_id=registration.registration_id,
        source=registration.source,
        refused=True,
    )
    told = () if before is not None else (Output(REGISTRANTS, registration.registrant_id, refused),)
    return Decision((Output(DEAD_LETTERS, letter_id, letter), *told), verdicts=(verdict,))
