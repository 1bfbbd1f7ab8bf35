"""
Registrations at the front door (contract §4): to every offender they mean, now or later, and to the registrant's own place.

A registration waits at each identifier and name it gives. Sent again under the same id it takes the place of the one
before, for submissions received after it (contract §4); match keeps what was chosen before for events on their way.
"""

from collections.abc import Iterator, Mapping

from processors.domain.registration import Reachable, Registration
from processors.ingest.identify import paging
from processors.ingest.identify.identity import Identity, enrolment, holders_at, identity, meets, roll_key
from processors.ingest.identify.state import Desk, Enrolled, Indexed, Offender, State, registration_key
from processors.stage import Output
from processors.topics import REGISTRANTS


def registration_keys(registration_id: str, person: Identity | None, states: Mapping[str, State]) -> Iterator[str]:
    """Yield the states that taking, changing or removing a registration needs."""
    key = registration_key(registration_id)
    yield key
    before = states.get(key)
    if isinstance(before, Enrolled):
        for place, page in before.rolls.items():
            yield paging.page_key(place, page)
    if person is not None:
        places = (*person.homes, *person.places)
        yield from places
        yield from holders_at(places, states.get)
        for place in person.places:
            yield from paging.last_keys(roll_key(place), states)


def take(desk: Desk, registration: Registration, seq: int, received_at: int) -> Enrolled:
    """The registration is in force; return where it went."""
    before = leave_rolls(desk, registration.registration_id)
    if before is not None and before.registrant_id != registration.registrant_id:
        end(desk, registration.registration_id, before, seq, received_at)
        before = None
    person = identity(registration.offender)
    candidates = holders_at((*person.homes, *person.places), desk.look)
    meant = [key for key in candidates if (each := desk.get(key, Offender)) and meets(person, each)]
    since = before.offenders if before else {}
    enrolled = Enrolled(
        registrant_id=registration.registrant_id,
        seq=before.seq if before and (before.marks, before.names) == (person.marks, person.names) else seq,
        received_at=received_at,
        marks=person.marks,
        names=person.names,
        case_numbers=registration.case_numbers,
        event_subtypes=registration.event_subtypes,
        expires_at=registration.expires_at,
        offenders={key: since.get(key, seq) for key in meant},
        rolls={roll_key(place): _wait(desk, place, registration.registration_id) for place in person.places},
    )
    for key in since.keys() - enrolled.offenders.keys() if before else ():
        desk.outputs.append(enrolment(registration.registration_id, enrolled, key, seq, ended=True))
    for key in enrolled.offenders:
        desk.outputs.append(enrolment(registration.registration_id, enrolled, key, seq))
    desk.put(registration_key(registration.registration_id), enrolled)
    desk.outputs.append(_reachable(registration, seq, received_at))
    return enrolled


def remove(desk: Desk, registration_id: str, seq: int, received_at: int) -> Enrolled | None:
    """The registration is no longer in force; return where it had gone."""
    before = leave_rolls(desk, registration_id)
    if before is not None:
        end(desk, registration_id, before, seq, received_at)
    return before


def end(desk: Desk, registration_id: str, before: Enrolled, seq: int, received_at: int) -> None:
    """Every place that heard of the registration hears that it ended."""
    for key in before.offenders:
        desk.outputs.append(enrolment(registration_id, before, key, seq, ended=True))
    ended = Reachable(registrant_id=before.registrant_id, seq=seq, received_at=received_at, registration_id=registration_id, ended=True)
    desk.outputs.append(Output(REGISTRANTS, before.registrant_id, ended))
    desk.put(registration_key(registration_id), None)


def leave_rolls(desk: Desk, registration_id: str) -> Enrolled | None:
    """The registration waits nowhere; return it as it was."""
    before = desk.get(registration_key(registration_id), Enrolled)
    for place, page in before.rolls.items() if before else ():
        paging.remove(desk, place, page, registration_id)
    return before


def _wait(desk: Desk, place: str, registration_id: str) -> int:
    entry = desk.get(place, Indexed) or Indexed()
    if not entry.watched:
        desk.put(place, Indexed(entry.offenders, watched=True))
    return paging.add(desk, roll_key(place), registration_id)


def _reachable(registration: Registration, seq: int, received_at: int) -> Output:
    return Output(
        REGISTRANTS,
        registration.registrant_id,
        Reachable(
            registrant_id=registration.registrant_id,
            seq=seq,
            received_at=received_at,
            registration_id=registration.registration_id,
            source=registration.source,
            language=registration.language,
            time_zone=registration.time_zone,
            expires_at=registration.expires_at,
            sealed=registration.sealed,
        ),
    )
