"""Enrolments, which tell match which offenders a registration is for."""

from collections.abc import Mapping

from msgspec import structs

from processors.domain.registration import Enrolment
from processors.ingest.identify.evidence import Weight, is_same, weigh
from processors.ingest.identify.limits import has_room
from processors.ingest.identify.state import UNCHANGED, CurrentRegistration, Offender, State, registration_key
from processors.stage import Decision, Output
from processors.topics import EVENTS


def update_registration(  # noqa: PLR0913, PLR0917  an offender as it is now, and what it was
    registration_id: str, registration: CurrentRegistration, key: str, offender: Offender, seq: int, was: str | None = None
) -> Decision[State]:
    """
    Send the registration to the offender if it is for them and within limits, otherwise end it there.

    `was` is an offender who was just merged into this one; match moves their registrations together with their events.
    """
    current = replace_offender(registration, was, key) if was is not None else registration
    is_meant = is_for(current, key, offender)
    if not is_meant and weigh(current, offender) is Weight.POSSIBLE:
        is_meant = set(current.offenders) <= {key}  # while the number belongs to one person only
    if is_meant and key not in current.offenders and may_be_for(current, key, offender):
        return set_offenders(registration_id, current, {**current.offenders, key: current.seq}, seq)
    if not is_meant and key in current.offenders:
        return set_offenders(registration_id, current, {each: since for each, since in current.offenders.items() if each != key}, seq)
    return UNCHANGED if current is registration else Decision(states={registration_key(registration_id): current})


def is_for(registration: CurrentRegistration, key: str, offender: Offender) -> bool:
    """Whether the registration describes the offender, or a reviewer confirmed that it is for them."""
    return key in registration.confirmed or is_same(registration, offender)


def may_be_for(registration: CurrentRegistration, key: str, offender: Offender) -> bool:
    """Whether the registration may be for one more offender; there is no limit for a strong number or a reviewer's confirmation."""
    return has_room(registration) or key in registration.confirmed or weigh(registration, offender) is Weight.STRONG


def replace_offender(registration: CurrentRegistration, was: str, key: str) -> CurrentRegistration:
    """Return the registration with the key `was` replaced by `key`, after a merge."""
    if was not in registration.offenders and was not in registration.confirmed:
        return registration
    since = [registration.offenders[each] for each in (was, key) if each in registration.offenders]
    others = {each: seq for each, seq in registration.offenders.items() if each not in {was, key}}
    confirmed = tuple(dict.fromkeys(key if each == was else each for each in registration.confirmed))
    return structs.replace(registration, offenders=others | ({key: min(since)} if since else {}), confirmed=confirmed)


def set_offenders(registration_id: str, registration: CurrentRegistration, offenders: Mapping[str, int], seq: int) -> Decision[State]:
    """Send the registration to its new offenders, and end it, as of `seq`, for those that it is no longer for."""
    ended = [enrolment(registration_id, registration, key, seq, ended=True) for key in registration.offenders if key not in offenders]
    begun = [enrolment(registration_id, registration, key, since) for key, since in offenders.items() if key not in registration.offenders]
    changed = structs.replace(registration, offenders=dict(offenders))
    return Decision((*ended, *begun), {registration_key(registration_id): changed})


def enrolment(  # noqa: PLR0913  what it begins, ends or asks
    registration_id: str, registration: CurrentRegistration, key: str, seq: int, *, ended: bool = False, asks: bool = False
) -> Output:
    """Return the record that starts or ends a registration for an offender, or asks for the offender's standing."""
    return Output(
        EVENTS,
        key,
        Enrolment(
            offender=key,
            seq=seq,
            received_at=registration.received_at,
            registration_id=registration_id,
            registrant_id=registration.registrant_id,
            case_numbers=registration.case_numbers,
            event_subtypes=registration.event_subtypes,
            expires_at=registration.expires_at,
            ended=ended,
            asks=asks,
        ),
    )
