"""Cleans what others wrote for use in a message: one line of visible characters."""

import unicodedata
from functools import lru_cache
from typing import Final

MAX_LENGTH: Final = 200


def with_plain_blanks(text: str) -> str:
    """Return the text with single ordinary spaces."""
    return " ".join(text.split())


@lru_cache(maxsize=16_384)
def clean(text: str) -> str:
    """Return what somebody else wrote as one line: no control, format or direction characters, single spaces, at most MAX_LENGTH."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            character if unicodedata.category(character)[0] not in "CZ" else " " if character.isspace() else "" for character in text
        )
    return with_plain_blanks(text)[:MAX_LENGTH]


def tidy(text: str) -> str:
    """Return a rendered text without surrounding white space or double blank lines, and with a capital first letter."""
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    text = text.strip()
    return text[:1].upper() + text[1:]
