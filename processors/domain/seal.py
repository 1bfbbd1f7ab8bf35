"""
Encryption of contact data with the keys of `VN_KEY_FILE`.

Sealing is AES-SIV (RFC 5297). It is deterministic, so that a decision taken twice writes the same bytes twice, and
authenticated, so that changed bytes do not open. A sealed value begins with the id of its key, so that keys can be
replaced one after another: the newest closes, all of them open. Digests are by the oldest, so that they stay the same.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec import Struct

NAMED: Final = b"vk"  # what a sealed value that names its key begins with
ID_BYTES: Final = 6


class SealBroken(Exception):
    """The bytes were sealed with another key or for another purpose, or were changed."""


class KeyMissing(SealBroken):
    """The bytes were sealed with a key that is not at hand; gives its id."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals with a 64-byte key and opens with that or an older one, newest first; its repr shows none of them."""

    key: bytes = field(repr=False)
    older: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def key_id(self) -> str:
        """Return the id of the key that closes, in hex."""
        return key_id(self.key).hex()

    @property
    def digest_key_id(self) -> str:
        """Return the id of the key that makes digests, in hex; it stays the same for as long as the data does."""
        return key_id(self._digest_key).hex()

    @property
    def _digest_key(self) -> bytes:
        return self.older[-1] if self.older else self.key

    def close(self, text: bytes, purpose: str) -> bytes:
        """Return `text` encrypted for `purpose`, which `open` must be given again."""
        return NAMED + key_id(self.key) + _cipher(self.key).encrypt(text, [purpose.encode()])

    def open(self, sealed: bytes, purpose: str) -> bytes:
        """Return the text; raises SealBroken if key, purpose or bytes differ from those of `close`."""
        named = named_key(sealed)
        if named is not None:
            for key in (self.key, *self.older):
                of_key = not self.older or key_id(key) == named  # the only key is tried without a look at its id
                if of_key and (text := _try_open(key, sealed[len(NAMED) + ID_BYTES :], purpose)) is not None:
                    return text
        for key in (self.key, *self.older):  # sealed before values named their keys
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
    """That digests are made with the key of this id, noted when the first stage started: every file of keys must end with it."""

    key_id: str
    since: int


def named_key(sealed: bytes) -> bytes | None:
    """Return the id of the key that a sealed value names; None of a value that names none."""
    return sealed[len(NAMED) : len(NAMED) + ID_BYTES] if sealed.startswith(NAMED) else None


@lru_cache(maxsize=8)
def key_id(key: bytes) -> bytes:
    """Return the id of a key, from which the key cannot be derived."""
    return hmac.new(key, b"key id", hashlib.sha256).digest()[:ID_BYTES]


def _try_open(key: bytes, sealed: bytes, purpose: str) -> bytes | None:
    try:
        return _cipher(key).decrypt(sealed, [purpose.encode()])
    except InvalidTag:
        return None


@lru_cache(maxsize=8)
def _keyed_hash(key: bytes) -> hmac.HMAC:
    """Return the hash that digests with a key begin with; it is copied, never updated."""
    return hmac.new(key, digestmod=hashlib.sha256)


@lru_cache(maxsize=8)
def _cipher(key: bytes) -> AESSIV:
    """Return the cipher of a key; making one takes many times as long as sealing a record."""
    return AESSIV(key)
