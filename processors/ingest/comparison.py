"""
The comparable form of a person (contract §3.2).

`read` computes it, by the rules of the agency's jurisdiction, since identify has only one partition. Identifiers become marks
(processors.rules.identity). Names are as in processors.domain.names, each with the birth date: "thomas quincy,walker|1979-02-11". An
incomplete birth date ("1979", "1979-02") is used as far as it goes.
"""

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from processors.domain.names import spellings
from processors.domain.person import ComparedPerson, Name, Person
from processors.rules.identity import NO_ISSUER, IdentityRules, Issuer, NotAnIdentifier, is_strong

CACHED: Final = 1 << 14  # people; cached since the same offenders come again and again
SHOWN: Final = 32  # characters shown of a value that was ignored
WHOLE: Final = 10  # characters of a complete date
_DATE: Final = re.compile(r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2}))?)?")


@lru_cache(CACHED)
def compare_person(person: Person, rules: IdentityRules, issuer: Issuer = NO_ISSUER) -> tuple[ComparedPerson, str]:
    """Return the person in comparable form, and a sentence on every identifier that was ignored."""
    marks: dict[str, None] = {}
    left_out = []
    for each in person.identifiers:
        try:
            marks[rules.mark(each, issuer)] = None
        except NotAnIdentifier as why:
            left_out.append(f" {journal_text(each.scheme)} {journal_text(each.value)} is left out: {why}.")
    return ComparedPerson(tuple(marks), compared_names(person)), "".join(left_out)


def compared_names(person: Person) -> tuple[str, ...]:
    """Return the person's name and aliases, each with the birth date; only the birth date if there is no name."""
    birth_date = known_part(person.birth_date or "")
    names: tuple[Name | None, ...] = (person.name, *person.aliases)
    found = dict.fromkeys(compared for each in names if each is not None for compared in spellings(each) if compared)
    if not found:
        return (f"|{birth_date}",) if birth_date else ()
    return tuple(f"{each}|{birth_date}" for each in found)


def known_part(birth_date: str) -> str:
    """Return the known part of a birth date: "1979" for 1979-00-00."""
    found = _DATE.fullmatch(birth_date)
    if found is None:
        return ""
    known = []
    for each in ("year", "month", "day"):
        if not (part := found[each]) or not part.strip("0"):
            break
        known.append(part)
    return "-".join(known)


def is_complete_date(birth_date: str) -> bool:
    return len(birth_date) == WHOLE


def can_be_identified(person: ComparedPerson) -> bool:
    """Whether a message may be about this person: they have a number, or a name with a complete birth date (contract §3)."""
    return bool(person.marks) or has_name_and_birth_date(person)


def can_be_registered_for(person: ComparedPerson) -> bool:
    """Whether a registration may be for this person: they have a strong number, or a name or birth date."""
    return any(map(is_strong, person.marks)) or bool(person.names)


def has_name_and_birth_date(person: ComparedPerson) -> bool:
    return any(words and is_complete_date(birth_date) for words, _, birth_date in (each.rpartition("|") for each in person.names))


def journal_text(text: str) -> str:
    """Return an agency's text as the journal may show it."""
    plain = "".join(each if each.isprintable() else "?" for each in text[: SHOWN + 1])
    return plain if len(text) <= SHOWN else f"{plain[:SHOWN]}…"


def digest(text: str, size: int = 8) -> str:
    """Return a short digest in hex, equal for equal texts everywhere and always."""
    return blake2b(text.encode(), digest_size=size).hexdigest()
