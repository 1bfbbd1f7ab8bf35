"""A registrant's key: what it seals, how it is sealed again by a newer key, and that a restored one is detected."""

from dataclasses import replace

import msgspec
import pytest

from processors.deliver.keys import count_erased
from processors.domain.erasure import Erased, RegistrantKey, registrant_digest, seal_key
from processors.domain.inbound import Inbound
from processors.domain.registration import Contacts, Reachable, address_digest
from processors.domain.seal import Seal
from processors.topics import KEYS
from tests.deliver.given import ME, MINUTE, NOON, SMS, VOICE, AtDeliver, escape, reachable
from tests.one_stage import SEAL

PURPOSE = f"contacts:{ME}"
FIRST, SECOND = bytes(range(1, 65)), bytes(range(2, 66))


def keyed(key: bytes, registration_id: str = "REG-1", seq: int = 1) -> Reachable:
    """A registration whose contacts are sealed by the key that it brings."""
    sealed = Seal(key).close(msgspec.json.encode(Contacts(contacts=(SMS,))), PURPOSE)
    return reachable(registration_id=registration_id, seq=seq, sealed=sealed, key=seal_key(key, ME, SEAL))


def opens(told: AtDeliver, registration_id: str, key: bytes) -> bool:
    return SMS.address.encode() in Seal(key).open(told.registrant.registrations[registration_id].sealed, PURPOSE)


def test_the_first_registration_brings_the_key_and_the_second_is_sealed_by_it() -> None:
    told = AtDeliver().register(keyed(FIRST), keyed(SECOND, "REG-2", seq=2))
    (written,) = told.written(KEYS)
    assert written.seal_for(ME, SEAL) == Seal(FIRST)
    assert opens(told, "REG-1", FIRST)
    assert opens(told, "REG-2", FIRST)


def test_contacts_from_before_registrants_had_keys_are_sealed_by_the_first_that_comes() -> None:
    told = AtDeliver().register(reachable(SMS)).register(keyed(SECOND, "REG-2", seq=2))
    assert opens(told, "REG-1", SECOND)
    assert len(told.tell(escape(), registrations=("REG-1", "REG-2")).until(NOON + MINUTE).sent) == 1


def test_a_registration_of_before_is_sealed_by_the_registrants_key_too() -> None:
    told = AtDeliver().register(keyed(FIRST), reachable(VOICE, registration_id="REG-2", seq=2))
    assert VOICE.address.encode() in Seal(FIRST).open(told.registrant.registrations["REG-2"].sealed, PURPOSE)


def test_a_newer_key_of_the_file_seals_the_registrants_key_again_and_nothing_else_changes() -> None:
    told = AtDeliver().register(keyed(FIRST))
    before = dict(told.documents)
    newer = Seal(SECOND, (SEAL.key,))
    told.context = replace(told.context, seal=newer)
    told.advance(0)
    assert newer.is_current(told.table[ME].sealed)
    assert told.table[ME].seal_for(ME, Seal(SECOND)) == Seal(FIRST)
    assert told.documents == before
    assert len(told.tell(escape()).until(NOON + MINUTE).sent) == 1


def test_a_registration_on_its_way_while_the_file_got_a_newer_key_brings_its_own_sealed_by_the_newer() -> None:
    told = AtDeliver()
    newer = Seal(SECOND, (SEAL.key,))
    told.context = replace(told.context, seal=newer)
    told.advance(0)
    (written,) = told.register(keyed(FIRST)).written(KEYS)
    assert newer.is_current(written.sealed)
    assert written.seal_for(ME, Seal(SECOND)) == Seal(FIRST)
    assert opens(told, "REG-1", FIRST)
    assert len(told.tell(escape()).until(NOON + MINUTE).sent) == 1


def test_a_key_from_before_an_erasure_is_counted_and_one_from_after_it_is_not() -> None:
    told = AtDeliver()
    marks = {registrant_digest(ME, SEAL): Erased(at=0, seq=7)}
    keys = {name: RegistrantKey(sealed=b"", seq=seq) for name, seq in ((ME, 6), ("R-2", 6))}
    assert count_erased(keys, marks, told.context) == 1
    assert count_erased({ME: RegistrantKey(sealed=b"", seq=8)}, marks, told.context) == 0
    assert count_erased(keys, {}, told.context) == 0


@pytest.mark.parametrize(
    ("keys", "told"), [((SECOND, SEAL.key), 0), ((SEAL.key, SECOND), 1)], ids=["in their order", "the wrong way round"]
)
def test_under_a_file_that_ends_with_another_key_an_opt_out_is_not_recognized(keys: tuple[bytes, ...], told: int) -> None:
    """Why every stage checks the file at its start: here nothing does, and somebody who wrote STOP is told."""
    mine = AtDeliver().register(reachable(SMS))
    mine.receive(Inbound(provider="example", channel="sms", address=address_digest(SMS.address, SEAL), keyword="stop", occurred_at=NOON))
    before = len(mine.sent)
    mine.context = replace(mine.context, seal=Seal(keys[0], keys[1:]))
    assert len(mine.tell(escape()).until(NOON + MINUTE).sent) - before == told
