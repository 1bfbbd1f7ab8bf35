"""Normalizes texts for comparison, and removes invisible characters."""

import unicodedata
from functools import lru_cache
from typing import Final

# Invisible characters outside category Cf: joiners, fillers, variation selectors.
_INVISIBLE: Final = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, *range(0xFE00, 0xFE10), 0xFFA0))
) | frozenset(map(chr, range(0xE0100, 0xE01F0)))


@lru_cache(maxsize=8192)
def normalize(text: str) -> str:
    """Return the letters and digits of `text` in NFKC, case-folded; case, spaces, punctuation and character width make no difference."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", without_invisible(text)).casefold()))


def is_invisible(character: str) -> bool:
    """Whether a character is invisible: a format character (Unicode category Cf), or another that has no glyph."""
    return character in _INVISIBLE or unicodedata.category(character) == "Cf"


def without_invisible(text: str) -> str:
    """Return the text without invisible characters, which copying and pasting leaves behind."""
    return text if text.isascii() else "".join(each for each in text if not is_invisible(each))
