"""One text message segment: the GSM-7 alphabet (3GPP TS 23.038), how long a text is in it, and how other letters are written with it."""

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

# Letters and signs that do not come apart into a plain letter and an accent.
WRITTEN: Final = {
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
    """Return `text` in letters of GSM-7: its own if it has them ("ñ"), otherwise the plain letter ("á" as "a"), otherwise "?"."""
    if PLAIN.fullmatch(text):
        return text
    return "".join(map(letter, text))


@lru_cache(maxsize=4_096)
def letter(sign: str) -> str:
    """Return one character as GSM-7 writes it."""
    if sign in ALPHABET:
        return sign
    if sign in WRITTEN:
        return WRITTEN[sign]
    if sign.isspace():
        return " "
    parts = unicodedata.normalize("NFKD", sign)
    kept = "".join(part for part in parts if part in ALPHABET)
    return kept or ("" if unicodedata.combining(sign) else UNKNOWN)


def septets(text: str) -> int:
    """Return the length of a GSM-7 text in septets."""
    return len(text) if PLAIN.fullmatch(text) else len(text) + sum(map(text.count, EXTENSION))


def legible(text: str) -> bool:
    """Whether more than question marks is left of `text` in GSM-7."""
    return any(map(str.isalnum, transliterate(text)))


def cut(text: str, length: int) -> str:
    """Return `text` in at most `length` characters, a cut marked by a full stop."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip(' .,')}."
