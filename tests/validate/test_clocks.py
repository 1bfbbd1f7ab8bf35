"""Legal clocks: golden deadlines computed by hand, and how clocks end (contract §2 `vn.expectations`)."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.rules.load import load_rules
from processors.topics import DISTINCT, EXPECTATIONS
from processors.validate import clocks
from processors.validate.clocks import ClockState
from tests.one_stage import rules
from tests.validate.scene import DAY, OFFENDER, Scene, cancel, day_end, event, ms, outcome_of, update
from tests.validate.test_compact import step

MISSED = "warrant after a missed return"
ORDERED = ("violation report", "return request")
RELEASED = {"jurisdiction": "NC", "ori": "NC0600000"}
OTHERS = {
    "sentencing": ("Court", "Sentencing", "Status Update"),
    "supervised release": ("Corrections", "Release to Supervision", "Status Update"),
    "release": ("Jail", "Release", "Status Update"),
    "hearing decision": ("Court", "Hearing Decision", "Information"),
    "custody": ("Jail", "Intake", "Movement"),
    "discharge": ("Supervision", "Release", "Status Update"),
    "death": ("Jail", "Death", "Information"),
}

# Each line: what was heard before, the activity and its day, more of the message, the clock, and the last day on which it is in time.
# Sending state Virginia, receiving state North Carolina. The day of the activity is not counted. bd = business day.
GOLDEN = [
    # Rule 3.103, 7 bd until 2026-03-31. Tue Mar 31; Apr 1 2 3 6 7 8 9 (Good Friday, Apr 3, is no holiday in Virginia, which owes).
    ((), "instructions request", "2026-03-31", {}, "stay while instructions are pending", "2026-04-09"),
    # ... and 10 bd from 2026-04-01. Wed Apr 1; Apr 2 3 6 7 8 9 10 13 14 15.
    ((), "instructions request", "2026-04-01", {}, "stay while instructions are pending", "2026-04-15"),
    # The same two for asking after a sentence.
    ((), "sentencing", "2026-03-31", {}, "request for instructions", "2026-04-09"),
    ((), "sentencing", "2026-04-01", {}, "request for instructions", "2026-04-15"),
    # 2 bd: Apr 1 2. From Apr 1: Apr 2, not Good Friday (a holiday in North Carolina, which owes), nor the weekend; Apr 6.
    ((), "instructions request", "2026-03-31", {}, "instructions reply", "2026-04-02"),
    ((), "instructions request", "2026-04-01", {}, "instructions reply", "2026-04-06"),
    # The same for expedited instructions, whose rule has another number from then on.
    ((), "instructions request", "2026-03-31", {"reason": "expedited"}, "instructions reply/expedited/discretionary", "2026-04-02"),
    ((), "instructions request", "2026-04-01", {"reason": "expedited"}, "instructions reply/expedited/discretionary", "2026-04-06"),
    # Sex offender, 5 bd: Apr 1 2, not 3, 6 7 8. From Apr 1: 2, not 3, 6 7 8 9.
    ((), "instructions request", "2026-03-31", {"reason": "Sex Offender"}, "instructions reply/sex offender", "2026-04-08"),
    ((), "instructions request", "2026-04-01", {"reason": "Sex Offender"}, "instructions reply/sex offender", "2026-04-09"),
    # 2 bd after a release in North Carolina. Wed Nov 25; not 26 27 (Virginia owes), nor the weekend; 30, Dec 1.
    ((), "release", "2026-11-25", RELEASED, "request for instructions after a release there", "2026-12-01"),
    ((), "supervised release", "2026-11-25", RELEASED, "request for instructions after a release there", "2026-12-01"),
    # ... from its notice: received on Mon Nov 30; Dec 1 2.
    (
        (),
        "release",
        "2026-11-25",
        RELEASED | {"received": "2026-11-30 09:00"},
        "request for instructions after a release there",
        "2026-12-02",
    ),
    # 15 bd over Thanksgiving and the day after, a holiday in Virginia. Fri Nov 20; Nov 23 24 25, not 26 27, 30, Dec 1 2 3 4 7 8 9 10 11
    # 14 15.
    ((), "instructions reply", "2026-11-20", {}, "transfer request after instructions", "2026-12-15"),
    # 7 bd where they were discretionary: Nov 23 24 25 30, Dec 1 2 3.
    (
        (),
        "instructions reply",
        "2026-11-20",
        {"reason": "discretionary"},
        "transfer request after instructions/expedited/discretionary",
        "2026-12-03",
    ),
    # ... as before the numbers moved. Tue Mar 31; Apr 1 2 3 6 7 8 9.
    (
        (),
        "instructions reply",
        "2026-03-31",
        {"reason": "discretionary"},
        "transfer request after instructions/expedited/discretionary",
        "2026-04-09",
    ),
    # 15 cd over the year's end: Dec 20 + 11 = Dec 31, + 4 = Jan 4.
    (("transfer request",), "incomplete", "2026-12-20", {}, "resubmission", "2027-01-04"),
    # 45 cd: Nov 20 + 10 = Nov 30, + 31 = Dec 31, + 4 = Jan 4. And over February: Jan 20 + 11 = Jan 31, + 28 = Feb 28, + 6 = Mar 6.
    ((), "transfer request", "2026-11-20", {}, "transfer reply", "2027-01-04"),
    ((), "transfer request", "2026-01-20", {}, "transfer reply", "2026-03-06"),
    # 45 cd over a leap day: Jan 20 + 11 = Jan 31, + 29 = Feb 29, + 5 = Mar 5.
    ((), "transfer request", "2028-01-20", {}, "transfer reply", "2028-03-05"),
    (("transfer request", "incomplete"), "resubmission", "2026-11-20", {}, "transfer reply", "2027-01-04"),
    # 45 cd from the receipt: Nov 23 + 7 = Nov 30, + 31 = Dec 31, + 7 = Jan 7.
    ((), "transfer request", "2026-11-20", {"received": "2026-11-23 09:00"}, "transfer reply", "2027-01-07"),
    # 120 cd: Nov 20 + 30 = Dec 20, + 31 = Jan 20, + 31 = Feb 20, + 28 = Mar 20.
    (("transfer request",), "acceptance", "2026-11-20", {}, "acceptance validity", "2027-03-20"),
    (("arrival", "subsequent state request"), "acceptance", "2026-11-20", {}, "acceptance validity onward", "2027-03-20"),
    # The day on which the offender is to report.
    (("transfer request",), "acceptance", "2026-11-20", {"report_by": "2026-12-01"}, "notice of departure", "2026-12-01"),
    (
        ("arrival", "subsequent state request"),
        "acceptance",
        "2026-11-20",
        {"report_by": "2026-12-01"},
        "notice of departure onward",
        "2026-12-01",
    ),
    # 5 bd after the day intended, Tue Nov 24; 25, not 26 27, 30, Dec 1 2 3.
    (
        ("transfer request",),
        "acceptance",
        "2026-11-09",
        {"report_by": "2026-11-24", "reason": "Pre-Release"},
        "departure after release/pre-release",
        "2026-12-03",
    ),
    # 5 bd after the notice of departure was sent. Tue Dec 22; 23 24, not 25, 28 29 30 (Virginia owes).
    ((), "departure", "2026-12-22", {}, "time to report", "2026-12-30"),
    # ... sent in the night of the 21st (UTC: the 22nd), received on the 22nd. Mon Dec 21; 22 23 24, not 25, 28 29.
    ((), "departure", "2026-12-21", {"sent_at": "2026-12-22T03:30:00Z", "received": "2026-12-22 12:00"}, "time to report", "2026-12-29"),
    # Until 2024-10-31 5 bd after the date to report. Mon Nov 4; not 5 (election), 6 7 8, not 11 (Veterans Day), 12 13.
    ((), "departure", "2024-10-31", {"report_by": "2024-11-04"}, "time to report", "2024-11-13"),
    # 5 bd after the date to report. Tue Nov 24; Nov 25, not 26 27, 30, Dec 1 2 3.
    ((), "departure", "2026-11-20", {"report_by": "2026-11-24"}, "notice of arrival", "2026-12-03"),
    # ... over Christmas and the new year: Tue Dec 22; 23, not 24 25 (holidays), 26 27 (weekend), 28 (observed for the 26th), 29 30 31,
    # not Jan 1, 4.
    ((), "departure", "2026-12-22", {}, "notice of arrival", "2027-01-04"),
    # Returning, the sending state owes: Dec 23 24, not 25, 28 29 30 (Virginia does not close on the 24th and the 28th).
    (("return request",), "departure", "2026-12-22", {}, "notice of arrival on return", "2026-12-30"),
    # 30 cd: Dec 15 + 16 = Dec 31, + 14 = Jan 14.
    (("arrival",), "progress report request", "2026-12-15", {}, "progress report", "2027-01-14"),
    # 30 cd: Feb 1 + 27 = Feb 28, + 3 = Mar 3.
    (("arrival",), "behavior requiring retaking", "2026-02-01", {}, "violation report", "2026-03-03"),
    (("arrival",), "absconding", "2026-02-01", {}, "violation report", "2026-03-03"),
    # 10 bd: Fri Dec 18; Dec 21 22 23 24, not 25, 28 29 30 31, not Jan 1, 4 5. 15 bd: on with Jan 6 7 8 11 12.
    (("arrival",), "violation report", "2026-12-18", {}, "violation response", "2027-01-05"),
    (("arrival",), "violation report", "2026-12-18", {}, "warrant", "2027-01-12"),
    # Received on the Monday after, 15 bd: Mon Dec 21; 22 23 24, not 25, 28-31, not Jan 1, 4-8, 11 12 13.
    (("arrival",), "violation report", "2026-12-18", {"received": "2026-12-21 09:00"}, "warrant", "2027-01-13"),
    # Until 2024-10-31 10 bd from the receipt. Mon Nov 4; not 5, 6 7 8, not 11, 12-15, 18 19 20.
    (("arrival",), "violation report", "2024-10-31", {"received": "2024-11-04 09:00"}, "violation response", "2024-11-20"),
    # ... then from the transmission. Fri Nov 1; 4, not 5, 6 7 8, not 11, 12-15, 18 19.
    (
        ("arrival",),
        "violation report",
        "2024-11-01",
        {"received": "2024-11-04 09:00", "sent_at": "2024-11-01T16:00:00-04:00"},
        "violation response",
        "2024-11-19",
    ),
    # 10 bd as for the response above.
    (
        ("violation report",),
        "hearing decision",
        "2026-12-18",
        {"reason": "Violation Hearing"},
        "violation hearing results/violation hearing",
        "2027-01-05",
    ),
    # 7 bd, North Carolina owes. Fri Nov 20; 23 24 25, not 26 27, 30, Dec 1 2 3.
    (
        ("violation report",),
        "violation response",
        "2026-11-20",
        {"reason": "Ordered to Return"},
        "return request after an order/ordered to return",
        "2026-12-03",
    ),
    # 10 bd over Veterans Day: Fri Nov 6; 9 10, not 11, 12 13 16 17 18 19 20 23.
    (("arrival",), "violation response", "2026-11-06", {}, "probable cause report", "2026-11-23"),
    # ... counted from the hearing where the response names its day: Mon Nov 16; 17 18 19 20 23 24 25, not 26 27, 30, Dec 1 2.
    (("arrival",), "violation response", "2026-11-06", {"report_by": "2026-11-16"}, "probable cause report", "2026-12-02"),
    # 15 bd over Election Day (Nov 3, a holiday in Virginia) and Veterans Day: Nov 2, not 3, 4 5 6 9 10, not 11, 12 13 16 17 18 19 20 23 24.
    (("arrival",), "probable cause report", "2026-10-30", {}, "probable cause decision", "2026-11-24"),
    # 30 cd: Feb 10 + 18 = Feb 28, + 12 = Mar 12; the reminders 5 days before, on that day, 5 days after.
    (("arrival",), "warrant", "2026-02-10", {}, "retaking", "2026-03-12"),
    (("arrival",), "warrant", "2026-02-10", {}, "retaking reminder, 5 days before", "2026-03-07"),
    (("arrival",), "warrant", "2026-02-10", {}, "retaking reminder, on the day", "2026-03-12"),
    (("arrival",), "warrant", "2026-02-10", {}, "retaking reminder, 5 days after", "2026-03-17"),
    # ... from custody, once it is told: Feb 20 + 8 = Feb 28, + 22 = Mar 22.
    (("arrival", "warrant"), "custody", "2026-02-20", {}, "retaking", "2026-03-22"),
    # 2 bd: Fri Jun 12; 15 16. 15 bd over Juneteenth and Independence Day, observed on Fri Jul 3: 15 16 17 18, not 19, 22-26, 29 30, Jul 1
    # 2, not 3, 6 7.
    (("arrival",), "return request", "2026-06-12", {}, "return instructions", "2026-06-16"),
    (("arrival",), "return request", "2026-06-12", {}, "return", "2026-07-07"),
    (("departure", "arrival"), "denial", "2026-06-12", {}, "return after denial", "2026-07-07"),
    (("return request",), "instructions reply", "2026-06-12", {"report_by": "2026-06-22"}, "notice of departure on return", "2026-06-22"),
    # 10 bd over Memorial Day: Fri May 15; 18-22, not 25, 26-29, Jun 1; also where the transfer was denied.
    (("return request",), "failure to arrive", "2026-05-15", {}, "warrant after a missed return", "2026-06-01"),
    (("denial", "return request"), "failure to arrive", "2026-05-15", {}, "warrant after a missed return/transfer denied", "2026-06-01"),
    # 15 bd, Rule 5.103 after a violation report: on with Jun 2-5, 8. Until 2024-10-31 10 bd: Nov 1 4, not 5 (election), 6 7 8, not 11,
    # 12-15, 18. From the day after 15 bd: 4, not 5, 6 7 8, not 11, 12-15, 18-22, 25 26.
    (ORDERED, "failure to arrive", "2026-05-15", {}, f"{MISSED}/behavior requiring retaking/ordered to return", "2026-06-08"),
    (ORDERED, "failure to arrive", "2024-10-31", {}, f"{MISSED}/behavior requiring retaking/ordered to return", "2024-11-18"),
    (ORDERED, "failure to arrive", "2024-11-01", {}, f"{MISSED}/behavior requiring retaking/ordered to return", "2024-11-26"),
    # Rule 5.101, 30 cd until 2022-03-31: Mar 31 + 30 = Apr 30, a Saturday. Then 15 bd: Fri Apr 1; 4-8, 11-15, 18-22.
    (
        ("return request",),
        "failure to arrive",
        "2022-03-31",
        {"reason": "Discretionary Retaking"},
        f"{MISSED}/discretionary retaking",
        "2022-04-30",
    ),
    (
        ("return request",),
        "failure to arrive",
        "2022-04-01",
        {"reason": "Discretionary Retaking"},
        f"{MISSED}/discretionary retaking",
        "2022-04-22",
    ),
    # Rule 2.110, 15 bd over Labor Day: Fri Aug 28; 31, Sep 1-4, not 7, 8-11, 14-18, 21.
    (("return request",), "failure to arrive", "2026-08-28", {"reason": "Not Transferred"}, f"{MISSED}/not transferred", "2026-09-21"),
    # 10 bd over Labor Day: Fri Aug 28; 31, Sep 1-4, not 7, 8-11, 14.
    (("arrival",), "return", "2026-08-28", {}, "case closure notice", "2026-09-14"),
    (("arrival",), "death", "2026-08-28", {}, "case closure notice", "2026-09-14"),
    (("return request",), "departure", "2026-08-28", {}, "case closure notice on return", "2026-09-14"),
    (("arrival", "subsequent state request"), "departure", "2026-08-28", {}, "case closure notice onward", "2026-09-14"),
    # 10 bd over Martin Luther King's day: Fri Jan 9; 12-16, not 19, 20-23, 26.
    (("arrival",), "case closure", "2026-01-09", {}, "case closure reply", "2026-01-26"),
    # Received on Mon Jan 12; 13-16, not 19, 20-23, 26 27.
    (("arrival",), "case closure", "2026-01-09", {"received": "2026-01-12 09:00"}, "case closure reply", "2026-01-27"),
    # The permit's own day; without one 45 cd: Nov 2 + 28 = Nov 30, + 17 = Dec 17.
    (("arrival",), "temporary travel", "2026-11-02", {"report_by": "2026-12-10"}, "travel permit", "2026-12-10"),
    (("arrival",), "temporary travel", "2026-11-02", {}, "travel permit", "2026-12-17"),
    # ... over a leap day: Feb 1 + 28 = Feb 29, + 17 = Mar 17.
    (("arrival",), "temporary travel", "2028-02-01", {}, "travel permit", "2028-03-17"),
    (("arrival",), "temporary travel", "2026-03-31", {"report_by": "2026-04-10"}, "travel permit", "2026-04-10"),
    # Received on the 5th bd after Mon Nov 2: not 3, 4 5 6 9 10. Then 15 bd: not 11, 12 13 16-20 23 24 25, not 26 27, 30, Dec 1 2 3 4. The
    # answer 5 bd later: 7-11.
    ((), "transfer request", "2026-11-02", {}, "victims' right to be heard", "2026-12-04"),
    ((), "transfer request", "2026-11-02", {}, "answer to victims", "2026-12-11"),
    (("arrival",), "return request", "2026-11-02", {}, "victims' right to be heard", "2026-12-04"),
    (("arrival",), "subsequent state request", "2026-11-02", {}, "victims' right to be heard", "2026-12-04"),
    # Until 2020-03-31 10 bd in all. Tue Mar 31; Apr 1 2 3 6 7 8 9 10 13 14.
    ((), "transfer request", "2020-03-31", {}, "victims' right to be heard", "2020-04-14"),
]


def said(activity: str, at: str, **more: Any) -> Event:
    """Return the message of an activity, whoever sends it."""
    reason, sent_at = more.pop("reason", None), more.pop("sent_at", None)
    body = {"details": {"ActivityReasonText": reason} if reason else {}, "sent_at": sent_at}
    fields = {"message_id": f"{activity} {at}", "submission": msgspec.json.encode(body)} | more
    if activity in OTHERS:
        return event(*OTHERS[activity], at, **({"sending_state": "VA", "receiving_state": "NC"} | fields))
    return step(activity, at, **fields)


def run(*events: Event, state: ClockState | None = None) -> tuple[ClockState, dict[str, Expectation]]:
    """Return the state and the last record of every clock after the events, heard when they happen."""
    state, known = state or ClockState(), {}
    for each in events:
        after, published, due = clocks.advance(each, state, each.received_at, rules())
        assert msgspec.json.decode(msgspec.json.encode(after), type=ClockState) == after
        assert due == clocks.next_deadline(after)
        state = after
        known |= {record.expectation_id: record for record in published}
    return state, known


def clock(state: ClockState, key: str) -> Any:
    return [each for each in state.clocks if each.key == key][-1]


@pytest.mark.parametrize(("before", "activity", "day", "more", "key", "last"), GOLDEN)
def test_golden_deadlines(  # noqa: PLR0917  a line of the table
    before: tuple[str, ...], activity: str, day: str, more: dict[str, str], key: str, last: str
) -> None:
    earlier = [said(each, f"{date.fromisoformat(day).replace(day=1)} 00:0{minute}") for minute, each in enumerate(before)]
    state, known = run(*earlier, said(activity, f"{day} 12:00", **more))
    assert clock(state, key).state == "open"
    assert clock(state, key).deadline == day_end(last), "both states keep Eastern time"
    assert any(each.deadline == day_end(last) and each.state == "open" for each in known.values())


def test_every_clock_of_the_rules_has_its_golden_deadline() -> None:
    every = {entry for rule_set in rules().history("VA").rule_sets for entry in rule_set.deadlines.by_key.values()}
    golden = {rules().rule_set("VA", ms(f"{day} 12:00")).deadlines.by_key[key] for _, _, day, _, key, _ in GOLDEN}
    assert every == golden


RENUMBERED = [
    ("instructions reply/expedited/discretionary", "3.106", "3.103-2", "2026-04-01"),
    ("instructions reply/sex offender", "3.101-3", "3.103-3", "2026-04-01"),
    ("transfer request after instructions/expedited/discretionary", "3.106", "3.103-2", "2026-04-01"),
    ("travel permit", "3.110", "4.111-1", "2026-04-01"),
    ("victims' right to be heard", "3.108-1", "3.108", "2020-04-01"),
]


@pytest.mark.parametrize(("key", "before", "since", "day"), RENUMBERED)
def test_a_rule_has_the_number_of_the_day(key: str, before: str, since: str, day: str) -> None:
    midnight = ms(f"{day} 00:00")
    assert [rules().rule_set("VA", instant).deadlines.by_key[key].rule for instant in (midnight - 1, midnight)] == [before, since]


def test_what_is_published_names_the_rule_by_the_number_of_the_activitys_day() -> None:
    for day, rule in (("2026-03-31", "ICAOS Rule 3.110"), ("2026-04-01", "ICAOS Rule 4.111-1")):
        _, known = run(said("temporary travel", f"{day} 12:00"))
        assert {each.rule for each in known.values()} == {rule}


def test_a_jurisdictions_own_holidays_move_its_deadlines_and_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "NC.toml").write_text(
        """
[[holiday]]
name = "Offices closed for the storm"
day = 2026-11-23

[[holiday]]
name = "Day After Thanksgiving"
day = 2026-11-27
worked = true
"""
    )
    own = load_rules(tmp_path)
    # 2 bd where North Carolina owes. Fri Nov 20; not 23, 24 25; without the storm 23 24.
    for known, last in ((own, "2026-11-25"), (rules(), "2026-11-24")):
        state, _, _ = clocks.advance(said("instructions request", "2026-11-20 12:00"), ClockState(), ms("2026-11-20 12:00"), known)
        assert clock(state, "instructions reply").deadline == day_end(last)
    # 5 bd. Fri Nov 20; not 23, 24 25, not 26, 27 (worked), 30, Dec 1.
    state, _, _ = clocks.advance(said("departure", "2026-11-20 12:00"), ClockState(), ms("2026-11-20 12:00"), own)
    assert clock(state, "notice of arrival").deadline == day_end("2026-12-01")
    # Virginia owes: 23 24 25, not 26 27, 30, Dec 1.
    assert clock(state, "time to report").deadline == day_end("2026-12-01")


@pytest.mark.parametrize(
    ("sent_at", "received", "last"),
    [
        ("2026-06-12T16:00:00-04:00", "2026-06-15 09:00", "2026-06-29"),  # 15-18, not 19 (Juneteenth), 22-26, 29
        ("2026-06-12", "2026-06-15 09:00", "2026-06-29"),
        ("2026-06-13T02:00:00Z", "2026-06-15 09:00", "2026-06-29"),  # the evening of the 12th in Virginia
        ("2026-06-13T02:00:00", "2026-06-15 09:00", "2026-06-29"),  # without offset as UTC, like every such time
        (None, "2026-06-15 09:00", "2026-06-30"),
        ("2026-07-01T00:00:00Z", "2026-06-15 09:00", "2026-06-30"),  # a clock that is wrong: not after the receipt
        ("2026-06-12-05:00", "2026-06-15 09:00", "2026-06-29"),
    ],
)
def test_the_transmission_is_when_the_agency_sent_the_message(sent_at: str | None, received: str, last: str) -> None:
    state, _ = run(said("violation report", "2026-06-12 12:00", sent_at=sent_at, received=received))
    assert clock(state, "violation response").deadline == day_end(last)


def test_a_date_without_time_counts_from_that_day_in_the_agencys_zone() -> None:
    state, _ = run(said("transfer request", "2026-11-20"))
    assert clock(state, "transfer reply").deadline == day_end("2027-01-04")


def test_the_last_day_ends_where_the_owing_state_is() -> None:
    state, known = run(said("transfer request", "2026-11-20 12:00", receiving_state="HI"))
    assert clock(state, "transfer reply").deadline == day_end("2027-01-04", "Pacific/Honolulu")
    (reply,) = [each for each in known.values() if each.rule == "ICAOS Rule 3.104"]
    assert (reply.last_day, reply.owing_state) == ("2027-01-04", "HI")


def test_where_the_owing_state_is_not_known_only_the_nations_holidays_count() -> None:
    state, known = run(said("violation report", "2026-10-30 12:00", sending_state=None, receiving_state=None))
    # Fri Oct 30; Nov 2 3 (Election Day is Virginia's own) 4 5 6 9 10, not 11, 12 13 16.
    assert clock(state, "violation response").deadline == day_end("2026-11-16")
    assert {each.owed_by for each in known.values()} == {"compact office of the sending state"}


def test_the_rule_is_that_of_the_activitys_day_also_if_the_agencys_midnight_is_not_the_states() -> None:
    more = {"jurisdiction": "TN", "ori": "TN0470000", "sending_state": "TN"}  # Knox County keeps Eastern time, Tennessee Central
    state, _ = run(said("instructions request", "2026-04-01", **more))
    # Wed Apr 1; Apr 2, not Good Friday (a holiday in Tennessee), 6 7 8 9 10 13 14 15 16.
    assert clock(state, "stay while instructions are pending").deadline == day_end("2026-04-16", "America/Chicago")


def test_what_is_published_says_who_owes_what_to_whom_by_which_rule_until_when() -> None:
    _, known = run(said("transfer request", "2026-11-20 12:00", message_id="TREQ-1"))
    (reply,) = [each for each in known.values() if each.expects == "Accept Transfer or Deny Transfer"]
    assert reply == Expectation(
        expectation_id=reply.expectation_id,
        message_id="TREQ-1",
        ori="VA0010000",
        offender="o0123456789abcdef",
        jurisdiction="VA",
        state="open",
        expects="Accept Transfer or Deny Transfer",
        owed_by="compact office of NC (receiving state)",
        rule="ICAOS Rule 3.104",
        text=(
            "A complete transfer request is answered within 45 calendar days of its receipt. "
            "Owed by the compact office of NC (receiving state) to the compact office of VA (sending state)."
        ),
        since=ms("2026-11-20 12:00"),
        deadline=day_end("2027-01-04"),
        last_day="2027-01-04",
        owing_state="NC",
    )
    assert reply.expectation_id.startswith("o0123456789abcdef-")
    again = run(said("transfer request", "2026-11-20 12:00", message_id="TREQ-1"))[1]
    assert again == known, "ids are digests"


SETTLES = [
    (("instructions request",), "instructions reply", {"instructions reply": "met", "stay while instructions are pending": "met"}),
    (("instructions request", "instructions reply"), "transfer request", {"transfer request after instructions": "met"}),
    (("transfer request",), "acceptance", {"transfer reply": "met"}),
    (
        ("transfer request",),
        "denial",
        {"transfer reply": "met", "victims' right to be heard": "cancelled", "answer to victims": "cancelled"},
    ),
    (("transfer request",), "withdrawal", {"transfer reply": "cancelled", "victims' right to be heard": "cancelled"}),
    (("transfer request",), "case closure", {"transfer reply": "cancelled", "answer to victims": "cancelled"}),
    (("instructions request",), "withdrawal", {"instructions reply": "cancelled", "stay while instructions are pending": "cancelled"}),
    (("instructions reply",), "case closure", {"transfer request after instructions": "cancelled"}),
    (("transfer request", "acceptance"), "denial", {"acceptance validity": "cancelled"}),
    (("transfer request", "incomplete"), "denial", {"resubmission": "cancelled"}),
    (("departure",), "case closure", {"notice of arrival": "cancelled", "time to report": "cancelled"}),
    (("violation report",), "death", {"violation response": "cancelled", "warrant": "cancelled"}),
    (("warrant",), "discharge", {"retaking": "cancelled", "retaking reminder, 5 days before": "cancelled"}),
    (("discharge",), "case closure", {"case closure notice": "met"}),
    (("return request", "departure"), "case closure", {"case closure notice on return": "met"}),
    (("return request", "departure"), "arrival", {"notice of arrival on return": "met", "return": "met"}),
    (("denial",), "instructions reply", {}),
    (("transfer request",), "incomplete", {"transfer reply": "cancelled"}),
    (("transfer request", "incomplete"), "resubmission", {"resubmission": "met"}),
    (("acceptance",), "departure", {"acceptance validity": "met"}),
    (("acceptance",), "withdrawal", {"acceptance validity": "cancelled"}),
    (("departure",), "arrival", {"notice of arrival": "met"}),
    (("departure",), "failure to arrive", {"notice of arrival": "met"}),
    (("progress report request",), "progress report", {"progress report": "met"}),
    (("progress report request",), "case closure", {"progress report": "cancelled"}),
    (("behavior requiring retaking",), "violation report", {"violation report": "met"}),
    (("violation report",), "violation response", {"violation response": "met"}),
    (("violation report",), "warrant", {"warrant": "met"}),
    (("violation report",), "return request", {"warrant": "met"}),
    (("violation response",), "probable cause report", {"probable cause report": "met"}),
    (("probable cause report",), "probable cause decision", {"probable cause decision": "met"}),
    (("warrant",), "retaking", {"retaking": "met", "retaking reminder, 5 days before": "met", "retaking reminder, 5 days after": "met"}),
    (("return request",), "return", {"return": "met", "return instructions": "met"}),
    (("return request", "failure to arrive"), "warrant", {"warrant after a missed return": "met"}),
    (("return",), "case closure", {"case closure notice": "met"}),
    (("case closure",), "closure reply", {"case closure reply": "met"}),
    (("temporary travel",), "arrival", {"travel permit": "met"}),
    (("temporary travel",), "absconding", {"travel permit": "cancelled"}),
    (("sentencing",), "instructions request", {"request for instructions": "met"}),
]


@pytest.mark.parametrize(("before", "activity", "ends"), SETTLES)
def test_what_is_owed_meets_its_clock_and_what_makes_it_needless_cancels_it(
    before: tuple[str, ...], activity: str, ends: dict[str, str]
) -> None:
    earlier = [said(each, f"2026-11-0{day} 12:00") for day, each in enumerate(before, 2)]
    last = said(activity, "2026-11-09 12:00", message_id="last")
    state, known = run(*earlier, last)
    for key, outcome in ends.items():
        found = clock(state, key)
        assert (found.state, found.by, found.at) == (outcome, "last", last.received_at), key
    assert sum(each.settled_by == "last" for each in known.values()) >= len(ends)


def test_a_closure_leaves_what_is_owed_after_a_violation_report() -> None:
    state, _ = run(
        said("absconding", "2026-11-02 12:00"), said("violation report", "2026-11-03 12:00"), said("case closure", "2026-11-04 12:00")
    )
    assert (clock(state, "warrant").state, clock(state, "violation response").state) == ("open", "cancelled")
    state, _ = run(said("warrant", "2026-11-05 12:00"), said("custody", "2026-11-16 12:00"), state=state)
    assert (clock(state, "warrant").state, clock(state, "retaking").state) == ("met", "open")
    assert clock(state, "retaking").deadline == day_end("2026-12-16"), "Nov 16 + 14 = Nov 30, + 16 = Dec 16"


def test_the_first_receiving_states_closure_leaves_the_subsequent_states_clocks() -> None:
    onward = [
        said(each, f"2026-11-0{day} 12:00", receiving_state="SC")
        for day, each in enumerate(("transfer request", "acceptance", "departure"), 3)
    ]
    state, _ = run(said("subsequent state request", "2026-11-02 12:00"), *onward, said("case closure", "2026-11-06 12:00"))
    assert clock(state, "notice of arrival").state == "open"
    assert clock(state, "case closure notice onward").state == "open", "South Carolina's departure, North Carolina's closure"


def test_a_reopened_case_has_nothing_from_before_its_closure() -> None:
    course = ("departure", "arrival", "case closure", "transfer request", "acceptance")
    state, _ = run(*(said(each, f"2026-11-0{day} 12:00") for day, each in enumerate(course, 2)))
    assert clock(state, "acceptance validity").state == "open"
    assert [each.activity for each in state.activities] == ["transfer request", "acceptance"]


@pytest.mark.parametrize(
    ("before", "activity", "more", "absent"),
    [
        (
            ("instructions request",),
            "instructions reply",
            {"reason": "Denied", "report_by": "2026-11-20"},
            "transfer request after instructions",
        ),
        (("instructions request",), "instructions reply", {"reason": "Denied", "report_by": "2026-11-20"}, "notice of departure"),
        ((), "instructions request", {"reason": "Sex Offender"}, "stay while instructions are pending"),
        ((), "instructions request", {"reason": "Expedited"}, "stay while instructions are pending"),
        ((), "release", {}, "request for instructions after a release there"),
        ((), "release", RELEASED | {"receiving_state": None}, "request for instructions after a release there"),
        (("arrival",), "release", RELEASED, "request for instructions after a release there"),
        ((), "sentencing", RELEASED, "request for instructions"),
        (("arrival",), "sentencing", {}, "request for instructions"),
        ((), "hearing decision", {}, "violation hearing results/violation hearing"),
        ((), "violation response", {"reason": "Warrant"}, "probable cause report"),
        (("transfer request",), "acceptance", {"report_by": "2026-11-24"}, "departure after release/pre-release"),
        (("denial",), "return request", {}, "return"),
        ((), "failure to arrive", {}, "warrant after a missed return"),
    ],
)
def test_a_clock_does_not_run_if_its_rule_does_not_apply(before: tuple[str, ...], activity: str, more: dict[str, Any], absent: str) -> None:
    earlier = [said(each, f"2026-11-0{day} 12:00") for day, each in enumerate(before, 2)]
    state, _ = run(*earlier, said(activity, "2026-11-09 12:00", **more))
    assert absent not in {each.key for each in state.clocks}


@pytest.mark.parametrize(
    ("course", "key"),
    [
        ((("return request", "Discretionary Retaking"), ("failure to arrive", None)), f"{MISSED}/discretionary retaking"),
        ((("return request", "Not Transferred"), ("failure to arrive", None)), f"{MISSED}/not transferred"),
        (
            (("violation report", None), ("return request", "Discretionary Retaking"), ("failure to arrive", None)),
            f"{MISSED}/discretionary retaking",
        ),
        (
            (("violation report", None), ("denial", None), ("return request", None), ("failure to arrive", None)),
            f"{MISSED}/transfer denied",
        ),
        ((("transfer request", "Pre-release"), ("acceptance", None)), "departure after release/pre-release"),
        ((("return request", None), ("failure to arrive", "whatever else")), MISSED),
    ],
)
def test_a_message_without_a_reason_has_that_of_what_it_answers(course: tuple[tuple[str, str | None], ...], key: str) -> None:
    events = [said(each, f"2026-11-0{day} 12:00", reason=reason, report_by="2026-11-20") for day, (each, reason) in enumerate(course, 2)]
    state, _ = run(*events)
    assert clock(state, key).state == "open"
    assert sum(each.key.startswith(key.partition("/")[0]) for each in state.clocks) == 1


def test_a_clock_of_another_case_runs_on() -> None:
    state, _ = run(said("transfer request", "2026-11-02 12:00", compact_case="A"), said("acceptance", "2026-11-03 12:00", compact_case="B"))
    assert clock(state, "transfer reply").state == "open"


def test_a_reply_of_before_the_request_does_not_meet_it() -> None:
    late = said("denial", "2026-11-01 12:00", received="2026-11-03 12:00")
    state, _ = run(said("transfer request", "2026-11-02 12:00"), late)
    assert clock(state, "transfer reply").state == "open"


def test_a_clock_whose_answer_came_first_is_met_from_the_start() -> None:
    reply = said("acceptance", "2026-11-03 12:00", message_id="reply")
    state, known = run(reply, said("transfer request", "2026-11-02 12:00", received="2026-11-04 12:00"))
    assert (clock(state, "transfer reply").state, clock(state, "transfer reply").by) == ("met", "reply")
    assert "met" in {each.state for each in known.values()}


def test_a_clock_is_overdue_once_at_the_end_of_its_last_day_and_met_late() -> None:
    scene = Scene()
    scene.receive(step("transfer request", "2026-11-02 12:00"))
    (reply,) = [each for each in scene.expectations.values() if each.rule == "ICAOS Rule 3.104"]
    end = day_end("2026-12-17")  # Nov 2 + 28 = Nov 30, + 17 = Dec 17
    assert (reply.state, reply.deadline) == ("open", end)
    before = len(scene.written(EXPECTATIONS))
    scene.until(end - 1)
    assert scene.expectations[reply.expectation_id].state == "open"
    scene.until(end)
    late = scene.expectations[reply.expectation_id]
    assert (late.state, late.settled_at, late.settled_by) == ("overdue", end, None)
    scene.until(end + 400 * DAY)
    later = scene.written(EXPECTATIONS)[before:]
    assert [each.state for each in later if each.expectation_id == reply.expectation_id] == ["overdue"]
    assert scene.timers == {}
    scene.receive(
        step("acceptance", "2026-12-20 12:00", message_id="late", received="2027-12-20 12:00", do_not_validate=True, validate=False)
    )
    met = scene.expectations[reply.expectation_id]
    assert (met.state, met.settled_by) == ("met", "late")


def test_a_stage_that_slept_through_a_deadline_says_overdue_once_before_it_hears_the_late_answer() -> None:
    scene = Scene()
    scene.receive(step("progress report request", "2026-11-02 12:00", message_id="request"))
    before, scene.now = len(scene.written(EXPECTATIONS)), ms("2027-06-01 12:00")
    scene.put(DISTINCT, step("progress report", "2027-06-01 12:00", message_id="answer", seq=9), OFFENDER)
    assert [(each.state, each.settled_at, each.settled_by) for each in scene.written(EXPECTATIONS)[before:]] == [
        ("overdue", day_end("2026-12-02"), None),
        ("met", ms("2027-06-01 12:00"), "answer"),
    ]
    assert scene.timers == {}


def test_a_timer_that_was_slept_through_still_says_overdue_with_its_own_deadline() -> None:
    state, _ = run(said("progress report request", "2026-11-02 12:00"))
    after, published, due = clocks.advance(None, state, day_end("2027-06-01"), rules())
    (late,) = published
    assert (late.state, late.settled_at, late.deadline) == ("overdue", day_end("2026-12-02"), day_end("2026-12-02"))
    assert due is None
    assert clocks.advance(None, after, day_end("2027-06-02"), rules()) == (after, (), None)


def test_a_message_that_comes_after_its_own_deadline_raises_what_is_overdue_at_once() -> None:
    late = said("progress report request", "2026-01-05 12:00", received="2026-11-05 12:00")
    _, known = run(late)
    assert {each.state for each in known.values()} == {"overdue"}


def test_a_receipt_is_not_before_the_activity() -> None:
    state, _ = run(said("transfer request", "2026-11-20 12:00", received="2026-11-02 12:00"))
    assert clock(state, "transfer reply").deadline == day_end("2027-01-04")


def test_the_victims_time_to_be_heard_ends_without_anybody_being_late() -> None:
    state, _ = run(said("transfer request", "2026-11-02 12:00"))
    _, published, _ = clocks.advance(None, state, day_end("2026-12-04"), rules())
    (heard,) = [each for each in published if each.rule == "ICAOS Rule 3.108"]
    assert (heard.state, heard.owed_by, heard.settled_at) == ("met", "victims", day_end("2026-12-04"))


def test_a_cancelled_message_takes_its_clocks_with_it_and_opens_those_it_met() -> None:
    scene = Scene()
    scene.receive(step("transfer request", "2026-11-02 12:00", message_id="request"))
    scene.receive(step("acceptance", "2026-11-03 12:00", message_id="accept"))
    by_rule = {each.rule: each.expectation_id for each in scene.expectations.values()}
    reply, validity = by_rule["ICAOS Rule 3.104"], by_rule["ICAOS Rule 3.104-1"]
    assert (scene.expectations[reply].state, scene.expectations[validity].state) == ("met", "open")
    scene.receive(cancel(scene.last, received_at=ms("2026-11-04 12:00")))
    undone = scene.expectations[validity]
    assert (undone.state, undone.settled_by, undone.settled_at) == ("cancelled", "accept-cancel", ms("2026-11-04 12:00"))
    assert (scene.expectations[reply].state, scene.expectations[reply].settled_by) == ("open", None)
    scene.until(day_end("2026-12-17"))
    assert scene.expectations[reply].state == "overdue"


def test_a_changed_date_moves_the_same_clock() -> None:
    scene = Scene()
    scene.receive(step("departure", "2026-11-02 12:00", report_by="2026-11-09"))
    (before,) = [each for each in scene.expectations.values() if each.rule == "ICAOS Rule 4.105"]
    scene.receive(update(scene.last, report_by="2026-11-16", received_at=ms("2026-11-02 13:00")))
    (after,) = [each for each in scene.expectations.values() if each.rule == "ICAOS Rule 4.105"]
    assert after.expectation_id == before.expectation_id
    # Mon Nov 9; 10, not 11, 12 13 16 17. Mon Nov 16; 17 18 19 20 23.
    assert (before.deadline, after.deadline) == (day_end("2026-11-17"), day_end("2026-11-23"))


def test_a_message_that_is_flagged_starts_no_clock_until_it_is_released() -> None:
    scene = Scene()
    assert outcome_of(scene.receive(step("transfer request", "2026-11-02 12:00", receiving_state="GU"))) == ("flagged", "not_a_member")
    assert scene.expectations == {}
    scene.act("release", scene.review.review_id, "2026-11-02 13:00")
    assert scene.expectations


def test_instructions_after_the_request_call_for_no_second_request() -> None:
    state, _ = run(
        said("instructions request", "2026-11-02 12:00"),
        said("transfer request", "2026-11-03 12:00"),
        said("instructions reply", "2026-11-04 12:00"),
    )
    assert "transfer request after instructions" not in {each.key for each in state.clocks}


def test_a_reply_has_the_reason_of_its_request() -> None:
    state, _ = run(said("instructions request", "2026-11-02 12:00", reason="Expedited"), said("instructions reply", "2026-11-03 12:00"))
    assert clock(state, "transfer request after instructions/expedited/discretionary")


def test_custody_of_an_offender_without_a_warrant_starts_no_clock() -> None:
    state, known = run(said("custody", "2026-11-02 12:00"))
    assert (state.clocks, known) == ((), {})


def test_events_that_are_not_of_the_compact_leave_the_clocks_alone() -> None:
    state, known = run(event("Court", "Sentencing", "Status Update", "2026-11-02 12:00", message_id="m"))
    assert (state, known) == (ClockState(), {})


def test_what_is_kept_is_bounded_and_what_is_given_up_is_cancelled() -> None:
    events = [said("violation report", "2026-11-02 12:00", message_id=f"m{number}", seq=number) for number in range(60)]
    state, known = run(*events)
    assert len(state.clocks) == clocks.MAX_OPEN
    assert len(state.activities) == clocks.MAX_ACTIVITIES
    assert len(known) == 120
    assert sum(each.state == "open" for each in known.values()) == clocks.MAX_OPEN
    assert sum(each.state == "cancelled" for each in known.values()) == 120 - clocks.MAX_OPEN
    state, _ = run(said("violation response", "2026-11-03 12:00"), said("warrant", "2026-11-03 12:00"), state=state)
    assert len(state.clocks) <= clocks.MAX_OPEN + clocks.MAX_SETTLED
