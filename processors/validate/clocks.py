"""
The legal deadlines (clocks) of the interstate compact.

`advance` is called for every event that takes effect (a cancellation has `telling="cancellation"`), and with None at the time
that it returned last. The clocks themselves are data (processors/rules/default/deadlines.toml; docs/clocks.md lists them),
chosen by the date of the activity that starts them.

A clock is open until what is owed arrives (met, even after the deadline), until it no longer applies (cancelled), or until its last
day ends in the owing state (overdue; published once, at that instant). If a message is cancelled or changed, its effect
on the clocks is undone.

A reply that gives no reason takes the reason of what it answers (`reason_from` in compact.toml). Activities received before a case was
closed are forgotten only when the case is reopened: a warrant outlives the closure.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.expectation import Expectation, ExpectationState
from processors.domain.normalize import normalize
from processors.rules.calendar import day_of, end_of, noon_of
from processors.rules.deadlines import Deadline
from processors.rules.rule_set import Rules, RuleSet, fold
from processors.validate.chain import chain_of, is_later
from processors.validate.compact import is_of_compact, iso_day

MAX_OPEN: Final = 48  # running clocks of one offender
MAX_SETTLED: Final = 24  # ended clocks of one offender, kept in case what settled them is cancelled
MAX_ACTIVITIES: Final = 24  # past activities of one offender
REASON_DETAIL: Final = "ActivityReasonText"  # the detail that says why reporting instructions are asked for
STILL_OWED: Final = frozenset({"open", "overdue"})
OFFICES: Final = {
    "sending state": "compact office of {}",
    "receiving state": "compact office of {}",
    "victim authority": "victim notification authority of {}",
    "victims": "victims",
}


class Clock(Struct, frozen=True, array_like=True, gc=False):
    """
    One clock. `key` is its entry in the rules of the day on which it began, `chain` the agency's event that started it.

    `begin` and `deadline` are in milliseconds. `by` and `at` are the message and the time that settled it, `by_chain` the agency's
    event of that message.
    """

    key: str
    chain: str
    message_id: str
    ori: str
    jurisdiction: str
    case: str | None
    sending: str | None
    receiving: str | None
    begin: int
    deadline: int
    state: ExpectationState = "open"
    by: str | None = None
    by_chain: str | None = None
    at: int | None = None


class PastActivity(Struct, frozen=True, array_like=True, gc=False):
    """
    A reported activity; it may meet a clock that starts later.

    `end` is the last instant at which it can have happened. `closed_in` is the receiving state whose supervision it closed, if any.
    """

    activity: str
    chain: str
    message_id: str
    case: str | None
    end: int
    received_at: int
    reason: str | None = None
    closed_in: str | None = None


class ClockState(Struct, frozen=True, gc=False, omit_defaults=True):
    """
    The clocks of an offender, and the latest activities.

    `formerly` maps the id of a clock that began under another offender key to the id of its expectation, which does not change.
    """

    offender: str = ""
    clocks: tuple[Clock, ...] = field(default=(), name="running")
    activities: tuple[PastActivity, ...] = field(default=(), name="heard")
    formerly: dict[str, str] = field(default_factory=dict)


AdvancedClocks = tuple[ClockState, tuple[Expectation, ...], int | None]


def advance(event: Event | None, state: ClockState, now: int, rules: Rules) -> AdvancedClocks:
    """Return the clocks after `event` (None: after a timer at `now`), the expectations to publish, and the time of the next timer."""
    after = state if event is None else after_event(event, state, rules)
    if after.clocks:
        running = tuple(expire_clock(each, now, rules) for each in after.clocks)
        after = replace(after, clocks=keep_latest(running))
    if after is state or after == state:
        return state, (), next_deadline(state)
    return after, tuple(changed_expectations(state, after, event, now, rules)), next_deadline(after)


def next_deadline(state: ClockState) -> int | None:
    """Return when the next open clock ends."""
    ends = [each.deadline for each in state.clocks if each.state == "open"]
    return min(ends) if ends else None


def after_event(event: Event, state: ClockState, rules: Rules) -> ClockState:
    """Return the clocks after a message: the effects of what it replaces undone, clocks that it settles settled, new clocks started."""
    if is_later(event):
        state = revert(state, chain_of(event))
    if not is_of_compact(event) or event.telling == "cancellation":
        return state
    rule_set = rule_set_on_day(event.jurisdiction, event.ori, event.action_at, rules)
    code = rule_set.code(event.event_type, event.event_subtype)
    if code is None or code.activity is None:
        return state
    activity, chain = activity_of(event, code.activity, state, rule_set), chain_of(event)
    running = tuple(settle_clock(each, activity, rules) if each.chain != chain else each for each in state.clocks)
    known = (*relevant_activities(activity, (each for each in state.activities if each.chain != chain), rule_set), activity)[
        -MAX_ACTIVITIES:
    ]
    started = clocks_started(event, activity, known, rule_set, rules)
    return replace(state, offender=event.offender, clocks=(*running, *started), activities=known)


def relevant_activities(activity: PastActivity, before: Iterable[PastActivity], rule_set: RuleSet) -> tuple[PastActivity, ...]:
    """Return the earlier activities; if the activity reopens a closed case, without those of the case before it was closed."""
    known = tuple(before)
    if not rule_set.workflow.reopens(activity.activity):
        return known
    closings = [at for at, each in enumerate(known) if rule_set.workflow.closes(each.activity) and same_case(each.case, activity.case)]
    return tuple(each for at, each in enumerate(known) if not closings or at > closings[-1] or not same_case(each.case, activity.case))


def activity_of(event: Event, activity: str, state: ClockState, rule_set: RuleSet) -> PastActivity:
    """Return the activity that a message reports, with the message's reason or that of what it answers."""
    matters = rule_set.workflow.gives_reasons(activity) or any(
        each.reasons or each.unless_reasons for each in rule_set.deadlines.raised_by.get(activity, ())
    )
    reason = (reason_of(event) or inherited_reason(event, activity, state, rule_set)) if matters else None
    end = max(event.action_at, event.past_from - 1) if event.date_only else event.action_at
    closed_in = event.receiving_state if rule_set.workflow.closes(activity) else None
    return PastActivity(activity, chain_of(event), event.message_id, event.compact_case, end, event.received_at, reason, closed_in)


def inherited_reason(event: Event, activity: str, state: ClockState, rule_set: RuleSet) -> str | None:
    """Return the reason of the latest activity in the case that this activity answers."""
    known = rule_set.workflow.activities.get(activity)
    sources = {} if known is None else dict(known.reason_from)
    for each in reversed(state.activities):
        if each.activity in sources and each.chain != chain_of(event) and same_case(each.case, event.compact_case):
            return sources[each.activity] or each.reason
    return None


class SubmissionDetails(Struct, frozen=True, gc=False):
    """The fields of a submission that clocks need: why something is requested, and when the message was sent."""

    details: dict[str, str] = {}
    sent_at: str | None = None


def details_of(event: Event) -> SubmissionDetails:
    return msgspec.json.decode(event.submission, type=SubmissionDetails) if event.submission else SubmissionDetails()


def reason_of(event: Event) -> str | None:
    """Return the reason that the message gives, case-folded."""
    text = details_of(event).details.get(REASON_DETAIL)
    return fold(text) if text else None


def day_sent(event: Event, zone: ZoneInfo) -> date:
    """Return the day on which the agency sent the message; the day of receipt if the message names none or a later one."""
    receipt = day_of(event.received_at, zone)
    text = (details_of(event).sent_at or "").upper().replace(" ", "T", 1)
    if "T" not in text:
        return min(iso_day(text) or receipt, receipt)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return receipt
    return min((instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)).astimezone(zone).date(), receipt)


def clocks_started(
    event: Event, activity: PastActivity, known: tuple[PastActivity, ...], rule_set: RuleSet, rules: Rules
) -> Iterator[Clock]:
    """Yield the clocks that the message starts; activities received out of order may already settle them."""
    before = {each.activity for each in known if same_case(each.case, activity.case)}
    for deadline in rule_set.deadlines.started_by(activity.activity, activity.reason):
        if (deadline.after and not before.intersection(deadline.after)) or before.intersection(deadline.unless_after):
            continue
        if not is_reported_by_required_state(deadline, event):
            continue
        end = deadline_of(deadline, event, rule_set, rules)
        if end is None:
            continue
        clock = Clock(
            deadline.key,
            activity.chain,
            event.message_id,
            event.ori,
            event.jurisdiction,
            event.compact_case,
            event.sending_state,
            event.receiving_state,
            event.action_at,
            end,
        )
        for each in known:
            if each.chain != clock.chain:
                clock = settle_clock(clock, each, rules)
        yield clock


def first_day(deadline: Deadline, event: Event, zone: ZoneInfo) -> date:
    """Return the day from which the clock counts if there is no report date: the day of the activity, or a later one."""
    action = day_of(event.action_at, zone)
    if deadline.counted_from == "receipt":
        return max(action, day_of(event.received_at, zone))
    return max(action, day_sent(event, zone)) if deadline.counted_from == "transmission" else action


def is_reported_by_required_state(deadline: Deadline, event: Event) -> bool:
    """Whether the report comes from the state that the clock requires; only a message that names a receiving state can come from it."""
    in_receiving_state = event.receiving_state is not None and event.jurisdiction == event.receiving_state
    return deadline.told_in is None or (deadline.told_in == "receiving state") == in_receiving_state


def deadline_of(deadline: Deadline, event: Event, rule_set: RuleSet, rules: Rules) -> int | None:
    """Return the end of the clock's last day in the owing state; None if the clock needs a report date and there is none."""
    day, count = first_day(deadline, event, rule_set.zone_of(event.ori)), deadline.count
    if deadline.counted_from == "report_by":
        report_by = iso_day(event.report_by)
        if report_by is not None:
            day = report_by
        elif deadline.otherwise is not None:
            count = deadline.otherwise
        else:
            return None
    state = owing_state(deadline, event.sending_state, event.receiving_state)
    owing = rules.rule_set(state, event.action_at) if state is not None else rule_set
    calendar = owing.calendar if state is not None else owing.calendar._replace(state="")
    try:
        return end_of(calendar.after(day, count, deadline.unit), owing.zone)
    except (OverflowError, ValueError):  # beyond the last date that Python supports
        return None


def owing_state(deadline: Deadline, sending: str | None, receiving: str | None) -> str | None:
    """Return the state that owes the event, whose calendar and midnight count; if the victims' authority owes it, the sending state."""
    return receiving if deadline.owed_by == "receiving state" else sending


def settle_clock(clock: Clock, activity: PastActivity, rules: Rules) -> Clock:
    """Return the clock after an activity; it is met or cancelled if the activity does so, is in its case and not before its start."""
    if clock.state not in STILL_OWED or activity.end < clock.begin or not same_case(clock.case, activity.case):
        return clock
    if activity.closed_in is not None and clock.receiving not in {None, activity.closed_in}:  # after a transfer to a subsequent state
        return clock
    deadline = entry_of(clock, rules)
    if deadline is None:
        return clock
    if activity.activity in deadline.met_by:
        return replace(clock, state="met", by=activity.message_id, by_chain=activity.chain, at=activity.received_at)
    if activity.activity in deadline.cancelled_by:
        return replace(clock, state="cancelled", by=activity.message_id, by_chain=activity.chain, at=activity.received_at)
    return clock


def revert(state: ClockState, chain: str) -> ClockState:
    """Return the clocks as if the agency's event had not happened: the clocks it started removed, those it settled reopened."""
    return replace(
        state,
        clocks=tuple(reopen(each) if each.by_chain == chain else each for each in state.clocks if each.chain != chain),
        activities=tuple(each for each in state.activities if each.chain != chain),
    )


def reopen(clock: Clock) -> Clock:
    return replace(clock, state="open", by=None, by_chain=None, at=None)


def expire_clock(clock: Clock, now: int, rules: Rules) -> Clock:
    """Return the clock at `now`: from its deadline on it is overdue, or met if the period only has to pass."""
    if clock.state != "open" or clock.deadline > now:
        return clock
    deadline = entry_of(clock, rules)
    return replace(clock, state="met" if deadline is not None and deadline.lapses else "overdue", at=clock.deadline)


def keep_latest(running: tuple[Clock, ...]) -> tuple[Clock, ...]:
    """Return at most the latest MAX_OPEN running clocks and the latest MAX_SETTLED ended ones."""
    owing = [each for each in running if each.state in STILL_OWED]
    ended = [each for each in running if each.state not in STILL_OWED]
    if len(owing) <= MAX_OPEN and len(ended) <= MAX_SETTLED:
        return running
    return (*ended[-MAX_SETTLED:], *owing[-MAX_OPEN:])


def changed_expectations(before: ClockState, after: ClockState, event: Event | None, now: int, rules: Rules) -> Iterator[Expectation]:
    """Yield the record of every clock that changed; a removed clock is cancelled, unless it had already ended and was only forgotten."""
    was = {id_of(each): each for each in before.clocks}
    left = {id_of(each): each for each in after.clocks}
    by = None if event is None else event.message_id
    for name, each in was.items():
        undone = event is not None and each.chain == chain_of(event)
        if name not in left and (undone or each.state in STILL_OWED):
            yield expectation_of(replace(each, state="cancelled", by=by if undone else None, at=now), after, rules)
    for name, each in left.items():
        if was.get(name) != each:
            yield expectation_of(each, after, rules)


def expectation_of(clock: Clock, state: ClockState, rules: Rules) -> Expectation:
    """Return the published expectation: who owes what to whom, by which rule, and until when."""
    deadline = entry_of(clock, rules)
    owed_by = "unknown" if deadline is None else office_name(deadline.owed_by, clock)
    owing_in = None if deadline is None else owing_state(deadline, clock.sending, clock.receiving)
    owing = (
        rules.rule_set(owing_in, clock.begin)
        if owing_in is not None
        else rule_set_on_day(clock.jurisdiction, clock.ori, clock.begin, rules)
    )
    return Expectation(
        expectation_id=state.formerly.get(id_of(clock)) or f"{state.offender}-{id_of(clock)}",
        message_id=clock.message_id,
        ori=clock.ori,
        offender=state.offender,
        jurisdiction=clock.jurisdiction,
        state=clock.state,
        expects=clock.key if deadline is None else deadline.expects,
        owed_by=owed_by,
        rule="withdrawn" if deadline is None else f"ICAOS Rule {deadline.rule}",
        text=clock.key if deadline is None else f"{deadline.text} Owed by the {owed_by} to the {office_name(deadline.owed_to, clock)}.",
        since=clock.begin,
        deadline=clock.deadline,
        settled_by=clock.by,
        settled_at=clock.at,
        last_day=day_of(clock.deadline - 1, owing.zone).isoformat(),
        owing_state=owing_in,
    )


def office_name(party: str, clock: Clock) -> str:
    """Return the name of a party: by its state if that is known, otherwise by its role in the transfer."""
    state = clock.receiving if party == "receiving state" else clock.sending
    part = "receiving state" if party == "receiving state" else "sending state"
    return OFFICES[party].format(f"{state} ({part})" if state else f"the {part}")


def id_of(clock: Clock) -> str:
    """Return the id of a clock: a digest of the agency's event that started it and of its entry in the rules."""
    return blake2b(f"{clock.chain}\n{clock.key}".encode(), digest_size=8).hexdigest()


def entry_of(clock: Clock, rules: Rules) -> Deadline | None:
    """Return the clock's entry in the rules; None if the rules no longer have it."""
    return rule_set_on_day(clock.jurisdiction, clock.ori, clock.begin, rules).deadlines.by_key.get(clock.key)


def rule_set_on_day(jurisdiction: str, ori: str, instant: int, rules: Rules) -> RuleSet:
    """Return the rules in force on the day of an instant in the agency's own zone, which may differ from the state's default zone."""
    zone = rules.rule_set(jurisdiction, instant).zone_of(ori)
    return rules.rule_set(jurisdiction, noon_of(day_of(instant, zone), zone))


def same_case(one: str | None, other: str | None) -> bool:
    """Whether two messages may be about one compact case: both name the same number, however written, or one names none."""
    return one is None or other is None or one == other or normalize(one) == normalize(other)
