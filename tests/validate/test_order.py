"""Which event must have come before (contract §3.1.6; specification §4.1.1.2, §4.2.1, §4.3.3)."""

from dataclasses import replace

import msgspec

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.rules.rule_set import EventCode, Order
from processors.validate.order import RULE, hearing_order, meet_expectation, revert
from processors.validate.state import MAX_EXPECTED, ExpectedEvent
from tests.validate.facts import facts
from tests.validate.scene import MINUTE, OFFENDER, Scene, cancel, escape, event, hearing, intake, ms, outcome_of, recapture, update

PREVIOUS = ("Date", "Previous Event")


def appeal_filed(at: str = "2026-11-20 10:00", **more: object) -> Event:
    return event("Attorney General", "Appeal Filed", "Information", at, **({"expect": True, "ori": "VA0AG0000"} | more))


def appeal_decision(at: str = "2026-11-21 10:00", **more: object) -> Event:
    return event("Court", "Appeal Decision", "Information", at, **({"asked": ("Previous Event",)} | more))


def parole(at: str, **more: object) -> Event:
    return event("Parole Board", "Parole Board Hearing", "Hearing Notice", at, **more)


def test_the_specifications_appeal_decision_after_the_appeal_filed_by_another_agency_is_told() -> None:
    scene = Scene()
    scene.receive(appeal_filed())
    assert scene.expectation.state == "open"
    assert "Appeal Decision" in scene.expectation.expects
    assert scene.expectation.deadline is None
    verdict = scene.receive(appeal_decision())
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert (scene.expectation.state, scene.expectation.settled_by) == ("met", verdict.message_id)
    assert scene.told == ["Appeal Filed", "Appeal Decision"]


def test_a_missing_previous_event_waits_and_is_then_flagged_with_what_it_needs() -> None:
    scene = Scene()
    waiting = scene.receive(appeal_decision("2026-11-21 10:00"))
    assert outcome_of(waiting) == ("waiting", "out_of_order_hold")
    assert (scene.told, scene.reviews) == ([], {})
    scene.until(ms("2026-11-21 10:15") - 1)
    assert scene.reviews == {}
    scene.until(ms("2026-11-21 10:15"))
    assert outcome_of(scene.verdict(waiting.message_id)) == ("flagged", "previous_event_missing")
    assert scene.review.reason == "previous_event_missing"
    assert "Appeal Filed" in scene.review.detail
    assert "none" in scene.review.detail
    assert scene.told == []


def test_a_previous_event_that_comes_within_the_hold_lets_it_go_after_itself() -> None:
    scene = Scene()
    scene.receive(appeal_decision("2026-11-21 10:00"))
    scene.receive(appeal_filed("2026-11-21 09:00", received="2026-11-21 10:14"))
    assert scene.told == ["Appeal Filed", "Appeal Decision"]
    assert scene.expectation.state == "met"
    assert scene.timers == {}


def test_a_predecessor_that_expects_nothing_does_not_meet_the_tag() -> None:
    scene = Scene()
    scene.receive(appeal_filed(expect=False))
    assert outcome_of(scene.receive(appeal_decision())) == ("waiting", "out_of_order_hold")


def test_the_first_message_about_an_offender_cannot_meet_its_own_tag() -> None:
    scene = Scene()
    assert outcome_of(scene.receive(recapture(asked=PREVIOUS))) == ("waiting", "out_of_order_hold")


def test_the_specifications_recapture_after_a_jails_escape_is_told() -> None:
    scene = Scene()
    scene.receive(event("Jail", "Escape", "Status Update", "2026-11-20 10:00", expect=True))
    assert outcome_of(scene.receive(event("Jail", "Recapture", "Status Update", "2026-11-20 12:00", asked=PREVIOUS))) == (
        "passed",
        "confirmed",
    )


def test_a_recapture_heard_of_before_the_escape_waits_for_it_whatever_else_is_wrong() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    assert outcome_of(scene.receive(recapture("2026-11-20 10:05", asked=PREVIOUS))) == ("waiting", "out_of_order_hold")
    scene.receive(escape("2026-11-20 10:00", received="2026-11-20 10:10", expect=True))
    assert scene.told == ["Intake", "Escape", "Recapture"]


def test_the_previous_event_is_of_the_same_case_if_both_name_one() -> None:
    scene = Scene()
    scene.receive(appeal_filed(case_number="A"))
    assert outcome_of(scene.receive(appeal_decision(case_number="B"))) == ("waiting", "out_of_order_hold")
    assert outcome_of(scene.receive(appeal_decision("2026-11-21 10:01"))) == ("passed", "confirmed")


def test_a_met_expectation_still_proves_the_earlier_event() -> None:
    scene = Scene()
    scene.receive(appeal_filed())
    scene.receive(appeal_decision("2026-11-21 10:00"))
    assert outcome_of(scene.receive(appeal_decision("2026-11-22 10:00"))) == ("passed", "confirmed")


def test_what_was_expected_meets_its_expectation_without_a_tag_too() -> None:
    scene = Scene()
    scene.receive(escape(expect=True))
    scene.receive(recapture())
    assert scene.expectation.state == "met"


def test_what_nobody_need_precede_passes_the_tag_by_its_types_own_check() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-20 09:00"))
    assert outcome_of(scene.receive(escape("2026-11-20 10:00", asked=PREVIOUS))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(escape("2026-11-20 11:00", asked=PREVIOUS))) == ("flagged", "status_transition")


def test_an_expectation_ends_with_the_message_that_raised_it() -> None:
    scene = Scene()
    scene.receive(appeal_filed())
    filed = scene.last
    verdict = scene.receive(cancel(filed))
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert (scene.expectation.state, scene.expectation.settled_by) == ("cancelled", f"{filed.message_id}-cancel")
    assert outcome_of(scene.receive(appeal_decision())) == ("waiting", "out_of_order_hold")


def test_an_expectation_is_open_again_when_what_met_it_is_cancelled() -> None:
    scene = Scene()
    scene.receive(appeal_filed())
    scene.receive(appeal_decision())
    scene.receive(cancel(scene.last))
    assert (scene.expectation.state, scene.expectation.settled_by) == ("open", None)


def test_a_change_keeps_its_expectation_and_one_that_expects_nothing_ends_it() -> None:
    scene = Scene()
    scene.receive(appeal_filed())
    filed = scene.last
    decided = scene.receive(appeal_decision()).message_id
    scene.receive(update(filed, action_at=filed.action_at - MINUTE))
    assert (scene.expectation.state, scene.expectation.settled_by) == ("met", decided)
    scene.receive(update(filed, message_id="third", expect=False))
    assert scene.expectation.state == "cancelled"


def test_a_change_meets_no_second_expectation() -> None:
    scene = Scene()
    scene.receive(appeal_filed("2026-11-20 10:00"))
    scene.receive(appeal_filed("2026-11-20 11:00"))
    scene.receive(appeal_decision(expect=True))
    scene.receive(update(scene.last))
    assert [each.state for each in scene.expectations.values()] == ["open", "met", "open"]


def test_a_flagged_message_raises_no_expectation_until_it_is_released() -> None:
    scene = Scene()
    scene.receive(appeal_filed("2028-01-01 10:00", received="2026-11-20 10:00"))
    assert scene.expectations == {}
    scene.act("release", scene.review.review_id, "2026-11-20 11:00")
    assert scene.expectation.state == "open"


def test_expectations_stay_bounded_and_the_oldest_is_given_up_in_public() -> None:
    scene = Scene()
    for at in range(MAX_EXPECTED + 1):
        scene.receive(appeal_filed("2026-11-20 10:00", action_at=ms("2026-11-20 10:00") + at * MINUTE))
    assert len(scene.known.expected) == MAX_EXPECTED
    states = [each.state for each in scene.expectations.values()]
    assert states == ["cancelled"] + ["open"] * MAX_EXPECTED


def test_met_expectations_are_given_up_before_open_ones() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 09:00", expect=True))
    scene.receive(appeal_filed("2026-11-20 10:00"))
    scene.receive(appeal_decision("2026-11-20 10:01"))
    for at in range(MAX_EXPECTED - 1):
        scene.receive(appeal_filed("2026-11-20 11:00", action_at=ms("2026-11-20 11:00") + at * MINUTE))
    assert len(scene.known.expected) == MAX_EXPECTED
    assert "cancelled" not in [each.state for each in scene.expectations.values()]
    assert scene.known.expected[0].event_subtype == "Escape"


def test_an_event_is_not_what_it_expects_itself() -> None:
    scene = Scene()
    scene.receive(appeal_filed())
    expected = scene.known.expected
    code = EventCode("Attorney General", "Appeal Filed", ("Information",), follows=("Appeal Filed",))
    assert meet_expectation(expected, scene.last, code) == (expected, ())


def test_what_is_published_of_an_expectation_says_who_what_and_since_when() -> None:
    scene = Scene()
    scene.receive(appeal_filed(message_id="filed"))
    assert scene.expectation == Expectation(
        # the name stays the same from release to release, since the published records go by it
        expectation_id="o0123456789abcdef-977bddf0d583",
        message_id="filed",
        ori="VA0AG0000",
        offender=OFFENDER,
        jurisdiction="VA",
        state="open",
        expects="Appeal Decision",
        owed_by="any agency",
        rule="specification §4.2.1",
        text="After Appeal Filed this is expected: Appeal Decision.",
        since=ms("2026-11-20 10:00"),
        deadline=None,
    )


def test_several_that_may_follow_are_all_named_and_if_the_rules_name_none_that_is_said() -> None:
    scene = Scene()
    scene.receive(event("Interstate Compact", "Departure", "Movement", "2026-11-20 10:00", expect=True))
    assert [each.expects for each in scene.expectations.values() if each.rule == RULE] == ["Arrival, Failure to Arrive"]
    scene = Scene()
    scene.receive(event("Court", "Change of Venue", "Information", "2026-11-20 10:00", expect=True))
    assert scene.expectation.expects == "a subsequent event"


def test_when_an_expectation_was_settled_is_published_and_taken_back() -> None:
    scene = Scene()
    scene.receive(appeal_filed())
    filed = scene.last
    scene.receive(appeal_decision("2026-11-21 10:00"))
    decided = scene.last
    assert scene.expectation.settled_at == ms("2026-11-21 10:00")
    scene.receive(update(filed, received_at=ms("2026-11-21 11:00")))
    assert scene.expectation.settled_at == ms("2026-11-21 10:00"), "a change of what expects settles nothing again"
    scene.receive(cancel(decided, received_at=ms("2026-11-21 12:00")))
    assert (scene.expectation.state, scene.expectation.settled_at) == ("open", None), "the change has not forgotten what met it"
    scene.receive(cancel(filed, received_at=ms("2026-11-21 13:00")))
    assert (scene.expectation.state, scene.expectation.settled_at) == ("cancelled", ms("2026-11-21 13:00"))


def test_what_is_met_is_the_latest_that_was_expected_in_its_case() -> None:
    scene = Scene()
    scene.receive(appeal_filed("2026-11-20 09:00", case_number="A", message_id="A"))
    scene.receive(appeal_filed("2026-11-20 10:00", case_number="B", message_id="B"))
    scene.receive(escape("2026-11-20 11:00", message_id="C", expect=True))
    scene.receive(appeal_decision(case_number="A"))
    assert {each.message_id: each.state for each in scene.expectations.values()} == {"A": "met", "B": "open", "C": "open"}
    assert [each.event_subtype for each in scene.known.expected] == ["Appeal Filed", "Appeal Filed", "Escape"]
    scene.receive(appeal_decision("2026-11-21 11:00"))
    assert {each.message_id: each.state for each in scene.expectations.values()} == {"A": "met", "B": "met", "C": "open"}


def test_what_is_given_up_says_when() -> None:
    scene = Scene()
    for at in range(MAX_EXPECTED + 1):
        scene.receive(appeal_filed("2026-11-20 10:00", action_at=ms("2026-11-20 10:00") + at * MINUTE, message_id=f"f{at}"))
    given_up = next(each for each in scene.expectations.values() if each.state == "cancelled")
    assert (given_up.message_id, given_up.settled_at) == ("f0", ms("2026-11-20 10:00"))


def test_taking_back_what_expected_and_met_nothing_leaves_the_expectations_as_they_are() -> None:
    scene = Scene()
    scene.receive(appeal_filed())
    expected = scene.known.expected
    assert revert(expected, cancel(escape(message_id="other")), 0) == (expected, ())


def test_taking_back_keeps_what_it_is_not_about() -> None:
    scene = Scene()
    scene.receive(escape("2026-11-20 09:00", message_id="escape", expect=True))
    scene.receive(appeal_filed(message_id="filed"))
    scene.receive(appeal_decision(message_id="decided"))
    scene.receive(cancel(scene.last))
    escaped, filed = scene.known.expected
    assert isinstance(escaped, ExpectedEvent)
    assert (escaped.event_subtype, escaped.met_by, escaped.record.state) == ("Escape", None, "open")
    assert (filed.event_subtype, filed.met_by, filed.record.state) == ("Appeal Filed", None, "open")


# --- specification §4.1.1.2: a clear order of events


def ordered(orders: tuple[Order, ...], *before: Event) -> str | None:
    """Return what is said of a hearing that must come after these, by a jurisdiction's own rules."""
    known = facts(hearing("2026-11-20 12:00"), before)
    in_force = msgspec.structs.replace(known.in_force, code=replace(known.in_force.code, order=orders))
    found = hearing_order(msgspec.structs.replace(known, in_force=in_force))
    return None if found is None else found.detail


GUILT = Order(("Disposition",), why="guilt comes first")
VENUE = event("Court", "Change of Venue", "Information", "2026-11-01 09:00")
DISPOSED = event("Court", "Disposition", "Information", "2026-11-02 09:00")


def test_an_order_of_events_alone_contradicts_only_if_some_event_is_known() -> None:
    assert ordered((GUILT,)) is None
    assert ordered((GUILT,), VENUE) == (
        "Court Hearing of 2026-11-20 12:00 EST needs Disposition before it (guilt comes first); the status is not known, "
        "the last event known is Change of Venue"
    )
    assert ordered((GUILT,), VENUE, DISPOSED) is None


def test_every_order_must_be_kept() -> None:
    sentenced = Order(("Sentencing",), ("Sentenced",), why="so it is")
    presented = Order(("Presentence Investigation",), why="a report is heard")
    assert ordered((GUILT, presented), VENUE, DISPOSED) == (
        "Court Hearing of 2026-11-20 12:00 EST needs Presentence Investigation before it (a report is heard); the status is not known, "
        "the last event known is Disposition"
    )
    assert "a report is heard" in (ordered((sentenced, presented), VENUE) or ""), "what is not known keeps no other from being asked"


def test_the_specifications_parole_hearing_before_prison_is_flagged_and_says_why() -> None:
    scene = Scene()
    scene.receive(event("Jail", "Intake", "Movement", "2026-11-01 09:00", status="Pretrial"))
    verdict = scene.receive(parole("2026-12-01 09:00", received="2026-11-20 09:00"))
    assert outcome_of(verdict) == ("flagged", "hearing_order")
    assert "a parole hearing comes after the offender has been sent to prison" in verdict.detail
    assert '"Pretrial"' in verdict.detail
    assert "Corrections/Intake" in verdict.detail


def test_a_parole_hearing_after_prison_is_told() -> None:
    scene = Scene()
    scene.receive(event("Corrections", "Intake", "Movement", "2026-11-01 09:00"))
    assert outcome_of(scene.receive(parole("2026-12-01 09:00", received="2026-11-20 09:00"))) == ("passed", "confirmed")


def test_a_parole_hearing_after_a_prison_term_that_is_over_is_told() -> None:
    scene = Scene()
    scene.receive(event("Corrections", "Intake", "Movement", "2026-11-01 09:00"))
    scene.receive(event("Corrections", "Release", "Status Update", "2026-11-02 09:00"))
    assert outcome_of(scene.receive(parole("2026-12-01 09:00", received="2026-11-20 09:00"))) == ("passed", "confirmed")


def test_a_parole_hearing_of_somebody_known_to_be_incarcerated_is_told() -> None:
    scene = Scene()
    scene.receive(event("Court", "Bond Reduction", "Status Update", "2026-11-01 09:00", status="Incarcerated"))
    assert outcome_of(scene.receive(parole("2026-12-01 09:00", received="2026-11-20 09:00"))) == ("passed", "confirmed")


def test_a_parole_hearing_before_the_day_of_the_intake_is_flagged() -> None:
    scene = Scene()
    scene.receive(event("Jail", "Intake", "Movement", "2026-11-01 09:00", status="Pretrial"))
    scene.receive(event("Corrections", "Intake", "Movement", "2026-12-02 09:00", received="2026-11-19 09:00"))
    assert outcome_of(scene.receive(parole("2026-12-01 09:00", received="2026-11-20 09:00"))) == ("flagged", "hearing_order")


def impact(at: str, **more: object) -> Event:
    return event("Court", "Victim Impact Hearing", "Hearing Notice", at, **more)


def charged(at: str, **more: object) -> Event:
    return event("Court", "Bond Reduction", "Status Update", at, status="Pretrial", **more)


def test_the_specifications_sentencing_stage_hearing_comes_after_the_finding_of_guilt() -> None:
    scene = Scene()
    scene.receive(charged("2026-11-01 09:00"))
    assert outcome_of(scene.receive(impact("2026-12-01 09:00", received="2026-11-20 09:00"))) == ("flagged", "hearing_order")
    scene.receive(event("Court", "Disposition", "Information", "2026-11-20 10:00", status="Found Guilty"))
    assert outcome_of(scene.receive(impact("2026-12-02 09:00", received="2026-11-20 11:00"))) == ("passed", "confirmed")


def test_a_hearing_of_somebody_unknown_contradicts_nothing_and_the_journal_says_so() -> None:
    verdict = Scene().receive(parole("2026-12-01 09:00", received="2026-11-20 09:00"))
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert "no earlier event is known" in verdict.detail


def test_the_order_of_another_case_proves_nothing() -> None:
    scene = Scene()
    scene.receive(event("Court", "Disposition", "Information", "2026-11-01 09:00", case_number="A"))
    scene.receive(charged("2026-11-02 09:00", case_number="B"))
    assert outcome_of(scene.receive(impact("2026-12-01 09:00", received="2026-11-20 09:00", case_number="B"))) == (
        "flagged",
        "hearing_order",
    )
    assert outcome_of(scene.receive(impact("2026-12-01 09:00", received="2026-11-20 09:00", case_number="A"))) == ("passed", "confirmed")


def test_an_ordinary_hearing_needs_nothing_before_it() -> None:
    scene = Scene()
    scene.receive(event("Jail", "Intake", "Movement", "2026-11-01 09:00", status="Pretrial"))
    scene.receive(hearing("2026-12-01 09:00", received="2026-11-20 09:00"))
    assert scene.told == ["Intake", "Court Hearing"]
