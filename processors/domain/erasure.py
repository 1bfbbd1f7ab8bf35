"""
The encryption key of one registrant's contact data, and the erasure that destroys it.

Contacts are sealed with the registrant's own key, which is itself sealed with the newest key of `VN_KEY_FILE`. Once that one record
is gone, nobody can read the contacts, not even with the key file and a backup of everything else.
"""

from typing import Final

from msgspec import Struct

from processors.domain.seal import Seal

PURPOSE: Final = "registrant-key"  # the seal's purpose


class RegistrantKey(Struct, frozen=True, gc=False, kw_only=True):
    """
    The sealed key of a registrant, or of a dead letter that may hold a registrant's data.

    `seq` is the offset in `vn.intake` of the registration that brought it.
    """

    sealed: bytes
    seq: int = 0

    def seal_for(self, registrant_id: str, seal: Seal) -> Seal:
        """Return the seal of the contact data. For a dead letter's key, `registrant_id` is the dead letter's id."""
        return Seal(seal.open(self.sealed, f"{PURPOSE}:{registrant_id}"))


def dead_letter_key(dead_letter_id: str, key: bytes, seal: Seal) -> RegistrantKey:
    """Return the sealed key of a dead letter, so that it can be erased with the registrant whose data it may hold."""
    return RegistrantKey(sealed=seal_key(key, dead_letter_id, seal))


def seal_key(key: bytes, registrant_id: str, seal: Seal) -> bytes:
    """Return a registrant's key sealed with the newest key of `VN_KEY_FILE`."""
    return seal.close(key, f"{PURPOSE}:{registrant_id}")


class ErasureRequest(Struct, frozen=True, gc=False, kw_only=True):
    """A request by a person to erase a registrant's contact data everywhere (contract §4)."""

    registrant_id: str
    reason: str
    requested_by: str


class Erasure(Struct, frozen=True, gc=False, kw_only=True):
    """An erasure on its way to deliver. `seq` is its offset in `vn.intake`; registrations from before it end."""

    registrant_id: str
    reason: str
    requested_by: str
    received_at: int = 0
    seq: int = 0


class Erased(Struct, frozen=True, gc=False, kw_only=True):
    """
    Marks a registrant as erased; kept forever under a keyed digest of their id.

    No key from before `seq` may exist: if one does, a backup was restored.
    """

    at: int
    seq: int


def registrant_digest(registrant_id: str, seal: Seal) -> str:
    """Return the keyed digest of a registrant's id, under which an erasure is recorded."""
    return seal.fingerprint(registrant_id, "erased")
