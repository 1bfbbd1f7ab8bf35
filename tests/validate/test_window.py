"""Which action dates are told (contract §3.1.5, §6; specification §4, §4.1.1.1, §4.1.2.1, §4.1.3.1)."""

import pytest

from tests.validate.scene import HOUR, Scene, cancel, escape, event, hearing, intake, ms, outcome_of, update


def test_the_specifications_escape_at_2359_received_at_0001_is_told() -> None:
    scene = Scene()
    verdict = scene.receive(escape("2026-11-20 23:59", received="2026-11-21 00:01"))
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert scene.told == ["Escape"]


def test_an_escape_of_more_than_a_day_ago_tells_nobody_and_says_both_times() -> None:
    scene = Scene()
    verdict = scene.receive(escape("2026-11-20 10:00", received="2026-11-21 10:01"))
    assert outcome_of(verdict) == ("suppressed", "past")
    assert "2026-11-20 10:00 EST" in verdict.detail
    assert "24h" in verdict.detail
    assert "2026-11-21 10:01 EST" in verdict.detail
    assert scene.told == []


def test_exactly_date_past_ago_is_not_older_than_it() -> None:
    scene = Scene()
    assert outcome_of(scene.receive(escape("2026-11-20 10:00", received="2026-11-21 10:00"))) == ("passed", "confirmed")


def test_a_hearing_that_is_over_tells_nobody() -> None:
    scene = Scene()
    assert outcome_of(scene.receive(hearing("2026-11-20 10:00", received="2026-11-20 10:01"))) == ("suppressed", "past")


def test_a_hearing_at_this_very_moment_is_told() -> None:
    assert outcome_of(Scene().receive(hearing("2026-11-20 10:00"))) == ("passed", "confirmed")


def test_a_hearing_dated_today_is_not_past_until_the_day_ends() -> None:
    scene = Scene()
    assert outcome_of(scene.receive(hearing("2026-11-20", received="2026-11-20 23:59"))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(hearing("2026-11-20", received="2026-11-21 00:01"))) == ("suppressed", "past")
    assert "2026-11-20 was over" in scene.verdicts[-1].detail


@pytest.mark.parametrize(
    ("state", "ori", "zone"),
    [("HI", "HI0010000", "Pacific/Honolulu"), ("PR", "PR0010000", "America/Puerto_Rico"), ("VA", "VA0010000", "America/New_York")],
)
def test_a_date_ends_with_the_day_in_the_agencys_own_zone(state: str, ori: str, zone: str) -> None:
    scene = Scene()
    more = {"zone": zone, "jurisdiction": state, "ori": ori}
    assert outcome_of(scene.receive(hearing("2026-11-20", received="2026-11-20 23:59", **more))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(hearing("2026-11-20", received="2026-11-21 00:01", **more))) == ("suppressed", "past")


@pytest.mark.parametrize(("zone", "state"), [("Pacific/Honolulu", "HI"), ("America/Puerto_Rico", "PR")])
def test_midnight_crossings_are_told_in_every_zone(zone: str, state: str) -> None:
    scene = Scene()
    verdict = scene.receive(escape("2026-11-20 23:59", received="2026-11-21 00:01", zone=zone, jurisdiction=state, ori=f"{state}0010000"))
    assert outcome_of(verdict) == ("passed", "confirmed")


def test_the_night_the_clocks_go_back_has_25_hours() -> None:
    scene = Scene()
    date_only = escape("2026-11-01", received="2026-11-02 23:59")
    assert date_only.past_from - date_only.action_at == 25 * HOUR
    assert outcome_of(scene.receive(date_only)) == ("passed", "confirmed")
    assert outcome_of(scene.receive(escape("2026-11-01", received="2026-11-03 00:01"))) == ("suppressed", "past")


def test_the_night_the_clocks_go_forward_has_23_hours() -> None:
    scene = Scene()
    late = escape("2026-03-08", received="2026-03-09 23:59")
    assert late.past_from - late.action_at == 23 * HOUR
    assert outcome_of(scene.receive(late)) == ("passed", "confirmed")


def test_an_escape_in_the_hour_that_comes_twice_is_told() -> None:
    scene = Scene()
    assert outcome_of(scene.receive(escape("2026-11-01 01:30", received="2026-11-02 00:29"))) == ("passed", "confirmed")


def test_a_past_escape_still_changes_status_and_location_and_raises_its_expectation() -> None:
    scene = Scene()
    scene.receive(intake("2026-11-01 09:00"))
    scene.receive(escape("2026-11-20 10:00", received="2026-11-22 10:00", expect=True))
    assert scene.known.history[-1].status == "Escapee"
    assert scene.known.history[-1].kind == "At Large"
    assert scene.expectation.state == "open"
    assert outcome_of(scene.receive(escape("2026-11-22 09:00", received="2026-11-22 11:00"))) == ("flagged", "status_transition")


def test_the_specifications_hearing_ten_months_ahead_is_flagged_not_told() -> None:
    scene = Scene()
    verdict = scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00"))
    assert outcome_of(verdict) == ("flagged", "too_far_ahead")
    assert "2027-09-20 09:00 EDT" in verdict.detail
    assert "60d" in verdict.detail
    assert scene.told == []
    assert (scene.review.state, scene.review.reason, scene.review.detail) == ("open", "too_far_ahead", verdict.detail)
    assert verdict.review_id == scene.review.review_id


def test_it_lets_itself_go_the_moment_it_comes_within_range() -> None:
    scene = Scene()
    verdict = scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00"))
    due = ms("2027-07-22 09:00")
    scene.until(due - 1)
    assert scene.told == []
    scene.until(due)
    assert scene.told == ["Court Hearing"]
    assert outcome_of(scene.verdict(verdict.message_id)) == ("passed", "in_range")
    assert scene.verdict(verdict.message_id).at == due
    assert (scene.review.state, scene.review.reviewer) == ("released", None)
    assert scene.timers == {}
    assert list(scene.documents) == ["o0123456789abcdef"]


def test_a_review_that_only_grows_older_is_written_once() -> None:
    scene = Scene()
    scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00"))
    scene.until(ms("2026-11-25 09:00"))
    assert len(scene.verdicts) == 1
    assert scene.review.since == ms("2026-11-20 09:00")
    assert list(scene.timers.values()) == [ms("2027-07-22 09:00")]


def test_exactly_date_future_ahead_is_within_range() -> None:
    assert outcome_of(Scene().receive(hearing("2027-01-19 09:00", received="2026-11-20 09:00"))) == ("passed", "confirmed")


def test_the_range_is_asked_for_jurisdiction_type_and_subtype() -> None:
    scene = Scene()
    scene.set("date.future", "400d", jurisdiction="NC")
    assert outcome_of(scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00"))) == ("flagged", "too_far_ahead")
    scene.set("date.future", "400d", event_subtype="Court Hearing")
    assert outcome_of(scene.receive(hearing("2027-09-21 09:00", received="2026-11-20 09:00"))) == ("passed", "confirmed")


def test_other_notification_types_have_a_year() -> None:
    scene = Scene()
    parole = event("Corrections", "Parole Eligibility", "Information", "2027-09-20 09:00", received="2026-11-20 09:00")
    assert outcome_of(scene.receive(parole)) == ("passed", "confirmed")
    later = event("Corrections", "Parole Eligibility", "Information", "2027-12-20 09:00", received="2026-11-20 09:00")
    assert outcome_of(scene.receive(later)) == ("flagged", "too_far_ahead")


def test_a_cancelled_hearing_is_not_let_go() -> None:
    scene = Scene()
    scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00"))
    verdict = scene.receive(cancel(scene.last, received_at=ms("2026-12-01 09:00")))
    assert outcome_of(verdict) == ("suppressed", "nothing_told")
    assert scene.review.state == "superseded"
    scene.until(ms("2028-01-01 00:00"))
    assert scene.told == []


def test_a_moved_hearing_supersedes_the_review_and_is_news_once_in_range() -> None:
    scene = Scene()
    first = scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00")).message_id
    second = scene.receive(update(scene.last, action_at=ms("2026-12-15 09:00"), past_from=ms("2026-12-15 09:00")))
    assert outcome_of(second) == ("passed", "confirmed")
    assert scene.told == ["Court Hearing"]
    assert outcome_of(scene.verdict(first)) == ("suppressed", "superseded")
    assert scene.review.state == "superseded"
    scene.until(ms("2028-01-01 00:00"))
    assert scene.told == ["Court Hearing"]


def test_an_in_range_release_is_checked_against_what_is_known_by_then() -> None:
    scene = Scene()
    far = {"received": "2026-11-20 09:00"}
    scene.receive(intake("2026-11-20 09:00"))
    scene.receive(event("Corrections", "Release", "Status Update", "2028-01-01 09:00", **far))
    scene.receive(event("Corrections", "Death", "Information", "2026-12-01 09:00"))
    scene.until(ms("2028-01-01 09:00"))
    assert scene.told == ["Intake", "Death"]
    assert sorted((each.reason, each.state) for each in scene.reviews.values()) == [
        ("status_transition", "open"),
        ("too_far_ahead", "superseded"),
    ]


def test_if_nothing_ahead_is_in_range_the_next_millisecond_is_too_far() -> None:
    scene = Scene()
    scene.set("date.future", "0s")
    assert outcome_of(scene.receive(hearing("2026-11-20 10:00"))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(hearing("2026-11-20 11:00", received_at=ms("2026-11-20 11:00") - 1))) == ("flagged", "too_far_ahead")


def test_dates_at_the_ends_of_the_calendar_stop_nothing() -> None:
    scene = Scene()
    first, last = -62_135_596_800_000, 253_402_300_799_000
    for instant in (first, last):
        verdict = scene.receive(escape(action_at=instant, past_from=instant, received="2026-11-20 10:00"))
        assert verdict.reason in {"past", "too_far_ahead"}
