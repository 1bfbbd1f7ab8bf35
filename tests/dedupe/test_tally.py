"""How a submission's part ends in dedupe, for the one response to its agency (contract §5)."""

from typing import Any

import pytest

from processors.dedupe import situation
from processors.dedupe.fingerprint import earlier_fingerprint
from processors.domain.tally import PartEnded, PartRepeated
from processors.topics import TALLY
from tests.dedupe.scene import DAY, HEARING, Scene


def ends(scene: Scene) -> list[tuple[str, str]]:
    """Return how parts ended, each with its submission: the result, or the submission that it repeats."""
    return [end_of(each) for each in scene.written(TALLY)]


def end_of(record: Any) -> tuple[str, str]:
    if isinstance(record, PartRepeated):
        return record.repeated_by, f"as {record.submission}"
    assert isinstance(record, PartEnded)
    return record.submission, record.result


def test_what_is_told_has_not_ended_yet() -> None:
    scene = Scene()
    scene.add("m1")
    assert ends(scene) == []


def test_a_message_sent_again_under_its_id_is_a_copy_which_is_not_answered_again() -> None:
    scene = Scene()
    scene.add("m1")
    scene.add("m1")
    assert ends(scene) == [("2", "copy")]


def test_the_same_event_under_another_id_is_answered_like_the_message_told_last() -> None:
    scene = Scene()
    scene.add("m1")
    scene.add("m2")
    assert ends(scene) == [("2", "as 1")]
    scene.update("u1", "m1", action_at=HEARING + DAY)
    scene.update("u2", "m1", action_at=HEARING + DAY)
    assert ends(scene) == [("2", "as 1"), ("4", "as 3")]
    scene.add("n1", case_number="CR-26-002")
    scene.add("n2", case_number="CR-26-002")
    assert ends(scene)[-1] == ("6", "as 5")


def test_what_a_version_knew_by_two_fingerprints_is_answered_like_the_one_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    with monkeypatch.context() as before_the_upgrade:
        before_the_upgrade.setattr(situation, "fingerprint", earlier_fingerprint)
        scene.add("m1", case_number="CR26-1432")
    scene.add("m2", case_number="CR26-001432")
    scene.add("m3", case_number="cr 26 1432")
    assert ends(scene) == [("3", "as 2")]


def test_an_update_or_cancel_that_was_heard_before_is_a_copy() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u1", "m1", action_at=HEARING + DAY)
    assert scene.update("u1", "m1", action_at=HEARING + DAY) == ["u1 suppressed duplicate"]
    scene.cancel("c1", "m1")
    assert scene.cancel("c1", "m1") == ["c1 suppressed duplicate"]
    assert ends(scene) == [("3", "copy"), ("5", "copy")]


def test_what_was_replaced_or_taken_back_before_it_was_told_tells_nobody() -> None:
    replaced, taken_back = Scene(), Scene()
    replaced.update("u1", "m1", action_at=HEARING + DAY)
    replaced.add("m1")
    assert ends(replaced) == [("2", "nobody")]
    taken_back.cancel("c1", "m1")
    taken_back.add("m1")
    assert sorted(ends(taken_back)) == [("1", "nobody"), ("2", "nobody")]


def test_what_a_reviewer_discards_has_failed() -> None:
    scene = Scene()
    scene.update("u1", "m1")
    scene.later(30 * DAY)
    assert ends(scene) == []
    assert scene.review("discard") == ["u1 suppressed discarded"]
    assert ends(scene) == [("1", "failed")]
