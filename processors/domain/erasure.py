"""
The key of one registrant's contact data, and the erasure that destroys it.

Contacts are sealed with a key of the registrant's own, which is itself sealed with the newest key of `VN_KEY_FILE`. Whoever
has the file and a backup of everything else cannot read them once that one record is gone.
"""

from typing import Final

from msgspec import Struct

from processors.domain.seal import Seal

PURPOSE: Final = "registrant-key"  # of the seal


class RegistrantKey(Struct, frozen=True, gc=False, kw_only=True):
    """
    The key of a registrant, or of one dead letter that may hold their data, itself sealed.

    `seq` is the place in the intake of the registration that brought it.
    """

    sealed: bytes
    seq: int = 0

    def seal_for(self, registrant_id: str, seal: Seal) -> Seal:
        """Return the seal of the contact data; a dead letter's key goes by its id."""
        return Seal(seal.open(self.sealed, f"{PURPOSE}:{registrant_id}"))


def letter_key(letter_id: str, drawn: bytes, seal: Seal) -> RegistrantKey:
    """Return the key of a dead letter, so that it can be erased with the registrant whose data it may hold."""
    return RegistrantKey(sealed=seal_key(drawn, letter_id, seal))


def seal_key(key: bytes, registrant_id: str, seal: Seal) -> bytes:
    """Return a registrant's key sealed with the newest key of the file."""
    return seal.close(key, f"{PURPOSE}:{registrant_id}")


class ErasureRequest(Struct, frozen=True, gc=False, kw_only=True):
    """A registrant's contact data is to be erased everywhere, as a person asked for (contract §4)."""

    registrant_id: str
    reason: str
    requested_by: str


class Erasure(Struct, frozen=True, gc=False, kw_only=True):
    """An erasure on its way to deliver; `seq` is its place in the intake: what was registered before it ends."""

    registrant_id: str
    reason: str
    requested_by: str
    received_at: int = 0
    seq: int = 0


class Erased(Struct, frozen=True, gc=False, kw_only=True):
    """
    A mark that a registrant was erased, kept for ever under a keyed digest of their id.

    A key from before `seq` must not exist any more: if one does, a backup was restored.
    """

    at: int
    seq: int


def registrant_digest(registrant_id: str, seal: Seal) -> str:
    """Return the keyed digest of a registrant's id, which the marks of erasures bear."""
    return seal.fingerprint(registrant_id, "erased")
