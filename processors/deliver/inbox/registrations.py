"""A registration, its change or its end, as identify passes it on."""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, destinations
from processors.deliver.dispatch.deliveries import advance
from processors.deliver.keys import seal_for_registrant
from processors.deliver.moment import Moment, registrant_after
from processors.deliver.state import Delivery, KnownContact, KnownRegistration, Pending, Registrant, State
from processors.domain.event import EVERYWHERE
from processors.domain.registration import NearMatch, Reachable, RegistrationStatus
from processors.stage import Decision, Output
from processors.topics import REGISTRATION_STATUS

AWAITS_REGISTRATION = frozenset({"out_of_order_hold", "unknown_registration"})
MARKS: Final = 250  # of registrations that ended
CONTACTS_OF_ENDED: Final = 20  # of these, those whose contacts are not yet forgotten
CONTACTS_KNOWN: Final = 1_500  # beyond which those go that no registration has any more


def register(registrant: Registrant, reachable: Reachable, deliveries: Iterable[Delivery], moment: Moment) -> Decision[State]:
    """Return the registrant with the present registration, and the effect on deliveries under way."""
    if reachable.refused:
        return publish_refusal(reachable)
    known = registrant.registrations.get(reachable.registration_id)
    if known is not None and reachable.seq <= known.seq:
        late = moment.verdict(reachable.registration_id, "noted", "superseded", "a later state of the registration is known")
        return Decision(verdicts=(late,))
    registration = registration_to_keep(reachable, known, moment)
    after = replace(
        registrant,
        registrations={**registrant.registrations, registration.registration_id: registration},
        pending=make_due(registrant.pending, registration.registration_id, moment.at),
    )
    if registration.in_force(moment.at):
        after = replace(after, contacts=contacts_of(after, registration, reachable, moment))
    after = within_bounds(after, moment)
    asked = [name for name, each in after.contacts.items() if each.ask_at == moment.at]
    reason, detail = (
        ("registration_removed", "its contact data is forgotten after retention.contacts")
        if registration.ended
        else ("registered", f"contacts to be verified: {len(asked)}")
    )
    noted = moment.verdict(registration.registration_id, "noted", reason, detail)
    taken = Decision[State](states={registrant.registrant_id: after}, verdicts=(noted,))
    return advance_all(taken, after, deliveries, moment)


def publish_refusal(reachable: Reachable) -> Decision[State]:
    """Tell the site that a registration was not taken; nothing of it is kept."""
    status = RegistrationStatus(
        registration_id=reachable.registration_id, source=reachable.source, status="refused", since=reachable.received_at
    )
    return Decision((Output(REGISTRATION_STATUS, reachable.registration_id, status),))


def within_bounds(registrant: Registrant, moment: Moment) -> Registrant:
    """
    Return the registrant with as much of ended registrations, and of contacts that changed, as one document has room for.

    Identify bounds the contacts of those in force (contact_limit.py). Of those that ended, the oldest lose their contacts before
    `retention.contacts`, then their marks.
    """
    ended = sorted((each for each in registrant.registrations.values() if each.ended), key=lambda each: each.seq)
    sealed = [each for each in ended if each.sealed]
    kept = dict(registrant.registrations)
    for each in sealed[: max(0, len(sealed) - CONTACTS_OF_ENDED)]:
        kept[each.registration_id] = replace(each, forget_at=None, sealed=b"")
    for each in ended[: max(0, len(ended) - MARKS)]:
        del kept[each.registration_id]
    contacts = registrant.contacts
    if len(contacts) > CONTACTS_KNOWN:
        names = {each.name for each in destinations([each for each in kept.values() if each.sealed], moment)}
        contacts = {name: known for name, known in contacts.items() if name in names}
    return replace(registrant, registrations=kept, contacts=contacts)


def advance_all(decision: Decision[State], registrant: Registrant, deliveries: Iterable[Delivery], moment: Moment) -> Decision[State]:
    """Return the decision, with the deliveries under way advanced for the registrant's present contacts."""
    for delivery in deliveries:
        decision = decision.then(advance(registrant_after(decision, registrant), delivery, moment))
    return decision


def registration_to_keep(reachable: Reachable, known: KnownRegistration | None, moment: Moment) -> KnownRegistration:
    """Return what is kept of a registration; of an ended one, the contacts it had, until they are forgotten."""
    retention = moment.rules.duration("retention.contacts", EVERYWHERE)
    end = moment.at if reachable.ended else reachable.expires_at
    sealed = seal_for_registrant(reachable, moment) if not reachable.ended else known.sealed if known is not None else b""
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


def note_near_match(registrant: Registrant, match: NearMatch, moment: Moment) -> Decision[State]:
    """Return the registrant with the offender about whom a reviewer is being asked, for one of the registrations."""
    known = registrant.registrations.get(match.registration_id)
    if known is None or not known.in_force(moment.at):
        return Decision()
    others = tuple(each for each in known.nearly if each != match.offender)
    asked = replace(known, nearly=(*others, match.offender) if match.open else others)
    registrations = {**registrant.registrations, match.registration_id: asked}
    return Decision(states={registrant.registrant_id: replace(registrant, registrations=registrations)})


def contacts_of(registrant: Registrant, registration: KnownRegistration, reachable: Reachable, moment: Moment) -> dict[str, KnownContact]:
    """
    Return the registrant's contacts, with those of the registration added.

    An unverified contact is asked at once, unless it was asked before; a verified one after `contact.reverify`.
    Whether an address opted out is what identify knows of it.
    """
    contacts = dict(registrant.contacts)
    again = moment.at + moment.rules.duration("contact.reverify", EVERYWHERE)
    for each in destinations([registration], moment):
        known = contacts.get(each.name, UNKNOWN)
        verified = each.contact.verified or known.verified_at is not None
        ask_at = known.ask_at
        if ask_at is None and known.asked_at is None:
            ask_at = again if verified else moment.at
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
