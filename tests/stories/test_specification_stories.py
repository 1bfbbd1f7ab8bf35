"""The specification's rules (section 4) and the contract's choices (§3.1), each seen from outside, through the whole pipeline."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processors.domain.journal import Verdict
from processors.domain.notification import Outbound
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import DEAD_LETTERS, EXPECTATIONS, OUTBOUND
from tests.stories.builders import BAKER, WALKER, hearing, registration, submission, tagged

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
VALIDATE = [tagged("Validate", "Date")]
PREVIOUS = [tagged("Validate", "Date", "Previous Event")]
EXPECT = [tagged("Validate", "Date"), tagged("Expect Subsequent Event")]
UNCHECKED = [tagged("Do Not Validate")]


def end(driver: PipelineDriver, message_id: str) -> tuple[str, str, str]:
    """What was decided last about a message."""
    last = verdicts(driver, message_id)[-1]
    return last.stage, last.outcome, last.reason


def reasons(driver: PipelineDriver, message_id: str) -> list[str]:
    return [each.reason for each in verdicts(driver, message_id)]


def verdicts(driver: PipelineDriver, message_id: str) -> list[Verdict]:
    """The decisions about a message; that its agency has been silent since is none about it."""
    return [each for each in driver.verdicts(message_id) if each.reason != "feed_silence"]


def told(driver: PipelineDriver, registrant: str | None = None) -> list[Outbound]:
    """The notifications and corrections that left, for one registrant or all."""
    return [each for each in driver.outbound() if registrant in {None, each.registrant_id}]


def happens_now(driver: PipelineDriver) -> str:
    return datetime.fromtimestamp(driver.now / 1000, UTC).isoformat()


def prison(driver: PipelineDriver, **changes: Any) -> dict[str, Any]:
    """Corrections takes Walker in, now."""
    usual = {
        "agency": {"ori": "VA087015C", "name": "Virginia Department of Corrections", "state": "VA"},
        "event_type": "Corrections",
        "event_subtype": "Intake",
        "notification_type": "Movement",
        "action_at": happens_now(driver),
    }
    return submission(**{**usual, **changes})


def leaves_jail(driver: PipelineDriver, **changes: Any) -> dict[str, Any]:
    """The jail lets Walker go to prison, now."""
    usual = {"event_subtype": "Release", "action_at": happens_now(driver), "location": {"kind": "State Prison", "name": "Greensville"}}
    return submission(**{**usual, **changes})


# --- 4 One notification per victim and agency event -------------------------------------------------------------------------


def test_hearings_on_the_12th_and_13th_are_two_notices_and_two_on_the_14th_at_10_are_one(driver: PipelineDriver) -> None:
    driver.register(registration("R-1"), registration("R-1", offender=BAKER))
    driver.submit(
        hearing(message_id="12", action_at="2026-11-12T10:00:00-05:00", offenders=[WALKER]),
        hearing(message_id="13", action_at="2026-11-13T10:00:00-05:00", offenders=[BAKER]),
        hearing(message_id="14a", action_at="2026-11-14T10:00:00-05:00", offenders=[WALKER]),
        hearing(message_id="14b", action_at="2026-11-14T10:00:00-05:00", offenders=[BAKER]),
    )
    driver.advance(DAY)
    named = {each.notification_id: (each.message_ids, sorted(one.name for one in each.offenders or ())) for each in told(driver)}
    assert sorted(named.values()) == [
        (("12",), ["Thomas Walker"]),
        (("13",), ["Luis Baker"]),
        (("14a", "14b"), ["Luis Baker", "Thomas Walker"]),
    ], driver.explain()


def test_two_registrations_of_one_registrant_for_one_offender_are_told_once(driver: PipelineDriver) -> None:
    contact = [{"channel": "sms", "address": "+18045551234", "verified": True}]
    driver.register(registration("R-1", contacts=contact), registration("R-1", source="IVINS", contacts=contact))
    driver.submit(submission())
    driver.advance(DAY)
    assert [each.to for each in told(driver)] == ["+18045551234"], driver.explain()


# --- 4 Duplicates: submitted, cancelled, resubmitted ------------------------------------------------------------------------


def test_submitted_cancelled_and_resubmitted_with_inconsequential_edits_is_told_once(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M", remarks="first"))
    driver.advance(MINUTE)
    driver.submit(hearing(message_id="C", operation="Cancel", refers_to="M"))
    driver.advance(10 * MINUTE)
    respelt = {**WALKER, "name": {"given": "THOMAS", "sur": "Walker."}}
    driver.submit(hearing(message_id="M2", event_id="other", remarks="typed again", offenders=[respelt]))
    driver.advance(2 * DAY)
    assert [each.message_ids for each in told(driver)] == [("M",)], driver.explain()
    assert end(driver, "C") == ("dedupe", "suppressed", "resubmitted")
    assert end(driver, "M2") == ("dedupe", "suppressed", "resubmitted")


def test_after_a_cancellation_was_told_the_same_event_is_news(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M"))
    driver.advance(MINUTE)
    driver.submit(hearing(message_id="C", operation="Cancel", refers_to="M"))
    driver.advance(HOUR)
    driver.submit(hearing(message_id="M2"))
    driver.advance(HOUR)
    assert [each.kind for each in told(driver)] == ["notification", "correction", "notification"], driver.explain()


def test_an_update_that_matters_is_told_as_a_change_to_those_told_and_those_registered_since(driver: PipelineDriver) -> None:
    driver.register(registration("told"))
    driver.submit(hearing(message_id="M"))
    driver.advance(MINUTE)
    driver.register(registration("since"))
    driver.submit(hearing(message_id="U", operation="Update", refers_to="M", action_at="2026-12-15T14:00:00-05:00"))
    driver.advance(MINUTE)
    changes = told(driver)[1:]
    assert {each.registrant_id: each.kind for each in changes} == {"told": "correction", "since": "correction"}, driver.explain()
    assert all("Dec 14" in each.body and "Dec 15" in each.body for each in changes), changes[0].body


def test_an_update_that_changes_nothing_is_silent(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M"))
    driver.submit(hearing(message_id="U", operation="Update", refers_to="M", remarks="only a remark"))
    driver.advance(DAY)
    assert len(told(driver)) == 1
    assert end(driver, "U") == ("dedupe", "suppressed", "inconsequential"), driver.explain()


def test_an_update_of_what_is_in_review_is_news_for_everyone_and_supersedes_the_review(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M", action_at="2027-09-01T10:00:00-04:00"))
    driver.advance(DAY)
    driver.submit(hearing(message_id="U", operation="Update", refers_to="M", action_at="2026-12-01T10:00:00-05:00"))
    driver.advance(DAY)
    assert [(each.kind, each.message_ids) for each in told(driver)] == [("notification", ("U",))], driver.explain()
    assert [(each.message_id, each.state) for each in driver.reviews(None)] == [("M", "superseded")]
    driver.advance(timedelta(days=300))
    assert len(told(driver)) == 1


def test_a_correction_reaches_exactly_those_told(driver: PipelineDriver) -> None:
    gone = registration("gone")
    driver.register(registration("stays"), gone)
    driver.submit(hearing(message_id="M"))
    driver.advance(MINUTE)
    driver.unregister(gone["registration_id"])
    driver.register(registration("late"))
    driver.submit(hearing(message_id="C", operation="Cancel", refers_to="M"))
    driver.advance(DAY)
    corrected = {each.registrant_id for each in told(driver) if each.kind == "correction"}
    assert "late" not in corrected, driver.explain()
    assert "stays" in corrected


@pytest.mark.parametrize("whom", [[WALKER], [BAKER], [BAKER, WALKER]], ids=["first", "second", "both, the other way round"])
def test_a_cancellation_names_whom_it_is_about_and_nobody_else(driver: PipelineDriver, whom: list[dict[str, Any]]) -> None:
    driver.register(registration("R-1"), registration("R-1", offender=BAKER))
    driver.submit(hearing(message_id="M", offenders=[WALKER, BAKER]))
    driver.advance(MINUTE)
    driver.submit(hearing(message_id="C", operation="Cancel", refers_to="M", offenders=whom))
    driver.advance(DAY)
    corrections = [each for each in told(driver) if each.kind == "correction"]
    assert corrections, driver.explain()
    surnames = {each["name"]["sur"] for each in whom}
    for each in corrections:
        assert {one.name.split()[-1] for one in each.offenders or ()} == surnames
        assert {name for name in ("Walker", "Baker") if name in each.body} == surnames, each.body


@pytest.mark.parametrize("days", [10, 100, 200])
def test_a_cancelled_event_far_ahead_is_corrected_however_long_ago_it_was_told(driver: PipelineDriver, days: int) -> None:
    driver.register(registration())
    eligible = {"event_type": "Parole Board", "event_subtype": "Parole Eligibility", "notification_type": "Information"}
    driver.submit(submission(message_id="M", action_at="2027-09-01", **eligible))
    driver.advance(timedelta(days=days))
    driver.submit(submission(message_id="C", operation="Cancel", refers_to="M", action_at="2027-09-01", **eligible))
    driver.advance(DAY)
    assert [each.kind for each in told(driver)] == ["notification", "correction"], driver.explain()


def test_a_hearing_that_was_let_go_by_itself_is_corrected_like_any_other(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M", action_at="2027-09-01T10:00:00-04:00"))
    driver.advance(timedelta(days=250))
    driver.register(registration("late"))
    driver.submit(hearing(message_id="C", operation="Cancel", refers_to="M"))
    driver.advance(DAY)
    assert [(each.registrant_id, each.kind) for each in told(driver)] == [("R-1", "notification"), ("R-1", "correction")], driver.explain()


# --- 4 Dates ----------------------------------------------------------------------------------------------------------------


def test_an_escape_at_2359_received_at_0001_is_told(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.advance_to(datetime.fromisoformat("2026-11-04T00:01:00-05:00"))
    driver.submit(submission(message_id="M", action_at="2026-11-03T23:59:00"))
    driver.advance(MINUTE)
    assert [each.message_ids for each in told(driver)] == [("M",)], driver.explain()


@pytest.mark.parametrize(
    ("state", "ori", "midnight"),
    [
        ("PR", "PR0010000", "2026-11-05T00:00:00-04:00"),
        ("HI", "HI0010000", "2026-11-05T00:00:00-10:00"),
        ("VA", "VA0430000", "2026-11-05T00:00:00-05:00"),
    ],
)
def test_a_hearing_on_a_day_is_past_when_that_day_ends_where_the_agency_is(
    driver: PipelineDriver, state: str, ori: str, midnight: str
) -> None:
    driver.register(registration())
    agency = {"ori": ori, "name": "Court", "state": state}
    before = datetime.fromisoformat(midnight) - SECOND
    driver.advance_to(before)
    driver.submit(hearing(message_id="still", action_at="2026-11-04", agency=agency))
    driver.advance(SECOND + MINUTE)
    driver.submit(hearing(message_id="over", action_at="2026-11-04", agency=agency, case={"number": "CR26-8"}))
    driver.advance(DAY)
    assert [each.message_ids for each in told(driver)] == [("still",)], driver.explain()
    assert end(driver, "over") == ("validate", "suppressed", "past")


def test_a_past_hearing_tells_nobody_and_opens_no_review(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M", action_at="2026-11-02T11:00:00-05:00"))
    driver.advance(DAY)
    assert told(driver) == []
    assert driver.reviews(None) == []
    assert end(driver, "M") == ("validate", "suppressed", "past"), driver.explain()


def test_a_past_escape_tells_nobody_and_the_recapture_still_finds_it(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(submission(message_id="E", action_at="2026-10-30T11:00:00-04:00", notification_subtypes=EXPECT))
    driver.submit(submission(message_id="R", event_subtype="Recapture", notification_subtypes=PREVIOUS))
    driver.advance(DAY)
    assert reasons(driver, "E")[-1] == "past"
    assert [each.message_ids for each in told(driver)] == [("R",)], driver.explain()


def test_a_hearing_ten_months_ahead_is_released_by_itself_when_it_comes_within_range(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M", action_at="2027-09-01T10:00:00-04:00"))
    driver.advance_to(datetime.fromisoformat("2027-07-03T09:00:00-04:00"))
    assert told(driver) == []
    assert [each.reason for each in driver.reviews()] == ["too_far_ahead"]
    driver.advance(2 * HOUR)
    assert [each.message_ids for each in told(driver)] == [("M",)], driver.explain()
    assert [each.state for each in driver.reviews(None)] == ["released"]
    assert "in_range" in reasons(driver, "M")


def test_a_hearing_that_was_moved_while_too_far_ahead_is_told_for_the_new_date_only(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M", action_at="2027-03-01T10:00:00-05:00"))
    driver.submit(hearing(message_id="U", operation="Update", refers_to="M", action_at="2027-04-01T10:00:00-04:00"))
    driver.advance(timedelta(days=200))
    assert [(each.kind, each.message_ids) for each in told(driver)] == [("notification", ("U",))], driver.explain()


def test_a_hearing_that_was_cancelled_while_too_far_ahead_is_told_to_nobody(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(hearing(message_id="M", action_at="2027-03-01T10:00:00-05:00"))
    driver.submit(hearing(message_id="C", operation="Cancel", refers_to="M", action_at="2027-03-01T10:00:00-05:00"))
    driver.advance(timedelta(days=200))
    assert told(driver) == [], driver.explain()
    assert [each.state for each in driver.reviews(None)] == ["superseded"]


def test_the_range_of_dates_is_a_setting_of_jurisdiction_type_and_subtype_changed_while_it_runs(driver: PipelineDriver) -> None:
    far = "2027-03-01T10:00:00-05:00"
    driver.set_policy("date.future", "200d", jurisdiction="VA", notification_type="Hearing Notice")
    driver.submit(hearing(message_id="VA", action_at=far))
    driver.submit(hearing(message_id="NC", action_at=far, agency={"ori": "NC0010000", "name": "Court", "state": "NC"}))
    driver.set_policy("date.future", "30d", event_subtype="Court Hearing")
    driver.submit(hearing(message_id="VA2", action_at="2026-12-20T10:00:00-05:00"))
    assert {each.message_id: each.reason for each in driver.reviews()} == {"NC": "too_far_ahead", "VA2": "too_far_ahead"}, driver.explain()
    driver.set_policy("date.future", None, event_subtype="Court Hearing")
    driver.advance(DAY)
    assert [each.message_id for each in driver.reviews()] == ["NC"]


# --- 4.1.1.2 Order of hearings ----------------------------------------------------------------------------------------------


def test_a_parole_hearing_before_prison_is_flagged_and_after_prison_told(driver: PipelineDriver) -> None:
    driver.register(registration())
    board = {"agency": {"ori": "VAPAROLE0", "name": "Virginia Parole Board", "state": "VA"}, "event_type": "Parole Board"}
    board |= {"event_subtype": "Parole Board Hearing", "case": None}
    driver.submit(submission(event_type="Court", event_subtype="Bond Reduction", status="On Bond", case={"number": "CR26-7"}))
    driver.submit(hearing(message_id="early", **board))
    (review,) = driver.reviews()
    assert (review.message_id, review.reason) == ("early", "hearing_order"), driver.explain()
    assert "On Bond" in review.detail
    driver.submit(prison(driver))
    driver.submit(hearing(message_id="after", **{**board, "action_at": "2026-12-20T10:00:00-05:00"}))
    driver.advance(DAY)
    assert ("after",) in [each.message_ids for each in told(driver)], driver.explain()


# --- 4.1.4 Movement ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["jail", "prison"])
def test_a_commitment_to_prison_is_one_notice_from_corrections_whoever_reports_first(driver: PipelineDriver, first: str) -> None:
    driver.register(registration())
    documents = {
        "jail": leaves_jail(driver, message_id="jail"),
        "prison": prison(driver, message_id="prison"),
    }
    driver.submit(documents.pop(first))
    driver.advance(2 * HOUR)
    driver.submit(*documents.values())
    driver.advance(2 * DAY)
    assert [(each.message_ids, each.event.type) for each in told(driver) if each.event] == [(("prison",), "Corrections")], driver.explain()
    assert reasons(driver, "jail")[-1] == "told_by_intake"


def test_a_release_to_prison_whose_intake_never_comes_is_told_after_the_hold(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(leaves_jail(driver, message_id="jail"))
    driver.advance(8 * HOUR - SECOND)
    assert told(driver) == []
    driver.advance(MINUTE)
    assert [each.message_ids for each in told(driver)] == [("jail",)], driver.explain()


def test_a_transfer_from_prison_to_jail_for_court_is_told_and_the_next_is_checked_against_it(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(prison(driver))
    driver.advance(HOUR)
    for message, kind in (("to jail", "Local Jail"), ("back", "State Prison")):
        driver.submit(prison(driver, message_id=message, event_subtype="Transfer", location={"kind": kind}))
        driver.advance(HOUR)
    moved = prison(
        driver,
        message_id="wrong",
        event_subtype="Transfer",
        location={"kind": "State Hospital"},
        from_location={"kind": "Local Jail"},
    )
    driver.submit(moved)
    driver.advance(DAY)
    assert [each.message_ids[0] for each in told(driver)][1:] == ["to jail", "back"], driver.explain()
    (review,) = driver.reviews()
    assert (review.message_id, review.reason) == ("wrong", "location_transition")
    assert "Local Jail" in review.detail
    assert "State Prison" in review.detail


# --- 4.1.5 Status Update ----------------------------------------------------------------------------------------------------


def test_an_escape_is_checked_against_incarcerated_or_a_word_that_means_it(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(prison(driver, status="In Custody"))
    driver.advance(HOUR)
    driver.submit(prison(driver, message_id="E", event_subtype="Escape", notification_type="Status Update"))
    driver.advance(HOUR)
    driver.submit(prison(driver, message_id="again", event_subtype="Escape", notification_type="Status Update"))
    driver.advance(DAY)
    assert ("E",) in [each.message_ids for each in told(driver)], driver.explain()
    (review,) = driver.reviews()
    assert (review.message_id, review.reason) == ("again", "status_transition")
    assert review.detail.count("Escapee") == 2


def test_a_release_by_a_reviewer_applies_the_status_and_tells(driver: PipelineDriver) -> None:
    driver.register(registration())
    death = submission(event_subtype="Death", notification_type="Information", action_at="2026-11-01T11:00:00-05:00")
    driver.submit(death)
    driver.submit(submission(message_id="E"))
    driver.advance(HOUR)
    (review,) = driver.reviews()
    assert (review.message_id, review.reason) == ("E", "status_transition"), driver.explain()
    driver.review("release", review.review_id, reviewer="jd", reason="wrong person reported dead")
    driver.submit(submission(message_id="R", event_subtype="Recapture", notification_subtypes=VALIDATE, action_at=happens_now(driver)))
    driver.advance(DAY)
    assert [each.message_ids for each in told(driver)][-2:] == [("E",), ("R",)], driver.explain()
    released = next(each for each in driver.verdicts("E") if each.reason == "released")
    assert "jd" in released.detail
    assert "wrong person reported dead" in released.detail


def test_a_discarded_message_is_told_to_nobody_and_changes_nothing(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(prison(driver))
    driver.advance(HOUR)
    driver.submit(submission(message_id="X", event_subtype="Recapture", notification_subtypes=VALIDATE, action_at=happens_now(driver)))
    (review,) = driver.reviews()
    assert review.reason == "status_transition", driver.explain()
    driver.review("discard", review.review_id, reviewer="jd", reason="never escaped")
    driver.submit(prison(driver, message_id="E", event_subtype="Escape", notification_type="Status Update"))
    driver.advance(DAY)
    assert ("X",) not in [each.message_ids for each in told(driver)]
    assert ("E",) in [each.message_ids for each in told(driver)], driver.explain()
    assert "never escaped" in verdicts(driver, "X")[-1].detail


# --- 4.1.3 Internal ---------------------------------------------------------------------------------------------------------


def test_internal_messages_are_told_only_if_forwarded_and_then_dated(driver: PipelineDriver) -> None:
    driver.register(registration())
    death = {"event_type": "Prosecution", "event_subtype": "Death", "notification_type": "Internal"}
    driver.submit(submission(message_id="kept", **death))
    driver.set_policy("internal.forward", "true", jurisdiction="VA")
    driver.submit(submission(message_id="old", action_at="2026-10-20T11:00:00-04:00", **death))
    driver.submit(submission(message_id="forwarded", action_at="2026-11-02T10:00:00-05:00", **death))
    driver.advance(DAY)
    assert end(driver, "kept") == ("validate", "suppressed", "internal")
    assert end(driver, "old") == ("validate", "suppressed", "past")
    assert [each.message_ids for each in told(driver)] == [("forwarded",)], driver.explain()


# --- 4.2 and 4.3 Notification subtypes and validations -----------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True])
def test_an_appeal_decision_of_the_court_finds_the_appeal_filed_with_the_attorney_general(driver: PipelineDriver, *, late: bool) -> None:
    driver.register(registration())
    general = {"agency": {"ori": "VA0760000", "name": "Attorney General", "state": "VA"}, "event_type": "Attorney General"}
    court = {"agency": {"ori": "VA043015J", "name": "Court of Appeals", "state": "VA"}, "event_type": "Court"}
    case = {"notification_type": "Information", "case": {"number": "CR26-7"}}
    filed = submission(message_id="filed", event_subtype="Appeal Filed", notification_subtypes=EXPECT, **general, **case)
    decided = submission(message_id="decided", event_subtype="Appeal Decision", notification_subtypes=PREVIOUS, **court, **case)
    both = [decided, filed] if late else [filed, decided]
    driver.submit(both[0])
    driver.advance(10 * MINUTE)
    driver.submit(both[1])
    driver.advance(DAY)
    assert sorted(each.message_ids for each in told(driver)) == [("decided",), ("filed",)], driver.explain()
    assert driver.reviews(None) == []
    (expected,) = [each for each in driver.latest(EXPECTATIONS).values() if each.rule == "specification §4.2.1"]
    assert (expected.message_id, expected.state, expected.settled_by) == ("filed", "met", "decided")


def test_a_recapture_whose_escape_never_came_waits_and_is_then_flagged(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(submission(message_id="R", event_subtype="Recapture", notification_subtypes=PREVIOUS))
    driver.advance(15 * MINUTE - SECOND)
    assert driver.reviews() == []
    driver.advance(SECOND)
    (review,) = driver.reviews()
    assert (review.message_id, review.reason) == ("R", "previous_event_missing"), driver.explain()
    assert "Escape" in review.detail


def test_do_not_validate_is_told_whatever_its_date_and_only_once(driver: PipelineDriver) -> None:
    driver.register(registration())
    old = {"action_at": "2025-01-05T11:00:00-05:00", "notification_subtypes": UNCHECKED}
    driver.submit(submission(message_id="M", **old), submission(message_id="M2", **old))
    driver.advance(DAY)
    assert [each.message_ids for each in told(driver)] == [("M",)], driver.explain()
    assert end(driver, "M2") == ("dedupe", "suppressed", "duplicate")


def test_validations_tied_to_do_not_validate_are_left_out(driver: PipelineDriver) -> None:
    driver.register(registration())
    tags = [tagged("Validate", "Previous Event"), tagged("Do Not Validate", "Date")]
    driver.submit(submission(message_id="M", action_at="2026-01-05T11:00:00-05:00", notification_subtypes=tags))
    driver.advance(DAY)
    assert [each.message_ids for each in told(driver)] == [("M",)], driver.explain()


def test_the_first_message_about_an_offender_may_enter_anywhere_and_the_journal_says_so(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(submission(message_id="R", event_subtype="Recapture", notification_subtypes=VALIDATE))
    driver.advance(DAY)
    assert [each.message_ids for each in told(driver)] == [("R",)], driver.explain()
    assert any("no earlier status is known" in each.detail for each in driver.verdicts("R"))


@pytest.mark.parametrize(
    ("fields", "reason"), [({"status": "Levitating"}, "unknown_status"), ({"location": {"kind": "Moon Base"}}, "unknown_location")]
)
def test_a_word_that_the_rules_do_not_know_is_flagged(driver: PipelineDriver, fields: dict[str, Any], reason: str) -> None:
    driver.register(registration())
    driver.submit(submission(message_id="M", **fields))
    driver.advance(DAY)
    assert told(driver) == []
    assert [each.reason for each in driver.reviews()] == [reason], driver.explain()


def test_current_is_what_the_latest_action_brought_about_not_the_latest_message(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.submit(submission(message_id="E", action_at="2026-11-02T11:00:00-05:00"))
    driver.submit(prison(driver, message_id="before", action_at="2026-11-02T09:00:00-05:00"))
    driver.submit(
        submission(message_id="R", event_subtype="Recapture", notification_subtypes=VALIDATE, action_at="2026-11-02T11:30:00-05:00")
    )
    driver.advance(DAY)
    assert driver.reviews(None) == [], driver.explain()
    assert sorted(each.message_ids for each in told(driver)) == [("E",), ("R",), ("before",)]


# --- guards learned from public failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["release", "discard"])
def test_a_bulk_update_is_held_as_a_group_and_settled_as_one_while_the_rest_flows(driver: PipelineDriver, action: Any) -> None:
    driver.set_policy("surge.limit", "3/10m")
    people = [
        {"identifiers": [{"scheme": "SID", "value": f"VA99{number:05}"}], "name": {"given": "A", "sur": f"Name{number}"}}
        for number in range(8)
    ]
    driver.register(registration("W"), *(registration(f"R-{number}", offender=each) for number, each in enumerate(people)))
    driver.submit(*(submission(message_id=f"B-{number}", event_subtype="Release", offenders=[each]) for number, each in enumerate(people)))
    driver.submit(submission(message_id="other", event_subtype="Escape", offenders=[WALKER]))
    driver.advance(MINUTE)
    assert sorted(each.message_ids[0] for each in told(driver)) == ["B-0", "B-1", "B-2", "other"], driver.explain()
    held = driver.reviews()
    assert {each.message_id for each in held} == {f"B-{number}" for number in range(3, 8)}
    (group,) = {each.group for each in held}
    driver.review(action, group=group, reviewer="jd")
    driver.advance(DAY)
    released = {each.message_ids[0] for each in told(driver)} - {"B-0", "B-1", "B-2", "other"}
    assert released == ({f"B-{number}" for number in range(3, 8)} if action == "release" else set()), driver.explain()
    assert {each.state for each in driver.reviews(None)} == {"released" if action == "release" else "discarded"}


def test_a_bulk_update_that_the_agency_cancels_empties_its_group_and_tells_nobody(driver: PipelineDriver) -> None:
    driver.set_policy("surge.limit", "1/10m")
    driver.register(registration())
    driver.submit(submission(event_subtype="Release", offenders=[BAKER]), submission(message_id="M", event_subtype="Release"))
    driver.advance(HOUR)
    driver.submit(submission(message_id="C", event_subtype="Release", operation="Cancel", refers_to="M"))
    driver.advance(HOUR)
    assert [(each.message_id, each.state) for each in driver.reviews(None)] == [("M", "superseded")], driver.explain()
    assert end(driver, "C") == ("identify", "suppressed", "nothing_told")
    assert told(driver) == []


def test_a_death_is_told_as_a_death_in_every_channel_and_language(driver: PipelineDriver) -> None:
    channels = [
        {"channel": "sms", "address": "+18045551234", "verified": True},
        {"channel": "voice", "address": "+18045551234", "verified": True},
        {"channel": "email", "address": "r@example.org", "verified": True},
    ]
    driver.register(registration("en", contacts=channels), registration("es", contacts=channels, language="es"))
    driver.submit(submission(event_subtype="Death", notification_type="Information", status="Released"))
    driver.advance(2 * DAY)
    texts = {(each.language, each.channel): f"{each.subject or ''} {each.body}".lower() for each in told(driver)}
    assert len(texts) == 6, driver.explain()
    for (language, _), text in texts.items():
        assert ("died" if language == "en" else "fallec") in text, text
        assert not any(word in text for word in ("releas", "libera", "libertad")), text


# --- registrations ------------------------------------------------------------------------------------------------------------


def test_a_registration_tells_of_what_it_chose_until_it_expires(driver: PipelineDriver) -> None:
    driver.register(
        registration("expires", expires_at="2026-11-10"),
        registration("hearings", event_subtypes=["Court Hearing"]),
        registration("case", case_numbers=["CR26-7"]),
        registration("other", case_numbers=["CR26-9"]),
    )
    driver.submit(hearing(message_id="H"))
    driver.advance(HOUR)
    assert {each.registrant_id for each in told(driver)} == {"expires", "hearings", "case"}, driver.explain()
    driver.advance(timedelta(days=9))
    driver.submit(submission(message_id="E", action_at=happens_now(driver)))
    driver.advance(HOUR)
    assert {each.registrant_id for each in told(driver) if each.message_ids == ("E",)} == {"case", "other"}, driver.explain()


def test_a_registration_takes_effect_for_what_is_received_after_it(driver: PipelineDriver) -> None:
    driver.submit(submission(message_id="before"))
    driver.register(registration())
    driver.submit(
        submission(message_id="after", event_subtype="Recapture", notification_subtypes=VALIDATE, action_at="2026-11-02T11:30:00-05:00")
    )
    driver.advance(DAY)
    assert [each.message_ids for each in told(driver)] == [("after",)], driver.explain()


def test_an_unverified_contact_gets_a_request_to_verify_and_nothing_else(driver: PipelineDriver) -> None:
    driver.register(registration(contacts=[{"channel": "sms", "address": "+18045551234", "verified": False}]))
    driver.submit(submission(message_id="M"))
    driver.advance(DAY)
    assert [each.kind for each in told(driver)] == ["verification"], driver.explain()
    assert end(driver, "M") == ("deliver", "dropped", "no_verified_contact")
    assert "verification_sent" in {each.reason for each in driver.verdicts()}


def test_a_registration_nobody_can_be_reached_by_is_refused_with_its_reason(driver: PipelineDriver) -> None:
    driver.register(registration(contacts=[{"channel": "sms", "address": "12", "verified": True}]))
    (letter,) = driver.records(DEAD_LETTERS)
    assert letter.reason == "no_contact"
    assert letter.encrypted


def test_a_registration_by_alias_or_any_number_is_found(driver: PipelineDriver) -> None:
    known = {**WALKER, "aliases": [{"given": "Tom", "sur": "Wolker"}]}
    known["identifiers"] = [*WALKER["identifiers"], {"scheme": "FBI", "value": "771234A"}]
    driver.register(
        registration("alias", offender={"name": {"given": "Tom", "sur": "Wolker"}, "birth_date": "1979-02-11"}),
        registration("fbi", offender={"identifiers": [{"scheme": "FBI", "value": "771234a"}]}),
        registration("namesake", offender={"name": {"given": "Tom", "sur": "Wolker"}, "birth_date": "1980-02-11"}),
    )
    driver.submit(submission(offenders=[known]))
    driver.advance(DAY)
    assert {each.registrant_id for each in told(driver)} == {"alias", "fbi"}, driver.explain()


# --- every stage hears of settings; nothing leaves but through the three doors -------------------------------------------------


def test_settings_of_every_stage_are_those_of_now(driver: PipelineDriver) -> None:
    driver.register(registration())
    driver.set_policy("merge.window", "1h")
    driver.set_policy("cancel.hold", "2h")
    driver.set_policy("quiet.hours", "none")
    driver.submit(hearing(message_id="M"))
    driver.advance(HOUR - SECOND)
    assert told(driver) == []
    driver.advance(SECOND)
    assert len(told(driver)) == 1
    driver.advance(9 * HOUR)
    driver.submit(hearing(message_id="C", operation="Cancel", refers_to="M"))
    driver.advance(2 * HOUR - SECOND)
    assert end(driver, "C") == ("dedupe", "waiting", "cancel_hold"), driver.explain()
    driver.advance(SECOND + HOUR)
    assert len(told(driver)) == 2
    assert set(driver.log()) >= {OUTBOUND["sms"].name}
