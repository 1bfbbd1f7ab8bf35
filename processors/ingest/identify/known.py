"""What is published about identities (`vn.people`): names as agencies wrote them, numbers, merges."""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.domain.offender import KnownPerson
from processors.domain.person import Identifier, Name, Person
from processors.ingest.identify.state import MergedOffender, Offender, State, States
from processors.rules.identity import ANY_ISSUER, WEAK
from processors.stage import Output
from processors.topics import PEOPLE

NAMES: Final = 16  # the latest that are kept as they were written
YEAR: Final = 4


def add_written(written: tuple[Name, ...], person: Person) -> tuple[Name, ...]:
    """Return the names as written with those of a person, the name itself last."""
    new = tuple(each for each in (*person.aliases, person.name) if each is not None)
    return tuple(each for each in dict.fromkeys((*written, *new)))[-NAMES:]


def known_people(before: States, changes: Mapping[str, State | None]) -> tuple[Output, ...]:
    """Return what is published of the offenders whose published data changed."""
    return tuple(
        [
            Output(PEOPLE, key, known_person(key, state))
            for key, state in changes.items()
            if (type(state) is Offender or type(state) is MergedOffender) and is_news(before.get(key), state)
        ]
    )


def publish_again(states: States, keys: Iterable[str]) -> tuple[Output, ...]:
    """Return what is published of these offenders, whether or not anything changed."""
    found = ((key, states.get(key)) for key in keys)
    return tuple(Output(PEOPLE, key, known_person(key, state)) for key, state in found if isinstance(state, Offender | MergedOffender))


def is_news(before: State | None, now: Offender | MergedOffender) -> bool:
    """Whether the published data of the offender changed."""
    if isinstance(now, MergedOffender):
        return not isinstance(before, MergedOffender) or before.into != now.into
    if not isinstance(before, Offender):
        return True
    return (before.marks, before.names, before.written) != (now.marks, now.names, now.written)


def known_person(key: str, state: Offender | MergedOffender) -> KnownPerson:
    """
    Return what is published of the offender; of birth dates only the years.

    Whom an earlier version knew has names only as they compare, until an agency writes one again.
    """
    if isinstance(state, MergedOffender):
        return KnownPerson(offender=key, into=state.into)
    dates = (each.rpartition("|")[2] for each in state.names)
    return KnownPerson(
        offender=key,
        names=state.written or tuple(written_out(words) for each in state.names if (words := each.rpartition("|")[0])),
        identifiers=tuple(map(identifier, state.marks)),
        birth_years=tuple(sorted({each[:YEAR] for each in dates if len(each) >= YEAR})),
    )


def written_out(compared: str) -> Name:
    """Return a name as it compares in capitals and blanks."""
    given, comma, sur = compared.replace("+", " ").title().rpartition(",")
    return Name(given, None, sur) if comma else Name(full=sur)


def identifier(mark: str) -> Identifier:
    """Return the identifier of a mark."""
    head, _, value = mark.lstrip(WEAK).partition(":")
    scheme, _, issuer = head.partition("@")
    return Identifier(scheme, value, issuer if issuer not in {"", ANY_ISSUER} else None)
