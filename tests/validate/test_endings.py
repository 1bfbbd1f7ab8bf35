"""What every outcome of validate writes: the review, the end of the part for the response, the next deadline."""

import pytest

from processors.domain.event import Change
from processors.topics import TALLY
from processors.validate.draft import Situation
from processors.validate.state import HeldMessage, OffenderState, Pending
from tests.one_stage import rules
from tests.validate.scene import DAY, HOUR, MINUTE, Scene, cancel, escape, event, hearing, intake, ms, outcome_of, recapture, update

MOVED = (Change("location_name", "Richmond", "Henrico"),)
MOVED_BACK = (Change("location_name", "Henrico", "Richmond"),)


def flagged() -> Scene:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    scene.receive(escape("2026-11-20 10:00"))
    scene.receive(escape("2026-11-20 11:00"))
    return scene


def ends(scene: Scene) -> list[tuple[str, str]]:
    return [(each.message_id, each.result) for each in scene.written(TALLY)]


@pytest.mark.parametrize(("action", "end"), [("release", []), ("discard", [("m3", "failed")])])
def test_the_verdict_on_a_review_names_it_and_only_a_discarded_message_failed(action: str, end: list[tuple[str, str]]) -> None:
    scene = flagged()
    assert ends(scene) == []
    scene.act(action, scene.review.review_id, "2026-11-20 12:00")  # type: ignore[arg-type]
    assert scene.verdict("m3").review_id == scene.review.review_id
    assert ends(scene) == end


def test_a_message_that_is_replaced_in_review_is_journalled_with_its_review_and_tells_nobody() -> None:
    scene = flagged()
    held, review_id = scene.last, scene.review.review_id
    scene.receive(
        update(held, action_at=ms("2026-11-20 11:30"), changes=(Change("action_at", "a", "b"),), received_at=ms("2026-11-20 12:00"))
    )
    verdict = scene.verdict(held.message_id)
    assert (outcome_of(verdict), verdict.review_id) == (("suppressed", "superseded"), review_id)
    assert (held.message_id, "nobody") in ends(scene)
    assert scene.reviews[review_id].state == "superseded"


def test_what_comes_within_range_leaves_with_the_review_that_held_it() -> None:
    scene = Scene()
    scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00"))
    review_id = scene.review.review_id
    scene.until(ms("2027-09-20 00:00"))
    verdict = scene.verdict("m1")
    assert (outcome_of(verdict), verdict.review_id) == (("passed", "in_range"), review_id)
    assert ends(scene) == []


def test_a_message_that_waits_follows_a_changed_setting_and_the_others_stay() -> None:
    scene = Scene()
    at = "2026-11-20 12:00"
    scene.receive(recapture(at, asked=("Previous Event",)))
    scene.receive(event("Court", "Appeal Decision", "Status Update", at, asked=("Previous Event",), case_number="B"))
    first, second = scene.known.pending
    assert first.due == ms(at) + 15 * MINUTE
    scene.set("out_of_order.hold", "1h", event_subtype="Recapture")
    scene.until(ms(at) + MINUTE)
    later, same = scene.known.pending
    assert (later.due, same) == (ms(at) + HOUR, second)
    assert later.key == first.key
    assert min(scene.timers.values()) == second.due


def test_a_change_back_to_what_was_told_is_not_told_but_takes_effect_and_is_remembered() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00", location_name="Richmond"))
    one = scene.last
    past = update(one, message_id="u1", location_name="Henrico", changes=MOVED, received_at=ms("2026-11-25 10:00"))
    assert outcome_of(scene.receive(past)) == ("suppressed", "past")
    back = update(one, message_id="u2", location_name="Richmond", changes=MOVED_BACK, received_at=ms("2026-11-25 11:00"))
    assert outcome_of(scene.receive(back)) == ("suppressed", "inconsequential")
    assert scene.told == ["Escape"]
    assert scene.known.untold == {}
    (entry,) = scene.known.history
    assert (entry.place, entry.told) == ("Richmond", True)
    assert scene.known.told_until == {"VA0010000\nm1": ms("2026-11-25 11:00") + 90 * DAY}


def test_a_cancellation_is_journalled_by_the_first_message_or_the_one_that_it_names() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00"))
    verdict = scene.receive(cancel(scene.last, received_at=ms("2026-11-20 11:00")))
    assert verdict.detail == "message m1 was sent to registrants and is withdrawn"
    scene.receive(escape("2026-11-20 11:10"))
    verdict = scene.receive(cancel(scene.last, root=None, refers_to=scene.last.message_id, received_at=ms("2026-11-20 11:30")))
    assert verdict.detail == f"message {scene.last.refers_to} was sent to registrants and is withdrawn"
    again = scene.receive(cancel(escape(message_id="m9"), root=None, received_at=ms("2026-11-20 12:00")))
    assert again.detail == "no one had been notified of message m9"
    assert ends(scene) == [(again.message_id, "nobody")]


def test_an_internal_message_says_why_nobody_is_told() -> None:
    scene = Scene()
    verdict = scene.receive(event("Jail", "Intake", "Internal", "2026-11-20 10:00"))
    assert verdict.detail == "the notification type is Internal and internal.forward is false"


def test_all_that_failed_is_in_the_sentence() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    verdict = scene.receive(event("Corrections", "Escape", "Movement", "2026-11-20 10:00", status="Gone", location_kind="Nowhere"))
    assert '"Gone"' in verdict.detail
    assert '; the message names the kind of location "Nowhere"' in verdict.detail


def test_a_pending_message_must_be_among_the_states() -> None:
    pending = Pending("k", "c", "r", 1, 2)
    situation = Situation("o", 1, rules(), {"k": OffenderState()}, OffenderState())
    with pytest.raises(TypeError, match=r"^k holds no message$"):
        situation.message(pending)
    stored, newer = HeldMessage(escape(), "stored"), HeldMessage(escape(), "newer")
    assert Situation("o", 1, rules(), {"k": stored}, OffenderState()).message(pending) is stored
    assert Situation("o", 1, rules(), {"k": stored}, OffenderState(), {"k": newer}).message(pending) is newer
