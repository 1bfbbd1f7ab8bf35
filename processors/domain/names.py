"""
The comparable form of people's names (contract §3.2).

The form ignores case, accents, blanks, hyphens, apostrophes of every kind, invisible characters, generations ("Jr."), titles, what
people type if there is no middle name ("NMN"), and a nickname in brackets or quotation marks beside the given name. A name with
an unknown part ("FNU"), or a placeholder ("Doe, John"), has no comparable form.

The form is `given names,surname` ("thomas quincy,walker"), or only the words ("thomas quincy walker") if it is unknown with which
word the surname begins. The parts of a surname are separated by `+` ("ann,smith+jones").
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from typing import Final

from msgspec.structs import astuple

from processors.domain.no_names import NO_MIDDLE_NAME, is_placeholder_name, says_unknown
from processors.domain.normalize import is_invisible
from processors.domain.person import Name

GENERATIONS: Final = frozenset(
    {"jr", "sr", "jnr", "snr", "ii", "iii", "iv", "v", "junior", "senior", "1st", "2nd", "2d", "3rd", "3d", "4th", "5th"}
    | {"mr", "mrs", "ms", "mx", "miss", "sra", "srta", "dr", "rev", "phd", "esq", "esquire", "hijo", "filho"}  # titles are ignored too
)
ABBREVIATED: Final = GENERATIONS - {"junior", "senior", "v"}  # those that are never a first name
APOSTROPHES: Final = "'`´‘’‚‛′‵ʹʻʼʽˈʾʿˊˋˮ＇՚׳ꞌ᾽᾿῾‹›"
CACHED: Final = 1 << 14

# A nickname beside the name: THOMAS (TOMMY), Thomas "TJ", Thomas 'TJ'.
_NICKNAME: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\"[^\"]*\"|[“„«][^“”„«»]*[”“»]|(?<!\S)['‘`][^'’‘`]*['’](?!\S)")
_LETTERS: Final = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ħ": "h", "ŧ": "t"})
_IN_TWO: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_SILENT: Final = str.maketrans({**dict.fromkeys(APOSTROPHES, ""), ".": "", "\u2212": ""})
_LETTERS_ONLY: Final = str.maketrans("", "", " ,+")


def compared_name(name: Name) -> str:
    """Return a name in comparable form; empty if it has no letters."""
    given, sur = without_generation(given_words(name.given or "")), without_generation(parts_of(name.sur or ""))
    if not given or not sur:
        return compared_full(name.full or name.sur or name.given or "")
    return full_name_of((*given, *middle_words(name.middle or "")), sur)


def spellings(name: Name) -> Iterator[str]:
    """Yield a name in comparable form; one with letters that some write as two, in both spellings: Müller as Muller and as Mueller."""
    yield compared_name(name)
    parts: tuple[str | None, ...] = astuple(name)
    if all(part is None or part.isascii() for part in parts):
        return
    written = Name(*(part and unicodedata.normalize("NFC", part).casefold() for part in parts))
    in_two = Name(*(part and part.translate(_IN_TWO) for part in astuple(written)))
    if in_two != written:
        yield compared_name(in_two)


def given_words(text: str, least: int = 1) -> tuple[str, ...]:
    """Return the words of given names without a nickname, if at least `least` words are left; otherwise all words."""
    words = words_of(_NICKNAME.sub(" ", text)) if _NICKNAME.search(text) else ()
    return words if len(words) >= least else words_of(text)


def middle_words(text: str) -> tuple[str, ...]:
    """Return the middle names; none if the text means "no middle name" or "unknown", or is only a nickname."""
    words = words_of(_NICKNAME.sub(" ", text))
    return () if "".join(words) in NO_MIDDLE_NAME or says_unknown(words) else words


def full_name_of(given: tuple[str, ...], sur: tuple[str, ...]) -> str:
    """Return the comparable form of given names and surname; empty if one of them is missing, or if the name is a placeholder."""
    first, *middle = without_generation(given) or ("",)
    if is_placeholder_name((first, *middle), sur):
        return ""
    return join_names((first, *middle_words(" ".join(middle))), sur)


def compared_full(text: str) -> str:
    """Return a full name in comparable form; "LAST, FIRST MIDDLE" shows which word is the surname."""
    shown = text if text.isascii() else unicodedata.normalize("NFKC", text)  # a full-width comma is a comma too
    parts = [part for part in shown.split(",") if words_of(part)]
    named = [part for part in parts if not GENERATIONS.issuperset(words_of(part))] or parts
    if len(named) == 1 and len(words_of(named[0])) == 1:  # WALKER, JUNIOR has no other first name
        named = [part for part in parts if part in named or ABBREVIATED.isdisjoint(words_of(part))]
    if len(named) > 1:
        return full_name_of(without_generation(given_words(" ".join(named[1:]))), without_generation(parts_of(named[0])))
    words = without_generation(given_words(named[0], least=2), least=2) if named else ()
    if is_placeholder_name(words[:-1], words[-1:]):
        return ""
    return " ".join((*words[:1], *(each for each in words[1:-1] if each not in NO_MIDDLE_NAME), *words[1:][-1:]))


def join_names(given: tuple[str, ...], sur: tuple[str, ...]) -> str:
    return f"{' '.join(given)},{'+'.join(sur)}" if given and sur else " ".join(given or sur)


def parts_of(surname: str) -> tuple[str, ...]:
    """Return the words of a surname; a hyphenated one gives its parts."""
    if surname.isascii() and "-" not in surname:
        return words_of(surname)
    return words_of("".join(" " if unicodedata.category(each) == "Pd" else each for each in surname))


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text in comparable form; words joined by a hyphen or the like become one, and a number is none."""
    return tuple(each for each in _plain(text).split() if not each.isdecimal())


@lru_cache(CACHED)
def _plain(text: str) -> str:
    if text.isascii() and text.replace(" ", "").isalnum():  # the usual case
        return text.lower()
    plain = unescape(text) if "&" in text else text  # O&#39;Bryan, copied from a web page
    folded = unicodedata.normalize("NFKD", plain.translate(_SILENT).casefold().translate(_LETTERS))
    letters = []
    for each in folded.translate(_SILENT):
        if is_invisible(each):
            continue
        if each.isalnum():
            letters.append(each)
        elif not unicodedata.combining(each) and unicodedata.category(each) != "Pd":
            letters.append(" ")
    return "".join(letters)


def without_generation(words: tuple[str, ...], least: int = 1) -> tuple[str, ...]:
    """Return the words without a generation, in any position, if at least `least` words are left."""
    if GENERATIONS.isdisjoint(words):
        return words
    left = tuple(each for index, each in enumerate(words) if each not in GENERATIONS or (index == 0 and each not in ABBREVIATED))
    return left if len(left) >= least else words


@lru_cache(CACHED)
def alike(one: str, other: str) -> bool:
    """Whether two names in comparable form may belong to the same person."""
    if one == other:
        return True
    if not one or not other or one[0] != other[0] or one[-1] != other[-1]:
        return False
    if one.translate(_LETTERS_ONLY) == other.translate(_LETTERS_ONLY):
        return True
    surnames: dict[str, list[tuple[str, ...]]] = {}
    for given, sur in readings(one):
        surnames.setdefault(sur, []).append(given)
    return any(given_alike(mine, given) for given, sur in readings(other) for mine in surnames.get(sur, ()))


def readings(name: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the possible pairs of given names and surname of a name: one if the comma separates them, otherwise each split."""
    given, comma, sur = name.rpartition(",")
    if comma:
        yield tuple(given.split()), sur.replace("+", "")
        return
    words = tuple(name.split())
    for index in range(1, len(words)):
        yield words[:index], "".join(words[index:])


def given_alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether given names may belong to the same person: the first is the same, and the others do not contradict each other."""
    for mine in range(1, len(one) + 1):
        for yours in range(1, len(other) + 1):
            if "".join(one[:mine]) == "".join(other[:yours]):
                return middle_alike(one[mine:], other[yours:])
    return False


def middle_alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if not one or not other or "".join(one) == "".join(other):
        return True
    return len(one) == len(other) and all(map(same_or_initial, one, other))


def same_or_initial(one: str, other: str) -> bool:
    return one == other or (1 in (len(one), len(other)) and one[0] == other[0])


def name_block(name: str) -> str:
    """Return a key that all names that may be alike share: first and last letters."""
    return f"{name[0]}{name[-1]}"
