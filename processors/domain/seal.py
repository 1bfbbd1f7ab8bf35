"""
Contact data stays readable only to who holds the key.

Sealing is AES-SIV (RFC 5297): the same text seals to the same bytes, so that a stage that decides twice writes the
same record twice; tampering is noticed on opening.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV


class SealBroken(Exception):
    """The bytes were not sealed with this key and purpose, or were changed since."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The key of `VN_KEY_FILE` (64 bytes) at work; its representation shows nothing of it."""

    key: bytes = field(repr=False)

    def close(self, text: bytes, purpose: str) -> bytes:
        """Return `text` encrypted for `purpose`, which must be named again on opening."""
        return _cipher(self.key).encrypt(text, [purpose.encode()])

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Return the text; raises SealBroken where key, purpose or bytes are not those of `close`."""
        try:
            return _cipher(self.key).decrypt(sealed, [purpose.encode()])
        except InvalidTag:
            raise SealBroken(purpose) from None

    def fingerprint(self, text: str, purpose: str) -> str:
        """Return a keyed digest (HMAC-SHA-256, hex) of a short secret such as a PIN."""
        return hmac.new(self.key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESSIV:
    """Return the key at work: making it ready takes many times as long as a record."""
    return AESSIV(key)
