"""Registrations, their changes and their ends, as sent by identify."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, destinations
from processors.deliver.dispatch.deliveries import advance_delivery
from processors.deliver.keys import seal_for_registrant
from processors.deliver.situation import Situation, registrant_after
from processors.deliver.state import Delivery, KnownContact, KnownRegistration, Pending, Registrant, State
from processors.domain.event import EVERYWHERE
from processors.domain.registration import NearMatch, Reachable, RegistrationStatus
from processors.stage import Decision, Output
from processors.topics import REGISTRATION_STATUS

AWAITS_REGISTRATION = frozenset({"out_of_order_hold", "unknown_registration"})
MAX_ENDED: Final = 250  # ended registrations that are remembered
MAX_ENDED_WITH_CONTACTS: Final = 20  # ended registrations whose contacts are still stored
MAX_CONTACTS_KNOWN: Final = 1_500  # beyond it, contacts that no registration has any more are forgotten


def store_registration(
    registrant: Registrant, reachable: Reachable, deliveries: Iterable[Delivery], situation: Situation
) -> Decision[State]:
    """Store a registration, and advance the deliveries under way."""
    if reachable.refused:
        return publish_refusal(reachable)
    known = registrant.registrations.get(reachable.registration_id)
    if known is not None and reachable.seq <= known.seq:
        late = situation.verdict(reachable.registration_id, "noted", "superseded", "a later state of the registration is known")
        return Decision(verdicts=(late,))
    registration = registration_to_keep(reachable, known, situation)
    after = replace(
        registrant,
        registrations={**registrant.registrations, registration.registration_id: registration},
        pending=make_due(registrant.pending, registration.registration_id, situation.at),
    )
    if registration.in_force(situation.at):
        after = replace(after, contacts=contacts_of(after, registration, reachable, situation))
    after = within_bounds(after, situation)
    asked = [name for name, each in after.contacts.items() if each.ask_at == situation.at]
    reason, detail = (
        ("registration_removed", "its contact data is forgotten after retention.contacts")
        if registration.ended
        else ("registered", f"contacts to be verified: {len(asked)}")
    )
    verdict = situation.verdict(registration.registration_id, "noted", reason, detail)
    decision = Decision[State](states={registrant.registrant_id: after}, verdicts=(verdict,))
    return advance_all(decision, after, deliveries, situation)


def publish_refusal(reachable: Reachable) -> Decision[State]:
    """Tell the site that a registration was refused; nothing of it is stored."""
    status = RegistrationStatus(
        registration_id=reachable.registration_id, source=reachable.source, status="refused", since=reachable.received_at
    )
    return Decision((Output(REGISTRATION_STATUS, reachable.registration_id, status),))


def within_bounds(registrant: Registrant, situation: Situation) -> Registrant:
    """
    Return the registrant with ended registrations and former contacts reduced to what one document can hold.

    Identify limits the contacts of registrations in force (contact_limit.py). Of ended registrations, the oldest first lose their
    contacts, before `retention.contacts`, and are then forgotten.
    """
    ended = sorted((each for each in registrant.registrations.values() if each.ended), key=lambda each: each.seq)
    sealed = [each for each in ended if each.sealed]
    kept = dict(registrant.registrations)
    for each in sealed[: max(0, len(sealed) - MAX_ENDED_WITH_CONTACTS)]:
        kept[each.registration_id] = replace(each, forget_at=None, sealed=b"")
    for each in ended[: max(0, len(ended) - MAX_ENDED)]:
        del kept[each.registration_id]
    contacts = registrant.contacts
    if len(contacts) > MAX_CONTACTS_KNOWN:
        names = {each.name for each in destinations([each for each in kept.values() if each.sealed], situation)}
        contacts = {name: known for name, known in contacts.items() if name in names}
    return replace(registrant, registrations=kept, contacts=contacts)


def advance_all(decision: Decision[State], registrant: Registrant, deliveries: Iterable[Delivery], situation: Situation) -> Decision[State]:
    """Return the decision with the deliveries under way advanced for the registrant's current contacts."""
    for delivery in deliveries:
        decision = decision.then(advance_delivery(registrant_after(decision, registrant), delivery, situation))
    return decision


def registration_to_keep(reachable: Reachable, known: KnownRegistration | None, situation: Situation) -> KnownRegistration:
    """Return the registration to store; an ended one keeps the contacts it had, until they are forgotten."""
    retention = situation.rules.duration("retention.contacts", EVERYWHERE)
    end = situation.at if reachable.ended else reachable.expires_at
    sealed = seal_for_registrant(reachable, situation) if not reachable.ended else known.sealed if known is not None else b""
    return KnownRegistration(
        registration_id=reachable.registration_id,
        seq=reachable.seq,
        language=reachable.language,
        time_zone=reachable.time_zone,
        expires_at=reachable.expires_at,
        ended=reachable.ended,
        forget_at=end + retention if end is not None and sealed else None,
        sealed=sealed,
        source=reachable.source or (known.source if known is not None else ""),
        confirmed=known is not None and known.confirmed,
        status=known.status if known is not None else None,
        wrong_codes=known.wrong_codes if known is not None else (),
        nearly=known.nearly if known is not None else (),
    )


def note_near_match(registrant: Registrant, match: NearMatch, situation: Situation) -> Decision[State]:
    """Record that a reviewer is being asked, or has decided, whether a registration is for an offender."""
    known = registrant.registrations.get(match.registration_id)
    if known is None or not known.in_force(situation.at):
        return Decision()
    others = tuple(each for each in known.nearly if each != match.offender)
    asked = replace(known, nearly=(*others, match.offender) if match.open else others)
    registrations = {**registrant.registrations, match.registration_id: asked}
    return Decision(states={registrant.registrant_id: replace(registrant, registrations=registrations)})


def contacts_of(
    registrant: Registrant, registration: KnownRegistration, reachable: Reachable, situation: Situation
) -> dict[str, KnownContact]:
    """
    Return the registrant's contacts, with those of the registration added.

    An unverified contact is sent a code at once, unless it was sent one before; a verified one after `contact.reverify`.
    Identify knows which addresses opted out.
    """
    contacts = dict(registrant.contacts)
    again = situation.at + situation.rules.duration("contact.reverify", EVERYWHERE)
    for each in destinations([registration], situation):
        known = contacts.get(each.name, UNKNOWN)
        verified = each.contact.verified or known.verified_at is not None
        ask_at = known.ask_at
        if ask_at is None and known.asked_at is None:
            ask_at = again if verified else situation.at
        contacts[each.name] = replace(known, silent=each.name in reachable.silenced, ask_at=ask_at)
    return contacts


def make_due(pending: tuple[Pending, ...], registration_id: str, at: int) -> tuple[Pending, ...]:
    """Return what waits; what waited for this registration is due now."""
    return tuple(
        replace(each, due_at=at)
        if each.why in AWAITS_REGISTRATION and any(registration_id in notice.registration_ids for notice in each.notices)
        else each
        for each in pending
    )
