"""A person as one message or registration describes them, with the keys under which matching offenders are found."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from processors.domain.names import name_block
from processors.domain.person import ComparedPerson
from processors.domain.states import STATES
from processors.ingest.comparison import is_whole
from processors.ingest.identify.evidence import without_issuer
from processors.ingest.identify.state import index_key, name_key, number_key, offender_key
from processors.rules.identity import is_open, is_strong, readable_mark

CACHED: Final = 1 << 14  # descriptions: the same offenders come again and again


@dataclass(frozen=True)
class Description:
    """
    A person by marks and names.

    `homes` are the keys of offenders who were first known by one of the strong marks, `places` the index keys at which
    others are found. `first` says what an offender who is known by the first strong mark is known by.
    """

    marks: tuple[str, ...]
    names: tuple[str, ...]
    homes: tuple[str, ...]
    places: tuple[str, ...]
    first: str

    @classmethod
    @lru_cache(CACHED)
    def of(cls, marks: tuple[str, ...], names: tuple[str, ...]) -> "Description":
        strong = tuple(each for each in marks if is_strong(each) and not is_open(each))
        possible = (f"{scheme}:{state}{number}" for scheme, number in open_numbers(marks) for state in STATES)
        homes = tuple(map(offender_key, (*strong, *possible)))
        found = (*map(index_key, homes), *number_places(marks, names), *name_places(names))
        return cls(marks, names, homes, tuple(dict.fromkeys(found)), f"{readable_mark(strong[0])} agrees" if strong else "")

    @cached_property
    def new_keys(self) -> tuple[str, ...]:
        """The possible keys of an offender who is described for the first time: the first unused one is taken."""
        by_name = (offender_key(each) for each in self.names if is_whole(each.rpartition("|")[2]))
        return (*self.homes, *by_name, self.own_key)

    @cached_property
    def own_key(self) -> str:
        """The key of an offender of whom exactly this description is known."""
        return offender_key("=".join((*self.marks, *self.names, "")))


def open_numbers(marks: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield scheme and number of strong marks whose issuer is not known."""
    for each in marks:
        if is_strong(each) and is_open(each):
            scheme, _, number = without_issuer(each).partition(":")
            yield scheme, number


def number_places(marks: tuple[str, ...], names: tuple[str, ...]) -> Iterator[str]:
    """Yield the keys of numbers without an issuer of their own: weak ones count only with a name or birth date."""
    scoped = [without_issuer(each) for each in marks if "@" in each]
    for each in marks:
        if "@" in each and is_strong(each):
            yield number_key(without_issuer(each), "")
    if scoped:
        for words, _, birth_date in (each.rpartition("|") for each in names):
            for number in scoped:
                if is_whole(birth_date):
                    yield number_key(number, birth_date)
                if words:
                    yield number_key(number, name_block(words))


def name_places(names: tuple[str, ...]) -> Iterator[str]:
    """Yield the keys of names with a whole birth date, those of a surname of several parts by the first and last part too."""
    for words, _, birth_date in (each.rpartition("|") for each in names):
        if words and is_whole(birth_date):
            yield name_key(words, birth_date)
            for half in half_names(words):
                yield name_key(half, birth_date)


def half_names(words: str) -> Iterator[str]:
    """Yield a name with only the first and with only the last part of a surname of several parts."""
    given, comma, sur = words.rpartition(",")
    if comma and "+" in sur:
        parts = sur.split("+")
        yield f"{given},{parts[0]}"
        yield f"{given},{parts[-1]}"


def describe(person: ComparedPerson) -> Description:
    """Return the description with the keys under which matching offenders are found."""
    return Description.of(person.marks, person.names)
