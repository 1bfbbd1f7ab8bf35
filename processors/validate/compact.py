"""
The interstate compact's workflow, case by case.

`step` is asked for every event whose code names an activity: once as a check, with the state thrown away, and once
more when the message takes effect, with the state kept: also where something spoke against it and a reviewer released
it, or where it was past, internal or not to be validated. A cancellation of something that took effect comes with
`telling="cancellation"` and takes the step back.

The table is data (processors/rules/default/compact.toml; docs/compact-workflow.md draws it). As with status and location
(contract §3.1.7), a step has its place by its action time, is checked against where the case stood then, and changes
nothing newer than itself; the first message of a case may enter anywhere (contract §3.1.4).
"""

from datetime import date
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from processors.domain.event import Event, Way
from processors.domain.normalize import normalize
from processors.rules.book import Book, EventCode, Rules
from processors.rules.calendar import day_of
from processors.rules.workflow import NOWHERE, Activity, Standing, Workflow
from processors.validate.chain import chain_of
from processors.validate.finding import Finding

COMPACT: Final = "Interstate Compact"
CASES: Final = 8
STEPS: Final = 24
REASON: Final = "workflow"


class Step(Struct, frozen=True, array_like=True, gc=False):
    """One step that was taken; it lies between `begin` and `end`, which differ where the date has no time."""

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


class Case(Struct, frozen=True, array_like=True):
    """
    One compact case: its number where one was named, its latest steps in their order, and where it stood before these.

    `sending` and `receiving` are the states that its messages named last.
    """

    number: str | None
    steps: tuple[Step, ...] = ()
    before: tuple[str | None, ...] = NOWHERE
    sending: str | None = None
    receiving: str | None = None


class CompactState(Struct, frozen=True, omit_defaults=True):
    """Where an offender's compact cases stand."""

    cases: tuple[Case, ...] = ()


def is_of_compact(event: Event) -> bool:
    """Whether a message is about a compact case: the compact's own, or another agency's that names one."""
    return event.event_type == COMPACT or (event.compact_case or event.sending_state or event.receiving_state) is not None


def members(event: Event, code: EventCode, rules: Rules) -> Finding | None:
    """Flag a sending or receiving state that is no member of the compact: 50 states, DC, Puerto Rico and the Virgin Islands are."""
    if code.activity is None:
        return None
    named = (("sending", event.sending_state), ("receiving", event.receiving_state))
    strangers = [f'the {role} state "{state}"' for role, state in named if state is not None and not rules.member(state)]
    if not strangers:
        return None
    return Finding("flagged", "not_a_member", f"{event.event_subtype} names {' and '.join(strangers)}, no member of the interstate compact")


def step(event: Event, state: CompactState, book: Book) -> tuple[CompactState, Finding | None]:
    """
    Return the state after `event`, and what speaks against it.

    A Finding "waiting" without `due` waits `out_of_order.hold` for an earlier step and is then flagged with its reason.
    An illegal step moves the case only where somebody vouches for it or where what it lacks may still come.
    """
    code = book.code(event.event_type, event.event_subtype)
    activity = None if code is None or code.activity is None else book.workflow.activities.get(code.activity)
    if activity is None or not activity.moves or not is_of_compact(event):
        return state, None
    without = revert(state, chain_of(event))
    if event.telling == "cancellation":
        return without, None
    new = step_of(event, activity)
    case, others = case_of(event, without, book.workflow)
    found = finding(event, case, activity, book, new)
    if found is not None and found.outcome == "flagged" and not is_vouched_for(event):
        return state, found
    return CompactState(keep_latest((*others, insert_step(case, new, book.workflow)), book.workflow)), found


def way(event: Event, state: CompactState, code: EventCode, book: Book) -> Way | None:
    """Return where the journey leads that `event` tells of, from where its case stood then: None for a first transfer."""
    if code.activity is None or not book.workflow.has_ways(code.activity):
        return None
    new = step_of(event, book.workflow.activities[code.activity])
    case, _ = case_of(event, revert(state, chain_of(event)), book.workflow)
    return book.workflow.way(standing_before(case, place_of(case, new), book.workflow), code.activity)


def step_of(event: Event, activity: Activity) -> Step:
    end = max(event.action_at, event.past_from - 1) if event.date_only else event.action_at
    return Step(event.action_at, end, event.seq, chain_of(event), activity.name, event.event_subtype)


def is_vouched_for(event: Event) -> bool:
    """Whether a reviewer let the message go, or its agency wants it unchecked (contract §3.1.2, §3.1.3)."""
    return event.released_by is not None or (event.do_not_validate and not event.validate) or "Previous Event" in event.waived


def finding(event: Event, case: Case, activity: Activity, book: Book, new: Step) -> Finding | None:
    """Return what speaks against the step where the case stood at its action time."""
    workflow, zone = book.workflow, book.zone_of(event.ori)
    day = day_of(event.action_at, zone)
    if (found := too_long(event, activity, day)) is not None:
        return found
    at = place_of(case, new)
    standing = standing_before(case, at, workflow)
    if workflow.step(standing, activity.name) is not None:
        return None
    last = case.steps[at - 1] if at else None
    after = "what is known of the case" if last is None else f"{last.subtype} of {day_of(last.begin, zone)}"
    needs = "; or ".join(str(move) for move in activity.moves)
    detail = f"{event.event_subtype} of {day} cannot follow {after}: the case stands at {standing}; the step needs {needs}"
    late = workflow.late(standing, activity.name)
    if late is None:
        return Finding("flagged", REASON, detail)
    return Finding("waiting", REASON, f"{detail}; the missing {late} may still come")


def too_long(event: Event, activity: Activity, day: date) -> Finding | None:
    """Flag travel that lasts longer than it may; `report_by` is its last day, and where that is not known nothing is."""
    last = iso_day(event.report_by)
    if activity.most_days is None or last is None or (last - day).days <= activity.most_days:
        return None
    return Finding(
        "flagged",
        REASON,
        f"{event.event_subtype} from {day} to {last} lasts {(last - day).days} days; at most {activity.most_days} are temporary",
    )


def iso_day(text: str | None) -> date | None:
    """Return the day that an ISO 8601 date names, None where it names none."""
    try:
        return None if text is None else date.fromisoformat(text[:10])
    except ValueError:
        return None


def place_of(case: Case, new: Step) -> int:
    """Return how many of the case's steps come before a new one."""
    at = len(case.steps)
    while at and case.steps[at - 1].is_after(new):
        at -= 1
    return at


def insert_step(case: Case, new: Step, workflow: Workflow) -> Case:
    """Return the case with the step in its place; of more than `STEPS`, the oldest are only remembered by where they led."""
    at = place_of(case, new)
    steps = (*case.steps[:at], new, *case.steps[at:])
    if len(steps) <= STEPS:
        return replace(case, steps=steps)
    return replace(case, steps=steps[1:], before=standing_before(replace(case, steps=steps), 1, workflow))


def standing_before(case: Case, at: int, workflow: Workflow) -> Standing:
    """Return where the case stood before its step number `at`."""
    standing = Standing(*case.before)
    for each in case.steps[:at]:
        if each.activity in workflow.activities:
            standing = workflow.forced(standing, each.activity)
    return standing


def standing_of(case: Case, workflow: Workflow) -> Standing:
    """Return where the case stands now."""
    return standing_before(case, len(case.steps), workflow)


def case_of(event: Event, state: CompactState, workflow: Workflow) -> tuple[Case, tuple[Case, ...]]:
    """
    Return the case that a message belongs to, and the others.

    The one it names; without a name, the open case with the latest step, or else the latest. A case of which no number
    was known takes the first that is named.
    """
    still_open = [case for case in state.cases if not workflow.is_closed(standing_of(case, workflow))]
    if event.compact_case is None:
        found = max(still_open or state.cases, key=latest, default=None)
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


def latest(case: Case) -> tuple[int, int]:
    """Return what orders cases by their latest step."""
    return (case.steps[-1].begin, case.steps[-1].seq) if case.steps else (0, 0)


def keep_latest(cases: tuple[Case, ...], workflow: Workflow) -> tuple[Case, ...]:
    """Return at most `CASES` cases; a closed one goes first, then the one without news for longest."""
    if len(cases) <= CASES:
        return cases
    gone = min(cases, key=lambda case: (not workflow.is_closed(standing_of(case, workflow)), latest(case)))
    return tuple(case for case in cases if case is not gone)


def revert(state: CompactState, chain: str) -> CompactState:
    """Return the state as if the agency's event had not been; the same object where it was not."""
    if not any(each.chain == chain for case in state.cases for each in case.steps):
        return state
    cases = (replace(case, steps=tuple(each for each in case.steps if each.chain != chain)) for case in state.cases)
    return CompactState(tuple(case for case in cases if case.steps or case.before != NOWHERE))
