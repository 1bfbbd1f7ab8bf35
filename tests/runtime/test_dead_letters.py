"""Dead letters are sent again byte for byte, or refused with a sentence; the command and the console share the code."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import structs

from processors.deliver.keys import KEY_TABLE
from processors.domain.erasure import RegistrantKey, seal_key
from processors.domain.journal import DeadLetter, DeadLetterSettled
from processors.domain.seal import Seal
from processors.rules.load import load_rules
from processors.runtime.errors import UserError
from processors.runtime.kafka import dead_letters
from processors.stage import Context
from processors.topics import DEAD_LETTERS, DEAD_LETTERS_SETTLED, REGISTRANTS, SUBMISSIONS, Topic

SEAL = Seal(bytes(64))
LETTER = DeadLetter(
    dead_letter_id="submissions-0-1",
    reason="malformed",
    detail="no document",
    stage="read",
    topic="submissions",
    partition=0,
    offset=1,
    received_at=2,
    sha256="0" * 64,
    encrypted=True,
    original=SEAL.close(b"<broken", "dead-letter"),
    key="k",
)


@dataclass
class Sent:
    """Takes the place of the user's client."""

    letters: list[DeadLetter]
    records: list[tuple[Topic, str | None, Any]] = field(default_factory=list)
    codec: Any = field(default_factory=lambda: SimpleNamespace(encode=lambda value: value))

    def values(self, topic: Topic) -> Iterator[DeadLetter]:
        assert topic is DEAD_LETTERS
        return iter(self.letters)

    def send(self, topic: Topic, records: Any) -> int:
        self.records += [(topic, key, value) for key, value in records]
        return 1


def client(*letters: DeadLetter) -> Any:
    return Sent(list(letters))


def test_the_oldest_comes_first() -> None:
    later = structs.replace(LETTER, dead_letter_id="a", received_at=3)
    assert dead_letters.dead_letters(client(later, LETTER)) == [LETTER, later]


def test_an_original_is_sent_again_byte_for_byte_and_the_dead_letter_is_settled() -> None:
    sent = client(LETTER)
    dead_letters.replay(sent, *dead_letters.find_dead_letters(sent, ["submissions-0-1"]), SEAL, "ana")
    (topic, key, value), (settled_topic, settled_key, settled) = sent.records
    assert (topic, key, value) == (SUBMISSIONS, "k", b"<broken")
    assert (settled_topic, settled_key) == (DEAD_LETTERS_SETTLED, "submissions-0-1")
    assert isinstance(settled, DeadLetterSettled)
    assert (settled.how, settled.settled_by) == ("replayed", "ana")


def test_what_a_later_stage_refused_is_sent_again_to_where_it_read_it() -> None:
    letter = structs.replace(LETTER, topic="receipts", replay_topic="registrants")
    sent = client(letter)
    dead_letters.replay(sent, letter, SEAL, "ana")
    assert sent.records[0] == (REGISTRANTS, "k", b"<broken")


def test_one_that_needs_nothing_more_is_settled_with_its_reason() -> None:
    sent = client(LETTER)
    dead_letters.settle(sent, LETTER, "a drill", "ana")
    ((topic, _, settled),) = sent.records
    assert topic is DEAD_LETTERS_SETTLED
    assert (settled.how, settled.reason, settled.settled_by) == ("settled", "a drill", "ana")


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(UserError, match="there is no dead letter ABSENT: `vn dead-letters list`"):
        dead_letters.find_dead_letters(client(LETTER), ["submissions-0-1", "ABSENT"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"length": 9_000_000}, "holds only the beginning of its original"),
        ({"length": 100, "original": None}, "holds nothing of its original"),
        ({"offset": -1, "original": None, "encrypted": False, "topic": "validate.state"}, "is a timer, not a record"),
        ({"original": Seal(bytes([7] * 64)).close(b"<broken", "dead-letter")}, "was sealed with another key: set VN_KEY_FILE"),
    ],
)
def test_what_cannot_be_sent_again_is_refused_and_nothing_is_written(changes: dict[str, Any], sentence: str) -> None:
    sent = client()
    with pytest.raises(UserError, match=sentence):
        dead_letters.replay(sent, structs.replace(LETTER, **changes), SEAL, "ana")
    assert sent.records == []


def test_a_dead_letters_own_key_that_another_file_sealed_is_a_sentence() -> None:
    key = RegistrantKey(sealed=seal_key(bytes(64), LETTER.dead_letter_id, Seal(bytes(range(64)))))
    with pytest.raises(UserError, match="sealed with another key: set VN_KEY_FILE"):
        dead_letters.opened_key(LETTER, key, LETTER.dead_letter_id, SEAL)


def test_a_registrants_key_that_cannot_be_opened_does_not_keep_a_record_from_being_set_aside() -> None:
    key = RegistrantKey(sealed=seal_key(bytes(64), "ann", Seal(bytes(range(64)))))
    assert KEY_TABLE.seal_of("ann", key, Context(load_rules(None), SEAL)) is None
