"""
The encoding of a text message and the number of its segments (3GPP TS 23.038, TS 23.040).

GSM-7 if it can represent every letter, since a segment then holds 160 characters; otherwise UCS-2.
"""

import re
import unicodedata
from typing import Final, Literal

from processors.deliver.wording import gsm7

Encoding = Literal["gsm7", "ucs2"]

MOST_SEGMENTS: Final = 4  # of a message in UCS-2; a GSM-7 message must fit in one
SINGLE: Final = {"gsm7": 160, "ucs2": 70}  # septets or UTF-16 units in a message of one segment
JOINED: Final = {"gsm7": 153, "ucs2": 67}  # in each segment of a longer message, which begins with a header
GSM7: Final = re.compile(f"[{re.escape(gsm7.BASIC + gsm7.EXTENSION)}]*")


def encode(text: str) -> str:
    """Return the text as it is sent: transliterated to GSM-7 if possible, otherwise unchanged."""
    return gsm7.transliterate(text) if writable(text) else unicodedata.normalize("NFC", text)


def writable(text: str) -> bool:
    """Whether GSM-7 can represent every letter and digit of the text, if need be by a plain letter."""
    if encoding(text) == "gsm7":
        return True
    return True not in [character.isalnum() and gsm7.to_gsm7(character) == gsm7.UNKNOWN for character in set(text) - gsm7.ALPHABET]


def encoding(text: str) -> Encoding:
    """Return the encoding of a text."""
    return "gsm7" if GSM7.fullmatch(text) else "ucs2"


def segments(text: str) -> int:
    """Return the number of segments of a text."""
    return segments_in(encoding(text), text)


def segments_in(kind: Encoding, text: str) -> int:
    """Return the number of segments of a text in the given encoding."""
    length = gsm7.septets(text) if kind == "gsm7" else len(text.encode("utf-16-le")) // 2
    return 1 if length <= SINGLE[kind] else -(-length // JOINED[kind])


def fits(text: str) -> bool:
    """Whether a text may be sent: in one segment of GSM-7, or in a few of UCS-2."""
    kind = encoding(text)
    return segments_in(kind, text) <= (1 if kind == "gsm7" else MOST_SEGMENTS)
