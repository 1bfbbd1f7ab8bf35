"""`vn dead-letters list` says which dead letters still wait for somebody."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import structs

from processors.cli import dead_letters
from processors.domain.journal import DeadLetter, DeadLetterSettled
from processors.topics import DEAD_LETTERS, DEAD_LETTERS_SETTLED, Topic
from tests.cli.given import letter

LETTERS = [structs.replace(letter("malformed"), dead_letter_id=f"submissions-0-{number}", received_at=number) for number in range(3)]
ENDED = {
    each.dead_letter_id: each
    for each in (
        DeadLetterSettled(dead_letter_id="submissions-0-0", how="settled", settled_by="ana", reason="a test", settled_at=5),
        DeadLetterSettled(dead_letter_id="submissions-0-2", how="replayed", settled_by="ana", reason="sent again", settled_at=6),
    )
}


class Desk:
    """A client in place of one of the broker."""

    def __init__(self, letters: list[DeadLetter]) -> None:
        self._letters = letters

    def values(self, topic: Topic) -> Iterator[DeadLetter]:
        assert topic is DEAD_LETTERS
        return iter(self._letters)

    def table(self, topic: Topic) -> dict[str, Any]:
        assert topic is DEAD_LETTERS_SETTLED
        return ENDED


@pytest.fixture(autouse=True)
def _desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "UserClient", lambda _: Desk(LETTERS))


def listed(capsys: pytest.CaptureFixture[str], **options: bool) -> list[tuple[str, str]]:
    dead_letters.list_dead_letters(as_json=True, **options)
    return [(each["dead_letter_id"], each["state"]) for each in map(json.loads, capsys.readouterr().out.splitlines())]


def test_each_is_open_replayed_or_settled(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys) == [("submissions-0-0", "settled"), ("submissions-0-1", "open"), ("submissions-0-2", "replayed")]


def test_those_that_need_nothing_more_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys, only_open=True) == [("submissions-0-1", "open")]


def test_a_table_shows_it_too(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    dead_letters.list_dead_letters()
    assert "settled" in capsys.readouterr().out
    monkeypatch.setattr(dead_letters, "UserClient", lambda _: Desk([LETTERS[0]]))
    dead_letters.list_dead_letters(only_open=True)
    assert capsys.readouterr().out == "No dead letter is open.\n"
