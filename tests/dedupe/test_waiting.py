"""A Cancel or Update that arrives before its target, or without one (contract §3, §6 `out_of_order.hold`)."""

from tests.dedupe.scene import DAY, HEARING, MINUTE, OFFENDER, Scene

HOLD = 15 * MINUTE
A, B, C = HEARING, HEARING + DAY, HEARING + 2 * DAY


def test_an_update_of_nothing_known_waits_then_is_flagged() -> None:
    scene = Scene()
    assert scene.update("u1", of="m1") == ["u1 waiting out_of_order_hold"]
    assert scene.later(HOLD - 1) == []
    assert scene.later(1) == ["u1 flagged unknown_reference"]
    review = scene.reviews[-1]
    assert (review.state, review.reason, review.message_id, review.since) == ("open", "unknown_reference", "u1", scene.now)
    assert review.review_id.startswith(f"dedupe-{OFFENDER}-")
    assert (review.stage, review.jurisdiction, review.event_subtype) == ("dedupe", "VA", "Court Hearing")
    assert "message m1" in review.detail
    assert scene.verdicts[-1].review_id == review.review_id
    assert scene.told == []
    assert scene.timers == {}


def test_a_message_that_refers_to_nothing_is_flagged_too() -> None:
    scene = Scene()
    scene.cancel("c1", of=None)
    assert scene.later(HOLD) == ["c1 flagged unknown_reference"]
    assert "names no message (refers_to)" in scene.reviews[-1].detail


def test_a_cancel_before_its_target_means_that_neither_is_told() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    assert scene.add("m1") == ["m1 suppressed superseded", "c1 suppressed nothing_told"]
    assert scene.later(DAY) == []
    assert scene.told == []
    assert scene.cancel("c2", of="m1") == ["c2 suppressed duplicate"]


def test_an_event_cancelled_before_it_came_is_news_when_sent_again() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.add("m1")
    assert scene.add("m2") == ["m2 passed first_sighting"]


def test_an_event_cancelled_before_it_came_is_brought_back_by_an_update() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.add("m1")
    assert scene.update("u1", of="m1") == ["u1 passed first_sighting"]
    assert scene.told == [("news", "u1", "u1")]


def test_an_update_before_its_target_is_told_as_news_in_its_place() -> None:
    scene = Scene()
    scene.update("u1", of="m1", action_at=B)
    assert scene.add("m1") == ["m1 suppressed superseded", "u1 passed first_sighting"]
    assert scene.told == [("news", "u1", "m1")]
    assert scene.passed[-1].action_at == B
    assert scene.add("m1") == ["m1 suppressed duplicate"]
    assert scene.update("u2", of="m1", action_at=B) == ["u2 suppressed inconsequential"]
    assert set(scene.documents) == {OFFENDER, f"{OFFENDER}/2"}


def test_of_several_that_waited_the_last_decides() -> None:
    scene = Scene()
    scene.update("u1", of="m1", action_at=B)
    scene.update("u2", of="m1", action_at=C)
    assert scene.add("m1") == ["m1 suppressed superseded", "u1 suppressed superseded", "u2 passed first_sighting"]
    assert scene.told == [("news", "u2", "m1")]
    assert scene.cancel("c1", of="u1") == ["c1 waiting cancel_hold"]


def test_a_chain_that_came_backwards_is_told_as_it_ends() -> None:
    scene = Scene()
    scene.update("u2", of="u1", action_at=C)
    scene.update("u1", of="m1", action_at=B)
    assert scene.add("m1") == ["m1 suppressed superseded", "u1 suppressed superseded", "u2 passed first_sighting"]
    assert scene.told == [("news", "u2", "m1")]


def test_a_whole_life_that_came_backwards_tells_nothing() -> None:
    scene = Scene()
    scene.cancel("c1", of="u1")
    scene.update("u1", of="m1", action_at=B)
    assert scene.add("m1") == ["m1 suppressed superseded", "u1 suppressed superseded", "c1 suppressed nothing_told"]
    assert scene.told == []
    assert scene.cancel("c1", of="u1") == ["c1 suppressed duplicate"]


def test_what_waits_for_an_update_is_settled_when_the_update_is_told() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u2", of="u1", action_at=C)
    assert scene.update("u1", of="m1", action_at=B) == ["u1 suppressed superseded", "u2 passed changed"]
    assert [(each.field, each.new) for each in scene.passed[-1].changes] == [("action_at", "2026-12-09T15:20:00Z")]
    assert scene.passed[-1].changes[0].old == "2026-12-07T15:20:00Z"


def test_a_cancel_that_waits_for_an_update_cancels_what_was_told() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="u1")
    assert scene.update("u1", of="m1", action_at=B) == ["u1 suppressed superseded", "c1 waiting cancel_hold"]
    scene.later(HOLD)
    assert scene.told == [("news", "m1", "m1"), ("cancellation", "c1", "m1")]
    assert scene.passed[-1].action_at == A


def test_what_waits_for_a_copy_is_about_the_event() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m2")
    scene.later(MINUTE)
    assert scene.add("m2") == ["m2 suppressed superseded", "c1 waiting cancel_hold"]
    assert scene.later(HOLD - MINUTE) == ["c1 passed cancelled"]  # the hold counts from when the Cancel was received
    assert scene.told[-1] == ("cancellation", "c1", "m1")


def test_others_go_on_waiting() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.cancel("c9", of="m9")
    scene.cancel("c8", of="m1", ori="VA0020000")
    scene.add("m1")
    assert scene.later(HOLD) == ["c9 flagged unknown_reference", "c8 flagged unknown_reference"]


def test_a_cancel_of_a_cancel_waits_for_nothing_that_comes() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    assert scene.cancel("c2", of="c1") == ["c2 waiting out_of_order_hold"]
    assert scene.later(HOLD) == ["c2 flagged unknown_reference", "c1 passed cancelled"]


def test_a_copy_of_what_waits_or_is_in_review_is_a_duplicate() -> None:
    scene = Scene()
    scene.update("u1", of="m1")
    assert scene.update("u1", of="m1") == ["u1 suppressed duplicate"]
    scene.later(HOLD)
    assert scene.update("u1", of="m1") == ["u1 suppressed duplicate"]
    assert len(scene.reviews) == 1


def test_the_same_id_with_other_content_waits_beside_it_with_a_review_of_its_own() -> None:
    scene = Scene()
    scene.update("u1", of="m1")
    assert scene.update("u1", of="m1", action_at=B) == ["u1 waiting out_of_order_hold"]
    scene.later(HOLD)
    assert len({each.review_id for each in scene.reviews}) == 2


def test_what_is_in_review_does_nothing_when_its_target_comes() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    assert scene.add("m1") == ["m1 passed first_sighting"]
    assert scene.later(DAY) == []


def test_a_released_cancel_whose_target_came_is_told_at_once() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    scene.add("m1", action_at=B)
    assert scene.review("release") == ["c1 noted released", "c1 passed cancelled"]
    told = scene.passed[-1]
    assert (told.telling, told.root, told.action_at, told.released_by) == ("cancellation", "m1", B, "kim")


def test_a_released_update_whose_target_came_is_a_change() -> None:
    scene = Scene()
    scene.update("u1", of="m1", action_at=B)
    scene.later(HOLD)
    scene.add("m1")
    assert scene.review("release") == ["u1 noted released", "u1 passed changed"]
    assert scene.told[-1] == ("change", "u1", "m1")
    assert scene.passed[-1].released_by == "kim"


def test_a_released_update_of_nothing_known_is_news_and_its_target_comes_too_late() -> None:
    scene = Scene()
    scene.update("u1", of="m1", action_at=B)
    scene.later(HOLD)
    assert scene.review("release") == ["u1 noted released", "u1 passed first_sighting"]
    assert scene.told == [("news", "u1", "m1")]
    assert scene.add("m1") == ["m1 suppressed superseded"]
    assert scene.add("m1") == ["m1 suppressed duplicate"]
    assert scene.cancel("c1", of="m1") == ["c1 waiting cancel_hold"]


def test_the_target_that_comes_too_late_says_what_was_told_already_and_cancelled() -> None:
    scene = Scene()
    scene.update("u1", of="m1", action_at=B)
    scene.later(HOLD)
    scene.review("release")
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    assert scene.add("m1", action_at=B) == ["m1 suppressed superseded"]
    assert scene.add("m2", action_at=B) == ["m2 passed first_sighting"]


def test_an_update_that_comes_after_a_later_one_was_released_comes_too_late() -> None:
    scene = Scene()
    scene.add("m1")
    scene.update("u2", of="u1", action_at=C)
    scene.later(HOLD)
    scene.review("release")
    assert scene.update("u1", of="m1", action_at=B) == ["u1 suppressed superseded"]
    assert scene.update("u1", of="m1", action_at=B) == ["u1 suppressed duplicate"]
    assert scene.told == [("news", "m1", "m1"), ("news", "u2", "u1")]


def test_a_released_message_without_reference_is_told_under_its_own_id() -> None:
    scene = Scene()
    scene.update("u1", of=None)
    scene.later(HOLD)
    assert scene.review("release") == ["u1 noted released", "u1 passed first_sighting"]
    assert scene.told == [("news", "u1", "u1")]


def test_an_overtaken_message_does_not_become_what_was_said_last() -> None:
    scene = Scene()
    scene.add("m1", action_at=B)
    scene.update("u0", of="m1", action_at=A)
    scene.cancel("c1", of="m2")
    assert scene.add("m2", action_at=B) == ["m2 suppressed superseded", "c1 waiting cancel_hold"]
    assert scene.add("m3", action_at=A) == ["c1 suppressed resubmitted", "m3 suppressed resubmitted"]


def test_a_released_update_that_was_told_meanwhile_is_a_duplicate() -> None:
    scene = Scene()
    scene.update("u1", of="m1", action_at=B)
    scene.later(HOLD)
    scene.add("m2", action_at=B)
    assert scene.review("release") == ["u1 noted released", "u1 suppressed duplicate"]
    assert scene.told == [("news", "m2", "m2")]
    assert scene.cancel("c1", of="u1") == ["c1 waiting cancel_hold"]


def test_a_released_cancel_of_nothing_known_goes_to_those_who_were_told_of_it_once() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    assert scene.review("release") == ["c1 noted released", "c1 passed cancelled"]
    assert scene.told == [("cancellation", "c1", "m1")]
    assert scene.add("m1") == ["m1 suppressed superseded"]
    assert scene.add("m2") == ["m2 passed first_sighting"]


def test_the_review_is_closed_with_reviewer_and_reason() -> None:
    for action, state in (("release", "released"), ("discard", "discarded")):
        scene = Scene()
        scene.cancel("c1", of="m1")
        scene.later(HOLD)
        scene.later(DAY)
        scene.review(action)
        opened, closed = scene.reviews
        assert (closed.review_id, closed.since, closed.detail) == (opened.review_id, opened.since, opened.detail)
        assert (closed.state, closed.reviewer, closed.comment) == (state, "kim", "checked")


def test_a_discarded_message_does_nothing_any_more() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    assert scene.review("discard") == ["c1 suppressed discarded"]
    assert "kim" in scene.verdicts[-1].detail
    assert "checked" in scene.verdicts[-1].detail
    assert scene.documents == {}
    assert scene.add("m1") == ["m1 passed first_sighting"]


def test_an_action_on_a_closed_review_is_noted() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    review = scene.reviews[-1]
    scene.review("discard")
    assert scene.review("release", review) == [f"{review.review_id} noted unknown_review"]
    assert scene.decision.outputs == ()


def test_a_review_stays_open_however_long_it_takes() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.later(1_000 * DAY)
    assert scene.review("release")[-1] == "c1 passed cancelled"
    scene.later(1_000 * DAY)
    assert scene.documents == {}
