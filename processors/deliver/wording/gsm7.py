"""The GSM-7 alphabet of text messages (3GPP TS 23.038): the length of a text in it, and how other characters are transliterated."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION: Final = "^{}\\[~]|€"  # two septets each
ALPHABET: Final = frozenset(BASIC + EXTENSION)
UNKNOWN: Final = "?"

# Characters that Unicode does not decompose into a plain letter and an accent.
REPLACEMENTS: Final = {
    "‘": "'",
    "’": "'",
    "‚": "'",
    "`": "'",
    "´": "'",
    "ʻ": "'",
    "ʼ": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "‐": "-",
    "‑": "-",
    "–": "-",
    "—": "-",
    "−": "-",
    "•": "-",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ð": "d",
    "Ð": "D",
    "þ": "th",
    "Þ": "Th",
    "œ": "oe",
    "Œ": "OE",
    "ı": "i",
    "ħ": "h",
    "Ħ": "H",
    "ŋ": "n",
    "Ŋ": "N",
    "ə": "e",
    "Ə": "E",
}
PLAIN: Final = re.compile(f"[{re.escape(BASIC)}]*")


def transliterate(text: str) -> str:
    """Return `text` in GSM-7: characters that it has ("ñ") unchanged, otherwise the plain letter ("a" for "á"), otherwise "?"."""
    if PLAIN.fullmatch(text):
        return text
    return "".join(map(to_gsm7, text))


@lru_cache(maxsize=4_096)
def to_gsm7(character: str) -> str:
    """Return one character as GSM-7 writes it."""
    if character in ALPHABET:
        return character
    if character in REPLACEMENTS:
        return REPLACEMENTS[character]
    if character.isspace():
        return " "
    parts = unicodedata.normalize("NFKD", character)
    kept = "".join(part for part in parts if part in ALPHABET)
    return kept or ("" if unicodedata.combining(character) else UNKNOWN)


def septets(text: str) -> int:
    """Return the length of a GSM-7 text in septets."""
    return len(text) if PLAIN.fullmatch(text) else len(text) + sum(map(text.count, EXTENSION))


def legible(text: str) -> bool:
    """Whether any letter or digit of `text` is left in GSM-7."""
    return any(map(str.isalnum, transliterate(text)))


def cut(text: str, length: int) -> str:
    """Return `text` cut to at most `length` characters; a cut is marked by a period."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip(' .,')}."
