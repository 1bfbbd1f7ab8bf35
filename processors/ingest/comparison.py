"""
What two messages must have in common to be about the same person: identifiers and names as they compare.

Identifiers compare without regard to case, blanks and hyphens. Leading zeros count: agencies issue numbers of a fixed
width, 0771 and 771 may be two people, and a false merger tells the wrong registrants where a missed one is seen by the
identifiers that follow. Words that stand for "no number" are no identifiers: they would make one person of everybody.

Names compare without regard to case, blanks, punctuation, diacritics and generation ("Jr."): the first and the last word
must be equal, and what is between them must not contradict ("John Sample", "John Q Sample", "John Quincy Sample").
"""

import re
import unicodedata
from hashlib import blake2b
from typing import Final

from processors.domain.person import Identifier, Name, Person

NO_NUMBER: Final = frozenset({"", "NA", "N/A", "NIL", "NONE", "NULL", "PENDING", "TBD", "UNASSIGNED", "UNK", "UNKNOWN", "X", "XX", "XXX"})
GENERATIONS: Final = frozenset({"jr", "sr", "ii", "iii", "iv"})

_HYPHENS: Final = dict.fromkeys(map(ord, "-\u00ad\u2010\u2011\u2012\u2013\u2014\u2212\uff0d"))
_LETTERS: Final = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th"})
_SILENT: Final = re.compile(r"['`´’‘ʼ.]")
_NO_WORD: Final = re.compile(r"[\W_]+")


def mark(identifier: Identifier) -> str | None:
    """Return an identifier as it compares, `SID:VA1234567`; None where it stands for no number."""
    value = _compact(identifier.value)
    if value in NO_NUMBER or not value.strip("0"):
        return None
    return f"{_compact(identifier.scheme)}:{value}"


def _compact(text: str) -> str:
    if text.isascii() and text.isalnum():  # as most are
        return text.upper()
    return "".join(unicodedata.normalize("NFKC", text).translate(_HYPHENS).upper().split())


def whole(name: Name) -> str:
    """Return a name as it compares: all words in the order spoken, "john q sample"; empty where there are none."""
    parts = (name.given, name.middle, name.sur)
    if any(parts):
        return _words(" ".join(filter(None, parts)))
    sur, comma, given = (name.full or "").partition(",")
    return _words(f"{given} {sur}" if comma and _words(given) not in GENERATIONS else name.full or "")


def _words(text: str) -> str:
    plain = text.lower() if text.isascii() else _without_marks(text)
    if not plain.replace(" ", "").isalnum():
        plain = _NO_WORD.sub(" ", _SILENT.sub("", plain))
    found = plain.split()
    while len(found) > 1 and found[-1] in GENERATIONS:
        found.pop()
    return " ".join(found)


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def ends(name: str) -> str:
    """Return the first and the last word of a whole name."""
    found = name.split()
    return " ".join((found[0], found[-1])) if found else ""


def alike(one: str, other: str) -> bool:
    """Whether two whole names may be the same person's."""
    if one == other:
        return True
    if ends(one) != ends(other):
        return False
    between, and_between = one.split()[1:-1], other.split()[1:-1]
    if not between or not and_between:
        return True
    return len(between) == len(and_between) and all(map(_same_or_initial, between, and_between))


def _same_or_initial(one: str, other: str) -> bool:
    return one == other or (1 in (len(one), len(other)) and one[0] == other[0])


def marks(person: Person) -> tuple[str, ...]:
    """Return the person's identifiers as they compare, each once, in their order."""
    return tuple(dict.fromkeys(found for each in person.identifiers if (found := mark(each))))


def names(person: Person) -> tuple[str, ...]:
    """Return the person's name and aliases as they compare, each with the birth date; none without a birth date."""
    if person.birth_date is None:
        return ()
    found = (whole(each) for each in ((person.name, *person.aliases) if person.name else person.aliases))
    return tuple(dict.fromkeys(f"{each}|{person.birth_date}" for each in found if each))


def digest(text: str, size: int = 8) -> str:
    """Return a short digest in hex, equal for equal texts everywhere and always."""
    return blake2b(text.encode(), digest_size=size).hexdigest()
