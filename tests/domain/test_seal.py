"""Sealed values name their key: the newest closes, all open, the oldest makes digests."""

import pytest

from processors.domain.seal import AESSIV, KeyMissing, Seal, SealBroken

OLD, NEW = bytes(64), bytes(range(64))


def test_what_an_older_key_sealed_opens_after_a_new_one_was_added() -> None:
    sealed = Seal(OLD).close(b"text", "purpose")
    assert Seal(NEW, (OLD,)).open(sealed, "purpose") == b"text"
    assert not Seal(NEW, (OLD,)).is_current(sealed)


def test_the_newest_key_closes() -> None:
    sealed = Seal(NEW, (OLD,)).close(b"text", "purpose")
    assert Seal(NEW).open(sealed, "purpose") == b"text"
    assert Seal(NEW, (OLD,)).is_current(sealed)


def test_a_key_that_is_not_at_hand_is_named() -> None:
    with pytest.raises(KeyMissing, match=Seal(NEW).key_id):
        Seal(OLD).open(Seal(NEW).close(b"text", "purpose"), "purpose")


def test_what_was_sealed_before_values_named_their_keys_opens() -> None:
    assert Seal(NEW, (OLD,)).open(AESSIV(OLD).encrypt(b"text", [b"purpose"]), "purpose") == b"text"


@pytest.mark.parametrize("broken", [b"", b"vk", Seal(OLD).close(b"text", "purpose")[:-1], Seal(OLD).close(b"text", "another")])
def test_what_was_changed_or_sealed_for_another_purpose_does_not_open(broken: bytes) -> None:
    with pytest.raises(SealBroken):
        Seal(OLD).open(broken, "purpose")


def test_digests_stay_the_same_when_a_key_is_added() -> None:
    assert Seal(NEW, (OLD,)).fingerprint("1234", "pin") == Seal(OLD).fingerprint("1234", "pin")


def test_no_key_is_shown() -> None:
    assert "x00" not in repr(Seal(NEW, (OLD,)))
