"""
A Cancel or Update of an unknown event waits for `out_of_order.hold`, is then flagged, and has no effect until a reviewer acts.

Once released, it takes effect at once, whether or not its target has arrived in the meantime.
"""

from msgspec.structs import replace

from processors.dedupe.effect import Effect
from processors.dedupe.forward import output_event
from processors.dedupe.situation import NAME, Message, Situation
from processors.dedupe.state import KnownEvent, WaitingMessage
from processors.dedupe.transitions import take_effect, verdict
from processors.domain.event import Event
from processors.domain.review import STATE_AFTER, Review, ReviewAction, close_review, open_review, review_id
from processors.domain.time import iso
from processors.stage import Output
from processors.tally import part_ended
from processors.topics import REVIEWS


def wait_for_target(situation: Situation, message: Message) -> Effect:
    """Let a message about an unknown event wait for `out_of_order.hold`."""
    event = message.event
    due = event.received_at + situation.rules.duration("out_of_order.hold", event.scope)
    waiting = WaitingMessage(
        seq=event.seq,
        ori=event.ori,
        message_id=event.message_id,
        reference=message.reference,
        fingerprint=message.fingerprint,
        due=due,
    )
    detail = f"message {message.reference} of {event.ori} is not known; it may come until {iso(due)}"
    stored = Effect(waiting={event.seq: waiting}, messages={event.seq: event})
    return stored.then(verdict(situation, message, "waiting", "out_of_order_hold", detail))


def flag_waiting(situation: Situation, waiting: WaitingMessage) -> Effect:
    """Open a review of a message whose wait is over."""
    event = situation.stored_message(waiting.seq)
    review = review_of(event, waiting)
    return Effect(
        waiting={waiting.seq: replace(waiting, review_id=review.review_id)},
        outputs=(Output(REVIEWS, review.review_id, review),),
        verdicts=(situation.journal.verdict(event, "flagged", review.reason, review.detail, review.review_id),),
    )


def review_of(event: Event, waiting: WaitingMessage) -> Review:
    reason = "unknown_reference"
    name = review_id(NAME, event.offender, event.ori, event.message_id, str(event.part), reason, str(event.seq), separator="\0")
    detail = f"the {event.operation} is about message {waiting.reference}, which {event.ori} has not sent by {iso(waiting.due)}"
    if event.refers_to is None:
        detail = f"the {event.operation} names no message (refers_to), and {event.ori} sent no other of its id by {iso(waiting.due)}"
    return open_review(event, name, reason, detail, waiting.due)


def stop_waiting(situation: Situation, seqs: set[int]) -> Effect:
    """Remove waiting messages by `seq`."""
    ended = {each.seq: None for each in situation.known.waiting if each.seq in seqs}
    return Effect(waiting=ended, messages=ended)


def act_on_review(situation: Situation, action: ReviewAction) -> Effect:
    """Carry out a reviewer's decision on a message that was flagged here."""
    waiting = next((each for each in situation.known.waiting if each.review_id == action.review_id), None)
    if waiting is None or waiting.review_id is None:
        return Effect(verdicts=(situation.journal.unknown_review(action, situation.offender),))
    event = situation.stored_message(waiting.seq)
    comment = f"by {action.reviewer}: {action.reason}"
    if action.action == "discard":
        discarded = situation.journal.verdict(event, "suppressed", "discarded", f"discarded {comment}", waiting.review_id)
        return close_waiting(situation, event, waiting, action).then(Effect(outputs=part_ended(event, "failed"), verdicts=(discarded,)))
    return (
        close_waiting(situation, event, waiting, action)
        .then(Effect(verdicts=(situation.journal.verdict(event, "noted", "released", f"released {comment}", waiting.review_id),)))
        .then(release_message(situation, Message(replace(event, released_by=action.reviewer), waiting.fingerprint)))
    )


def close_waiting(situation: Situation, event: Event, waiting: WaitingMessage, action: ReviewAction) -> Effect:
    """Close the review of a message, and remove the message from those that wait."""
    review = close_review(review_of(event, waiting), STATE_AFTER[action.action], action)
    return stop_waiting(situation, {event.seq}).then(Effect(outputs=(Output(REVIEWS, review.review_id, review),)))


def release_message(situation: Situation, message: Message) -> Effect:
    """Let a released message take effect, even if its target is unknown."""
    event = message.event
    known = situation.event_referred_to(message)
    if known is not None:
        return take_effect(situation, known, message, event.operation)
    overtaken = None if message.reference == event.message_id else message.reference
    opened = KnownEvent(
        seq=event.seq, ori=event.ori, root=message.reference, state="new", message_ids=(message.reference,), overtaken=overtaken
    )
    if event.operation == "Update":  # the event is otherwise unknown, so this is told as if it were its first message
        return take_effect(situation, situation.event_with_same_content(message) or opened, message, "Add")
    cancelled = replace(opened.with_cancel_id(event.message_id), state="cancelled", forget_at=situation.window_end(event.scope))
    sent = replace(event, telling="cancellation", root=message.reference)
    detail = f"message {message.reference} is not known here; those who were told of it are told"
    return Effect(
        events={opened.seq: cancelled},
        outputs=(output_event(situation, sent),),
        verdicts=(situation.journal.verdict(event, "passed", "cancelled", detail),),
    )
