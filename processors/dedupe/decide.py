"""
Dedupe: removes duplicates and holds cancellations (contract §3.1.1; specification §4, "Duplicate messages will not be delivered").

Reads     events            by offender: events, enrolments, review actions, merges of two offenders
          dedupe.handover   the state of an offender who was merged into another (processors/handover.py)
Writes    events.distinct   events that registrants may have to be told of: news, changes, cancellations; enrolments and the
                            review actions of later stages, unchanged and in order
          reviews           messages flagged here, and the end of each review
          tally             parts of submissions that end here, or repeat another submission
          dedupe.handover   the state of an offender who is merged into another
Keeps     for each event of an agency: its message ids, the contents it has had, and the newest message about it; messages that
          wait or are in review. An event is recognized for `duplicate.window` after it was told. It can be changed and
          cancelled until then or, if that is later, until its date is past by `date.past`, since an event may be told a year
          ahead
Flags     a Cancel or Update of an unknown event, after `out_of_order.hold` (`unknown_reference`)
Rejects   nothing
Replayed  a decision depends only on the record and the states: read again before its states were stored, a record gives the
          same decision; read again after that, it is suppressed as a copy of itself

What a message does depends on the state of its event (transitions.py). Corner cases, each with a test that names it:

- Messages of one agency with the same content (fingerprint.py) are about the same event. A message id that is reused for
  different content is another event. The same content under another id is the same event, which then has both ids.
- After A was changed to B, A sent again as an Add is a late copy, not a change back: A was already told. Only an Update changes
  an event back.
- A Cancel cancels the whole event, whichever of its messages it names, with the values told last. While the Cancel is held,
  it is revoked by an Update, or by an Add with any content that the event ever had. Any difference from what was told last is
  then a change. An Add with other content is a separate event, and the cancellation is told as well.
- After a cancellation was told, the same event is news again, and an Update brings the event back as news.
- A Cancel or Update that arrives before its target is the later statement. When the target arrives, the last message that waited
  decides: an Update is told as news in the target's place; after a Cancel nothing is told.
- The same Cancel or Update twice is a duplicate, even while the first waits, is in review, or has been overtaken.
- A flagged message does nothing until a reviewer releases it; then it takes effect at once.
- An event that a conflict of identities kept from some registrants is sent to them with its last content (withheld.py).
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Final

from processors.dedupe.effect import Effect, apply, decision
from processors.dedupe.limits import close_crowded_out, has_room, make_room_with_note, reviews_crowded_out
from processors.dedupe.merge import merge_states, state_keys
from processors.dedupe.situation import NAME, Message, Situation, situation_of, target_event
from processors.dedupe.state import KnownEvent, KnownEvents, State, deadline, message_key, rename_unheard_state
from processors.dedupe.transitions import DEADLINE_TRANSITIONS, suppress, take_effect
from processors.dedupe.waiting import act_on_review, flag_waiting, stop_waiting, wait_for_target
from processors.dedupe.withheld import event_sent_before, forward_withheld
from processors.domain.event import Event
from processors.domain.review import ReviewAction, subject_of
from processors.handover import Merger, with_handover
from processors.stage import Context, Decision, Input, Output, Record, Stage, TimerFired
from processors.tally import part_ended
from processors.topics import DEDUPE_HANDOVER, DEDUPE_STATE, DISTINCT, EVENTS, REVIEWS, TALLY


def keys(given: Input, found: Mapping[str, State]) -> Iterable[str]:
    """Return the keys of the offender's document, and of the stored messages that the input may be compared with."""
    offender = offender_of(given)
    if offender is None:
        return ()
    known = found.get(offender)
    if type(known) is not KnownEvents:
        return (offender,)
    needed = messages_needed(given, known)
    if known.waiting and isinstance(given, Record) and isinstance(given.value, Event):
        needed += [each.seq for each in reviews_crowded_out(known)]
    return (offender, *[message_key(offender, seq) for seq in needed])


def offender_of(given: Input) -> str | None:
    """Return the offender that the input is about; None if the input only passes through."""
    if not isinstance(given, Record):
        return given.key
    if isinstance(given.value, Event):
        return given.value.offender
    ours = isinstance(given.value, ReviewAction) and subject_of(given.value.review_id, NAME) is not None
    return given.key if ours else None  # the record's key is current; the key in the review id may since have been merged into another


def messages_needed(given: Input, known: KnownEvents) -> list[int]:
    """Return which stored messages are needed: for a timer those that are due, for an Add those whose Cancel is held."""
    if not isinstance(given, Record):
        until = given.due_at if isinstance(given, TimerFired) else given.at
        held = [each.seq for each in known.events if each.held is not None and each.held.due <= until]
        return held + [each.seq for each in known.waiting if each.review_id is None and each.due <= until]
    if isinstance(given.value, Event):
        if given.value.withheld:
            before = event_sent_before(known, given.value)
            return [] if before is None else [before.seq]
        operation = given.value.operation
        if operation == "Cancel":
            return []
        if operation == "Add" and not known.waiting:
            return [each.seq for each in known.events if each.state == "held"]
    told = [each.seq for each in known.events if each.state != "cancelled"]
    return told + [each.seq for each in known.waiting]


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision on one event, enrolment, review action or timer."""
    if not isinstance(given, Record):
        situation = situation_of(given.key, given.due_at if isinstance(given, TimerFired) else given.at, context.rules, states)
        return decision(fire_timer(situation), situation)
    offender = offender_of(given)
    value = given.value
    if offender is None:
        return Decision((Output(DISTINCT, given.key, value),))
    situation = situation_of(offender, value.received_at, context.rules, states)
    if isinstance(value, ReviewAction):
        return decision(act_on_review(situation, value), situation)
    return decision(forward_withheld(situation, value) if value.withheld else receive_event(situation, value), situation)


def receive_event(situation: Situation, event: Event) -> Effect:
    """Return the effect of a message within the limits of limits.py."""
    if has_room(situation.known):
        return receive_message(situation, situation.message(event))
    closed = close_crowded_out(situation)
    before = apply(closed, situation)
    effect = closed.then(receive_message(before, before.message(event)))
    return effect.then(make_room_with_note(apply(effect, situation), event)) if effect.events or effect.waiting else effect


def receive_message(situation: Situation, message: Message) -> Effect:
    """Return the effect of a message and of the messages that waited for it; the last of them decides."""
    event = message.event
    if situation.is_repeated(message):
        detail = f"this {event.operation} of message {message.reference} was heard before"
        return suppress(situation, event, "duplicate", detail, part_ended(event, "copy"))
    known = target_event(situation, message)
    if known is None:
        return wait_for_target(situation, message)
    followers = situation.messages_waiting_for(event)
    if not followers:
        return take_effect(situation, known, message, event.operation)
    *overtaken, last = message, *followers
    effect = stop_waiting(situation, {each.event.seq for each in followers})
    for each in overtaken:
        detail = f"a later message about {known.root} had come before it could be told"
        effect = effect.then(suppress(situation, each.event, "superseded", detail))
        known = with_replaced_message(situation, known, each)
    return effect.then(take_effect(situation, known, last, last.event.operation))


def with_replaced_message(situation: Situation, known: KnownEvent, message: Message) -> KnownEvent:
    """Return the event with the id and content of a message that was replaced before it was told."""
    event = message.event
    if event.operation == "Cancel":
        return known.with_cancel_id(event.message_id)
    return known.with_earlier_content(event.message_id, message.fingerprint, situation.window_end(event.scope))


def fire_timer(situation: Situation) -> Effect:
    """Return the effect of a timer: messages whose target is still unknown are flagged, held Cancels sent, old events forgotten."""
    flagged = [
        flag_waiting(situation, each) for each in situation.known.waiting if each.deadline is not None and each.deadline <= situation.at
    ]
    ended = [DEADLINE_TRANSITIONS[each.state].handler(situation, each) for each in situation.known.events if each.deadline <= situation.at]
    return reduce(Effect.then, (*flagged, *ended), Effect())


STAGE: Final = with_handover(
    Stage(
        name=NAME,
        inputs=(EVENTS,),
        outputs=(DISTINCT, REVIEWS, TALLY),
        changelog=DEDUPE_STATE,
        state=State,
        keys=keys,
        decide=decide,
        deadline=deadline,
        migrations={1: rename_unheard_state},
    ),
    Merger(DEDUPE_HANDOVER, DISTINCT, state_keys, merge_states),
)
