"""
Encryption of contact data with the keys of `VN_KEY_FILE`.

Sealing is AES-SIV (RFC 5297): deterministic, so that a replayed decision writes the same bytes, and authenticated, so that
changed bytes do not open. A sealed value begins with the id of its key, so that keys can be rotated: the newest key seals, and
every key opens what it sealed. Digests use the oldest key, so that they never change.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec import Struct

SEAL_PREFIX: Final = b"vk"  # begins a sealed value that names its key
ID_BYTES: Final = 6


class SealBroken(Exception):
    """The bytes were sealed with another key or for another purpose, or were changed."""


class KeyMissing(SealBroken):
    """The bytes were sealed with a key that the key file lacks; the message is the key's id."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals with a 64-byte key and opens with that or an older one, newest first. Its repr does not show the keys."""

    key: bytes = field(repr=False)
    older: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def key_id(self) -> str:
        """Return the id of the key that seals, in hex."""
        return key_id(self.key).hex()

    @property
    def digest_key_id(self) -> str:
        """Return the id of the key that makes digests, in hex; it never changes while the data exists."""
        return key_id(self._digest_key).hex()

    @property
    def _digest_key(self) -> bytes:
        return self.older[-1] if self.older else self.key

    def close(self, text: bytes, purpose: str) -> bytes:
        """Return `text` encrypted for `purpose`, which `open` must be given again."""
        return SEAL_PREFIX + key_id(self.key) + _cipher(self.key).encrypt(text, [purpose.encode()])

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Return the text; raises SealBroken if key, purpose or bytes differ from those of `close`."""
        named = named_key(sealed)
        if named is not None:
            for key in (self.key, *self.older):
                of_key = not self.older or key_id(key) == named  # with a single key, skip comparing ids
                if of_key and (text := _try_open(key, sealed[len(SEAL_PREFIX) + ID_BYTES :], purpose)) is not None:
                    return text
        for key in (self.key, *self.older):  # sealed by an earlier version, without a key id
            if (text := _try_open(key, sealed, purpose)) is not None:
                return text
        if named is not None and named not in map(key_id, (self.key, *self.older)):
            raise KeyMissing(named.hex())
        raise SealBroken(purpose)

    def is_current(self, sealed: bytes) -> bool:
        """Whether the value was sealed with the newest key."""
        return named_key(sealed) == key_id(self.key)

    def fingerprint(self, text: str, purpose: str) -> str:
        """Return a keyed digest (HMAC-SHA-256, hex) of a short secret such as a PIN."""
        keyed = _keyed_hash(self._digest_key).copy()
        keyed.update(f"{purpose}\0{text}".encode())
        return keyed.hexdigest()


class DigestKey(Struct, frozen=True, gc=False, kw_only=True):
    """The id of the key that makes digests, recorded when the first stage started; every key file must end with this key."""

    key_id: str
    since: int


def named_key(sealed: bytes) -> bytes | None:
    """Return the id of the key that a sealed value names; None if it names none."""
    return sealed[len(SEAL_PREFIX) : len(SEAL_PREFIX) + ID_BYTES] if sealed.startswith(SEAL_PREFIX) else None


@lru_cache(maxsize=8)
def key_id(key: bytes) -> bytes:
    """Return the id of a key; the key cannot be derived from it."""
    return hmac.new(key, b"key id", hashlib.sha256).digest()[:ID_BYTES]


def _try_open(key: bytes, sealed: bytes, purpose: str) -> bytes | None:
    try:
        return _cipher(key).decrypt(sealed, [purpose.encode()])
    except InvalidTag:
        return None


@lru_cache(maxsize=8)
def _keyed_hash(key: bytes) -> hmac.HMAC:
    """Return the initial HMAC state of a key; callers copy it and never update it."""
    return hmac.new(key, digestmod=hashlib.sha256)


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESSIV:
    """Return the cipher of a key; cached, since making one takes many times as long as sealing a record."""
    return AESSIV(key)
