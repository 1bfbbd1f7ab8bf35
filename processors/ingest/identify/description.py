"""A person as described by one message or registration, with the keys under which matching offenders are found."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from processors.domain.names import name_block
from processors.domain.person import ComparedPerson
from processors.domain.states import STATES
from processors.ingest.comparison import is_complete_date
from processors.ingest.identify.evidence import without_issuer
from processors.ingest.identify.state import index_key, name_key, number_key, offender_key
from processors.rules.identity import is_strong, lacks_issuer, readable_mark

CACHED: Final = 1 << 14  # descriptions; cached since the same offenders come again and again


@dataclass(frozen=True)
class Description:
    """
    A person described by marks and names.

    `identifier_keys` are the offender keys derived from the strong marks, `index_keys` the index entries under which other offenders
    are found. `first` is the evidence sentence for an offender found by the first strong mark.
    """

    marks: tuple[str, ...]
    names: tuple[str, ...]
    identifier_keys: tuple[str, ...]
    index_keys: tuple[str, ...]
    first: str

    @classmethod
    @lru_cache(CACHED)
    def of(cls, marks: tuple[str, ...], names: tuple[str, ...]) -> "Description":
        strong = tuple(each for each in marks if is_strong(each) and not lacks_issuer(each))
        possible = (f"{scheme}:{state}{number}" for scheme, number in numbers_without_issuer(marks) for state in STATES)
        identifier_keys = tuple(map(offender_key, (*strong, *possible)))
        found = (*map(index_key, identifier_keys), *number_index_keys(marks, names), *name_index_keys(names))
        return cls(marks, names, identifier_keys, tuple(dict.fromkeys(found)), f"{readable_mark(strong[0])} agrees" if strong else "")

    @cached_property
    def new_keys(self) -> tuple[str, ...]:
        """The possible keys of a new offender; the first unused one is taken."""
        by_name = (offender_key(each) for each in self.names if is_complete_date(each.rpartition("|")[2]))
        return (*self.identifier_keys, *by_name, self.own_key)

    @cached_property
    def own_key(self) -> str:
        """The key of an offender who is known only by exactly this description."""
        return offender_key("=".join((*self.marks, *self.names, "")))


def numbers_without_issuer(marks: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield scheme and number of the strong marks whose issuer is unknown."""
    for each in marks:
        if is_strong(each) and lacks_issuer(each):
            scheme, _, number = without_issuer(each).partition(":")
            yield scheme, number


def number_index_keys(marks: tuple[str, ...], names: tuple[str, ...]) -> Iterator[str]:
    """Yield the index keys of numbers regardless of their issuer; they count only together with a name or birth date."""
    scoped = [without_issuer(each) for each in marks if "@" in each]
    for each in marks:
        if "@" in each and is_strong(each):
            yield number_key(without_issuer(each), "")
    if scoped:
        for words, _, birth_date in (each.rpartition("|") for each in names):
            for number in scoped:
                if is_complete_date(birth_date):
                    yield number_key(number, birth_date)
                if words:
                    yield number_key(number, name_block(words))


def name_index_keys(names: tuple[str, ...]) -> Iterator[str]:
    """Yield the index keys of names with a complete birth date; for a surname of several parts, also by its first and last part."""
    for words, _, birth_date in (each.rpartition("|") for each in names):
        if words and is_complete_date(birth_date):
            yield name_key(words, birth_date)
            for half in half_names(words):
                yield name_key(half, birth_date)


def half_names(words: str) -> Iterator[str]:
    """Yield a name with only the first, then with only the last part of a surname of several parts."""
    given, comma, sur = words.rpartition(",")
    if comma and "+" in sur:
        parts = sur.split("+")
        yield f"{given},{parts[0]}"
        yield f"{given},{parts[-1]}"


def describe(person: ComparedPerson) -> Description:
    """Return the description of a person in comparable form."""
    return Description.of(person.marks, person.names)
