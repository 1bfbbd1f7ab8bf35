"""Enrolments: what match is told of the offenders that a registration is for."""

from collections.abc import Mapping

from msgspec import structs

from processors.domain.registration import Enrolment
from processors.ingest.identify.state import CurrentRegistration, State, registration_key
from processors.stage import Decision, Output
from processors.topics import EVENTS


def set_offenders(registration_id: str, registration: CurrentRegistration, offenders: Mapping[str, int], seq: int) -> Decision[State]:
    """Send the registration to the offenders that it is new for, and end it, as of `seq`, for those that it is no longer for."""
    ended = [enrolment(registration_id, registration, key, seq, ended=True) for key in registration.offenders if key not in offenders]
    begun = [enrolment(registration_id, registration, key, since) for key, since in offenders.items() if key not in registration.offenders]
    changed = structs.replace(registration, offenders=dict(offenders))
    return Decision((*ended, *begun), {registration_key(registration_id): changed})


def enrolment(registration_id: str, registration: CurrentRegistration, key: str, seq: int, *, ended: bool = False) -> Output:
    """Return the record that begins or ends a registration for an offender."""
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
        ),
    )
