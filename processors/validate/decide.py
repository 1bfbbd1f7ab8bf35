"""
Validate: an event goes on if it contradicts nothing known and is neither past nor too far ahead.

Reads     events.distinct    by offender: events, registrations resolved to an offender, reviewers' actions
          validate.handover  the state of an offender who was merged into another (processors/handover.py)
Writes    events.confirmed   events to be told, byte for byte if nothing was changed; registrations unchanged
          reviews            flagged messages, and every later state of their reviews
          expectations       events that an agency announced, and events with a legal deadline
          standings          an offender's status and location, when they change
          tally              parts of submissions that end here
          validate.handover  the state of an offender who is merged into another
Keeps     of each offender: the history by action time, what was told, what is expected, the compact cases and clocks
          messages that wait or are in review, each whole and under its own key, up to the limits of limits.py
Waits     a message whose Previous Event is missing, for `out_of_order.hold`; a release to another facility, for `transfer.hold`
Flags     messages that fail a check (contract §3.1.2–8, in the order of `checks.CHECK_RULES`); one that is too far ahead is released
          once its date comes within range
Suppresses  messages that are past or internal, releases told by an intake, cancellations of what nobody was told of
Rejects   nothing
Replayed  the same record on the same state gives the same decision: ids are digests, and time is the receive time
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final

from msgspec import structs

from processors.domain.event import Event
from processors.domain.merge import SameEvent
from processors.domain.registration import Enrolment
from processors.domain.review import ReviewAction, subject_of
from processors.handover import Merger, with_handover
from processors.stage import Context, Decision, Input, Output, Record, RulesChanged, Stage, TimerFired
from processors.topics import CONFIRMED, DISTINCT, EXPECTATIONS, REVIEWS, STANDINGS, TALLY, VALIDATE_HANDOVER, VALIDATE_STATE
from processors.validate import effect
from processors.validate.chain import chain_of
from processors.validate.draft import Draft, Situation, known_of
from processors.validate.incoming import receive_event
from processors.validate.limits import close_crowded_out, end_crowded_out_waits, reviews_crowded_out
from processors.validate.merge import merge_states, rename_event, state_keys
from processors.validate.pending import act_on_review, check_again, check_waiting
from processors.validate.reviews import NAME
from processors.validate.standing import present_standing
from processors.validate.state import OffenderState, Pending, State, deadline


def keys(given: Input, states: Mapping[str, State]) -> Iterable[str]:
    """Return the keys of the offender's document, and of the pending messages that this input may release, replace or settle."""
    offender = offender_of(given)
    if offender is None:
        return ()
    known = states.get(offender)
    if type(known) is not OffenderState or not known.pending:
        return (offender,)
    if isinstance(given, Record) and isinstance(given.value, Event):
        chain = chain_of(given.value)
        about = [each.key for each in known.pending if each.review_id is None or each.chain == chain]
        return (offender, *about, *(each.key for each in reviews_crowded_out(known)))
    return (offender, *(pending.key for pending in known.pending if concerns(given, pending)))


def offender_of(given: Input) -> str | None:
    """Return the offender that the input is about; None if the input needs no state."""
    if not isinstance(given, Record):
        return given.key
    if isinstance(given.value, Event):
        return given.value.offender
    if isinstance(given.value, SameEvent) or (isinstance(given.value, Enrolment) and given.value.asks):
        return given.value.offender
    ours = isinstance(given.value, ReviewAction) and subject_of(given.value.review_id, NAME) is not None
    return given.key if ours else None  # the record's key is current; the key in the review id may since have been merged into another


def concerns(given: Input, pending: Pending) -> bool:
    """Whether an input other than an event may affect a pending message; one that waits for a time may be affected by any input."""
    if pending.review_id is None:
        return True
    if isinstance(given, RulesChanged):
        return pending.due is not None
    if isinstance(given, TimerFired):
        return pending.due is not None and pending.due <= given.due_at
    return isinstance(given.value, ReviewAction) and pending.review_id == given.value.review_id


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision on an event, a registration, a reviewer's action, a timer, or changed rules."""
    if not isinstance(given, Record):
        return decide_timer(given, states, context)
    value = given.value
    if isinstance(value, Event):
        now = situation(value.offender, value.received_at, states, context)
        if not now.known.pending:
            return check_waiting(receive_event(value, now)).decision()
        draft = close_crowded_out(now).then(partial(receive_event, value))
        return end_crowded_out_waits(check_waiting(draft)).decision()
    if isinstance(value, Enrolment):
        asked = with_standing(value, states, given.timestamp, context) if value.asks else value
        return Decision(outputs=(Output(CONFIRMED, given.key, asked),))
    if isinstance(value, SameEvent):
        return Decision[State](outputs=(Output(CONFIRMED, given.key, value),)).then(rename_event(value, states))
    if isinstance(value, ReviewAction):
        return check_waiting(act_on_review(value, situation(offender_of(given) or "", value.received_at, states, context))).decision()
    raise TypeError(f"validate reads no {type(value).__name__}")


def with_standing(enrolment: Enrolment, states: Mapping[str, State], now: int, context: Context) -> Enrolment:
    """Return the request for an offender's standing with the answer filled in; unchanged if nothing is known."""
    known = known_of(enrolment.offender, states)
    if not known.history:
        return enrolment
    return structs.replace(enrolment, standing=present_standing(enrolment.offender, known, context.rules, now))


def decide_timer(given: TimerFired | RulesChanged, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision on a timer, or on changed rules."""
    if isinstance(given, TimerFired):
        return check_waiting(check_due(situation(given.key, given.due_at, states, context))).decision()
    return check_waiting(check_held_again(situation(given.key, given.at, states, context))).decision()


def situation(offender: str, now: int, states: Mapping[str, State], context: Context) -> Situation:
    return Situation(offender, now, context.rules, states, known_of(offender, states))


def check_due(now: Situation) -> Draft:
    """Check every message that is due again, in order of time; then end the legal clocks that are due."""
    due = [(each.due, each.key, each) for each in now.known.pending if each.due is not None and each.due <= now.now]
    draft = Draft(now)
    for _, _, pending in sorted(due):
        draft = draft.then(partial(check_again, pending))
    known = draft.situation.known
    if known.clock_due is None or known.clock_due > now.now:
        return draft
    return draft.after(effect.expire_clocks(known, now.now, now.rules), took_effect=False)


def check_held_again(now: Situation) -> Draft:
    """Check every message that waits for a time again: under the current rules and settings, the time may have changed or passed."""
    draft = Draft(now)
    for pending in now.known.pending:
        if pending.due is not None:
            draft = draft.then(partial(check_again, pending))
    return draft


STAGE: Final = with_handover(
    Stage(
        name=NAME,
        inputs=(DISTINCT,),
        outputs=(CONFIRMED, REVIEWS, EXPECTATIONS, STANDINGS, TALLY),
        changelog=VALIDATE_STATE,
        state=State,
        keys=keys,
        decide=decide,
        deadline=deadline,
        reevaluates=True,
    ),
    Merger(VALIDATE_HANDOVER, CONFIRMED, state_keys, merge_states),
)
