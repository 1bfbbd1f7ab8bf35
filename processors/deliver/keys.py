"""
The key that a registrant's contact data is sealed with here: that of their first registration, until they are erased.

The owner of the partition has it in memory. It is written to `vn.keys` alone: once that one record is deleted, no backup of
anything else can be read.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from processors.deliver.moment import Moment
from processors.deliver.state import KnownRegistration, Registrant, State
from processors.domain.erasure import Erased, RegistrantKey, registrant_digest, seal_key
from processors.domain.registration import Reachable
from processors.domain.seal import Seal, SealBroken
from processors.stage import Context, Decision, Input, MemoryTable, Output, Record
from processors.topics import ERASED, KEYS, PURGED_SEGMENT

MINUTE: Final = 60_000


def key_for(registrant: Registrant, given: Input, context: Context) -> RegistrantKey | None:
    """
    Return the registrant's key: the one known, or the one that the input brings, sealed by the newest key of the file.

    A registration on its way while `vn key rotate` adds a key, or read by a stage that has not seen it, brings one sealed by an
    older key, when the known ones have been sealed again already.
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


def take_key(registrant: Registrant, moment: Moment, context: Context) -> Decision[State]:
    """Return the registrant with everything sealed by their key, which is new and is written down."""
    if moment.key is None or registrant.registrant_id in context.table:
        return Decision()
    again = {name: replace(each, sealed=reseal_contacts(each, moment)) for name, each in registrant.registrations.items()}
    written = Output(KEYS, registrant.registrant_id, moment.key)
    return Decision((written,), {registrant.registrant_id: replace(registrant, registrations=again)} if again else {})


def reseal_contacts(registration: KnownRegistration, moment: Moment) -> bytes:
    """Return contacts that a key of the file sealed, before registrants had their own, sealed by the registrant's."""
    if not registration.sealed:
        return b""
    purpose = contacts_purpose(moment.registrant_id)
    return moment.contact_seal.close(moment.seal.open(registration.sealed, purpose), purpose)


def seal_for_registrant(reachable: Reachable, moment: Moment) -> bytes:
    """Return a registration's contacts, which its own key or one of the file sealed, sealed by the registrant's."""
    if moment.key is None or moment.key.sealed == reachable.key or not reachable.sealed:
        return reachable.sealed
    purpose = contacts_purpose(moment.registrant_id)
    brought = RegistrantKey(sealed=reachable.key, seq=0).seal_for(moment.registrant_id, moment.seal) if reachable.key else moment.seal
    return moment.contact_seal.close(brought.open(reachable.sealed, purpose), purpose)


def contacts_purpose(registrant_id: str) -> str:
    """Return what contacts are sealed for."""
    return f"contacts:{registrant_id}"


def destroy_key(registrant: Registrant, seq: int, moment: Moment) -> Decision[State]:
    """Destroy the registrant's key, and note for ever that one from before `seq` must not come back."""
    mark = Output(ERASED, registrant_digest(moment.registrant_id, moment.seal), Erased(at=moment.at, seq=seq))
    after = replace(registrant, purge_at=moment.at + PURGED_SEGMENT + MINUTE)
    return Decision((Output(KEYS, moment.registrant_id, None), mark), {moment.registrant_id: after})


def purge_key(registrant: Registrant, moment: Moment) -> Decision[State]:
    """
    Write to `vn.keys` once more after a key was destroyed there, since a segment ends only when something is appended to it.

    It writes the present record again: a tombstone, or the key that the registrant has had since.
    """
    if registrant.purge_at is None or registrant.purge_at > moment.at:
        return Decision()
    return Decision((Output(KEYS, moment.registrant_id, moment.key),), {moment.registrant_id: replace(registrant, purge_at=None)})


def renew_key(registrant_id: str, key: RegistrantKey, context: Context) -> RegistrantKey | None:
    """Return a key sealed anew by the newest key of the file; None if it is already, or if the file lacks the key that sealed it."""
    if context.seal.is_current(key.sealed):
        return None
    try:
        opened = key.seal_for(registrant_id, context.seal)
    except SealBroken:
        return None
    return replace(key, sealed=seal_key(opened.key, registrant_id, context.seal))


def count_erased(keys: Mapping[str, RegistrantKey], ledger: Mapping[str, Erased], context: Context) -> int:
    """Return how many keys are there of registrants who were erased after they got them."""
    if not ledger:
        return 0
    return sum(1 for each, key in keys.items() if (mark := ledger.get(registrant_digest(each, context.seal))) and key.seq < mark.seq)


def seal_of(registrant_id: str, key: RegistrantKey, context: Context) -> Seal | None:
    """Return the seal of a registrant's data; None if their key cannot be opened, which must not stop what is set aside for it."""
    try:
        return key.seal_for(registrant_id, context.seal)
    except SealBroken:
        return None


TABLE = MemoryTable(KEYS, ERASED, renew_key, count_erased, seal_of)
