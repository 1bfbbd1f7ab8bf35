"""
The external record that a record of the pipeline was made from, so that a dead letter can name it to its sender.

It travels sealed: from the digest of a receipt or registration, a PIN of four digits could be guessed.
"""

import hashlib
from typing import Final, Self

import msgspec
from msgspec import Struct

from processors.domain.seal import Seal, SealBroken

PURPOSE: Final = "origin"


class Origin(Struct, frozen=True, gc=False):
    """Position, digest (SHA-256, lower-case hex) and length in bytes of a record; `topic` is without the prefix."""

    topic: str
    partition: int
    offset: int
    sha256: str
    length: int

    @classmethod
    def of(cls, topic: str, partition: int, offset: int, value: bytes) -> Self:
        """Return the origin of whatever is made from the record with this value."""
        return cls(topic, partition, offset, hashlib.sha256(value).hexdigest(), len(value))

    def sealed(self, seal: Seal) -> bytes:
        """Return the origin as it travels."""
        return seal.close(msgspec.json.encode(self), PURPOSE)


_decode: Final = msgspec.json.Decoder(Origin).decode


def open_origin(sealed: bytes, seal: Seal) -> Origin | None:
    """Return the origin; None if an earlier version wrote the record without one, or if its key is missing."""
    try:
        return _decode(seal.open(sealed, PURPOSE)) if sealed else None
    except SealBroken:
        return None
