"""The interstate compact's workflow (contract §3; domain: requested → accepted | denied | withdrawn → departed → arrived …)."""

import itertools
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from processors.domain.event import Event
from processors.rules.workflow import UNKNOWN_STATE, CaseState
from processors.validate import compact
from processors.validate.compact import CompactState
from tests.examples import examples
from tests.one_stage import rules
from tests.validate.scene import HOUR, MINUTE, Scene, cancel, event, ms, outcome_of, update

SUBTYPES = {
    "instructions request": ("Reporting Instructions Request", "Internal"),
    "instructions reply": ("Reporting Instructions Reply", "Internal"),
    "transfer request": ("Request ICOTS Transfer", "Information"),
    "incomplete": ("Transfer Request Incomplete", "Internal"),
    "resubmission": ("Transfer Request Resubmission", "Internal"),
    "acceptance": ("Accept Transfer", "Information"),
    "denial": ("Deny Transfer", "Information"),
    "withdrawal": ("Withdraw Transfer", "Information"),
    "departure": ("Departure", "Movement"),
    "arrival": ("Arrival", "Movement"),
    "failure to arrive": ("Failure to Arrive", "Movement"),
    "address change": ("Address Change", "Information"),
    "temporary travel": ("Temporary Travel Order", "Movement"),
    "progress report request": ("Progress Report Request", "Internal"),
    "progress report": ("Progress Report", "Internal"),
    "behavior requiring retaking": ("Behavior Requiring Retaking", "Information"),
    "violation report": ("Violation Report", "Internal"),
    "violation response": ("Violation Response", "Internal"),
    "absconding": ("Absconded", "Status Update"),
    "warrant": ("Warrant Issued", "Internal"),
    "probable cause report": ("Probable Cause Report", "Internal"),
    "probable cause decision": ("Probable Cause Decision", "Internal"),
    "subsequent state request": ("Subsequent State Request", "Internal"),
    "retaking": ("Retaking", "Movement"),
    "return request": ("Return Request", "Internal"),
    "return": ("Return to Sending State", "Movement"),
    "case closure": ("Case Closure", "Status Update"),
    "closure reply": ("Case Closure Reply", "Internal"),
}
OTHERS = {"violation": ("Supervision", "Supervision Violation"), "return from absconding": ("Supervision", "Return From Absconding")}
RULE_SET = rules().rule_set("VA", ms("2026-11-02 12:00"))
VOUCHED = {"released_by": "r.reviewer"}


def step(activity: str, at: str = "2026-11-02 12:00", **more: Any) -> Event:
    subtype, notification_type = SUBTYPES[activity]
    return event("Interstate Compact", subtype, notification_type, at, **({"sending_state": "VA", "receiving_state": "NC"} | more))


# --- the oracle: the same workflow written a second time, by hand, from the rules of the compact and not from the table

HERE = "RFLAKQ"  # where somebody may be whom the receiving state answers for: there, not arrived, not returned, absconded, being retaken, …


def oracle(place: tuple[Any, Any, str], act: str) -> tuple[Any, Any, str] | None:  # noqa: C901, PLR0911, PLR0912  a rule a line
    """
    Return where a step leads from (reporting instructions, transfer, whereabouts), None where it is illegal.

    Instructions: no, asked, given; None = not known. Transfer: none requested incomplete accepted denied withdrawn force
    o-asked o-requested o-accepted. Whereabouts: H home, D departed, R there, F failed to arrive, A absconded, K being
    retaken, Q ordered back, L failed to return, B on the way back, X back, C closed, Y closed while on the way back.
    """
    told, paper, at = place
    known = paper is not None

    def is_(*papers: str) -> bool:
        return not known or paper in papers

    def instructed(*values: str) -> bool:
        return told is None or told in values

    if act == "instructions request":
        if at in "XCY":
            return ("asked", "none", "H")
        return ("asked", paper, at) if at == "H" or (at == "R" and is_("o-asked", "o-requested")) else None
    if act == "instructions reply":
        if at == "Q":
            return place
        return ("given", paper, at) if at in "HDR" and instructed("asked") else None
    if act == "transfer request":
        if at in "XCY":
            return ("no", "requested", "H")
        if at in "HDR" and is_("none", "denied", "withdrawn"):
            return (told, "requested", at)
        return (told, "o-requested", at) if at == "R" and paper == "o-asked" else None
    if act == "incomplete":
        if at in "HDR" and is_("requested"):
            return (told, "incomplete", at)
        return (told, "o-asked", at) if at == "R" and paper == "o-requested" else None
    if act == "resubmission":
        if at in "HDR" and is_("incomplete", "denied"):
            return (told, "requested", at)
        return (told, "o-requested", at) if at == "R" and paper == "o-asked" else None
    if act == "acceptance":
        if at in "HDR" and is_("requested"):
            return (told, "accepted" if at == "H" else "force", at)
        return (told, "o-accepted", at) if at == "R" and paper in {"o-asked", "o-requested"} else None
    if act == "denial":
        if at in "HDR" and is_("requested", "incomplete"):
            return (told, "denied", at)
        return (told, "force", at) if at == "R" and paper in {"o-asked", "o-requested"} else None
    if act == "withdrawal":
        if at == "F":
            return ("no", "withdrawn", "H")
        if at == "H" and paper == "none" and told in {"asked", "given"}:
            return ("no", paper, at)
        if at == "H" and is_("requested", "incomplete", "accepted", "denied"):
            return ("no", "withdrawn", at)
        if at == "R" and is_("requested", "incomplete"):
            return (told, "withdrawn", at)
        return ("no", "force", at) if at == "R" and paper in {"o-asked", "o-requested", "o-accepted"} else None
    if act == "departure":
        if at in "QL":
            return (told, paper, "B")
        ready = (at in "HF" and is_("accepted")) or (at in "RF" and is_("o-accepted")) or (at in "HR" and instructed("given"))
        return (told, paper, "D") if ready else None
    if act == "arrival":
        if at in "BL":
            return ("no", paper, "X")
        if at == "Y":
            return (told, paper, "C")
        return ("no", "force" if paper in {"accepted", "o-accepted"} else paper, "R") if at in "DF" else None
    if act == "failure to arrive" and at == "Y":
        return (told, paper, "C")
    if act == "failure to arrive":
        return (told, paper, "F" if at == "D" else "L") if at in "DB" else None
    if act == "address change":
        return place if at not in "CY" else None
    if act == "temporary travel":
        return place if at in "RFQ" or (at == "H" and instructed("asked", "given")) else None
    if act in {"violation", "behavior requiring retaking", "violation report", "violation response", "probable cause report"}:
        return place if at in HERE else None
    if act in {"probable cause decision", "progress report request", "progress report"}:
        return place if at in HERE else None
    if act == "warrant":
        return place if at in HERE + "BCY" else None
    if act == "absconding":
        return (told, paper, "A") if at in HERE + "B" else None
    if act == "return from absconding":
        return (told, paper, "R") if at == "A" else None
    if act == "subsequent state request":
        return (told, "o-asked", at) if at == "R" and is_("force") else None
    if act == "retaking":
        return (told, paper, "K") if at in HERE else None
    if act == "return request":
        return (told, paper, "Q") if at in "RFLAQ" else None
    if act == "return" and at == "Y":
        return (told, paper, "C")
    if act == "return":
        return ("no", paper, "X") if at in HERE + "B" else None
    if act == "case closure":
        if at == "D" and paper == "o-accepted":
            return place
        return ("no", paper, "Y" if at == "B" else "C") if at not in "HCY" else None
    assert act == "closure reply"
    return place if at in "CY" else None


FIRST: dict[str, tuple[Any, Any, str] | None] = {
    "instructions request": ("asked", "none", "H"),
    "instructions reply": ("given", "none", "H"),
    "transfer request": ("no", "requested", "H"),
    "incomplete": (None, "incomplete", "H"),
    "resubmission": (None, "requested", "H"),
    "acceptance": (None, "accepted", "H"),
    "denial": (None, "denied", "H"),
    "withdrawal": ("no", "withdrawn", "H"),
    "departure": (None, None, "D"),
    "arrival": ("no", None, "R"),
    "failure to arrive": (None, None, "F"),
    "address change": None,
    "warrant": None,
    "probable cause report": None,
    "probable cause decision": None,
    "absconding": (None, None, "A"),
    "subsequent state request": (None, "o-asked", "R"),
    "retaking": (None, None, "K"),
    "return request": (None, None, "Q"),
    "return": ("no", None, "X"),
    "case closure": ("no", None, "C"),
    "closure reply": ("no", None, "C"),
}
THERE = (None, None, "R")  # whatever else begins a case presupposes that the offender is in the receiving state
TOLD = {"no": "none", None: None}
PAPER = {"force": "in force", "o-asked": "onward asked", "o-requested": "onward requested", "o-accepted": "onward accepted"}
PLACES = {
    "H": "in the sending state",
    "D": "departed",
    "R": "in the receiving state",
    "F": "failed to arrive",
    "L": "failed to return",
    "A": "absconded",
    "K": "being retaken",
    "Q": "return asked",
    "B": "returning",
    "X": "returned",
    "C": "closed",
    "Y": "closed on the way back",
}


def after(place: Any, act: str) -> Any:
    return FIRST.get(act, THERE) if place is None else oracle(place, act)


def status_and_place(place: Any) -> CaseState:
    return UNKNOWN_STATE if place is None else CaseState(TOLD.get(place[0], place[0]), PAPER.get(place[1], place[1]), PLACES[place[2]])


def test_every_edge_from_every_reachable_standing_is_legal_exactly_if_the_oracle_says() -> None:
    acts = [*SUBTYPES, *OTHERS]
    seen, todo, edges = set(), [None], {True: 0, False: 0}
    while todo:
        place = todo.pop()
        for act in acts:
            expected = after(place, act)
            found = RULE_SET.workflow.step(status_and_place(place), act)
            begun_unknown = place is None and expected is None
            assert (found is None) == (expected is None and not begun_unknown), (place, act, found, expected)
            if found is not None:
                assert found == status_and_place(expected), (place, act)
            edges[found is not None] += 1
            if expected is not None and expected not in seen:
                seen.add(expected)
                todo.append(expected)
    assert {place[2] for place in seen} == set(PLACES)
    assert edges[True] > 500
    assert edges[False] > 500


def test_every_activity_of_the_table_is_named_by_an_event_and_the_other_way_round() -> None:
    named = {code.activity for code in RULE_SET.codes.values() if code.activity}
    assert named == set(RULE_SET.workflow.activities)
    for act, (subtype, _) in SUBTYPES.items():
        assert RULE_SET.codes["Interstate Compact", subtype].activity == act
    assert {code.subtype for code in RULE_SET.codes.values() if code.event_type == "Interstate Compact"} == {
        each for each, _ in SUBTYPES.values()
    }


class Walk(RuleBasedStateMachine):
    """Steps heard in any order of their action times, some taken back; the oracle folds them again each time."""

    def __init__(self) -> None:
        super().__init__()
        self.state = CompactState()
        self.taken: list[Event] = []
        self.seq = itertools.count(1)

    def fold(self, until: tuple[int, int] | None = None) -> Any:
        place = None
        for each in sorted(self.taken, key=lambda event: (event.action_at, event.seq)):
            if until is None or (each.action_at, each.seq) < until:
                act = RULE_SET.codes["Interstate Compact", each.event_subtype].activity
                legal = after(place, act or "")
                place = legal if legal is not None or place is None else self.forced(place, act or "")
        return place

    @staticmethod
    def forced(place: Any, act: str) -> Any:
        first = FIRST.get(act, THERE)
        return place if first is None else tuple(before if new is None else new for before, new in zip(place, first, strict=True))

    @rule(act=st.sampled_from(sorted(SUBTYPES)), hour=st.integers(0, 20), released=st.booleans())
    def hear(self, act: str, hour: int, *, released: bool) -> None:
        if len(self.taken) >= compact.MAX_STEPS:
            return
        seq = next(self.seq)
        heard = step(act, f"2026-11-02 {hour:02}:00", seq=seq, message_id=f"m{seq}", **(VOUCHED if released else {}))
        place = self.fold((heard.action_at, seq))
        legal = place is None or after(place, act) is not None
        self.state, found = compact.take_step(heard, self.state, RULE_SET)
        assert (found is None) == legal, (place, act, found)
        if legal or released or (found is not None and found.outcome == "waiting"):
            self.taken.append(heard)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.taken))
        self.taken.remove(one)
        self.state, found = compact.take_step(cancel(one), self.state, RULE_SET)
        assert found is None

    @invariant()
    def the_case_stands_where_the_oracle_says(self) -> None:
        cases = self.state.cases
        assert len(cases) <= 1
        assert msgspec.json.decode(msgspec.json.encode(self.state), type=CompactState) == self.state
        stands = compact.state_of_case(cases[0], RULE_SET.workflow) if cases else UNKNOWN_STATE
        assert stands == status_and_place(self.fold())


Walk.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=25)
TestWalk = Walk.TestCase


# --- through the stage, by name


def told(scene: Scene, *acts: str, **more: Any) -> None:
    for day, act in enumerate(acts, 2):
        scene.receive(step(act, f"2026-11-{day:02} 12:00", **more))
        assert scene.verdicts[-1].reason in {"confirmed", "internal"}, scene.verdicts[-1]


@pytest.mark.parametrize(
    "acts",
    [
        ("transfer request", "acceptance", "departure", "arrival", "case closure", "closure reply"),
        ("transfer request", "denial", "transfer request", "acceptance"),
        ("transfer request", "withdrawal", "transfer request", "acceptance", "withdrawal"),
        ("transfer request", "incomplete", "resubmission", "acceptance", "departure", "failure to arrive", "case closure"),
        ("instructions request", "instructions reply", "departure", "arrival", "transfer request", "acceptance", "address change"),
        ("instructions request", "instructions reply", "transfer request", "departure", "arrival", "denial", "return request", "return"),
        ("arrival", "behavior requiring retaking", "violation report", "violation response", "warrant", "retaking", "return"),
        ("arrival", "return", "case closure", "closure reply", "transfer request"),
        ("arrival", "absconding", "warrant", "retaking", "return", "case closure"),
        ("arrival", "return request", "instructions reply", "departure", "arrival", "case closure"),
        ("arrival", "return request", "instructions reply", "departure", "case closure", "arrival", "closure reply", "transfer request"),
        ("arrival", "return request", "departure", "case closure", "failure to arrive", "warrant"),
        ("arrival", "return request", "departure", "failure to arrive", "warrant", "arrival", "case closure"),
        ("arrival", "return request", "departure", "case closure", "return", "closure reply"),
        (
            "transfer request",
            "acceptance",
            "departure",
            "arrival",
            "subsequent state request",
            "transfer request",
            "acceptance",
            "departure",
        ),
        ("transfer request", "acceptance", "departure", "arrival", "subsequent state request", "acceptance", "departure", "arrival"),
        (
            "arrival",
            "subsequent state request",
            "transfer request",
            "acceptance",
            "departure",
            "case closure",
            "arrival",
            "absconding",
            "case closure",
        ),
        ("arrival", "temporary travel", "progress report request", "progress report", "address change", "absconding"),
    ],
)
def test_a_case_runs_its_course(acts: tuple[str, ...]) -> None:
    told(Scene(), *acts)


@pytest.mark.parametrize(
    ("acts", "illegal", "values"),
    [
        (("transfer request", "acceptance", "departure"), "withdrawal", ("supervision departed", "Departure of 2026-11-04")),
        (("transfer request", "denial"), "departure", ("transfer denied", "transfer accepted")),
        (("transfer request", "withdrawal"), "acceptance", ("transfer withdrawn", "transfer requested")),
        (("transfer request", "acceptance"), "case closure", ("supervision in the sending state",)),
        (("transfer request", "acceptance", "departure", "arrival"), "departure", ("transfer in force", "transfer onward accepted")),
        (("arrival", "case closure"), "address change", ("supervision closed",)),
        (("arrival", "return"), "retaking", ("supervision returned",)),
        (("transfer request",), "temporary travel", ("supervision in the sending state",)),
    ],
)
def test_an_illegal_step_is_flagged_with_both_values(acts: tuple[str, ...], illegal: str, values: tuple[str, ...]) -> None:
    scene = Scene()
    told(scene, *acts)
    verdict = scene.receive(step(illegal, "2026-11-16 12:00"))
    if verdict.outcome == "waiting":
        scene.until(ms("2026-11-16 12:15"))
        verdict = scene.verdicts[-1]
    assert outcome_of(verdict) == ("flagged", "workflow")
    for value in values:
        assert value in verdict.detail
    assert scene.review.detail == verdict.detail


def test_an_arrival_before_its_departure_waits_and_both_are_told_in_order() -> None:
    scene = Scene()
    told(scene, "transfer request", "acceptance")
    assert outcome_of(scene.receive(step("arrival", "2026-11-05 12:00"))) == ("waiting", "out_of_order_hold")
    scene.receive(step("departure", "2026-11-05 09:00", received="2026-11-05 12:10"))
    assert scene.told == ["Request ICOTS Transfer", "Accept Transfer", "Departure", "Arrival"]


def test_an_arrival_whose_departure_never_comes_is_flagged_when_the_wait_is_over() -> None:
    scene = Scene()
    told(scene, "transfer request", "acceptance")
    scene.receive(step("arrival", "2026-11-05 12:00"))
    scene.until(ms("2026-11-05 12:15") - 1)
    assert scene.reviews == {}
    scene.until(ms("2026-11-05 12:15"))
    assert outcome_of(scene.verdicts[-1]) == ("flagged", "workflow")
    scene.act("release", scene.review.review_id, "2026-11-05 13:00")
    assert scene.told[-1] == "Arrival"
    assert outcome_of(scene.receive(step("behavior requiring retaking", "2026-11-06 12:00"))) == ("passed", "confirmed")


def test_an_arrival_waits_if_acceptance_and_departure_are_both_late() -> None:
    scene = Scene()
    told(scene, "transfer request")
    assert scene.receive(step("arrival", "2026-11-05 12:00")).outcome == "waiting"
    assert scene.receive(step("departure", "2026-11-05 09:00", received="2026-11-05 12:01")).outcome == "waiting"
    scene.receive(step("acceptance", "2026-11-05 08:00", received="2026-11-05 12:02"))
    assert scene.told == ["Request ICOTS Transfer", "Accept Transfer", "Departure", "Arrival"]


def test_a_cancelled_departure_takes_its_step_back() -> None:
    scene = Scene()
    told(scene, "transfer request", "acceptance", "departure")
    scene.receive(cancel(scene.last, received_at=ms("2026-11-04 13:00")))
    assert scene.told[-1] == "Departure cancellation"
    assert outcome_of(scene.receive(step("withdrawal", "2026-11-05 12:00"))) == ("passed", "confirmed")


def test_a_changed_departure_is_not_held_against_itself() -> None:
    scene = Scene()
    told(scene, "transfer request", "acceptance", "departure")
    verdict = scene.receive(
        update(scene.last, action_at=ms("2026-11-04 15:00"), past_from=ms("2026-11-04 15:00"), received_at=ms("2026-11-04 16:00"))
    )
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert len(scene.known.compact.cases[0].steps) == 3


def test_a_later_message_about_an_earlier_action_is_checked_against_what_held_then() -> None:
    scene = Scene()
    told(scene, "transfer request", "acceptance", "departure", "arrival")
    verdict = scene.receive(step("address change", "2026-11-03 18:00", received="2026-11-04 12:30"))
    assert outcome_of(verdict) == ("passed", "confirmed")
    assert outcome_of(scene.receive(step("withdrawal", "2026-11-04 11:00", received="2026-11-05 10:00"))) == ("passed", "confirmed"), (
        "before it"
    )
    assert scene.told[-1] == "Withdraw Transfer"


def test_a_date_without_time_is_not_before_what_came_earlier_that_day() -> None:
    scene = Scene()
    scene.receive(step("transfer request", "2026-11-02 09:00"))
    scene.receive(step("acceptance", "2026-11-02 10:00"))
    assert outcome_of(scene.receive(step("departure", "2026-11-02", received="2026-11-02 11:00"))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(step("arrival", "2026-11-02 20:00"))) == ("passed", "confirmed")


def test_cases_with_different_numbers_do_not_contradict_each_other() -> None:
    scene = Scene()
    told(scene, "transfer request", "acceptance", "departure", compact_case="A-1")
    assert outcome_of(scene.receive(step("transfer request", "2026-11-06 12:00", compact_case="A-2"))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(step("withdrawal", "2026-11-07 12:00", compact_case="A-2"))) == ("passed", "confirmed")
    assert outcome_of(scene.receive(step("withdrawal", "2026-11-07 13:00", compact_case="A-1"))) == ("flagged", "workflow")


def test_a_message_without_a_number_belongs_to_the_open_case_with_the_latest_step() -> None:
    scene = Scene()
    told(scene, "arrival", "case closure", compact_case="A-1")
    told(scene, "transfer request", compact_case="A-2")
    assert outcome_of(scene.receive(step("acceptance", "2026-11-09 12:00"))) == ("passed", "confirmed")
    assert [(case.number, len(case.steps)) for case in scene.known.compact.cases] == [("A-1", 2), ("A-2", 2)]


def test_a_case_without_a_number_takes_the_first_that_is_named() -> None:
    scene = Scene()
    told(scene, "transfer request")
    scene.receive(step("acceptance", "2026-11-09 12:00", compact_case="A-1"))
    assert [(case.number, len(case.steps)) for case in scene.known.compact.cases] == [("A-1", 2)]


@pytest.mark.parametrize(("last", "outcome"), [("2026-12-17", "passed"), ("2026-12-18", "flagged"), (None, "passed")])
def test_temporary_travel_lasts_at_most_45_days(last: str | None, outcome: str) -> None:
    scene = Scene()
    told(scene, "arrival")
    verdict = scene.receive(step("temporary travel", "2026-11-02 13:00", report_by=last))
    assert verdict.outcome == outcome
    if outcome == "flagged":
        assert verdict.reason == "workflow"
        assert "from 2026-11-02 to 2026-12-18 lasts 46 days; at most 45" in verdict.detail


@pytest.mark.parametrize("role", ["sending_state", "receiving_state"])
@pytest.mark.parametrize("state", ["GU", "AS", "MP", "ZZ"])
def test_only_members_of_the_compact_take_part(role: str, state: str) -> None:
    scene = Scene()
    verdict = scene.receive(step("transfer request", **{role: state}))
    assert outcome_of(verdict) == ("flagged", "not_a_member")
    assert f'the {role.removesuffix("_state")} state "{state}"' in verdict.detail


def test_all_53_members_may_take_part() -> None:
    members = [code for code in rules().jurisdictions if rules().member(code)]
    assert len(members) == 53
    for sending, receiving in zip(members, reversed(members), strict=True):
        assert Scene().receive(step("transfer request", sending_state=sending, receiving_state=receiving)).outcome == "passed"


def test_an_internal_step_that_contradicts_the_case_moves_nothing() -> None:
    scene = Scene()
    told(scene, "transfer request", "acceptance", "departure", "arrival")
    scene.receive(step("resubmission", "2026-11-06 12:00"))
    assert outcome_of(scene.receive(step("acceptance", "2026-11-07 12:00"))) == ("flagged", "workflow")


def test_other_agencies_move_a_case_only_if_they_name_it() -> None:
    scene = Scene()
    told(scene, "transfer request")
    free = event("Supervision", "Supervision Violation", "Information", "2026-11-03 12:00")
    assert outcome_of(scene.receive(free)) == ("passed", "confirmed")
    named = event("Supervision", "Supervision Violation", "Information", "2026-11-03 13:00", receiving_state="NC")
    assert outcome_of(scene.receive(named)) == ("waiting", "out_of_order_hold")


def test_the_workflow_is_not_asked_if_its_validation_is_waived_or_nothing_is_to_be_checked() -> None:
    for more in ({"waived": ("Previous Event",)}, {"validate": False, "do_not_validate": True}):
        scene = Scene()
        told(scene, "transfer request", "denial")
        assert outcome_of(scene.receive(step("departure", "2026-11-05 12:00", **more))) == ("passed", "confirmed")
        assert outcome_of(scene.receive(step("arrival", "2026-11-06 12:00"))) == ("passed", "confirmed"), "the step was taken all the same"


def test_what_is_kept_of_a_case_is_bounded() -> None:
    state = CompactState()
    for number in range(200):
        moved = step("address change" if number % 20 else "arrival", "2026-11-02 12:00", seq=number, message_id=f"m{number}")
        moved = msgspec.structs.replace(moved, action_at=moved.action_at + number * HOUR, compact_case=f"A-{number // 20}")
        state, _ = compact.take_step(moved, state, RULE_SET)
    assert len(state.cases) == compact.MAX_CASES
    for number in range(100):
        moved = step("address change", "2026-11-20 12:00", seq=1000 + number, message_id=f"n{number}", compact_case="A-9")
        state, found = compact.take_step(msgspec.structs.replace(moved, action_at=moved.action_at + number * MINUTE), state, RULE_SET)
        assert found is None
    (case,) = [each for each in state.cases if each.number == "A-9"]
    assert len(case.steps) == compact.MAX_STEPS
    assert compact.state_of_case(case, RULE_SET.workflow).supervision == "in the receiving state"


# --- the way of a journey

WAYS = [
    (("acceptance", "departure", "arrival"), [None, None]),
    (("acceptance", "departure", "failure to arrive", "arrival"), [None, None, None]),
    (("departure", "arrival"), [None, None]),  # nothing is known of it
    (("arrival", "return request", "departure", "arrival"), [None, "back", "back"]),
    (("arrival", "return request", "departure", "failure to arrive", "arrival"), [None, "back", "back", "back"]),
    (("arrival", "return request", "departure", "case closure", "arrival"), [None, "back", "back"]),
    (("arrival", "subsequent state request", "acceptance", "departure", "arrival"), [None, "onward", "onward"]),
    (
        ("arrival", "subsequent state request", "acceptance", "departure", "failure to arrive", "departure"),
        [None, "onward", "onward", "onward"],
    ),
    (
        ("arrival", "subsequent state request", "instructions request", "instructions reply", "departure", "arrival"),
        [None, "onward", "onward"],
    ),
]


@pytest.mark.parametrize(("acts", "ways"), WAYS)
def test_a_journey_is_passed_on_with_the_way_it_takes(acts: tuple[str, ...], ways: list[str | None]) -> None:
    scene = Scene()
    told(scene, *acts)
    journeys = {"Departure", "Arrival", "Failure to Arrive"}
    assert [each.way for each in scene.confirmed if each.event_subtype in journeys] == ways
    assert {each.way for each in scene.confirmed if each.event_subtype not in journeys} <= {None}


@pytest.mark.parametrize(
    ("acts", "way"),
    [(("instructions request", "temporary travel"), "ahead"), (("arrival", "temporary travel"), None), (("temporary travel",), None)],
)
def test_travel_before_the_transfer_leads_to_the_receiving_state(acts: tuple[str, ...], way: str | None) -> None:
    scene = Scene()
    told(scene, *acts)
    assert scene.confirmed[-1].way == way


@pytest.mark.parametrize("telling", ["change", "cancellation"])
def test_what_is_told_of_a_journey_afterwards_takes_the_same_way(telling: str) -> None:
    scene = Scene()
    told(scene, "arrival", "return request", "departure")
    departure = scene.last
    later = {"received_at": ms("2026-11-04 13:00"), "seq": 99}
    scene.receive(cancel(departure, **later) if telling == "cancellation" else update(departure, location_name="Richmond", **later))
    assert [(each.telling, each.way) for each in scene.confirmed[-2:]] == [("news", "back"), (telling, "back")]
