"""What a reviewer sees, and what follows from their decision (contract §2, §3.1.5)."""

import pytest

from processors.domain.review import subject_of
from processors.validate.reviews import NAME
from processors.validate.state import HeldMessage
from tests.validate.scene import OFFENDER, Scene, cancel, escape, event, hearing, intake, ms, outcome_of, recapture, update


def flagged() -> Scene:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    scene.receive(escape("2026-11-20 10:00"))
    scene.receive(escape("2026-11-20 11:00"))
    return scene


def test_a_flagged_message_changes_nothing_and_opens_a_review_that_says_everything() -> None:
    scene = flagged()
    review = scene.review
    assert len(scene.known.history) == 2
    assert (review.state, review.stage, review.message_id, review.offender) == ("open", "validate", "m3", OFFENDER)
    assert (review.ori, review.jurisdiction, review.event_type, review.event_subtype) == ("VA0010000", "VA", "Corrections", "Escape")
    assert review.since == ms("2026-11-20 11:00")
    assert review.review_id.startswith(f"validate-{OFFENDER}-")
    assert subject_of(review.review_id, NAME) == OFFENDER


def test_releasing_tells_it_and_applies_the_state_change_whatever_the_checks_say() -> None:
    scene = flagged()
    scene.act("release", scene.review.review_id, "2026-11-25 10:00")
    assert scene.told == ["Intake", "Escape", "Escape"]
    assert scene.confirmed[-1].released_by == "r.reviewer"
    assert len(scene.known.history) == 3
    verdict = scene.verdict("m3")
    assert outcome_of(verdict) == ("passed", "released")
    assert "r.reviewer released it: seen the file" in verdict.detail
    assert verdict.at == ms("2026-11-25 10:00")
    assert (scene.review.state, scene.review.reviewer, scene.review.comment) == ("released", "r.reviewer", "seen the file")
    assert scene.review.since == ms("2026-11-20 11:00")
    assert list(scene.documents) == [OFFENDER]


def test_releasing_one_that_is_too_far_ahead_stops_its_timer() -> None:
    scene = Scene()
    scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00"))
    scene.act("release", scene.review.review_id, "2026-11-21 08:00")
    assert scene.told == ["Court Hearing"]
    assert scene.timers == {}
    scene.until(ms("2028-01-01 00:00"))
    assert scene.told == ["Court Hearing"]


def test_discarding_closes_it_without_telling_or_changing_anything() -> None:
    scene = flagged()
    scene.act("discard", scene.review.review_id, "2026-11-25 10:00")
    assert scene.told == ["Intake", "Escape"]
    assert len(scene.known.history) == 2
    verdict = scene.verdict("m3")
    assert outcome_of(verdict) == ("suppressed", "discarded")
    assert "r.reviewer discarded it: seen the file" in verdict.detail
    assert (scene.review.state, scene.review.reviewer) == ("discarded", "r.reviewer")
    assert list(scene.documents) == [OFFENDER]


@pytest.mark.parametrize("action", ["release", "discard"])
def test_a_review_is_decided_once(action: str) -> None:
    scene = flagged()
    scene.act("release", scene.review.review_id, "2026-11-25 10:00")
    scene.act(action, scene.review.review_id, "2026-11-25 10:01")
    assert outcome_of(scene.verdicts[-1]) == ("noted", "unknown_review")
    assert scene.review.state == "released"
    assert scene.told == ["Intake", "Escape", "Escape"]


@pytest.mark.parametrize(
    "review_id", ["validate-o0123456789abcdef-000000000000", "dedupe-o0123456789abcdef-000000000000", "nonsense", None]
)
def test_an_action_on_no_open_review_is_noted(review_id: str | None) -> None:
    scene = flagged()
    decision = scene.act("release", review_id, "2026-11-25 10:00")
    assert [outcome_of(each) for each in decision.verdicts] == [("noted", "unknown_review")]
    assert not decision.outputs
    assert not decision.states


def test_a_release_lets_go_what_waited_for_it() -> None:
    scene = flagged()
    scene.receive(escape("2026-11-20 12:00", expect=True, case_number="A"))
    (review_id,) = [each.review_id for each in scene.reviews.values() if each.message_id == "m4"]
    scene.receive(recapture("2026-11-20 13:00", asked=("Previous Event",), case_number="A"))
    assert outcome_of(scene.verdict("m5")) == ("waiting", "out_of_order_hold")
    scene.act("release", review_id, "2026-11-20 13:05")
    assert outcome_of(scene.verdict("m5")) == ("passed", "confirmed")


def test_an_update_of_what_is_in_review_supersedes_it_and_is_news() -> None:
    scene = flagged()
    verdict = scene.receive(update(scene.last, status="Incarcerated", received_at=ms("2026-11-20 12:00")))
    assert scene.review.state == "superseded" or scene.review.message_id != "m3"
    assert outcome_of(scene.verdict("m3")) == ("suppressed", "superseded")
    assert verdict.message_id in scene.verdict("m3").detail
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert (scene.confirmed[-1].telling, scene.confirmed[-1].changes, scene.confirmed[-1].root) == ("news", (), "m3")


def test_a_message_without_words_is_flagged_and_not_even_a_reviewer_can_tell_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    verdict = scene.receive(event("Jail", "Knighthood", "Information", "2026-11-20 10:00", do_not_validate=True, validate=False))
    assert outcome_of(verdict) == ("flagged", "no_text")
    assert "no English text for Knighthood of Jail" in verdict.detail
    scene.act("release", scene.review.review_id, "2026-11-20 11:00")
    assert outcome_of(scene.verdicts[-1]) == ("flagged", "no_text")
    assert scene.verdicts[-1].review_id == scene.review.review_id
    assert scene.review.state == "open"
    assert scene.told == []
    rule_set = scene.rules.rule_set("VA", 0)
    monkeypatch.setattr(type(rule_set), "text", lambda *_: object())
    scene.act("release", scene.review.review_id, "2026-11-20 12:00")
    assert scene.told == ["Knighthood"]
    assert scene.review.state == "released"


def test_all_failing_checks_are_told_of_and_the_first_decides_the_reason() -> None:
    scene = flagged()
    verdict = scene.receive(escape("2028-11-20 12:00", received="2026-11-20 12:00", location_kind="Moon Base"))
    assert outcome_of(verdict) == ("flagged", "unknown_location")
    assert "Moon Base" in verdict.detail
    assert "date.future" in verdict.detail
    assert 'cannot follow "Escapee"' in verdict.detail


def test_two_messages_with_one_id_have_two_reviews() -> None:
    scene = flagged()
    scene.receive(escape("2026-11-20 12:00", message_id="m3"))
    assert len(scene.reviews) == 2
    assert len(scene.known.pending) == 2
    assert sum(isinstance(scene.state(key), HeldMessage) for key in scene.documents) == 2


def test_a_large_message_in_review_does_not_make_the_dossier_large() -> None:
    scene = Scene()
    scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00", submission=b"x" * 1_000_000))
    assert len(scene.documents[OFFENDER]) < 1_000
    scene.act("release", scene.review.review_id, "2026-11-21 08:00")
    assert scene.confirmed[0].submission == b"x" * 1_000_000


def test_a_cancellation_closes_the_review() -> None:
    scene = flagged()
    scene.receive(cancel(scene.last))
    assert scene.review.state == "superseded"
    scene.act("release", scene.review.review_id, "2026-11-25 10:00")
    assert outcome_of(scene.verdicts[-1]) == ("noted", "unknown_review")
    assert scene.told == ["Intake", "Escape"]
