"""Submitted, cancelled, sent again (specification §4; contract §6, `cancel.hold`)."""

import pytest

from processors.dedupe.decide import STAGE
from processors.stage import Decision, TimerFired
from tests.dedupe.scene import DAY, HEARING, MINUTE, OFFENDER, Scene

HOLD = 15 * MINUTE


@pytest.fixture
def cancelled() -> Scene:
    """m1 was told, and c1 cancels it."""
    scene = Scene()
    scene.add("m1", status="Charged", location_kind="Court", location_name="Room 4", submission=b"{the original}")
    scene.cancel("c1", of="m1", submission=b"{the cancel}")
    return scene


def original(scene: Scene, message_id: str, **more: object) -> list[str]:
    return scene.add(message_id, **({"status": "Charged", "location_kind": "Court", "location_name": "Room 4"} | more))


def test_a_cancel_is_never_its_targets_duplicate() -> None:
    scene = Scene()
    scene.add("m1")
    assert scene.cancel("c1", of="m1") == ["c1 waiting cancel_hold"]
    assert scene.decision.outputs == ()
    assert scene.timers == {OFFENDER: scene.now + HOLD}


def test_a_cancel_that_nothing_follows_is_told_with_the_values_of_what_it_cancels(cancelled: Scene) -> None:
    assert cancelled.later(HOLD - 1) == []
    assert cancelled.later(1) == ["c1 passed cancelled"]
    told = cancelled.passed[-1]
    assert (told.telling, told.message_id, told.root, told.operation, told.refers_to) == ("cancellation", "c1", "m1", "Cancel", "m1")
    assert (told.seq, told.received_at) == (2, cancelled.now - HOLD)
    assert (told.action_at, told.case_number, told.court, told.status) == (HEARING, "CR-26-001", "Richmond Circuit Court", "Charged")
    assert (told.location_kind, told.location_name, told.submission) == ("Court", "Room 4", b"{the original}")


def test_a_cancel_goes_by_its_own_tags() -> None:
    scene = Scene()
    scene.add("m1", validate=True, expect=True, asked=("Date",))
    scene.cancel("c1", of="m1", validate=False, do_not_validate=True)
    scene.later(HOLD)
    told = scene.passed[-1]
    assert (told.validate, told.do_not_validate, told.expect, told.asked) == (False, True, False, ())


def test_cancelled_and_sent_again_is_silent(cancelled: Scene) -> None:
    assert original(cancelled, "m2") == ["c1 suppressed resubmitted", "m2 suppressed resubmitted"]
    assert cancelled.later(DAY) == []
    assert cancelled.told == [("news", "m1", "m1")]


def test_sent_again_with_inconsequential_edits_is_silent(cancelled: Scene) -> None:
    assert original(cancelled, "m2", court="richmond CIRCUIT court", submission=b"{other remarks}", from_kind="Local Jail") == [
        "c1 suppressed resubmitted",
        "m2 suppressed resubmitted",
    ]
    assert cancelled.later(DAY) == []


def test_sent_again_at_the_last_moment_is_silent_and_after_it_news(cancelled: Scene) -> None:
    cancelled.later(HOLD - 1)
    assert original(cancelled, "m2")[-1] == "m2 suppressed resubmitted"
    cancelled.cancel("c2", of="m2")
    cancelled.later(HOLD)
    assert original(cancelled, "m3") == ["m3 passed first_sighting"]
    assert cancelled.told == [("news", "m1", "m1"), ("cancellation", "c2", "m1"), ("news", "m3", "m3")]


def test_the_same_message_sent_again_after_its_cancellation_is_news_as_any_other(cancelled: Scene) -> None:
    cancelled.later(HOLD)
    assert original(cancelled, "m1") == ["m1 passed first_sighting"]
    assert original(cancelled, "m2") == ["m2 suppressed duplicate"]


def test_sent_again_with_edits_that_matter_is_news_beside_the_cancellation(cancelled: Scene) -> None:
    assert original(cancelled, "m2", action_at=HEARING + DAY) == ["m2 passed first_sighting"]
    assert cancelled.later(HOLD) == ["c1 passed cancelled"]
    assert cancelled.told == [("news", "m1", "m1"), ("news", "m2", "m2"), ("cancellation", "c1", "m1")]
    assert cancelled.passed[-1].action_at == HEARING


def test_cancelled_sent_again_and_cancelled_again_is_told() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    scene.add("m2")
    assert scene.cancel("c2", of="m2") == ["c2 waiting cancel_hold"]
    assert scene.later(HOLD) == ["c2 passed cancelled"]
    assert scene.told == [("news", "m1", "m1"), ("cancellation", "c2", "m1")]


def test_a_second_cancel_by_another_id_is_a_duplicate_while_held_and_after() -> None:
    scene = Scene()
    scene.add("m1")
    scene.add("m2")
    scene.cancel("c1", of="m1")
    assert scene.cancel("c2", of="m1") == ["c2 suppressed duplicate"]
    assert scene.cancel("c3", of="m2") == ["c3 suppressed duplicate"]
    assert scene.later(HOLD) == ["c1 passed cancelled"]
    assert scene.cancel("c4", of="m1") == ["c4 suppressed duplicate"]
    assert scene.later(DAY) == []


def test_a_hundred_copies_of_a_cancel_are_one() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    assert {line for _ in range(100) for line in scene.cancel("c1", of="m1")} == {"c1 suppressed duplicate"}
    assert scene.later(DAY) == ["c1 passed cancelled"]


def test_a_copy_of_a_cancel_that_was_taken_back_cancels_nothing() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    scene.add("m2")
    assert scene.cancel("c1", of="m1") == ["c1 suppressed duplicate"]
    assert scene.later(DAY) == []


def test_a_copy_of_a_second_cancel_is_taken_back_with_the_first() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    scene.cancel("c2", of="m1")
    scene.add("m2")
    assert scene.cancel("c2", of="m1") == ["c2 suppressed duplicate"]


def test_a_copy_of_a_told_cancel_does_not_cancel_what_was_sent_after() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    scene.add("m2")
    assert scene.cancel("c1", of="m1") == ["c1 suppressed duplicate"]
    assert scene.cancel("c2", of="m1") == ["c2 suppressed duplicate"]
    assert scene.later(DAY) == []
    assert scene.cancel("c3", of="m2") == ["c3 waiting cancel_hold"]


def test_the_event_is_cancelled_by_the_name_of_any_of_its_copies() -> None:
    scene = Scene()
    scene.add("m1")
    scene.add("m2")
    scene.cancel("c1", of="m2")
    scene.later(HOLD)
    assert scene.told[-1] == ("cancellation", "c1", "m1")


def test_only_the_offender_and_the_event_named_are_cancelled() -> None:
    scene = Scene()
    scene.add("m1")
    scene.add("m2", court="Elsewhere")
    scene.cancel("c1", of="m1")
    assert scene.add("m3", court="Elsewhere") == ["m3 suppressed duplicate"]
    scene.later(HOLD)
    assert scene.told[2:] == [("cancellation", "c1", "m1")]


def test_another_agencys_cancel_of_the_same_message_id_cancels_nothing_here() -> None:
    scene = Scene()
    scene.add("m1")
    assert scene.cancel("c1", of="m1", ori="VA0020000") == ["c1 waiting out_of_order_hold"]


def test_another_agencys_same_event_takes_no_cancel_back() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    assert scene.add("m2", ori="VA0020000") == ["m2 passed first_sighting"]
    assert scene.later(HOLD) == ["c1 passed cancelled"]


def test_a_cancel_of_a_message_id_used_twice_means_the_newest_that_stands() -> None:
    scene = Scene()
    scene.add("m1")
    scene.add("m1", action_at=HEARING + DAY)
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    assert scene.passed[-1].action_at == HEARING + DAY
    scene.cancel("c2", of="m1")
    scene.later(HOLD)
    assert scene.passed[-1].action_at == HEARING


def test_a_cancel_without_hold_is_told_at_once() -> None:
    scene = Scene(cancel__hold="0s")
    scene.add("m1")
    scene.cancel("c1", of="m1")
    assert scene.later(0) == ["c1 passed cancelled"]


def test_the_hold_outlives_the_window_and_then_nothing_is_kept() -> None:
    scene = Scene(duplicate__window="1h")
    scene.add("m1", past_from=scene.now)
    scene.later(59 * MINUTE)
    scene.cancel("c1", of="m1")
    scene.later(10 * MINUTE)
    assert scene.add("m2") == ["c1 suppressed resubmitted", "m2 suppressed resubmitted"]
    scene = Scene(duplicate__window="1h")
    scene.add("m1", past_from=scene.now)
    scene.later(59 * MINUTE)
    scene.cancel("c1", of="m1")
    assert scene.later(HOLD) == ["c1 passed cancelled"]
    assert scene.documents == {}


def test_several_held_cancels_are_told_each_in_its_time() -> None:
    scene = Scene()
    scene.add("m1")
    scene.add("m2", court="Elsewhere")
    scene.cancel("c2", of="m2")
    scene.later(MINUTE)
    scene.cancel("c1", of="m1")
    assert scene.later(HOLD - MINUTE) == ["c2 passed cancelled"]
    assert scene.later(MINUTE) == ["c1 passed cancelled"]


def test_a_cancelled_events_message_is_forgotten_once_it_was_told() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    assert set(scene.documents) == {OFFENDER}


def test_a_timer_with_nothing_left_to_do_does_nothing() -> None:
    scene = Scene()
    assert STAGE.decide(TimerFired(OFFENDER, scene.now), {}, scene.context) == Decision()
