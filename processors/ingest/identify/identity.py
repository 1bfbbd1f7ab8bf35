"""
Who is who: one offender's key for everything that is said of one person.

Any shared identifier is the same person. Else a name or alias with the same birth date is, unless both sides have an
identifier of one scheme and none in common. Identity grows: what a message adds is learnt. Where a message ties
together people known apart, nobody is merged: it goes out under each, the older first, and a review says so.
Registrations teach nothing, since registrants may err; they wait at every identifier and name they give.

An offender's key is made of their first identifier, so that who is known by it is found without an index (`homes`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec import structs

from processors.domain.person import Person
from processors.domain.registration import Enrolment
from processors.ingest.comparison import alike, marks, names
from processors.ingest.identify import paging
from processors.ingest.identify.state import Desk, Enrolled, Indexed, Offender, State, index_key, name_key, offender_key, registration_key
from processors.stage import Output
from processors.topics import EVENTS

REMEMBERED: Final = 1 << 14  # people kept at hand: the same offenders come again and again
PASSING: Final = frozenset({"BOOKING"})  # a booking number belongs to a stay in jail: two of them are no contradiction


class Identity(NamedTuple):
    """
    Somebody as one message or registration describes them.

    `homes` are the keys of offenders who were first known by one of the identifiers, `places` the index keys at which
    others are found.
    """

    marks: tuple[str, ...]
    names: tuple[str, ...]
    homes: tuple[str, ...]
    places: tuple[str, ...]

    @classmethod
    def by(cls, marks: tuple[str, ...], names: tuple[str, ...]) -> "Identity":
        homes = tuple(map(offender_key, marks))
        return cls(marks, names, homes, tuple(dict.fromkeys((*map(index_key, homes), *map(name_key, names)))))


@lru_cache(REMEMBERED)
def identity(person: Person) -> Identity:
    """Return the person as they compare."""
    return Identity.by(marks(person), names(person))


Known = Identity | Offender | Enrolled
Look = Callable[[str], State | None]


def meets(one: Known, other: Known) -> bool:
    """Whether two descriptions are of the same person."""
    if not set(one.marks).isdisjoint(other.marks):
        return True
    return same_name(one, other) and not contradict(one, other)


def same_name(one: Known, other: Known) -> bool:
    """Whether a name or alias and its birth date agree."""
    return any(
        birth_date == other_birth_date and alike(words, other_words)
        for words, _, birth_date in (each.rpartition("|") for each in one.names)
        for other_words, _, other_birth_date in (each.rpartition("|") for each in other.names)
    )


def contradict(one: Known, other: Known) -> bool:
    """Whether some scheme that tells people apart has identifiers on both sides and none in common."""
    mine, theirs = by_scheme(one.marks), by_scheme(other.marks)
    return any(mine[scheme].isdisjoint(theirs[scheme]) for scheme in mine.keys() & theirs.keys() - PASSING)


def by_scheme(found: Iterable[str]) -> Mapping[str, set[str]]:
    schemes: dict[str, set[str]] = {}
    for each in found:
        schemes.setdefault(each.partition(":")[0], set()).add(each)
    return schemes


def knows(offender: Offender, person: Identity) -> bool:
    """Whether there is nothing to learn."""
    return (person.marks == offender.marks or set(person.marks) <= set(offender.marks)) and (
        person.names == offender.names or set(person.names) <= set(offender.names)
    )


def at_home(person: Identity, look: Look) -> str | None:
    """
    Return the offender who is first known by the person's first identifier, where nothing said of the person is new.

    Nobody else is meant then, since an identifier is one offender's alone; nobody else need be looked for.
    """
    if not person.homes:
        return None
    found = look(person.homes[0])
    return person.homes[0] if isinstance(found, Offender) and knows(found, person) else None


def person_keys(person: Identity, states: Mapping[str, State]) -> list[str]:
    """Return the states that identifying somebody needs; more where there is something to learn that registrations may wait for."""
    keys = [*person.homes, *person.places]
    if at_home(person, states.get):
        return keys
    holders = holders_at(keys, states.get)
    keys += holders
    offenders = [found for key in holders if isinstance(found := states.get(key), Offender)]
    known_wholly = [knows(each, person) for each in offenders]
    if any(known_wholly) and (person.marks or all(known_wholly)):
        return keys
    places = dict.fromkeys((*person.places, *(name_key(name) for each in offenders for name in each.names)))
    keys += places
    for place in places:
        found = states.get(place)
        if isinstance(found, Indexed) and found.watched:
            keys += waiting_keys(place, states)
    return keys


def waiting_keys(place: str, states: Mapping[str, State]) -> Iterator[str]:
    """Yield the roll of registrations that wait at an index entry, and the registrations."""
    for key in paging.all_keys(roll_key(place), states):
        yield key
        page = states.get(key)
        yield from map(registration_key, getattr(page, "items", ()))


def holders_at(places: Iterable[str], look: Look) -> tuple[str, ...]:
    """Return the offenders found at these keys, their own or those of the index."""
    holders: dict[str, None] = {}
    for place in places:
        found = look(place)
        if isinstance(found, Indexed):
            holders |= dict.fromkeys(found.offenders)
        elif isinstance(found, Offender):
            holders[place] = None
    return tuple(holders)


def roll_key(place: str) -> str:
    """Return the key of the roll of registrations that wait at an index entry."""
    return f"w{place}"


def known(desk: Desk, person: Identity) -> tuple[str, ...]:
    """Return the offenders that this person is, the one known longest first."""
    found = _at(desk, (*person.homes, *map(index_key, person.homes)))
    if not found:
        found = {key: each for key, each in _at(desk, map(name_key, person.names)).items() if meets(person, each)}
    return tuple(sorted(found, key=lambda key: (found[key].since, key)))


def _at(desk: Desk, places: Iterable[str]) -> dict[str, Offender]:
    return {key: each for key in holders_at(places, desk.look) if (each := desk.get(key, Offender)) is not None}


def made(person: Identity) -> str:
    """Return the key of an offender who is met for the first time."""
    return offender_key((person.marks or person.names)[0])


def learn(desk: Desk, key: str, person: Identity, seq: int) -> None:
    """The offender has all that is said of the person and that is nobody else's; registrations that waited for it go out."""
    before = desk.get(key, Offender)
    if before is not None and knows(before, person):
        return
    offender = before or Offender(since=seq)
    new_marks = tuple(each for each in person.marks if each not in offender.marks and _free(desk, each))
    new_names = tuple(each for each in person.names if each not in offender.names)
    if before is not None and not new_marks and not new_names:
        return
    offender = Offender(offender.since, offender.marks + new_marks, offender.names + new_names, offender.met)
    desk.put(key, offender)
    for place in Identity.by(new_marks, new_names).places:
        if place == index_key(key):
            continue
        entry = desk.get(place, Indexed) or Indexed()
        if key not in entry.offenders:
            desk.put(place, Indexed((*entry.offenders, key), entry.watched))
    reconsider(desk, key, offender, Identity.by(new_marks, offender.names if new_marks else new_names), seq)


def _free(desk: Desk, mark: str) -> bool:
    home = offender_key(mark)
    return not holders_at((home, index_key(home)), desk.look)


def reconsider(desk: Desk, key: str, offender: Offender, learnt: Identity, seq: int) -> None:
    """Every registration that waits at what was learnt is enrolled for the offender, or no longer."""
    watched = (place for place in learnt.places if (entry := desk.get(place, Indexed)) and entry.watched)
    waiting = (item for place in watched for item in paging.members(desk, roll_key(place)))
    for registration_id in dict.fromkeys(waiting):
        enrolled = desk.get(registration_key(registration_id), Enrolled)
        if enrolled is None:
            continue
        is_meant = meets(enrolled, offender)
        if is_meant and key not in enrolled.offenders:
            enrol(desk, registration_id, enrolled, enrolled.offenders | {key: enrolled.seq})
        elif not is_meant and key in enrolled.offenders:
            enrol(desk, registration_id, enrolled, {each: since for each, since in enrolled.offenders.items() if each != key}, seq)


def enrol(desk: Desk, registration_id: str, enrolled: Enrolled, offenders: dict[str, int], seq: int = 0) -> None:
    """The registration goes to these offenders and no others; those it did not go to before, and those it leaves, hear of it."""
    for key in enrolled.offenders:
        if key not in offenders:
            desk.outputs.append(enrolment(registration_id, enrolled, key, seq, ended=True))
    for key, since in offenders.items():
        if key not in enrolled.offenders:
            desk.outputs.append(enrolment(registration_id, enrolled, key, since))
    desk.put(registration_key(registration_id), structs.replace(enrolled, offenders=offenders))


def enrolment(registration_id: str, enrolled: Enrolled, key: str, seq: int, *, ended: bool = False) -> Output:
    """Return the word to match that a registration asks for this offender, or no longer does."""
    return Output(
        EVENTS,
        key,
        Enrolment(
            offender=key,
            seq=seq,
            received_at=enrolled.received_at,
            registration_id=registration_id,
            registrant_id=enrolled.registrant_id,
            case_numbers=enrolled.case_numbers,
            event_subtypes=enrolled.event_subtypes,
            expires_at=enrolled.expires_at,
            ended=ended,
        ),
    )
