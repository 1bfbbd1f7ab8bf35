"""
Values that forms carry from step to step, sealed with the site's key: no cookies, and nothing to forge.

Only the browser that got the previous page can continue from it, so nobody can submit a form in somebody else's name.
"""

import base64
import binascii
from typing import Final, TypeVar

import msgspec

from processors.domain.seal import Seal, SealBroken

VALID: Final = 2 * 3_600_000  # milliseconds
T = TypeVar("T")


class DatedValue(msgspec.Struct, frozen=True, array_like=True):
    """A value and the time at which it was sealed."""

    at: int
    value: msgspec.Raw


def seal_value(value: msgspec.Struct, now: int, seal: Seal) -> str:
    """Return the sealed value as text for a form field."""
    body = msgspec.json.encode(DatedValue(now, msgspec.Raw(msgspec.json.encode(value))))
    return base64.urlsafe_b64encode(seal.close(body, f"passage:{type(value).__name__}")).decode()


def unseal_value(text: str, kind: type[T], now: int, seal: Seal, valid: int = VALID) -> T | None:
    """Return the value in a sealed text; None if it is forged, changed, of another type or too old."""
    try:
        dated = msgspec.json.decode(seal.open(base64.urlsafe_b64decode(text.encode()), f"passage:{kind.__name__}"), type=DatedValue)
        if not dated.at <= now < dated.at + valid:
            return None
        return msgspec.json.decode(dated.value, type=kind)
    except (SealBroken, binascii.Error, msgspec.DecodeError, ValueError):
        return None
