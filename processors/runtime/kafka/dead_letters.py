"""What staff do with dead letters: list, replay, settle. Used by `vn dead-letters` and the console."""

from collections.abc import Collection, Iterable
from typing import Final, Literal

from processors.domain.erasure import RegistrantKey
from processors.domain.journal import DeadLetter, DeadLetterSettled
from processors.domain.seal import Seal, SealBroken
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import UserClient
from processors.topics import DEAD_LETTER_KEYS, DEAD_LETTERS, DEAD_LETTERS_SETTLED, KEYS, TOPICS, Topic

TOPICS_BY_NAME: Final[dict[str, Topic]] = {topic.name: topic for topic in TOPICS}


def dead_letters(client: UserClient) -> list[DeadLetter]:
    """Return all dead letters, the oldest first."""
    return sorted(client.values(DEAD_LETTERS), key=lambda each: (each.received_at, each.dead_letter_id))


def closed_states(client: UserClient) -> dict[str, str]:
    """Return the state of each dead letter that is no longer open, "replayed" or "settled", by its id."""
    return {name: each.how for name, each in client.table(DEAD_LETTERS_SETTLED).items() if isinstance(each, DeadLetterSettled)}


def find_dead_letters(client: UserClient, dead_letter_ids: Iterable[str]) -> list[DeadLetter]:
    """Return the dead letters with these ids; raises UserError if one does not exist."""
    known = {each.dead_letter_id: each for each in dead_letters(client)}
    found = []
    for each in dead_letter_ids:
        if each not in known:
            raise UserError(f"there is no dead letter {each}: `vn dead-letters list` shows those there are")
        found.append(known[each])
    return found


def check_replayable(letters: Iterable[DeadLetter]) -> None:
    """Raise UserError if one of the dead letters cannot be replayed: its original is incomplete or missing, or it is a timer."""
    for letter in letters:
        if letter.length is not None and letter.original is None:
            raise UserError(
                f"{letter.dead_letter_id} holds nothing of its original: once its cause is fixed, ask its sender to send it again"
            )
        if letter.length is not None:
            raise UserError(
                f"{letter.dead_letter_id} holds only the beginning of its original, which was too large to keep: "
                "ask its sender to send it again"
            )
        if letter.offset < 0:
            raise UserError(f"{letter.dead_letter_id} is a timer, not a record: it is tried again by itself every hour")


def replay(client: UserClient, letter: DeadLetter, seal: Seal, replayed_by: str) -> None:
    """Send the original again, byte for byte, to the topic it was read from, and settle the dead letter; raises UserError if it cannot."""
    check_replayable([letter])
    client.send(TOPICS_BY_NAME[letter.replay_topic or letter.topic], [(letter.key, original_bytes(letter, seal_of(client, letter, seal)))])
    _settle(client, letter, "replayed", "sent again", replayed_by)


def settle(client: UserClient, letter: DeadLetter, reason: str, settled_by: str) -> None:
    """Record that the dead letter needs nothing more, so that it no longer counts as open."""
    _settle(client, letter, "settled", reason, settled_by)


def seal_of(client: UserClient, letter: DeadLetter, seal: Seal) -> Seal:
    """Return the seal of a dead letter, with its own key or its registrant's if it has one; raises UserError if that key was erased."""
    if letter.owner is None and not letter.addresses:
        return seal
    for topic, name in ((DEAD_LETTER_KEYS, letter.dead_letter_id), (KEYS, letter.key or "")):
        if isinstance(found := client.table(topic).get(name), RegistrantKey):
            return opened_key(letter, found, name, seal)
    raise UserError(f"{letter.dead_letter_id} cannot be opened any more: the registrant whose data it holds was erased")


def opened_key(letter: DeadLetter, key: RegistrantKey, name: str, seal: Seal) -> Seal:
    """Return the seal with a dead letter's own key; raises UserError if that key was sealed with an unknown one."""
    try:
        return key.seal_for(name, seal)
    except SealBroken:
        raise sealed_with_another_key(letter) from None


def sealed_with_another_key(letter: DeadLetter) -> UserError:
    """Return the error that says which keys are needed."""
    return UserError(f"{letter.dead_letter_id} was sealed with another key: set VN_KEY_FILE to the file of that time")


def destroy_keys(client: UserClient, owner: str, addresses: Collection[str]) -> tuple[str, ...]:
    """Destroy the keys of the dead letters that may hold a registrant's data (digests of id and addresses); return the letters' ids."""
    owned = tuple(each.dead_letter_id for each in dead_letters(client) if each.concerns(owner, addresses))
    client.send(DEAD_LETTER_KEYS, [(each, None) for each in owned])
    return owned


def original_bytes(letter: DeadLetter, seal: Seal) -> bytes | None:
    """Return the original's bytes, decrypted if they are sealed; raises UserError if they were sealed with an unknown key."""
    if not letter.encrypted or letter.original is None:
        return letter.original
    try:
        return seal.open(letter.original, "dead-letter")
    except SealBroken:
        raise sealed_with_another_key(letter) from None


def _settle(client: UserClient, letter: DeadLetter, how: Literal["replayed", "settled"], reason: str, settled_by: str) -> None:
    settled = DeadLetterSettled(dead_letter_id=letter.dead_letter_id, how=how, settled_by=settled_by, reason=reason, settled_at=wall_time())
    client.send(DEAD_LETTERS_SETTLED, [(letter.dead_letter_id, client.codec.encode(settled))])
