"""Publishes what is known about identities (`vn.people`): names as agencies wrote them, numbers, merges."""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.domain.offender import KnownPerson
from processors.domain.person import Identifier, Name, Person
from processors.ingest.identify.state import MergedOffender, Offender, State, States
from processors.rules.identity import ANY_ISSUER, WEAK
from processors.stage import Output
from processors.topics import PEOPLE

MAX_WRITTEN_NAMES: Final = 16  # the latest are kept
YEAR_LENGTH: Final = 4


def add_written_names(written: tuple[Name, ...], person: Person) -> tuple[Name, ...]:
    """Return the written names with those of a person added, the main name last."""
    new = tuple(each for each in (*person.aliases, person.name) if each is not None)
    return tuple(each for each in dict.fromkeys((*written, *new)))[-MAX_WRITTEN_NAMES:]


def known_people(before: States, changes: Mapping[str, State | None]) -> tuple[Output, ...]:
    """Return the published records of the offenders whose published data changed."""
    return tuple(
        [
            Output(PEOPLE, key, known_person(key, state))
            for key, state in changes.items()
            if (type(state) is Offender or type(state) is MergedOffender) and has_changed(before.get(key), state)
        ]
    )


def publish_again(states: States, keys: Iterable[str]) -> tuple[Output, ...]:
    """Return the published records of these offenders, whether or not anything changed."""
    found = ((key, states.get(key)) for key in keys)
    return tuple(Output(PEOPLE, key, known_person(key, state)) for key, state in found if isinstance(state, Offender | MergedOffender))


def has_changed(before: State | None, now: Offender | MergedOffender) -> bool:
    """Whether the published data of the offender changed."""
    if isinstance(now, MergedOffender):
        return not isinstance(before, MergedOffender) or before.into != now.into
    if not isinstance(before, Offender):
        return True
    return (before.marks, before.names, before.written) != (now.marks, now.names, now.written)


def known_person(key: str, state: Offender | MergedOffender) -> KnownPerson:
    """
    Return the published record of an offender, with only the years of birth dates.

    An offender known from an earlier version has names only in comparable form, until an agency writes one again.
    """
    if isinstance(state, MergedOffender):
        return KnownPerson(offender=key, into=state.into)
    dates = (each.rpartition("|")[2] for each in state.names)
    return KnownPerson(
        offender=key,
        names=state.written or tuple(name_from_comparable(words) for each in state.names if (words := each.rpartition("|")[0])),
        identifiers=tuple(map(identifier, state.marks)),
        birth_years=tuple(sorted({each[:YEAR_LENGTH] for each in dates if len(each) >= YEAR_LENGTH})),
    )


def name_from_comparable(compared: str) -> Name:
    """Return a readable name made from its comparable form."""
    given, comma, sur = compared.replace("+", " ").title().rpartition(",")
    return Name(given, None, sur) if comma else Name(full=sur)


def identifier(mark: str) -> Identifier:
    """Return the identifier of a mark."""
    head, _, value = mark.lstrip(WEAK).partition(":")
    scheme, _, issuer = head.partition("@")
    return Identifier(scheme, value, issuer if issuer not in {"", ANY_ISSUER} else None)
