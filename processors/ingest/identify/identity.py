"""
Who is who: one offender's key for everything that is said of one person.

Any shared identifier is the same person. Else a name or alias with the same birth date is, unless both sides have an
identifier of one scheme and none in common. Identity grows: what a message adds is learnt. Where a message ties
together people known apart, nobody is merged: it goes out under each, the older first, and a review says so.
Registrations teach nothing, since registrants may err; they are listed at every identifier and name they give.

An offender's key is made of their first identifier, so that who is known by it is found without an index (`homes`).
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from processors.domain.person import Person
from processors.ingest.comparison import alike, marks, names
from processors.ingest.identify import pages
from processors.ingest.identify.enrolments import set_offenders
from processors.ingest.identify.state import (
    UNCHANGED,
    CurrentRegistration,
    IndexEntry,
    ListPage,
    Offender,
    State,
    States,
    after,
    find,
    index_key,
    name_key,
    offender_key,
    registration_key,
    registrations_key,
)
from processors.stage import Decision, combine

CACHED: Final = 1 << 14  # descriptions: the same offenders come again and again
PASSING: Final = frozenset({"BOOKING"})  # a booking number belongs to a stay in jail: two of them are no contradiction


class Description(NamedTuple):
    """
    A person as one message or registration describes them.

    `homes` are the keys of offenders who were first known by one of the identifiers, `places` the index keys at which
    others are found.
    """

    marks: tuple[str, ...]
    names: tuple[str, ...]
    homes: tuple[str, ...]
    places: tuple[str, ...]

    @classmethod
    def of(cls, marks: tuple[str, ...], names: tuple[str, ...]) -> "Description":
        homes = tuple(map(offender_key, marks))
        return cls(marks, names, homes, tuple(dict.fromkeys((*map(index_key, homes), *map(name_key, names)))))


@lru_cache(CACHED)
def describe(person: Person) -> Description:
    """Return the person as they compare."""
    return Description.of(marks(person), names(person))


Described = Description | Offender | CurrentRegistration


def same_person(one: Described, other: Described) -> bool:
    """Whether two descriptions are of the same person."""
    if not set(one.marks).isdisjoint(other.marks):
        return True
    return same_name(one, other) and not contradict(one, other)


def same_name(one: Described, other: Described) -> bool:
    """Whether a name or alias and its birth date agree."""
    return any(
        birth_date == other_birth_date and alike(words, other_words)
        for words, _, birth_date in (each.rpartition("|") for each in one.names)
        for other_words, _, other_birth_date in (each.rpartition("|") for each in other.names)
    )


def contradict(one: Described, other: Described) -> bool:
    """Whether some scheme that tells people apart has identifiers on both sides and none in common."""
    mine, theirs = by_scheme(one.marks), by_scheme(other.marks)
    return any(mine[scheme].isdisjoint(theirs[scheme]) for scheme in mine.keys() & theirs.keys() - PASSING)


def by_scheme(found: Iterable[str]) -> Mapping[str, set[str]]:
    schemes: dict[str, set[str]] = {}
    for each in found:
        schemes.setdefault(each.partition(":")[0], set()).add(each)
    return schemes


def covers(offender: Offender, described: Description) -> bool:
    """Whether the description says nothing new of the offender."""
    return (described.marks == offender.marks or set(described.marks) <= set(offender.marks)) and (
        described.names == offender.names or set(described.names) <= set(offender.names)
    )


def at_home(described: Description, states: States) -> str | None:
    """
    Return the offender who is first known by the description's first identifier, where nothing in it is new.

    Nobody else is meant then, since an identifier is one offender's alone; nobody else need be looked for.
    """
    if not described.homes:
        return None
    found = find(states, described.homes[0], Offender)
    return described.homes[0] if found is not None and covers(found, described) else None


def description_keys(described: Description, states: States) -> list[str]:
    """Return the states that identifying somebody needs; more where there is something to learn that registrations may wait for."""
    keys = [*described.homes, *described.places]
    if at_home(described, states):
        return keys
    candidates = offenders_at(keys, states)
    keys += candidates
    offenders = [found for key in candidates if (found := find(states, key, Offender))]
    covered = [covers(each, described) for each in offenders]
    if any(covered) and (described.marks or all(covered)):
        return keys
    places = dict.fromkeys((*described.places, *(name_key(name) for each in offenders for name in each.names)))
    keys += places
    for place in places:
        entry = find(states, place, IndexEntry)
        if entry is not None and entry.watched:
            keys += listed_registration_keys(place, states)
    return keys


def listed_registration_keys(place: str, states: States) -> Iterator[str]:
    """Yield the list of registrations at an index entry, and the registrations."""
    for key in pages.all_page_keys(registrations_key(place), states):
        yield key
        page = find(states, key, ListPage)
        yield from map(registration_key, page.items if page is not None else ())


def offenders_at(places: Iterable[str], states: States) -> tuple[str, ...]:
    """Return the offenders found at these keys, their own or those of the index."""
    found: dict[str, None] = {}
    for place in places:
        state = states.get(place)
        if isinstance(state, IndexEntry):
            found |= dict.fromkeys(state.offenders)
        elif isinstance(state, Offender):
            found[place] = None
    return tuple(found)


def find_offenders(states: States, described: Description) -> tuple[str, ...]:
    """Return the offenders that are described, the one known longest first."""
    found = _offenders(states, (*described.homes, *map(index_key, described.homes)))
    if not found:
        by_name = _offenders(states, map(name_key, described.names))
        found = {key: each for key, each in by_name.items() if same_person(described, each)}
    return tuple(sorted(found, key=lambda key: (found[key].since, key)))


def _offenders(states: States, places: Iterable[str]) -> dict[str, Offender]:
    return {key: each for key in offenders_at(places, states) if (each := find(states, key, Offender)) is not None}


def new_offender_key(described: Description) -> str:
    """Return the key of an offender who is described for the first time."""
    return offender_key((described.marks or described.names)[0])


def identify(states: States, described: Description, seq: int) -> tuple[tuple[str, ...], Decision[State]]:
    """Return the offender described, found or new, and what is learnt; several, oldest first, where people known apart are tied."""
    if home := at_home(described, states):
        return (home,), UNCHANGED
    offenders = find_offenders(states, described) or (new_offender_key(described),)
    return offenders, learn(states, offenders[0], described, seq)


def learn(states: States, key: str, described: Description, seq: int) -> Decision[State]:
    """Add to the offender all that is described and nobody else's; registrations listed there are sent on."""
    before = find(states, key, Offender)
    if before is not None and covers(before, described):
        return UNCHANGED
    offender = before or Offender(since=seq)
    new_marks = tuple(each for each in described.marks if each not in offender.marks and _is_free(states, each))
    new_names = tuple(each for each in described.names if each not in offender.names)
    if before is not None and not new_marks and not new_names:
        return UNCHANGED
    offender = Offender(offender.since, offender.marks + new_marks, offender.names + new_names, offender.met)
    changes: dict[str, State | None] = {key: offender}
    for place in Description.of(new_marks, new_names).places:
        entry = find(states, place, IndexEntry) or IndexEntry()
        if place != index_key(key) and key not in entry.offenders:
            changes[place] = IndexEntry((*entry.offenders, key), entry.watched)
    learnt = Description.of(new_marks, offender.names if new_marks else new_names)
    added: Decision[State] = Decision(states=changes)
    return added.then(update_registrations(after(states, added), key, offender, learnt, seq))


def _is_free(states: States, mark: str) -> bool:
    home = offender_key(mark)
    return not offenders_at((home, index_key(home)), states)


def update_registrations(states: States, key: str, offender: Offender, learnt: Description, seq: int) -> Decision[State]:
    """Send every registration that is listed at what was learnt to the offender, or end it there."""
    watched = (place for place in learnt.places if (entry := find(states, place, IndexEntry)) and entry.watched)
    listed = (item for place in watched for item in pages.items(states, registrations_key(place)))
    updates = []
    for registration_id in dict.fromkeys(listed):
        registration = find(states, registration_key(registration_id), CurrentRegistration)
        if registration is None:
            continue
        is_meant = same_person(registration, offender)
        if is_meant and key not in registration.offenders:
            updates.append(set_offenders(registration_id, registration, {**registration.offenders, key: registration.seq}, seq))
        elif not is_meant and key in registration.offenders:
            others = {each: since for each, since in registration.offenders.items() if each != key}
            updates.append(set_offenders(registration_id, registration, others, seq))
    return combine(updates)
