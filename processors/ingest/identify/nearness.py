"""
Registrations that nearly describe an offender (contract §4 `possible_match`): they do not match, but a reviewer is asked.

A registration without identifiers nearly fits if exactly one thing differs: day and month of the birth date are swapped, one given
name is a short form of the other, or one surname is half of the other. A registration with a number nearly fits if the number
agrees but equally strong evidence contradicts it, since registrants make mistakes in numbers, names and dates.
"""

from collections.abc import Iterator
from functools import cache

from nicknames import NickNamer

from processors.domain.names import alike, readings
from processors.ingest.comparison import is_complete_date
from processors.ingest.identify.description import half_names
from processors.ingest.identify.evidence import (
    Described,
    NameAndBirthDate,
    Weight,
    explain_evidence,
    names_and_birth_dates,
    strong_contradiction,
    weigh,
)
from processors.ingest.identify.state import name_key


def nearly_describes(registration: Described, offender: Described) -> str | None:
    """Return why the registration nearly fits the offender; None if it does not, or if it fits exactly."""
    weight = weigh(registration, offender)
    if weight is Weight.POSSIBLE:
        return "a number agrees, and it does not say who issued it"
    if weight is Weight.CONFLICT:
        return explain_evidence(registration, offender)
    if registration.marks or strong_contradiction(registration, offender) is not None:
        return None
    return next((why for one in whole_names(registration) for other in whole_names(offender) if (why := one_difference(one, other))), None)


def whole_names(described: Described) -> list[NameAndBirthDate]:
    """Return the names with a complete birth date."""
    return [each for each in names_and_birth_dates(described) if each.words and is_complete_date(each.birth_date)]


def one_difference(one: NameAndBirthDate, other: NameAndBirthDate) -> str | None:
    """Return the one near-match difference between two names with birth dates; None if they differ in another way."""
    if one.birth_date == other.birth_date:
        if short_form(one.words, other.words):
            return "one given name is a short form of the other"
        return "one surname is half of the other" if half_surname(one.words, other.words) else None
    if other.birth_date == swap_day_and_month(one.birth_date) and alike(one.words, other.words):
        return f"day and month of the birth date are swapped: {one.birth_date} against {other.birth_date}"
    return None


def swap_day_and_month(birth_date: str) -> str:
    """Return a birth date with day and month swapped."""
    year, month, day = birth_date.split("-")
    return f"{year}-{day}-{month}"


def short_form(one: str, other: str) -> bool:
    """Whether the names differ only by a short form of the first given name."""
    return any(
        sur == other_sur and other_given[0] in forms_of(given[0]) and alike(_with_given_name(one, given[0], other_given[0]), other)
        for given, sur in readings(one)
        for other_given, other_sur in readings(other)
        if given and other_given
    )


def _with_given_name(name: str, first: str, new: str) -> str:
    return new + name.removeprefix(first)


def half_surname(one: str, other: str) -> bool:
    """Whether one surname is the first or last part of the other's, and the given names agree."""
    return any(alike(half, other) for half in half_names(one)) or any(alike(one, half) for half in half_names(other))


@cache
def _names() -> NickNamer:
    return NickNamer()


@cache
def forms_of(name: str) -> frozenset[str]:
    """Return the full names and short forms of a given name, without the name itself."""
    full = _names().canonicals_of(name)
    return frozenset({*full, *_names().nicknames_of(name)} - {name})


def near_index_keys(registration: Described) -> Iterator[str]:
    """Yield the index keys under which offenders are found whom the registration may nearly describe."""
    if registration.marks:
        return
    for words, birth_date in names_and_birth_dates(registration):
        if not words or not is_complete_date(birth_date):
            continue
        yield name_key(words, swap_day_and_month(birth_date))
        for half in half_names(words):
            yield name_key(half, birth_date)
        first = words.replace(",", " ").split()[0]
        for form in sorted(forms_of(first)):
            yield name_key(_with_given_name(words, first, form), birth_date)
