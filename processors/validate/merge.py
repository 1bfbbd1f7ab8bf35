"""
Merges the states of two offender keys that turned out to be one person.

The histories are joined by action time. Of two clocks for one rule in one case, the older keeps running. Messages that wait or are in
review are checked again on the merged state.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.domain.merge import Merge, SameEvent
from processors.domain.normalize import normalize
from processors.rules.rule_set import Rules
from processors.stage import Context, Decision, Output
from processors.topics import STANDINGS
from processors.validate import clocks, compact, reviews, timeline
from processors.validate.clocks import Clock, ClockState
from processors.validate.compact import Case, CompactState
from processors.validate.draft import Draft, Situation, known_of
from processors.validate.pending import check_again, check_waiting
from processors.validate.state import MAX_EXPECTED, MAX_TOLD, ExpectedEvent, HeldMessage, HistoryEntry, OffenderState, Pending, State

T = TypeVar("T")


def state_keys(offender: str, found: Mapping[str, State]) -> Iterator[str]:
    """Yield the keys of every state of an offender."""
    yield offender
    known = found.get(offender)
    if isinstance(known, OffenderState):
        yield from (pending.key for pending in known.pending)


def merge_states(merge: Merge, mine: Mapping[str, State], theirs: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision that merges the state of `merge.offender` (`theirs`) into that of `merge.into` (`mine`)."""
    ours, other = known_of(merge.into, mine), known_of(merge.offender, theirs)
    moved = {pending.key: move_pending(pending, theirs, merge) for pending in other.pending}
    running, ended = joined_clocks(ours.clocks, other.clocks, merge, context.rules)
    expected, changed = joined_expectations(ours.expected, other.expected, merge)
    history, earlier = timeline.latest_entries(
        joined_history(ours.history, other.history), tuple(dict.fromkeys((*ours.earlier, *other.earlier)))
    )
    known = OffenderState(
        history=history,
        earlier=earlier,
        pending=tuple(sorted((*ours.pending, *(pending for pending, _ in moved.values())), key=lambda each: (each.since, each.key))),
        told_until=dict(sorted({**other.told_until, **ours.told_until}.items(), key=lambda each: each[1])[-MAX_TOLD:]),
        untold={**other.untold, **ours.untold},
        expected=expected,
        compact=joined_cases(ours.compact, other.compact, context.rules, merge),
        clocks=running,
        clock_due=clocks.next_deadline(running),
    )
    held = {pending.key: message for pending, message in moved.values()}
    states = {**mine, **held}
    draft = Draft(Situation(merge.into, merge.received_at, context.rules, states, known, held)).publish((*changed, *ended))
    for pending in known.pending:
        draft = draft.then(partial(check_again, pending))
    folded = check_waiting(draft).decision()
    return folded.then(Decision((Output(STANDINGS, merge.offender, None),))) if other.history or other.compact.cases else folded


def move_pending(pending: Pending, states: Mapping[str, State], merge: Merge) -> tuple[Pending, HeldMessage]:
    """Return a pending message under the merged key; its review keeps its id."""
    held = states[pending.key]
    if not isinstance(held, HeldMessage):
        raise TypeError(f"{pending.key} holds no message")
    event = event_under_merged_key(held.event, merge)
    return replace(pending, key=reviews.pending_key(event)), replace(held, event=event)


def event_under_merged_key(event: Event, merge: Merge) -> Event:
    """Return the event under the key that its offender was merged into."""
    return replace(event, offender=merge.into, formerly=(*event.formerly, merge.offender))


def joined_history(one: tuple[HistoryEntry, ...], other: tuple[HistoryEntry, ...]) -> tuple[HistoryEntry, ...]:
    """Return both histories joined by action time; an event that took effect under both keys appears once."""
    found = {each.chain: each for each in (*other, *one)}
    return tuple(sorted(found.values(), key=lambda each: (each.at, each.seq)))


def joined_expectations(
    one: tuple[ExpectedEvent, ...], other: tuple[ExpectedEvent, ...], merge: Merge
) -> tuple[tuple[ExpectedEvent, ...], tuple[Expectation, ...]]:
    """Return the expectations of both, and the records that change; an event that both have keeps one expectation, met if either was."""
    found = {each.chain: each for each in one}
    changed: list[Expectation] = []
    for each in other:
        same = found.get(each.chain)
        if same is None:
            found[each.chain] = replace(each, record=replace(each.record, offender=merge.into))
            changed.append(found[each.chain].record)
            continue
        changed.append(replace(each.record, state="cancelled", settled_at=merge.received_at))
        if same.met_by is None and each.met_by is not None:
            met = replace(same.record, state="met", settled_by=each.record.settled_by, settled_at=each.record.settled_at)
            found[each.chain] = replace(same, met_by=each.met_by, record=met)
            changed.append(met)
    kept = sorted(found.values(), key=lambda each: each.record.since)[-MAX_EXPECTED:]
    return tuple(kept), tuple(changed)


def joined_clocks(one: ClockState, other: ClockState, merge: Merge, rules: Rules) -> tuple[ClockState, tuple[Expectation, ...]]:
    """Return the clocks of both, and the records that change; of two clocks for one rule and case, the younger is cancelled."""
    if not other.clocks and not other.activities:
        return one, ()
    mine = {clocks.id_of(each) for each in one.clocks}
    theirs = {name: f"{merge.offender}-{name}" for each in other.clocks if (name := clocks.id_of(each)) not in mine} | other.formerly
    kept: list[Clock] = []
    ended: list[Clock] = []
    for each in sorted((*one.clocks, *other.clocks), key=lambda each: (each.begin, each.deadline)):
        older = next((clock for clock in kept if is_same_clock(clock, each)), None)
        (kept if older is None else ended).append(each)
    activities = {(each.chain, each.activity): each for each in (*other.activities, *one.activities)}
    heard = sorted(activities.values(), key=lambda each: each.received_at)[-clocks.MAX_ACTIVITIES :]
    after = ClockState(merge.into, clocks.keep_latest(tuple(kept)), tuple(heard), {**theirs, **one.formerly})
    cancelled = (replace(each, state="cancelled", at=merge.received_at) for each in ended if each.state in clocks.STILL_OWED)
    moved = (each for each in after.clocks if clocks.id_of(each) in theirs)
    return after, tuple(clocks.expectation_of(each, after, rules) for each in (*moved, *cancelled))


def is_same_clock(one: Clock, other: Clock) -> bool:
    """Whether two clocks are the same: for one rule and case, and both still running or started by the same event."""
    if one.key != other.key or not clocks.same_case(one.case, other.case):
        return False
    return one.chain == other.chain or (one.state in clocks.STILL_OWED and other.state in clocks.STILL_OWED)


def joined_cases(one: CompactState, other: CompactState, rules: Rules, merge: Merge) -> CompactState:
    """Return the compact cases of both; two cases with the same number become one, with the steps of both by action time."""
    if not other.cases:
        return one
    workflow = rules.rule_set("", merge.received_at).workflow
    cases = list(one.cases)
    for each in other.cases:
        same = next((case for case in cases if case.number and each.number and normalize(case.number) == normalize(each.number)), None)
        if same is None:
            cases.append(each)
            continue
        known = {step.chain for step in same.steps}
        joined = same
        for step in each.steps:
            if step.chain not in known:
                joined = compact.insert_step(joined, step, workflow)
        cases[cases.index(same)] = joined
    kept = tuple(cases)
    while len(kept) > compact.MAX_CASES:
        kept = compact.keep_latest(kept, workflow)
    return CompactState(kept)


def rename_event(same: SameEvent, states: Mapping[str, State]) -> Decision[State]:
    """Return the decision that renames an event from one of its message ids to the other."""
    known = known_of(same.offender, states)
    old, new = f"{same.ori}\n{same.also}", f"{same.ori}\n{same.root}"
    after = replace(
        known,
        history=joined_history((), tuple(replace(each, chain=new) if each.chain == old else each for each in known.history)),
        pending=tuple(replace(each, chain=new) if each.chain == old else each for each in known.pending),
        told_until=rename_chain(known.told_until, old, new),
        untold=rename_chain(known.untold, old, new),
        expected=tuple(rename_expected(each, old, new) for each in known.expected),
        compact=CompactState(tuple(rename_steps(each, old, new) for each in known.compact.cases)),
        clocks=rename_clocks(known.clocks, old, new),
    )
    return Decision(states={} if after == known else {same.offender: after})


def rename_chain(by_chain: Mapping[str, T], old: str, new: str) -> dict[str, T]:
    """Return the values with the old chain renamed; if both chains have a value, the new chain's is kept."""
    found = {new if chain == old else chain: value for chain, value in by_chain.items() if chain != old or new not in by_chain}
    return dict(by_chain) if old not in by_chain else found


def rename_expected(expected: ExpectedEvent, old: str, new: str) -> ExpectedEvent:
    chain, met_by = (new if each == old else each for each in (expected.chain, expected.met_by))
    return replace(expected, chain=chain or "", met_by=met_by)


def rename_steps(case: Case, old: str, new: str) -> Case:
    """Return the case with the old chain renamed; if both chains have a step, the new chain's is kept."""
    twice = any(each.chain == new for each in case.steps)
    steps = (replace(each, chain=new) if each.chain == old else each for each in case.steps if each.chain != old or not twice)
    return replace(case, steps=tuple(steps))


def rename_clocks(state: ClockState, old: str, new: str) -> ClockState:
    """Return the clocks with the old chain renamed; each clock's expectation keeps its id."""
    formerly = dict(state.formerly)
    running = []
    for each in state.clocks:
        chain, by_chain = (new if name == old else name for name in (each.chain, each.by_chain))
        after = replace(each, chain=chain or "", by_chain=by_chain)
        if clocks.id_of(after) != clocks.id_of(each):
            formerly[clocks.id_of(after)] = formerly.pop(clocks.id_of(each), f"{state.offender}-{clocks.id_of(each)}")
        running.append(after)
    heard = tuple(replace(each, chain=new) if each.chain == old else each for each in state.activities)
    return replace(state, clocks=tuple(running), activities=heard, formerly=formerly)
