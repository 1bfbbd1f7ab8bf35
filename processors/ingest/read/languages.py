"""The language of a registrant: BCP 47, or an ISO 639 code of two or three letters (contract §4)."""

import re
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global

TWO_LETTERS: Final = 2
NO_LANGUAGES: Final = frozenset({"esp"})  # written for Spanish, but in no list of ISO 639: it would be told in English
_TAG: Final = re.compile(r"([A-Za-z]{2,3})((?:-[A-Za-z0-9]{1,8})*)")


def canonical_language(tag: str) -> str | None:
    """Return the tag with the shortest code of its language, `es-MX` for `spa-MX`; None if it is not a language tag."""
    found = _TAG.fullmatch(tag)
    if found is None:
        return None
    language = shortest_code(found[1].lower())
    return language + found[2] if language else None


def shortest_code(code: str) -> str | None:
    """Return the two-letter code of a language if it has one, also for a withdrawn code; None for a code that is none."""
    two_letters, known = codes()
    if code in NO_LANGUAGES or (len(code) == TWO_LETTERS and code not in known):
        return two_letters.get(code)
    return two_letters.get(code, code)


@cache
def codes() -> tuple[dict[str, str], frozenset[str]]:
    """Return the two-letter code of each three-letter one (ISO 639-2 and 639-3) and each withdrawn one, and all two-letter codes."""
    aliases = {str(long): str(short) for long, short in get_global("language_aliases").items()}
    known = frozenset(code for code in map(str, Locale("en").languages) if len(code) == TWO_LETTERS)
    return {old: short for old, short in aliases.items() if len(short) == TWO_LETTERS and old not in known}, known
