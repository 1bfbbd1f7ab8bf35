"""
The key that seals a registrant's contact data in deliver: that of their first registration, until they are erased.

The owner of the partition has it in memory. It is stored only in `vn.keys`: once that one record is deleted, backups of
everything else cannot be decrypted.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from processors.deliver.situation import Situation
from processors.deliver.state import KnownRegistration, Registrant, State
from processors.domain.erasure import Erased, RegistrantKey, registrant_digest, seal_key
from processors.domain.registration import Reachable
from processors.domain.seal import Seal, SealBroken
from processors.stage import Context, Decision, Input, MemoryTable, Output, Record
from processors.topics import ERASED, KEYS, PURGED_SEGMENT

MINUTE: Final = 60_000


def key_for(registrant: Registrant, given: Input, context: Context) -> RegistrantKey | None:
    """
    Return the registrant's key: the known one, or the one that the input brings, sealed by the newest key of the file.

    A registration that was in the pipeline while `vn key rotate` added a key brings one sealed by an older key, after the known keys
    have been sealed again.
    """
    found: RegistrantKey | None = context.table.get(registrant.registrant_id)
    if found is not None or not isinstance(given, Record) or not isinstance(given.value, Reachable):
        return found
    known = registrant.registrations.get(given.value.registration_id)
    is_news = known is None or given.value.seq > known.seq
    if not is_news or not given.value.key or given.value.ended:
        return None
    brought = RegistrantKey(sealed=given.value.key, seq=given.value.seq)
    return renew_key(registrant.registrant_id, brought, context) or brought


def adopt_key(registrant: Registrant, situation: Situation, context: Context) -> Decision[State]:
    """Store a key that is new, and seal the registrant's contacts again with it."""
    if situation.key is None or registrant.registrant_id in context.table:
        return Decision()
    again = {name: replace(each, sealed=reseal_contacts(each, situation)) for name, each in registrant.registrations.items()}
    written = Output(KEYS, registrant.registrant_id, situation.key)
    return Decision((written,), {registrant.registrant_id: replace(registrant, registrations=again)} if again else {})


def reseal_contacts(registration: KnownRegistration, situation: Situation) -> bytes:
    """Return contacts sealed by the registrant's key that an earlier version sealed by a key of the file."""
    if not registration.sealed:
        return b""
    purpose = contacts_purpose(situation.registrant_id)
    return situation.contact_seal.close(situation.seal.open(registration.sealed, purpose), purpose)


def seal_for_registrant(reachable: Reachable, situation: Situation) -> bytes:
    """Return a registration's contacts, sealed by its own key or one of the file, sealed again by the registrant's key."""
    if situation.key is None or situation.key.sealed == reachable.key or not reachable.sealed:
        return reachable.sealed
    purpose = contacts_purpose(situation.registrant_id)
    brought = (
        RegistrantKey(sealed=reachable.key, seq=0).seal_for(situation.registrant_id, situation.seal) if reachable.key else situation.seal
    )
    return situation.contact_seal.close(brought.open(reachable.sealed, purpose), purpose)


def contacts_purpose(registrant_id: str) -> str:
    """Return what contacts are sealed for."""
    return f"contacts:{registrant_id}"


def destroy_key(registrant: Registrant, seq: int, situation: Situation) -> Decision[State]:
    """Destroy the registrant's key, and record forever that no key from before `seq` may exist."""
    mark = Output(ERASED, registrant_digest(situation.registrant_id, situation.seal), Erased(at=situation.at, seq=seq))
    after = replace(registrant, purge_at=situation.at + PURGED_SEGMENT + MINUTE)
    return Decision((Output(KEYS, situation.registrant_id, None), mark), {situation.registrant_id: after})


def purge_key(registrant: Registrant, situation: Situation) -> Decision[State]:
    """
    Write to `vn.keys` once more after a key was destroyed: Kafka closes a segment, so that it can be compacted, only on an append.

    It writes the current record again: a tombstone, or the key that the registrant has received since.
    """
    if registrant.purge_at is None or registrant.purge_at > situation.at:
        return Decision()
    return Decision((Output(KEYS, situation.registrant_id, situation.key),), {situation.registrant_id: replace(registrant, purge_at=None)})


def renew_key(registrant_id: str, key: RegistrantKey, context: Context) -> RegistrantKey | None:
    """Return a key sealed again by the newest key of the file; None if it is already, or if the file lacks the key that sealed it."""
    if context.seal.is_current(key.sealed):
        return None
    try:
        opened = key.seal_for(registrant_id, context.seal)
    except SealBroken:
        return None
    return replace(key, sealed=seal_key(opened.key, registrant_id, context.seal))


def count_erased(keys: Mapping[str, RegistrantKey], ledger: Mapping[str, Erased], context: Context) -> int:
    """Return how many keys exist although their registrants were erased later."""
    if not ledger:
        return 0
    return sum(1 for each, key in keys.items() if (mark := ledger.get(registrant_digest(each, context.seal))) and key.seq < mark.seq)


def seal_or_none(registrant_id: str, key: RegistrantKey, context: Context) -> Seal | None:
    """Return the seal of a registrant's data; None if their key cannot be opened, which must not stop a quarantine."""
    try:
        return key.seal_for(registrant_id, context.seal)
    except SealBroken:
        return None


KEY_TABLE = MemoryTable(KEYS, ERASED, renew_key, count_erased, seal_or_none)
