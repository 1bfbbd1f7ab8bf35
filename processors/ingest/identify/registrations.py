"""
Registrations (contract §4): sent to every offender that they describe, now or later, and to the registrant.

A registration is listed under each identifier, name and address it gives, and under its registrant. Sent again with the same id, it
replaces the earlier one for submissions received after it (contract §4); match keeps the earlier choices for events already in the
pipeline.
"""

from collections.abc import Iterator, Mapping

from msgspec import structs

from processors.domain.registration import PresentStanding, Reachable, Registration
from processors.ingest.identify import pages
from processors.ingest.identify.addresses import silenced_addresses
from processors.ingest.identify.contact_limit import contacts_of, contacts_together, count_keys, with_count, with_fewer
from processors.ingest.identify.description import Description
from processors.ingest.identify.enrolments import enrolment
from processors.ingest.identify.evidence import Weight, weigh
from processors.ingest.identify.identity import offenders_at
from processors.ingest.identify.limits import MAX_MATCHED
from processors.ingest.identify.nearness import near_index_keys
from processors.ingest.identify.state import (
    UNCHANGED,
    CurrentRegistration,
    IndexEntry,
    Offender,
    State,
    States,
    address_key,
    after,
    find,
    registrant_key,
    registration_key,
    registrations_key,
)
from processors.stage import Decision, Output, combine
from processors.topics import REGISTRANTS


def registration_keys(
    registration_id: str, described: Description | None, states: States, addresses: tuple[str, ...] = (), registrant_id: str = ""
) -> Iterator[str]:
    """Yield the keys needed to accept, change or remove a registration."""
    if registrant_id:
        yield from pages.last_page_keys(registrations_key(registrant_key(registrant_id)), states)
        yield from count_keys(registrant_id, states)
    key = registration_key(registration_id)
    yield key
    before = find(states, key, CurrentRegistration)
    if before is not None:
        yield registrations_key(registrant_key(before.registrant_id))
        for listed_at, page in before.rolls.items():
            yield pages.page_key(listed_at, page)
    if described is not None:
        index_keys = listing_keys(described)
        yield from described.identifier_keys
        yield from index_keys
        yield from offenders_at((*described.identifier_keys, *index_keys), states)
        for entry_key in index_keys:
            yield from pages.last_page_keys(registrations_key(entry_key), states)
    for address in map(address_key, addresses):
        yield address
        yield from pages.last_page_keys(registrations_key(address), states)


def listing_keys(described: Description) -> tuple[str, ...]:
    """Return the index keys under which a registration is listed, for matches and for near matches."""
    return tuple(dict.fromkeys((*described.index_keys, *near_index_keys(described))))


def accept_registration(
    states: States, registration: Registration, described: Description, seq: int, received_at: int
) -> tuple[CurrentRegistration, Decision[State]]:
    """Put a registration in force; return it, and the resulting decision."""
    registration_id = registration.registration_id
    before = find(states, registration_key(registration_id), CurrentRegistration)
    replaced = take_off_lists(states, registration_id, before)
    if before is not None and before.registrant_id != registration.registrant_id:
        replaced = replaced.then(end_registration(registration_id, before, seq, received_at))
        before = None
    lists, listed = put_on_lists(after(states, replaced), registration, described)
    since = before.offenders if before else {}
    is_unchanged = before is not None and (before.marks, before.names) == (described.marks, described.names)
    confirmed = before.confirmed if before and is_unchanged else ()
    candidates = offenders_at((*described.identifier_keys, *described.index_keys), states)
    meant = offenders_described({key: each for key in candidates if (each := find(states, key, Offender))}, described, since)
    current = CurrentRegistration(
        registrant_id=registration.registrant_id,
        seq=before.seq if before and is_unchanged else seq,
        received_at=received_at,
        marks=described.marks,
        names=described.names,
        case_numbers=registration.case_numbers,
        event_subtypes=registration.event_subtypes,
        expires_at=registration.expires_at,
        offenders={key: since.get(key, seq) for key in dict.fromkeys((*meant, *confirmed))},
        rolls=lists,
        nearly=before.nearly if before and is_unchanged else (),
        confirmed=confirmed,
    )
    left = [enrolment(registration_id, current, key, seq, ended=True) for key in since.keys() - current.offenders.keys()]
    entered = [enrolment(registration_id, current, key, seq) for key in current.offenders]
    outputs = (*left, *entered, _reachable(registration, seq, received_at, silenced_addresses(states, registration.addresses)))
    return current, combine((replaced, listed, Decision(outputs, {registration_key(registration_id): current})))


def remove_registration(
    states: States, registration_id: str, seq: int, received_at: int
) -> tuple[CurrentRegistration | None, Decision[State]]:
    """End a registration; return the one that was in force (None if there was none), and the resulting decision."""
    before = find(states, registration_key(registration_id), CurrentRegistration)
    if before is None:
        return None, UNCHANGED
    return before, take_off_lists(states, registration_id, before).then(end_registration(registration_id, before, seq, received_at))


def offenders_described(known: Mapping[str, Offender], described: Description, since: Mapping[str, int]) -> list[str]:
    """
    Return the offenders whom a registration's description matches: all by a strong number, and others up to MAX_MATCHED.

    Offenders matched before come first. A strong number without an issuer counts only while it belongs to one person.
    """
    weights = {key: weigh(described, each) for key, each in known.items()}
    strong, weak, perhaps = (
        [key for key, weight in weights.items() if weight is wanted] for wanted in (Weight.STRONG, Weight.WEAK, Weight.POSSIBLE)
    )
    if not strong and not weak:
        return perhaps if len(perhaps) == 1 else []
    weak.sort(key=lambda key: (key not in since, known[key].since, key))
    return [*strong, *weak[: max(0, MAX_MATCHED - len(strong))]]


def end_registration(registration_id: str, before: CurrentRegistration, seq: int, received_at: int) -> Decision[State]:
    """End the registration for every offender that it was sent to, and for the registrant."""
    ended = Reachable(registrant_id=before.registrant_id, seq=seq, received_at=received_at, registration_id=registration_id, ended=True)
    removed = structs.replace(before, received_at=received_at)
    outputs = [enrolment(registration_id, removed, key, seq, ended=True) for key in before.offenders]
    return Decision((*outputs, Output(REGISTRANTS, before.registrant_id, ended)), {registration_key(registration_id): None})


def ask_standing(states: States, registration_id: str, received_at: int) -> Decision[State]:
    """Ask for the standing of a registration's offender; answer at once if no offender is known, or several are."""
    found = find(states, registration_key(registration_id), CurrentRegistration)
    if found is None:
        return UNCHANGED
    if len(found.offenders) == 1:
        ((key, since),) = found.offenders.items()
        return Decision((enrolment(registration_id, found, key, since, asks=True),))
    unknown = PresentStanding(registrant_id=found.registrant_id, registration_id=registration_id, received_at=received_at)
    return Decision((Output(REGISTRANTS, found.registrant_id, unknown),))


def erasure_keys(registrant_id: str, states: States) -> Iterator[str]:
    """Yield the keys needed to end all registrations of a registrant."""
    listed = registrations_key(registrant_key(registrant_id))
    yield from pages.all_page_keys(listed, states)
    for registration_id in pages.items(states, listed):
        yield registration_key(registration_id)
        found = find(states, registration_key(registration_id), CurrentRegistration)
        yield from (pages.page_key(at, page) for at, page in (found.rolls.items() if found else ()))


def remove_all_registrations(states: States, registrant_id: str, seq: int, received_at: int) -> tuple[int, Decision[State]]:
    """End all registrations of a registrant; return how many were in force, and the decision."""
    listed = registrations_key(registrant_key(registrant_id))
    ended, changed = 0, UNCHANGED
    for registration_id in tuple(pages.items(states, listed)):
        before, removed = remove_registration(after(states, changed), registration_id, seq, received_at)
        ended += before is not None
        changed = changed.then(removed)
    return ended, changed.then(Decision(states=dict.fromkeys(pages.all_page_keys(listed, states))))


def take_off_lists(states: States, registration_id: str, registration: CurrentRegistration | None) -> Decision[State]:
    """Remove the registration from every list, and subtract its contacts from its registrant's number."""
    if registration is None:
        return UNCHANGED
    taken_off = combine(pages.remove(states, listed_at, page, registration_id) for listed_at, page in registration.rolls.items())
    return taken_off.then(with_fewer(states, registration.registrant_id, contacts_of(registration)))


def put_on_lists(states: States, registration: Registration, described: Description) -> tuple[dict[str, int], Decision[State]]:
    """Add the registration to its lists; return the lists, each with the page, and the state change."""
    registration_id = registration.registration_id
    lists: dict[str, int] = {}
    changes: list[Decision[State]] = []
    for entry_key in listing_keys(described):
        entry = find(states, entry_key, IndexEntry) or IndexEntry()
        if not entry.watched:
            changes.append(Decision(states={entry_key: IndexEntry(entry.offenders, watched=True)}))
        lists[registrations_key(entry_key)], added = pages.add(states, registrations_key(entry_key), registration_id)
        changes.append(added)
    for key in map(registrations_key, (*map(address_key, registration.addresses), registrant_key(registration.registrant_id))):
        lists[key], added = pages.add(states, key, registration_id)
        changes.append(added)
    listed = combine(changes)
    together = contacts_together(states, registration.registrant_id) + len(registration.addresses)
    return lists, listed.then(with_count(after(states, listed), registration.registrant_id, together))


def _reachable(registration: Registration, seq: int, received_at: int, silenced_addresses: tuple[str, ...]) -> Output:
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
            silenced=silenced_addresses,
            key=registration.key,
        ),
    )
