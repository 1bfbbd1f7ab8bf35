"""
Dedupe: removes duplicates; holds cancellations (contract §3.1.1; specification §4, "Duplicate messages will not be delivered").

Reads     events            by offender: events, enrolments, review actions, merges of two offenders
          dedupe.handover   what was kept of an offender who was merged into another (processors/handover.py)
Writes    events.distinct   what registrants may have to be told: news, changes, cancellations; enrolments and the
                            review actions of later stages, unchanged and in order
          reviews           what is flagged here, and the end of its review
          tally             that a submission's part ended here, or repeats another's
          dedupe.handover   what is kept of an offender who is merged into another
Keeps     for each event of an agency: the message ids that name it, the contents it has had, and the newest message
          sent about it; a message that waits, or is in review. An event is recognised for `duplicate.window` from when it
          was told; it can be changed and cancelled until then and, if that is later, until its date is past by
          `date.past`, since an event may be told a year ahead
Flags     a Cancel or Update of an unknown event, after `out_of_order.hold` (`unknown_reference`)
Rejects   nothing
Replayed  a decision depends on the record and the states alone: read again before its states were stored, it comes out
          the same; read again after, it is a copy of itself and suppressed

What a message does depends on the state of its event (transitions.py). Corner cases, each with a test that names it:

- Messages of one agency with the same content (fingerprint.py) are about the same event. A message id used again for
  something else is another event; the same content under another id is the same event, which from then on has that id too.
- After A was changed to B, A sent again as an Add is a late copy, not a change back: A was told. Only an
  Update changes an event back.
- A Cancel cancels the event, whichever of its messages it names, with the values told last. While the Cancel is held, the
  event sent again with any content it ever had revokes it; so does an Update. What then differs from what was told
  last is a change. Anything else sent meanwhile is an event of its own, and the cancellation is told as well.
- After a cancellation was told, the same event is news, and an Update brings the event back as news.
- A Cancel or Update that came before its target is the later statement. When the target comes, the last of those that
  waited decides: an Update is told as news in its place; after a Cancel nothing is told at all.
- The same Cancel or Update twice is a duplicate, also while it waits, is in review, or was overtaken since.
- Once flagged, a message does nothing until a reviewer releases it; then it does what it says at once.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Final

from processors.dedupe.effect import Effect, apply, decision
from processors.dedupe.merge import documents, fold
from processors.dedupe.room import close_crowded_out, has_room, make_room_and_note_it, reviews_crowded_out
from processors.dedupe.situation import NAME, Message, Situation, event_meant, situation
from processors.dedupe.state import KnownEvent, KnownEvents, State, deadline, message_key, unheard_is_new
from processors.dedupe.transitions import AT_DEADLINE, suppress, take_effect
from processors.dedupe.waiting import act_on_review, flag, stop_waiting, wait
from processors.domain.event import Event
from processors.domain.review import ReviewAction, subject_of
from processors.handover import Merger, with_handover
from processors.stage import Context, Decision, Input, Output, Record, Stage, Wake
from processors.tally import part_ended
from processors.topics import DEDUPE_HANDOVER, DEDUPE_STATE, DISTINCT, EVENTS, REVIEWS, TALLY


def keys(given: Input, found: Mapping[str, State]) -> Iterable[str]:
    """Name the offender's document, and the stored messages that the input may be compared with."""
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
    """Return the offender the input is about; None if it only passes through."""
    if not isinstance(given, Record):
        return given.key
    if isinstance(given.value, Event):
        return given.value.offender
    ours = isinstance(given.value, ReviewAction) and subject_of(given.value.review_id, NAME) is not None
    return given.key if ours else None  # the key of today: a review id has that of the day when the message was flagged


def messages_needed(given: Input, known: KnownEvents) -> list[int]:
    """Return the stored messages to read: for a timer those due, for an Add those whose Cancel is held."""
    if not isinstance(given, Record):
        until = given.due_at if isinstance(given, Wake) else given.at
        held = [each.seq for each in known.events if each.held is not None and each.held.due <= until]
        return held + [each.seq for each in known.waiting if each.review_id is None and each.due <= until]
    if isinstance(given.value, Event):
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
        now = situation(given.key, given.due_at if isinstance(given, Wake) else given.at, context.rules, states)
        return decision(wake(now), now)
    offender = offender_of(given)
    value = given.value
    if offender is None:
        return Decision((Output(DISTINCT, given.key, value),))
    now = situation(offender, value.received_at, context.rules, states)
    return decision(act_on_review(now, value) if isinstance(value, ReviewAction) else receive_with_room(now, value), now)


def receive_with_room(now: Situation, event: Event) -> Effect:
    """Return the effect of a message, given the room there is for what is known of the offender."""
    if has_room(now.known):
        return receive(now, now.message(event))
    closed = close_crowded_out(now)
    before = apply(closed, now)
    effect = closed.then(receive(before, before.message(event)))
    return effect.then(make_room_and_note_it(apply(effect, now), event)) if effect.events or effect.waiting else effect


def receive(now: Situation, message: Message) -> Effect:
    """Return the effect of a message and of those that waited for it, of which the last decides."""
    event = message.event
    if now.is_repeated(message):
        detail = f"this {event.operation} of message {message.reference} was heard before"
        return suppress(now, event, "duplicate", detail, part_ended(event, "copy"))
    known = event_meant(now, message)
    if known is None:
        return wait(now, message)
    followers = now.followers(event)
    if not followers:
        return take_effect(now, known, message, event.operation)
    *overtaken, last = message, *followers
    effect = stop_waiting(now, {each.event.seq for each in followers})
    for each in overtaken:
        detail = f"a later message about {known.root} had come before it could be told"
        effect = effect.then(suppress(now, each.event, "superseded", detail))
        known = with_overtaken(now, known, each)
    return effect.then(take_effect(now, known, last, last.event.operation))


def with_overtaken(now: Situation, known: KnownEvent, message: Message) -> KnownEvent:
    """Return the event with the message id and the content of a message that was replaced before it was told."""
    event = message.event
    if event.operation == "Cancel":
        return known.with_cancel_id(event.message_id)
    return known.with_earlier_content(event.message_id, message.fingerprint, now.window_end(event.scope))


def wake(now: Situation) -> Effect:
    """Return the effect of a timer: references are given up, cancellations told, old events forgotten."""
    flagged = [flag(now, each) for each in now.known.waiting if each.deadline is not None and each.deadline <= now.at]
    ended = [AT_DEADLINE[each.state].handler(now, each) for each in now.known.events if each.deadline <= now.at]
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
        migrations={1: unheard_is_new},
    ),
    Merger(DEDUPE_HANDOVER, DISTINCT, documents, fold),
)
