"""Which checks run, what is told, and what a change or a cancellation does (contract §3.1.1–5)."""

from typing import Any

import pytest

from processors.domain.event import Change, Event
from processors.domain.reasons import REASONS
from processors.domain.registration import Enrolment
from processors.stage import Record
from processors.validate.checks import CHECK_RULES, checks_for
from processors.validate.decide import STAGE
from processors.validate.state import MAX_TOLD
from processors.validate.timeline import status_and_place
from tests.validate.scene import DAY, OFFENDER, Scene, cancel, escape, event, hearing, intake, jailed, ms, outcome_of, recapture, update

OWN = {
    "Hearing Notice": {"date", "order of events"},
    "Information": {"date"},
    "Internal": {"date"},
    "Movement": {"date", "current location"},
    "Status Update": {"date", "current status"},
}
EVERYWHERE = {"text", "known status", "known location", "workflow", "logical movement"}


def internal(at: str, **more: Any) -> Event:
    return event("Corrections", "Escape", "Internal", at, **more)


def names(kind: str, **more: Any) -> set[str]:
    return {rule.name for rule in checks_for(event("Jail", "Release", kind, "2026-11-20 10:00", **more))}


@pytest.mark.parametrize("kind", OWN)
def test_every_notification_type_has_its_own_checks(kind: str) -> None:
    assert names(kind) == OWN[kind] | EVERYWHERE


@pytest.mark.parametrize("kind", OWN)
def test_a_previous_event_asked_for_is_checked_besides(kind: str) -> None:
    assert names(kind, asked=("Date", "Previous Event")) == OWN[kind] | EVERYWHERE | {"previous event"}


@pytest.mark.parametrize(
    ("waived", "left_out"),
    [
        (("Date",), {"date"}),
        (("Previous Event",), {"current status", "workflow"}),
        (("Other Information",), {"logical movement"}),
        (("Date", "Previous Event"), {"date", "current status", "workflow"}),
    ],
)
def test_validations_tied_to_do_not_validate_are_left_out(waived: tuple[str, ...], left_out: set[str]) -> None:
    assert names("Status Update", waived=waived) == (OWN["Status Update"] | EVERYWHERE) - left_out


def test_do_not_validate_leaves_only_the_words() -> None:
    assert names("Status Update", do_not_validate=True, validate=False, asked=("Previous Event",)) == {"text"}


def test_the_table_names_each_check_once() -> None:
    assert len({rule.name for rule in CHECK_RULES}) == len(CHECK_RULES)


def test_do_not_validate_is_told_whatever_its_date_status_or_location_and_brings_them_up_to_date() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00"))
    unchecked = {"do_not_validate": True, "validate": False}
    for more in (
        {"at": "2026-11-20 11:00"},  # Escapee again
        {"at": "2025-11-20 10:00", "received": "2026-11-20 11:00"},  # past
        {"at": "2028-11-20 10:00", "received": "2026-11-20 11:00"},  # far ahead
        {"at": "2026-11-20 12:00", "status": "On The Moon", "location_kind": "Moon Base"},  # unknown
        {"at": "2026-11-20 12:01", "asked": ("Previous Event",)},
    ):
        assert outcome_of(scene.receive(escape(**(unchecked | more)))) == ("passed", "confirmed")
    assert len(scene.confirmed) == 6
    assert "On The Moon" in [each.status for each in scene.known.history]
    assert scene.reviews == {}


def test_a_status_that_the_rules_do_not_know_contradicts_nothing_after_it() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00", status="On The Moon", location_kind="Moon Base", do_not_validate=True, validate=False))
    assert outcome_of(scene.receive(recapture("2026-11-20 11:00"))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(intake("2026-11-20 12:00"))) == ("passed", "confirmed")


def test_validate_and_do_not_validate_together_leave_out_what_is_tied_to_the_latter() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00"))
    both = {"do_not_validate": True, "validate": True}
    assert outcome_of(scene.receive(escape("2026-11-20 11:00", waived=("Previous Event",), **both))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(escape("2026-11-20 12:00", waived=("Date",), **both))) == ("flagged", "status_transition")
    past = escape("2026-11-01 12:00", received="2026-11-20 13:00", waived=("Date",), **both)
    assert outcome_of(scene.receive(past)) == ("passed", "confirmed")


def test_internal_messages_reach_nobody_and_still_change_the_state() -> None:
    scene = Scene()
    verdict = scene.receive(internal("2026-11-20 10:00", expect=True))
    assert outcome_of(verdict) == ("suppressed", "internal")
    assert scene.told == []
    assert status_and_place(scene.known.history, None).status == "Escapee"
    assert scene.expectation.state == "open"


def test_internal_messages_not_to_be_validated_reach_nobody_either() -> None:
    scene = Scene()
    verdict = scene.receive(internal("2026-11-20 10:00", do_not_validate=True, validate=False, released_by="r"))
    assert outcome_of(verdict) == ("suppressed", "internal")


def test_internal_messages_that_are_forwarded_are_dated_and_nothing_else() -> None:
    scene = Scene()
    scene.set("internal.forward", "true", jurisdiction="VA")
    scene.receive(escape("2026-11-20 10:00"))
    assert outcome_of(scene.receive(internal("2026-11-20 11:00"))) == ("passed", "confirmed")
    old = internal("2026-11-18 11:00", received="2026-11-20 12:00")
    assert outcome_of(scene.receive(old)) == ("suppressed", "past")


def test_an_unchanged_event_goes_on_as_the_very_same_object() -> None:
    one = escape()
    decision = STAGE.decide(Record("events.distinct", 0, 1, OFFENDER, one.received_at, one), {}, Scene().context)
    assert decision.outputs[0].value is one


def test_a_registration_passes_untouched() -> None:
    enrolment = Enrolment(offender=OFFENDER, seq=1, received_at=1, registration_id="r", registrant_id="p")
    given = Record("events.distinct", 0, 1, OFFENDER, 1, enrolment)
    assert list(STAGE.keys(given, {})) == [OFFENDER], "it asks only whether the offender is being merged"
    decision = STAGE.decide(given, {}, None)  # type: ignore[arg-type]
    assert decision.outputs[0].value is enrolment
    assert not decision.states
    assert not decision.verdicts


def test_anything_else_on_the_road_is_a_bug() -> None:
    with pytest.raises(TypeError, match="validate reads no str"):
        STAGE.decide(Record("events.distinct", 0, 1, OFFENDER, 1, "?"), {}, None)  # type: ignore[arg-type]


def test_what_a_reviewer_of_an_earlier_stage_let_go_is_not_checked_again() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00"))
    assert outcome_of(scene.receive(escape("2026-11-01 10:00", received="2026-11-20 11:00", released_by="r"))) == ("passed", "confirmed")


# --- changes and cancellations


def test_a_change_of_something_told_is_told_as_a_change_and_takes_its_place_in_the_history() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    scene.receive(escape("2026-11-20 10:00"))
    changes = (Change("action time", "10:00", "10:30"),)
    verdict = scene.receive(update(scene.last, action_at=ms("2026-11-20 10:30"), changes=changes, received_at=ms("2026-11-20 11:00")))
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert scene.told == ["Intake", "Escape", "Escape change"]
    assert scene.confirmed[-1].changes == changes
    assert [each.at for each in scene.known.history] == [ms("2026-11-20 09:00"), ms("2026-11-20 10:30")]


def test_a_change_is_dated_like_any_event() -> None:
    scene = Scene()
    scene.receive(hearing("2026-12-01 10:00", received="2026-11-20 10:00"))
    verdict = scene.receive(update(scene.last, action_at=ms("2027-12-01 10:00")))
    assert outcome_of(verdict) == ("flagged", "too_far_ahead")
    scene.until(ms("2027-10-02 11:00"))
    assert scene.told == ["Court Hearing", "Court Hearing change"]


def test_a_change_of_something_not_told_is_news() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-18 10:00", received="2026-11-20 10:00"))
    changed = update(scene.last, action_at=ms("2026-11-20 09:00"), past_from=ms("2026-11-20 09:00"), changes=(Change("x", "", "y"),))
    assert outcome_of(scene.receive(changed)) == ("passed", "confirmed")
    assert (scene.confirmed[-1].telling, scene.confirmed[-1].changes) == ("news", ())
    assert [each.at for each in scene.known.history] == [ms("2026-11-20 09:00")]


def test_a_change_after_the_news_of_a_change_is_a_change() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-18 10:00", received="2026-11-20 10:00"))
    first = scene.last
    scene.receive(update(first, action_at=ms("2026-11-20 09:00"), past_from=ms("2026-11-20 09:00")))
    scene.receive(update(first, message_id="third", action_at=ms("2026-11-20 09:30"), past_from=ms("2026-11-20 09:30")))
    assert scene.told == ["Escape", "Escape change"]


def test_a_cancellation_of_something_told_goes_on_and_takes_back_its_status_and_place() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    scene.receive(escape("2026-11-20 10:00"))
    verdict = scene.receive(cancel(scene.last, received_at=ms("2026-11-25 10:00")))
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert scene.told == ["Intake", "Escape", "Escape cancellation"]
    current = status_and_place(scene.known.history, None)
    assert (current.status, current.kind) == ("Incarcerated", "State Prison")
    assert outcome_of(scene.receive(escape("2026-11-25 11:00"))) == ("passed", "confirmed")


def test_a_cancellation_of_something_past_takes_back_its_status_and_tells_nobody() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-01 09:00"))
    scene.receive(escape("2026-11-18 10:00", received="2026-11-20 10:00"))
    assert outcome_of(scene.receive(cancel(scene.last))) == ("suppressed", "nothing_told")
    assert status_and_place(scene.known.history, None).status == "Incarcerated"
    assert scene.told == ["Intake"]


def test_after_a_told_cancellation_nothing_is_left_to_cancel_or_change() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00"))
    first = scene.last
    scene.receive(cancel(first))
    assert outcome_of(scene.receive(cancel(first, message_id="again"))) == ("suppressed", "nothing_told")
    scene.receive(update(first))
    assert scene.told == ["Escape", "Escape cancellation", "Escape"]


def test_a_cancellation_of_something_unknown_tells_nobody() -> None:
    scene = Scene()
    one = escape(message_id="never seen")
    assert outcome_of(scene.receive(cancel(one))) == ("suppressed", "nothing_told")
    assert scene.known.history == ()


def test_another_agencys_message_of_the_same_id_is_another_message() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00", message_id="1"))
    verdict = scene.receive(cancel(escape("2026-11-20 10:00", message_id="1", ori="NC0010000")))
    assert outcome_of(verdict) == ("suppressed", "nothing_told")


def test_what_was_told_is_remembered_for_duplicate_window_and_no_longer() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 10:00"))
    first = scene.last
    scene.receive(cancel(first, received_at=first.received_at + 90 * DAY))
    assert scene.told == ["Escape"]
    scene = Scene()
    scene.receive(first)
    scene.receive(cancel(first, received_at=first.received_at + 90 * DAY - 1))
    assert scene.told == ["Escape", "Escape cancellation"]


def test_the_ledger_stays_bounded() -> None:
    scene = Scene()
    for at in range(MAX_TOLD + 5):
        scene.receive(escape("2026-11-20 10:00", case_number=str(at + 1)))
    assert len(scene.known.told_until) == MAX_TOLD
    scene.receive(jailed("2027-11-20 10:00"))
    assert len(scene.known.told_until) == 1


def test_every_verdict_names_a_known_reason_and_the_rules_that_decided() -> None:
    scene = Scene()
    for one in (intake("2026-11-20 09:00"), escape(), escape("2026-11-20 11:00"), escape("2026-11-01 10:00", received="2026-11-20 12:00")):
        scene.receive(one)
    for verdict in scene.verdicts:
        assert verdict.reason in REASONS
        assert (verdict.stage, verdict.offender, verdict.ori, verdict.rules) == ("validate", OFFENDER, "VA0010000", scene.rules.version)


def test_an_event_whose_code_left_the_lists_is_flagged_not_lost() -> None:
    assert outcome_of(Scene().receive(event("Jail", "Knighthood", "Status Update", "2026-11-20 10:00"))) == ("flagged", "no_text")
