"""
The interstate compact's workflow, case by case.

`take_step` is called for every event whose code names an activity: once as a check, with the new state discarded, and again when
the message takes effect, with the new state kept. A message takes effect even if it failed a check and a reviewer released it, or if
it is past, internal or not to be validated. A cancellation has `telling="cancellation"` and reverts the step.

The workflow is data (processors/rules/default/compact.toml; docs/compact-workflow.md draws it). As with status and location
(contract §3.1.7), steps are ordered by action time: a step is checked against the state of the case at that time, and does not
change anything newer. The first message of a case may enter the workflow anywhere (contract §3.1.4).
"""

from datetime import date
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from processors.domain.event import Direction, Event
from processors.domain.normalize import normalize
from processors.rules.calendar import day_of
from processors.rules.rule_set import EventCode, Rules, RuleSet
from processors.rules.workflow import UNKNOWN_STATE, Activity, CaseState, Workflow
from processors.validate.chain import chain_of
from processors.validate.finding import Finding

COMPACT: Final = "Interstate Compact"
MAX_CASES: Final = 8
MAX_STEPS: Final = 24
REASON: Final = "workflow"


class Step(Struct, frozen=True, array_like=True, gc=False):
    """One step of a case, taken between `begin` and `end`, which differ if the date has no time."""

    begin: int
    end: int
    seq: int
    chain: str
    activity: str
    subtype: str

    def is_after(self, other: "Step") -> bool:
        """Whether it comes after the other by action time, ties by arrival (contract §3.1.7)."""
        if self.begin > other.end or other.begin > self.end:
            return self.begin > other.end
        return self.seq > other.seq


class Case(Struct, frozen=True, gc=False, array_like=True):
    """
    One compact case: its number if one was named, its latest steps in order, and its state before these steps.

    `sending` and `receiving` are the sending and receiving state that its messages named last.
    """

    number: str | None
    steps: tuple[Step, ...] = ()
    before: tuple[str | None, ...] = UNKNOWN_STATE
    sending: str | None = None
    receiving: str | None = None


class CompactState(Struct, frozen=True, gc=False, omit_defaults=True):
    """An offender's compact cases."""

    cases: tuple[Case, ...] = ()


def is_of_compact(event: Event) -> bool:
    """Whether a message is about a compact case: it comes from a compact office, or names a case or its states."""
    return event.event_type == COMPACT or (event.compact_case or event.sending_state or event.receiving_state) is not None


def check_membership(event: Event, code: EventCode, rules: Rules) -> Finding | None:
    """Flag a sending or receiving state that is not a member of the compact (50 states, DC, Puerto Rico, the Virgin Islands)."""
    if code.activity is None:
        return None
    named = (("sending", event.sending_state), ("receiving", event.receiving_state))
    strangers = [f'the {role} state "{state}"' for role, state in named if state is not None and not rules.member(state)]
    if not strangers:
        return None
    return Finding("flagged", "not_a_member", f"{event.event_subtype} names {' and '.join(strangers)}, no member of the interstate compact")


def take_step(event: Event, state: CompactState, rule_set: RuleSet) -> tuple[CompactState, Finding | None]:
    """
    Return the state after `event`, and the finding if the step is not allowed.

    A finding "waiting" without `due` waits `out_of_order.hold` for an earlier step, and is then flagged with its reason.
    A step that is not allowed changes the case only if it is exempt from the check, or if the missing step may still arrive.
    """
    code = rule_set.code(event.event_type, event.event_subtype)
    activity = None if code is None or code.activity is None else rule_set.workflow.activities.get(code.activity)
    if activity is None or not activity.moves or not is_of_compact(event):
        return state, None
    without = revert(state, chain_of(event))
    if event.telling == "cancellation":
        return without, None
    new = step_of(event, activity)
    case, others = case_of(event, without, rule_set.workflow)
    found = check_step(event, case, activity, rule_set, new)
    if found is not None and found.outcome == "flagged" and not is_exempt_from_check(event):
        return state, found
    return CompactState(keep_latest((*others, insert_step(case, new, rule_set.workflow)), rule_set.workflow)), found


def journey_direction(event: Event, state: CompactState, code: EventCode, rule_set: RuleSet) -> Direction | None:
    """Return the direction of the journey that `event` reports, given the state of its case at that time; None for a first transfer."""
    if code.activity is None or not rule_set.workflow.has_ways(code.activity):
        return None
    new = step_of(event, rule_set.workflow.activities[code.activity])
    case, _ = case_of(event, revert(state, chain_of(event)), rule_set.workflow)
    return rule_set.workflow.way(state_before(case, index_for(case, new), rule_set.workflow), code.activity)


def step_of(event: Event, activity: Activity) -> Step:
    end = max(event.action_at, event.past_from - 1) if event.date_only else event.action_at
    return Step(event.action_at, end, event.seq, chain_of(event), activity.name, event.event_subtype)


def is_exempt_from_check(event: Event) -> bool:
    """Whether a reviewer released the message, or its agency waived the check (contract §3.1.2, §3.1.3)."""
    return event.released_by is not None or (event.do_not_validate and not event.validate) or "Previous Event" in event.waived


def check_step(event: Event, case: Case, activity: Activity, rule_set: RuleSet, new: Step) -> Finding | None:
    """Return the finding if the step is not allowed in the state of the case at the step's action time."""
    workflow, zone = rule_set.workflow, rule_set.zone_of(event.ori)
    day = day_of(event.action_at, zone)
    if (found := check_travel_time(event, activity, day)) is not None:
        return found
    at = index_for(case, new)
    case_state = state_before(case, at, workflow)
    if workflow.step(case_state, activity.name) is not None:
        return None
    last = case.steps[at - 1] if at else None
    after = "what is known of the case" if last is None else f"{last.subtype} of {day_of(last.begin, zone)}"
    needs = "; or ".join(str(move) for move in activity.moves)
    detail = f"{event.event_subtype} of {day} cannot follow {after}: the case stands at {case_state}; the step needs {needs}"
    late = workflow.late(case_state, activity.name)
    if late is None:
        return Finding("flagged", REASON, detail)
    return Finding("waiting", REASON, f"{detail}; the missing {late} may still come")


def check_travel_time(event: Event, activity: Activity, day: date) -> Finding | None:
    """Flag travel that lasts longer than allowed. `report_by` is its last day; without it nothing is flagged."""
    last = iso_day(event.report_by)
    if activity.most_days is None or last is None or (last - day).days <= activity.most_days:
        return None
    return Finding(
        "flagged",
        REASON,
        f"{event.event_subtype} from {day} to {last} lasts {(last - day).days} days; at most {activity.most_days} are temporary",
    )


def iso_day(text: str | None) -> date | None:
    """Return the day of an ISO 8601 date or date-time; None for any other text."""
    try:
        return None if text is None else date.fromisoformat(text[:10])
    except ValueError:
        return None


def index_for(case: Case, new: Step) -> int:
    """Return the index in the case's steps at which a new step belongs."""
    at = len(case.steps)
    while at and case.steps[at - 1].is_after(new):
        at -= 1
    return at


def insert_step(case: Case, new: Step, workflow: Workflow) -> Case:
    """Return the case with the step inserted in order; of steps beyond MAX_STEPS, only the resulting state is kept."""
    at = index_for(case, new)
    steps = (*case.steps[:at], new, *case.steps[at:])
    if len(steps) <= MAX_STEPS:
        return replace(case, steps=steps)
    return replace(case, steps=steps[1:], before=state_before(replace(case, steps=steps), 1, workflow))


def state_before(case: Case, at: int, workflow: Workflow) -> CaseState:
    """Return the state of the case before the step with index `at`."""
    case_state = CaseState(*case.before)
    for each in case.steps[:at]:
        if each.activity in workflow.activities:
            case_state = workflow.forced_step(case_state, each.activity)
    return case_state


def state_of_case(case: Case, workflow: Workflow) -> CaseState:
    """Return the current state of the case."""
    return state_before(case, len(case.steps), workflow)


def case_of(event: Event, state: CompactState, workflow: Workflow) -> tuple[Case, tuple[Case, ...]]:
    """
    Return the case that a message belongs to, and the other cases.

    That is the case whose number the message names; without a number, the open case with the latest step, otherwise the latest
    case. A case without a number takes the first number that is named.
    """
    still_open = [case for case in state.cases if not workflow.is_closed(state_of_case(case, workflow))]
    if event.compact_case is None:
        found = max(still_open or state.cases, key=latest_step_key, default=None)
    else:
        named = [case for case in state.cases if case.number is not None and normalize(case.number) == normalize(event.compact_case)]
        found = next(iter(named), None) or next((case for case in still_open if case.number is None), None)
    if found is None:
        return Case(event.compact_case, sending=event.sending_state, receiving=event.receiving_state), state.cases
    named_now = replace(
        found,
        number=found.number or event.compact_case,
        sending=event.sending_state or found.sending,
        receiving=event.receiving_state or found.receiving,
    )
    return named_now, tuple(case for case in state.cases if case is not found)


def latest_step_key(case: Case) -> tuple[int, int]:
    """Return the sort key of a case: the time of its latest step."""
    return (case.steps[-1].begin, case.steps[-1].seq) if case.steps else (0, 0)


def keep_latest(cases: tuple[Case, ...], workflow: Workflow) -> tuple[Case, ...]:
    """Return at most MAX_CASES cases; closed ones are dropped first, then those whose latest step is oldest."""
    if len(cases) <= MAX_CASES:
        return cases
    gone = min(cases, key=lambda case: (not workflow.is_closed(state_of_case(case, workflow)), latest_step_key(case)))
    return tuple(case for case in cases if case is not gone)


def revert(state: CompactState, chain: str) -> CompactState:
    """Return the state as if the agency's event had not happened; the same object if it has no step in it."""
    if not any(each.chain == chain for case in state.cases for each in case.steps):
        return state
    cases = (replace(case, steps=tuple(each for each in case.steps if each.chain != chain)) for case in state.cases)
    return CompactState(tuple(case for case in cases if case.steps or case.before != UNKNOWN_STATE))
