"""Edge cases of clocks: when one begins, what meets it, what is forgotten, and its record (contract §2 `vn.expectations`)."""

import time
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.rules.deadlines import Deadlines
from processors.rules.load import load_rules
from processors.validate import clocks
from processors.validate.clocks import Clock, ClockState
from tests.one_stage import rules
from tests.validate.scene import OFFENDER, day_end, event, ms
from tests.validate.test_clocks import clock, run, said

LAST_DAY = 253_402_300_799_000  # 9999-12-31T23:59:59Z


def keys(state: ClockState) -> list[str]:
    return [each.key for each in state.clocks]


def test_the_name_of_a_clock_stays_the_same_from_release_to_release() -> None:
    state, known = run(said("progress report request", "2026-11-02 12:00", message_id="PRR-1"))
    assert list(known) == [f"{OFFENDER}-{clocks.id_of(state.clocks[0])}"]
    assert clocks.id_of(state.clocks[0]) == "baad843cfc17c864"


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        ("2026-11-02 12:00", "met"),  # at that very moment
        ("2026-11-02 11:59", "open"),
        ("2026-11-02", "met"),  # some time of that day
        ("2026-11-01", "open"),
    ],
)
def test_an_answer_does_not_come_before_what_it_answers(reply: str, state: str) -> None:
    found, _ = run(said("transfer request", "2026-11-02 12:00"), said("denial", reply, received="2026-11-03 12:00"))
    assert clock(found, "transfer reply").state == state


@pytest.mark.parametrize(
    ("begun", "reply", "state"),
    [
        (ms("2026-11-03 00:00") - 1, {}, "met"),  # the last millisecond of the day
        (ms("2026-11-03 00:00"), {}, "open"),
        # a time, not a day, whatever it is past from: the hour that exists twice is the first
        (ms("2026-11-02 00:30"), {"date_only": False, "past_from": ms("2026-11-02 01:00")}, "open"),
    ],
)
def test_an_answer_dated_by_its_day_comes_at_its_end(begun: int, reply: dict[str, object], state: str) -> None:
    request = said("transfer request", "2026-11-02 12:00", action_at=begun, past_from=begun)
    found, _ = run(request, said("denial", "2026-11-02", received="2026-11-03 12:00", **reply))
    assert clock(found, "transfer reply").state == state


@pytest.mark.parametrize(("asked", "answered", "state"), [("A", None, "met"), (None, "A", "met"), ("A", "A", "met"), ("A", "B", "open")])
def test_an_answer_is_about_the_case_it_names_or_any(asked: str | None, answered: str | None, state: str) -> None:
    found, _ = run(
        said("transfer request", "2026-11-02 12:00", compact_case=asked), said("denial", "2026-11-03 12:00", compact_case=answered)
    )
    assert clock(found, "transfer reply").state == state


def test_a_clock_that_does_not_run_keeps_no_other_from_running() -> None:
    rule_set = replace(rules().rule_set("VA", ms("2026-11-02 12:00")))
    permit = replace(rule_set.deadlines.by_key["travel permit"], raised_by=("denial",), after=(), unless_after=(), told_in=None)
    runs = replace(permit, name="runs")
    skipped = (
        replace(permit, name="after", after=("arrival",)),
        replace(permit, name="unless", unless_after=("denial",)),
        replace(permit, name="elsewhere", told_in="receiving state"),
        replace(permit, name="undated", otherwise=None),
    )
    one = said("denial", "2026-11-02 12:00")
    heard = clocks.activity_of(one, "denial", ClockState(), rule_set)
    for each in skipped:
        rule_set.__dict__["deadlines"] = Deadlines((each, runs))
        assert [found.key for found in clocks.clocks_started(one, heard, (heard,), rule_set, rules())] == [runs.key]


def test_a_clock_that_is_given_up_was_settled_by_no_message() -> None:
    many = [
        said("progress report request", "2026-11-02 12:00", compact_case=str(n), message_id=f"q{n}") for n in range(clocks.MAX_OPEN + 1)
    ]
    _, known = run(*many)
    (given_up,) = [each for each in known.values() if each.state == "cancelled"]
    assert (given_up.message_id, given_up.settled_by, given_up.settled_at) == ("q0", None, ms("2026-11-02 12:00"))


def test_who_met_a_clock_is_not_changed_by_a_second_answer() -> None:
    state, _ = run(
        said("transfer request", "2026-11-02 12:00"),
        said("denial", "2026-11-03 12:00", message_id="first"),
        said("acceptance", "2026-11-04 12:00", message_id="second"),
    )
    assert clock(state, "transfer reply").by == "first"


def test_the_reason_of_a_reply_is_that_of_the_latest_request_in_its_case() -> None:
    asked = [
        said("instructions request", "2026-11-02 12:00", reason="Expedited", compact_case="A"),
        said("instructions request", "2026-11-02 13:00", reason="sex offender", compact_case="A"),
        said("instructions request", "2026-11-02 14:00", reason="expedited", compact_case="B"),
    ]
    state, _ = run(*asked, said("instructions reply", "2026-11-03 12:00", compact_case="A", message_id="reply"))
    assert [each.reason for each in state.activities] == ["expedited", "sex offender", "expedited", "sex offender"]
    assert "transfer request after instructions" in keys(state)
    state, _ = run(*asked, said("instructions reply", "2026-11-03 12:00", compact_case="A", reason="  DISCRETIONARY "))
    assert state.activities[-1].reason == "discretionary", "its own before its request's"


def test_a_message_without_a_body_or_a_reason_gives_none() -> None:
    for body in (b"", b"{}", b'{"details":{"ActivityReasonText":""}}', b'{"details":{"Other":"sex offender"}}'):
        state, _ = run(said("instructions request", "2026-11-02 12:00", submission=body))
        assert state.activities[-1].reason is None
        assert "instructions reply" in keys(state)


def test_a_reason_is_kept_if_a_clock_or_another_message_needs_it() -> None:
    state, _ = run(said("progress report request", "2026-11-02 12:00", reason="sex offender"))
    assert state.activities[-1].reason is None
    state, _ = run(said("transfer request", "2026-11-02 12:00", reason="Pre-Release"))
    assert state.activities[-1].reason == "pre-release"
    state, _ = run(said("instructions request", "2026-11-02 12:00", reason="expedited"), said("acceptance", "2026-11-03 12:00"))
    assert state.activities[-1].reason is None


def test_what_was_reported_in_a_closed_case_starts_nothing_once_it_is_reopened_and_other_cases_go_on() -> None:
    before = [
        said("warrant", "2026-11-02 12:00", compact_case="A"),
        said("warrant", "2026-11-02 13:00", compact_case="B"),
        said("case closure", "2026-11-03 12:00", compact_case="A"),
        said("closure reply", "2026-11-03 13:00", compact_case="A"),
    ]
    state, _ = run(*before)
    wanted, _ = run(said("custody", "2026-11-04 12:00", compact_case="A", message_id="c"), state=state)
    assert "retaking" in [each.key for each in wanted.clocks if each.message_id == "c"], "the warrant outlives the closure"
    state, _ = run(said("transfer request", "2026-11-04 12:00", compact_case="A"), state=state)
    assert [(each.activity, each.case) for each in state.activities] == [
        ("warrant", "B"),
        ("closure reply", "A"),
        ("transfer request", "A"),
    ]
    closed, _ = run(said("custody", "2026-11-05 12:00", compact_case="A", message_id="c"), state=state)
    assert [each.key for each in closed.clocks if each.message_id == "c"] == []
    other, _ = run(said("custody", "2026-11-04 12:00", compact_case="B", message_id="c"), state=state)
    assert "retaking" in [each.key for each in other.clocks if each.message_id == "c"]


def test_an_activity_that_no_table_has_starts_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "VA.toml").write_text('[[event]]\ntypes = ["Interstate Compact"]\nsubtype = "Progress Report"\nactivity = "polka"\n')
    danced = said("progress report", "2026-11-02 12:00")
    state, published, due = clocks.advance(danced, ClockState(), danced.received_at, load_rules(tmp_path))
    assert (state.clocks, published, due) == ((), (), None)


def test_a_clock_remembers_whose_message_began_it_and_when() -> None:
    state, _ = run(said("progress report request", "2026-11-02 12:00", message_id="PRR-1", compact_case="A", jurisdiction="NC", ori="NC1"))
    assert state == ClockState(
        OFFENDER,
        (
            Clock(
                "progress report",
                "NC1\nPRR-1",
                "PRR-1",
                "NC1",
                "NC",
                "A",
                "VA",
                "NC",
                ms("2026-11-02 12:00"),
                day_end("2026-12-02"),
            ),
        ),
        (clocks.PastActivity("progress report request", "NC1\nPRR-1", "PRR-1", "A", ms("2026-11-02 12:00"), ms("2026-11-02 12:00")),),
    )


def test_a_met_clock_remembers_by_what_and_is_open_again_without_it() -> None:
    request = said("progress report request", "2026-11-02 12:00", message_id="PRR-1")
    report = said("progress report", "2026-11-03 12:00", message_id="PR-1")
    open_, _ = run(request)
    met, _ = run(report, state=open_)
    (found,) = met.clocks
    assert (found.state, found.by, found.by_chain, found.at) == ("met", "PR-1", "VA0010000\nPR-1", report.received_at)
    again = clocks.revert(met, "VA0010000\nPR-1")
    assert again == open_


def test_only_what_a_message_settled_is_open_again_without_it() -> None:
    state, _ = run(
        said("progress report request", "2026-11-02 12:00", compact_case="A"),
        said("transfer request", "2026-11-02 12:00", compact_case="B"),
        said("progress report", "2026-11-03 12:00", message_id="report", compact_case="A"),
        said("withdrawal", "2026-11-03 12:00", message_id="gone", compact_case="B"),
    )
    assert (clock(state, "transfer reply").state, clock(state, "transfer reply").by) == ("cancelled", "gone")
    again = clocks.revert(state, "VA0010000\ngone")
    assert (clock(again, "transfer reply").state, clock(again, "transfer reply").at) == ("open", None)
    assert (clock(again, "progress report").state, clock(again, "progress report").by) == ("met", "report")


def test_a_clock_without_a_report_date_counts_what_the_rules_say_otherwise() -> None:
    rule_set = rules().rule_set("VA", ms("2026-11-02 12:00"))
    trip = said("temporary travel", "2026-11-02 12:00")
    permit = rule_set.deadlines.by_key["travel permit"]
    for otherwise, last in ((45, "2026-12-17"), (1, "2026-11-03"), (0, "2026-11-02")):
        assert clocks.deadline_of(replace(permit, otherwise=otherwise), trip, rule_set, rules()) == day_end(last)
    assert clocks.deadline_of(replace(permit, otherwise=None), trip, rule_set, rules()) is None


def test_nobody_is_told_of_a_clock_that_is_as_it_was() -> None:
    state, _ = run(said("progress report request", "2026-11-02 12:00"))
    free = event("Court", "Change of Venue", "Information", "2026-11-03 12:00", message_id="m")
    assert clocks.advance(free, state, free.received_at, rules()) == (state, (), day_end("2026-12-02"))


def test_a_clock_whose_entry_is_withdrawn_goes_on_to_its_end_by_its_own_name() -> None:
    gone = Clock("gone", "VA0010000\nm", "m", "VA0010000", "VA", None, "VA", "NC", 1000, 2000)
    assert clocks.next_deadline(ClockState(OFFENDER, (gone,))) == 2000
    after, published, due = clocks.advance(None, ClockState(OFFENDER, (gone,)), 2000, rules())
    assert due is None
    assert published == (
        Expectation(
            expectation_id=f"{OFFENDER}-{clocks.id_of(gone)}",
            message_id="m",
            ori="VA0010000",
            offender=OFFENDER,
            jurisdiction="VA",
            state="overdue",
            expects="gone",
            owed_by="unknown",
            rule="withdrawn",
            text="gone",
            since=1000,
            deadline=2000,
            settled_by=None,
            settled_at=2000,
            last_day="1969-12-31",
        ),
    )
    assert after.clocks[0].state == "overdue"


@pytest.mark.parametrize(
    ("party", "named", "unnamed"),
    [
        ("sending state", "compact office of VA (sending state)", "compact office of the sending state"),
        ("receiving state", "compact office of NC (receiving state)", "compact office of the receiving state"),
        ("victim authority", "victim notification authority of VA (sending state)", "victim notification authority of the sending state"),
        ("victims", "victims", "victims"),
    ],
)
def test_a_party_is_named_by_its_state_if_that_is_known(party: str, named: str, unnamed: str) -> None:
    one = Clock("k", "c", "m", "o", "VA", None, "VA", "NC", 0, 0)
    assert clocks.office_name(party, one) == named
    assert clocks.office_name(party, msgspec.structs.replace(one, sending=None, receiving=None)) == unnamed


def test_the_latest_clocks_are_kept_and_what_ended_goes_apart_from_what_is_owed() -> None:
    def made(number: int, state: str) -> Clock:
        return Clock(str(number), "c", "m", "o", "VA", None, None, None, 0, 0, state)  # type: ignore[arg-type]

    owing = tuple(made(number, "overdue" if number % 2 else "open") for number in range(clocks.MAX_OPEN + 1))
    ended = tuple(made(100 + number, "met" if number % 2 else "cancelled") for number in range(clocks.MAX_SETTLED + 1))
    assert clocks.keep_latest((*owing[1:], *ended[1:])) == (*owing[1:], *ended[1:])
    assert clocks.keep_latest((*owing, *ended[1:])) == (*ended[1:], *owing[1:])
    assert clocks.keep_latest((*owing[1:], *ended)) == (*ended[1:], *owing[1:])


def test_an_ended_clock_that_is_only_forgotten_is_not_said_to_be_cancelled() -> None:
    many: list[Event] = []
    for number in range(clocks.MAX_SETTLED + 4):
        many.append(said("progress report request", f"2026-11-02 12:{number:02}", compact_case=str(number), message_id=f"q{number}"))
        many.append(said("progress report", f"2026-11-03 12:{number:02}", compact_case=str(number), message_id=f"r{number}"))
    state, known = run(*many)
    assert len(state.clocks) == clocks.MAX_SETTLED
    assert {each.state for each in known.values()} == {"met"}
    assert len(known) == clocks.MAX_SETTLED + 4


def test_an_overdue_clock_of_a_cancelled_message_is_cancelled_by_it() -> None:
    one = said("progress report request", "2026-01-02 12:00", message_id="PRR-1", received="2026-11-02 12:00")
    state, known = run(one)
    assert [each.state for each in known.values()] == ["overdue"]
    gone = msgspec.structs.replace(one, message_id="C", operation="Cancel", refers_to="PRR-1", root="PRR-1", telling="cancellation")
    after, published, due = clocks.advance(gone, state, 7, rules())
    assert (after.clocks, due) == ((), None)
    assert [(each.state, each.settled_by, each.settled_at) for each in published] == [("cancelled", "C", 7)]


def test_a_clock_that_would_end_after_the_last_day_of_the_calendar_does_not_run() -> None:
    state, known = run(said("transfer request", "2026-11-02 12:00", action_at=LAST_DAY, past_from=LAST_DAY))
    assert (state.clocks, known) == ((), {})
    assert [each.activity for each in state.activities] == ["transfer request"]


def test_a_clock_that_counts_from_a_report_date_does_not_run_without_one_that_can_be_read() -> None:
    for report_by in (None, "soon", "2026-13-01"):
        state, _ = run(said("transfer request", "2026-11-01 12:00"), said("acceptance", "2026-11-02 12:00", report_by=report_by))
        assert "notice of departure" not in keys(state)
        assert "acceptance validity" in keys(state)


@pytest.mark.parametrize(
    ("sent", "day"),
    [
        ("2026-11-19T23:30:00-05:00", "2026-11-19"),
        ("2026-11-20T03:00:00Z", "2026-11-19"),  # where the agency is
        ("2026-11-20T03:00:00", "2026-11-19"),  # without an offset it is UTC
        ("2026-11-19T22:00:00-10:00", "2026-11-20"),
        ("2026-11-19t20:00:00-05:00", "2026-11-19"),
        ("2026-11-20 03:00:00", "2026-11-19"),
        ("2026-11-18", "2026-11-18"),
        ("2026-11-25T12:00:00Z", "2026-11-20"),  # not after it was received
        ("2026-11-19T", "2026-11-20"),
        ("soon", "2026-11-20"),
        ("", "2026-11-20"),
        (None, "2026-11-20"),
    ],
)
def test_the_day_on_which_a_message_was_sent(sent: str | None, day: str) -> None:
    one = said("violation report", "2026-11-20 12:00", submission=msgspec.json.encode({"sent_at": sent}))
    assert clocks.day_sent(one, ZoneInfo("America/New_York")).isoformat() == day


def test_what_is_published_says_which_state_owes() -> None:
    _, known = run(said("return request", "2026-11-02 12:00"), said("transfer request", "2026-11-02 13:00", message_id="t"))
    owed = {(each.owed_by.partition(" (")[2].rstrip(")"), each.owing_state) for each in known.values() if " (" in each.owed_by}
    assert owed == {("sending state", "VA"), ("receiving state", "NC")}


def test_the_day_of_sending_does_not_depend_on_where_the_pipeline_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    one = said("violation report", "2026-11-20 12:00", submission=b'{"sent_at":"2026-11-20T03:00:00"}')
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Pacific/Honolulu")
        time.tzset()
        found = clocks.day_sent(one, ZoneInfo("America/New_York"))
    time.tzset()
    assert found.isoformat() == "2026-11-19"


def test_the_end_of_one_case_does_not_make_another_forget() -> None:
    state, _ = run(
        said("warrant", "2026-11-02 12:00", compact_case="B"),
        said("case closure", "2026-11-03 12:00", compact_case="A"),
        said("transfer request", "2026-11-04 12:00", compact_case="B"),
    )
    assert ("warrant", "B") in [(each.activity, each.case) for each in state.activities]
