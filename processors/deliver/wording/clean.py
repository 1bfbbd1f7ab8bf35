"""Cleans what others wrote for use in a message: one line of visible characters."""

import unicodedata
from functools import lru_cache
from typing import Final

LONGEST: Final = 200


def with_plain_blanks(text: str) -> str:
    """Return the text with only ordinary blanks."""
    return " ".join(text.split())


@lru_cache(maxsize=16_384)
def clean(text: str) -> str:
    """Return one line of what somebody else wrote: no control, format or direction characters, single blanks, at most 200."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(sign if unicodedata.category(sign)[0] not in "CZ" else " " if sign.isspace() else "" for sign in text)
    return with_plain_blanks(text)[:LONGEST]


def tidy(text: str) -> str:
    """Return a rendered text without surrounding blanks, and with each sentence capitalized even if it begins with a lower-case name."""
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    text = text.strip()
    return text[:1].upper() + text[1:]
