"""Where a step belongs, in which case, how many cases are stored, and the findings against a step."""

from dataclasses import replace
from typing import Any

import pytest

from processors.domain.event import Event
from processors.rules.workflow import UNKNOWN_STATE, Activity, CaseState, Move, Workflow
from processors.validate import compact
from processors.validate.compact import Case, CompactState, Step
from processors.validate.finding import Finding
from tests.one_stage import rules
from tests.validate.scene import HOUR, ms
from tests.validate.test_compact import RULE_SET, VOUCHED, step

WORKFLOW = RULE_SET.workflow


def taken(*acts: str, case: str | None = None, first: int = 2, seq: int = 0) -> list[Event]:
    """Return steps of one case, a day each, at noon."""
    return [
        step(act, f"2026-11-{day:02} 12:00", compact_case=case, seq=seq + day, message_id=f"{case}{day}")
        for day, act in enumerate(acts, first)
    ]


def state(*events: Event) -> CompactState:
    found = CompactState()
    for each in events:
        found, finding = compact.take_step(each, found, RULE_SET)
        assert finding is None, finding
    return found


def at(begin: int, end: int | None = None, seq: int = 0) -> Step:
    return Step(begin, begin if end is None else end, seq, f"c{seq}", "arrival", "Arrival")


@pytest.mark.parametrize(
    ("one", "other", "after"),
    [
        (at(11, seq=1), at(10, seq=2), True),
        (at(10, seq=2), at(11, seq=1), False),
        (at(10, seq=1), at(10, seq=2), False),  # ties by arrival
        (at(10, seq=2), at(10, seq=1), True),
        (at(10, seq=1), at(10, seq=1), False),  # not after itself
        (at(0, 10, seq=1), at(10, seq=2), False),  # a day and a time of that day
        (at(0, 10, seq=2), at(10, seq=1), True),
        (at(0, 10, seq=2), at(0, seq=1), True),
        (at(11, seq=1), at(0, 10, seq=2), True),  # the day after
        (at(0, 10, seq=2), at(11, seq=1), False),
    ],
)
def test_steps_are_ordered_by_action_time_and_on_the_same_day_by_arrival(one: Step, other: Step, *, after: bool) -> None:
    assert one.is_after(other) is after


def test_a_step_is_kept_with_its_time_its_words_and_its_message() -> None:
    (case,) = state(step("arrival", "2026-11-02 12:00", seq=7, message_id="m")).cases
    noon = ms("2026-11-02 12:00")
    assert case == Case(None, (Step(noon, noon, 7, "VA0010000\nm", "arrival", "Arrival"),), sending="VA", receiving="NC")
    assert state(step("arrival", "2026-11-02 12:00", seq=7, message_id="m", past_from=noon + HOUR)).cases == (case,), "a time is no day"
    (case,) = state(step("arrival", "2026-11-02", seq=7, message_id="m")).cases
    assert (case.steps[0].begin, case.steps[0].end) == (ms("2026-11-02 00:00"), ms("2026-11-03 00:00") - 1)


def number_of(found: CompactState, message_id: str) -> str | None:
    (case,) = [case for case in found.cases for each in case.steps if each.chain.endswith(f"\n{message_id}")]
    return case.number


def test_a_step_without_a_number_goes_to_the_open_case_with_the_latest_step() -> None:
    cases = [
        *taken("arrival", case="A", first=5),
        *taken("arrival", case="B", first=3),
        *taken("arrival", "case closure", case="C", first=8),
    ]
    found = state(*cases, step("address change", "2026-11-20 12:00", seq=50, message_id="x"))
    assert number_of(found, "x") == "A"


def test_of_steps_at_the_same_time_the_latest_arrival_counts() -> None:
    a, b = (step("arrival", "2026-11-02 12:00", seq=seq, message_id=f"{seq}", compact_case=f"{seq}") for seq in (8, 9))
    new = step("address change", "2026-11-20 12:00", seq=50, message_id="x")
    assert number_of(state(a, b, new), "x") == "9"
    assert number_of(state(b, a, new), "x") == "9"


def test_if_every_case_is_closed_a_step_without_a_number_goes_to_the_latest() -> None:
    closed = [*taken("arrival", "case closure", case="A", first=5), *taken("arrival", "case closure", case="B", first=2)]
    found = state(*closed, step("closure reply", "2026-11-20 12:00", seq=50, message_id="x"))
    assert number_of(found, "x") == "A"


def test_a_number_goes_to_its_own_case_before_one_without_a_number() -> None:
    found = state(*taken("arrival", case="A"), *taken("arrival", case="B", seq=100))
    nameless = CompactState((Case(None, (at(1, seq=1),)), *found.cases))
    found, _ = compact.take_step(step("address change", "2026-11-20 12:00", seq=50, message_id="x", compact_case="A"), nameless, RULE_SET)
    assert number_of(found, "x") == "A"
    assert [case.number for case in found.cases].count(None) == 1


def test_a_closed_case_without_a_number_takes_no_name() -> None:
    found = state(*taken("arrival", "case closure"), step("transfer request", "2026-11-20 12:00", seq=50, message_id="x", compact_case="A"))
    assert sorted((case.number or "", len(case.steps)) for case in found.cases) == [("", 2), ("A", 1)]


def test_the_case_that_goes_is_a_closed_one_and_then_the_one_without_news_for_longest() -> None:
    def case(number: int, *acts: str) -> Case:
        return Case(str(number), tuple(Step(number, number, number, f"c{number}", act, act) for act in acts))

    eight = tuple(case(number, "arrival") for number in range(1, compact.MAX_CASES + 1))
    assert compact.keep_latest(eight, WORKFLOW) == eight
    assert compact.keep_latest((case(99, "arrival"), *eight), WORKFLOW) == (case(99, "arrival"), *eight[1:])
    late = case(99, "arrival", "case closure")
    assert compact.keep_latest((*eight, late), WORKFLOW) == eight
    both = (case(98, "arrival", "case closure"), *eight[1:], late)
    assert compact.keep_latest(both, WORKFLOW) == both[1:]


def test_a_case_whose_steps_are_forgotten_has_no_news() -> None:
    assert compact.latest_step_key(Case("A")) == (0, 0)
    assert compact.latest_step_key(Case("A", (at(1, seq=5), at(3, seq=4)))) == (3, 4)


def test_of_too_many_steps_the_oldest_are_remembered_by_where_they_led() -> None:
    acts = ("transfer request", "acceptance", "departure", "arrival", *["address change"] * (compact.MAX_STEPS - 2))
    found = CompactState()
    for number, act in enumerate(acts):
        one = step(act, "2026-11-02 12:00", action_at=ms("2026-11-02 12:00") + number * HOUR, seq=number, message_id=f"m{number}")
        found, finding = compact.take_step(one, found, RULE_SET)
        assert finding is None
        (case,) = found.cases
        assert len(case.steps) == min(number + 1, compact.MAX_STEPS)
    accepted = state(*taken("transfer request", "acceptance"))
    assert case.before == compact.state_of_case(accepted.cases[0], WORKFLOW)
    assert [each.activity for each in case.steps[:2]] == ["departure", "arrival"]
    assert compact.state_of_case(case, WORKFLOW) == compact.state_of_case(
        state(*taken("transfer request", "acceptance", "departure", "arrival")).cases[0], WORKFLOW
    )


def test_a_case_without_steps_is_gone_unless_steps_before_it_are_remembered() -> None:
    lone, kept = Case("A", (at(1, seq=1),)), Case("B", (at(2, seq=2),), ("none", None, None))
    both = CompactState((lone, kept))
    assert compact.revert(both, "c1") == CompactState((kept,))
    assert compact.revert(both, "c2") == CompactState((lone, Case("B", (), ("none", None, None))))
    assert compact.revert(both, "c3") is both


def test_a_step_of_an_activity_that_the_rules_no_longer_have_moves_nothing() -> None:
    old = Case("A", (Step(1, 1, 1, "c", "levitation", "Levitation"), *state(*taken("arrival")).cases[0].steps))
    assert compact.state_of_case(old, WORKFLOW) == compact.state_of_case(state(*taken("arrival")).cases[0], WORKFLOW)


# --- what is said against a step


def against(one: Event, *before: Event) -> Finding | None:
    return compact.take_step(one, state(*before), RULE_SET)[1]


def test_an_illegal_step_says_what_it_follows_where_the_case_stands_and_what_it_needs() -> None:
    before = taken("arrival", "case closure")
    stands = compact.state_of_case(state(*before).cases[0], WORKFLOW)
    needs = "; or ".join(str(each) for each in WORKFLOW.activities["address change"].moves)
    assert against(step("address change", "2026-11-09 12:00", seq=50, message_id="x"), *before) == Finding(
        "flagged",
        "workflow",
        f"Address Change of 2026-11-09 cannot follow Case Closure of 2026-11-03: the case stands at {stands}; the step needs {needs}",
    )


def test_a_step_that_may_be_taken_from_several_standings_names_them_all() -> None:
    ways = tuple(Move(((), (), (place,)), UNKNOWN_STATE) for place in ("here", "there"))
    rule_set = replace(RULE_SET)
    rule_set.__dict__["workflow"] = Workflow({"arrival": Activity("arrival", UNKNOWN_STATE, ways)}, frozenset())
    case = Case(None, (), CaseState(supervision="gone"))
    found = compact.check_step(step("arrival", "2026-11-02 12:00"), case, rule_set.workflow.activities["arrival"], rule_set, at(1, seq=50))
    assert found is not None
    assert found.detail.endswith("the case stands at supervision gone; the step needs supervision here; or supervision there")


def test_a_step_older_than_all_that_is_kept_of_a_full_case_is_remembered_by_where_it_led() -> None:
    steps = tuple(
        Step(number, number, number, f"c{number}", "address change", "Address Change") for number in range(1, compact.MAX_STEPS + 1)
    )
    old = Step(0, 0, 99, "old", "departure", "Departure")
    found = compact.insert_step(Case("A", steps), old, WORKFLOW)
    assert found == Case("A", steps, WORKFLOW.activities["departure"].enters)


def test_a_step_whose_like_may_be_late_waits_and_says_for_what() -> None:
    found = against(step("arrival", "2026-11-09 12:00", seq=50, message_id="x"), *taken("transfer request", "acceptance"))
    assert found is not None
    assert (found.outcome, found.reason, found.due) == ("waiting", "workflow", None)
    assert found.detail.startswith("Arrival of 2026-11-09 cannot follow Accept Transfer of 2026-11-03: the case stands at ")
    assert found.detail.endswith("; the missing departure may still come")


def test_a_step_before_all_that_is_kept_says_so() -> None:
    steps = tuple(at(ms("2026-11-09 12:00") + number, seq=number) for number in range(2))
    found = compact.check_step(
        step("withdrawal", "2026-11-02 12:00", seq=50),
        Case(None, steps, compact.state_of_case(state(*taken("arrival", "case closure")).cases[0], WORKFLOW)),
        WORKFLOW.activities["withdrawal"],
        RULE_SET,
        at(1, seq=50),
    )
    assert found is not None
    assert found.detail.startswith("Withdraw Transfer of 2026-11-02 cannot follow what is known of the case: the case stands at ")


def test_travel_that_is_too_long_says_how_long_and_how_long_it_may_be() -> None:
    trip = step("temporary travel", "2026-11-09 12:00", seq=50, message_id="x", report_by="2026-12-25T10:00:00Z")
    assert against(trip, *taken("arrival")) == Finding(
        "flagged", "workflow", "Temporary Travel Order from 2026-11-09 to 2026-12-25 lasts 46 days; at most 45 are temporary"
    )


@pytest.mark.parametrize(
    ("more", "vouched"),
    [
        ({}, False),
        (VOUCHED, True),
        ({"do_not_validate": True, "validate": False}, True),
        ({"do_not_validate": True, "validate": True}, False),
        ({"do_not_validate": False, "validate": False}, False),
        ({"waived": ("Date", "Previous Event")}, True),
        ({"waived": ("Date",)}, False),
    ],
)
def test_an_illegal_step_moves_the_case_only_if_somebody_vouches_for_it(more: dict[str, Any], *, vouched: bool) -> None:
    before = state(*taken("arrival", "case closure"))
    one = step("address change", "2026-11-09 12:00", seq=50, message_id="x", **more)
    after, found = compact.take_step(one, before, RULE_SET)
    assert found is not None
    assert (after != before) is vouched


@pytest.mark.parametrize(
    ("text", "day"),
    [(None, None), ("2026-12-25", "2026-12-25"), ("2026-12-25T23:59:00Z", "2026-12-25"), ("20261225", "2026-12-25"), ("?", None)],
)
def test_the_day_of_a_report_date(text: str | None, day: str | None) -> None:
    found = compact.iso_day(text)
    assert (None if found is None else found.isoformat()) == day


@pytest.mark.parametrize(
    ("named", "of_compact"),
    [({}, False), ({"compact_case": "A"}, True), ({"sending_state": "VA"}, True), ({"receiving_state": "NC"}, True)],
)
def test_another_agencys_message_is_of_the_compact_if_it_names_case_or_state(named: dict[str, str], *, of_compact: bool) -> None:
    one = step("arrival", event_type="Supervision", sending_state=None, receiving_state=None)
    assert compact.is_of_compact(Event(**({name: getattr(one, name) for name in one.__struct_fields__} | named))) is of_compact


def test_a_step_that_is_no_step_of_the_compact_has_no_members() -> None:
    code = RULE_SET.codes["Court", "Court Hearing"]
    assert compact.check_membership(step("arrival", sending_state="XX"), code, rules()) is None


def test_a_case_begins_where_its_first_step_enters() -> None:
    assert state().cases == ()
    (case,) = state(*taken("departure")).cases
    assert case.before == UNKNOWN_STATE
    assert compact.state_before(case, 0, WORKFLOW) == UNKNOWN_STATE
    assert compact.state_before(case, 1, WORKFLOW) == WORKFLOW.activities["departure"].enters
