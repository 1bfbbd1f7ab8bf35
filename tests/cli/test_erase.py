"""`vn erase`: which topics it deletes from, how long their segments are, and what it says cannot be reached."""

from typing import Any, cast

import pytest

from processors.cli.erase import READERS, report_unowned
from processors.domain.journal import DeadLetter
from processors.runtime.kafka.topics_admin import properties
from processors.runtime.kafka.user_client import UserClient
from processors.topics import DAY, DEAD_LETTERS, OUTBOUND, TOPICS


def test_what_is_personal_is_deleted_by_the_command_but_for_dead_letters_which_have_keys_of_their_own() -> None:
    assert {each for each in TOPICS if each.personal} == {*READERS, *OUTBOUND.values(), DEAD_LETTERS}


@pytest.mark.parametrize("topic", [each for each in TOPICS if each.personal], ids=lambda each: each.name)
def test_a_segment_of_a_personal_topic_is_as_short_as_the_contract_says(topic: Any) -> None:
    assert int(properties(topic)["segment.ms"]) <= DAY // 4


class Letters:
    """Dead letters in the place of a broker."""

    def __init__(self, *letters: DeadLetter) -> None:
        self.letters = letters

    def values(self, _: object) -> tuple[DeadLetter, ...]:
        return self.letters


def letter(owner: str | None, received_at: int, *, encrypted: bool = True) -> DeadLetter:
    return DeadLetter(
        dead_letter_id=f"inbound-0-{received_at}",
        reason="bad_inbound",
        detail="",
        stage="read",
        topic="inbound",
        partition=0,
        offset=0,
        received_at=received_at,
        sha256="",
        encrypted=encrypted,
        original=b"",
        key=None,
        owner=owner,
    )


def test_it_says_how_many_dead_letters_name_nobody_and_until_when_they_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    report_unowned(
        cast("UserClient", Letters(letter("a", 9 * DAY), letter(None, 0), letter(None, DAY), letter(None, 5 * DAY, encrypted=False)))
    )
    said = capsys.readouterr().out
    assert "say whose they are: 2," in said
    assert "until 1970-04-02T06:00:00Z" in said, "91 days and a segment after the last"


def test_it_says_nothing_of_them_if_each_has_a_key_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    report_unowned(cast("UserClient", Letters(letter("a", 0))))
    assert capsys.readouterr().out == ""
