"""
Encryption of contact data with the key of `VN_KEY_FILE`.

Sealing is AES-SIV (RFC 5297). It is deterministic, so that a decision taken twice writes the same bytes twice, and
authenticated, so that changed bytes do not open.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class SealBroken(Exception):
    """The bytes were sealed with another key or for another purpose, or were changed."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens with a 64-byte key, which its repr does not show."""

    key: bytes = field(repr=False)

    def close(self, text: bytes, purpose: str) -> bytes:
        """Return `text` encrypted for `purpose`, which `open` must be given again."""
        return _cipher(self.key).encrypt(text, [purpose.encode()])

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Return the text; raises SealBroken if key, purpose or bytes differ from those of `close`."""
        try:
            return _cipher(self.key).decrypt(sealed, [purpose.encode()])
        except InvalidTag:
            raise SealBroken(purpose) from None

    def fingerprint(self, text: str, purpose: str) -> str:
        """Return a keyed digest (HMAC-SHA-256, hex) of a short secret such as a PIN."""
        return hmac.new(self.key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESSIV:
    """Return the cipher of a key; making one takes many times as long as sealing a record."""
    return AESSIV(key)
