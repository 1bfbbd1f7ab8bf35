"""
What a form carries from step to step: sealed with the site's key, so that there is no cookie and nothing to forge.

Only the browser that was given the page before can go on from it, and nobody can send a form in its owner's name.
"""

import base64
import binascii
from typing import Final, TypeVar

import msgspec

from processors.domain.seal import Seal, SealBroken

VALID: Final = 2 * 3_600_000  # milliseconds
T = TypeVar("T")


class DatedValue(msgspec.Struct, frozen=True, array_like=True):
    """Something with the time at which it was sealed."""

    at: int
    value: msgspec.Raw


def close(value: msgspec.Struct, now: int, seal: Seal) -> str:
    """Return the value sealed, as a form carries it."""
    body = msgspec.json.encode(DatedValue(now, msgspec.Raw(msgspec.json.encode(value))))
    return base64.urlsafe_b64encode(seal.close(body, f"passage:{type(value).__name__}")).decode()


def unseal(text: str, kind: type[T], now: int, seal: Seal, valid: int = VALID) -> T | None:
    """Return what was sealed; None if it is forged, changed, of another kind or too old."""
    try:
        dated = msgspec.json.decode(seal.open(base64.urlsafe_b64decode(text.encode()), f"passage:{kind.__name__}"), type=DatedValue)
        if not dated.at <= now < dated.at + valid:
            return None
        return msgspec.json.decode(dated.value, type=kind)
    except (SealBroken, binascii.Error, msgspec.DecodeError, ValueError):
        return None
