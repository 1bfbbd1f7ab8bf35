"""A registration, its change or its end; contacts that are not verified are asked to verify themselves."""

from collections.abc import Iterator

from msgspec.structs import replace

from processors.deliver.contacts import Destination, destinations
from processors.deliver.dispatch.outbound import EVERYWHERE, request_verification
from processors.deliver.moment import Moment
from processors.deliver.state import KnownRegistration, Pending, Registrant, State
from processors.domain.registration import Reachable
from processors.stage import Decision, combine

AWAITS_REGISTRATION = frozenset({"out_of_order_hold", "unknown_registration"})


def register(registrant: Registrant, reachable: Reachable, moment: Moment) -> Decision[State]:
    """Return the registrant with the registration as it stands now, and the requests to verify that follow."""
    known = registrant.registrations.get(reachable.registration_id)
    if known is not None and reachable.seq <= known.seq:
        late = moment.verdict(reachable.registration_id, "noted", "superseded", "a later state of the registration is known")
        return Decision(verdicts=(late,))
    registration = kept(reachable, known, moment)
    after = replace(
        registrant,
        registrations={**registrant.registrations, registration.registration_id: registration},
        pending=hurried(registrant.pending, registration.registration_id, moment.at),
    )
    unasked = () if registration.ended else tuple(unasked_contacts(registrant, registration, moment))
    reason, detail = (
        ("registration_removed", "its contact data is forgotten after retention.contacts")
        if registration.ended
        else ("registered", f"{len(unasked)} contacts are to be verified")
    )
    taken = Decision[State](
        states={registrant.registrant_id: after},
        verdicts=(moment.verdict(registration.registration_id, "noted", reason, detail),),
    )
    return combine((taken, *(request_verification(each, moment) for each in unasked)))


def kept(reachable: Reachable, known: KnownRegistration | None, moment: Moment) -> KnownRegistration:
    """Return what is kept of a registration; of an ended one the contacts it had, until they are to be forgotten."""
    retention = moment.rules.duration("retention.contacts", EVERYWHERE)
    end = moment.at if reachable.ended else reachable.expires_at
    sealed = reachable.sealed if not reachable.ended else known.sealed if known is not None else b""
    return KnownRegistration(
        registration_id=reachable.registration_id,
        seq=reachable.seq,
        language=reachable.language,
        time_zone=reachable.time_zone,
        expires_at=reachable.expires_at,
        ended=reachable.ended,
        forget_at=end + retention if end is not None and sealed else None,
        sealed=sealed,
    )


def hurried(pending: tuple[Pending, ...], registration_id: str, at: int) -> tuple[Pending, ...]:
    """Return what waits, with what waited for this registration due now."""
    return tuple(
        replace(each, due_at=at)
        if each.why in AWAITS_REGISTRATION and any(registration_id in notice.registration_ids for notice in each.notices)
        else each
        for each in pending
    )


def unasked_contacts(registrant: Registrant, registration: KnownRegistration, moment: Moment) -> Iterator[Destination]:
    """Yield the unverified contacts of a registration that no registration in force has named before."""
    in_force = registrant.in_force(moment.at)
    if not registration.in_force(moment.at) or registration.sealed in {each.sealed for each in in_force}:
        return
    known = {each.address for each in destinations(in_force, moment.registrant_id, moment.seal)}
    for destination in destinations([registration], moment.registrant_id, moment.seal):
        if not destination.contact.verified and destination.address not in known:
            known.add(destination.address)
            yield destination


def forget_contacts(registrant: Registrant, moment: Moment) -> Decision[State]:
    """Return the registrant without the contact data of registrations that ended long enough ago."""
    over = [each for each in registrant.registrations.values() if each.forget_at is not None and each.forget_at <= moment.at]
    if not over:
        return Decision()
    marks = {each.registration_id: replace(each, ended=True, forget_at=None, sealed=b"") for each in over}
    after = replace(registrant, registrations={**registrant.registrations, **marks})
    detail = "retention.contacts has passed since it ended"
    verdicts = tuple(moment.verdict(each.registration_id, "noted", "contacts_forgotten", detail) for each in over)
    return Decision(states={registrant.registrant_id: after}, verdicts=verdicts)
