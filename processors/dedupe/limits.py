"""
Limits on what dedupe remembers of one offender, and what happens beyond them.

Only a runaway feed reaches these limits; no real person has so many events. The agency that has the most loses its oldest items, in
such a way that nobody who should be told is missed:

- An event is forgotten: if it is sent again, it is told again; a Cancel or Update of it goes to a reviewer.
- If the event's Cancel is held, registrants are told of the cancellation at once.
- Of the messages that wait for an earlier one, the oldest go to a reviewer early.
- The oldest review is closed as discarded, and its agency is told that the message was not delivered.
"""

from typing import Final

from msgspec.structs import replace

from processors.dedupe.effect import Effect
from processors.dedupe.situation import Situation
from processors.dedupe.state import MAX_IDS, KnownEvent, KnownEvents, WaitingMessage
from processors.dedupe.waiting import review_of, stop_waiting
from processors.domain import limits
from processors.domain.event import Event
from processors.domain.review import close_review
from processors.stage import Output
from processors.tally import part_ended
from processors.topics import REVIEWS

MAX_SIZE: Final = 1_000  # for one offender: every event, message id, fingerprint and Cancel id counts as 1
HELD_CANCEL_SIZE: Final = 4  # a held Cancel counts as 4
MAX_EVENT_SIZE: Final = 1 + 3 * MAX_IDS + HELD_CANCEL_SIZE


def has_room(known: KnownEvents) -> bool:
    """Whether one more message is sure to fit; true for almost every offender."""
    few = (len(known.events) + 1) * MAX_EVENT_SIZE <= MAX_SIZE  # the usual case needs no counting
    return (few or total_size(known) + MAX_EVENT_SIZE <= MAX_SIZE) and len(known.waiting) < min(limits.MAX_WAITING, limits.MAX_IN_REVIEW)


def make_room(situation: Situation) -> Effect:
    """Return the effect of forgetting the events that do not fit, and of flagging at once the messages that do not."""
    known = situation.known
    events: dict[int, KnownEvent | None] = {}
    gone: list[KnownEvent] = []
    if total_size(known) > MAX_SIZE:  # free some extra space, so that not every further message has to
        gone = limits.crowded_out(
            known.events, MAX_SIZE * 9 // 10, ori_of, lambda each: (each.held is not None, each.last or each.seq), size
        )
    for each in gone:
        held = each.held
        events[each.seq] = None if held is None else replace(each, held=replace(held, due=situation.at), forget_at=situation.at)
    waiting = (each for each in known.waiting if each.review_id is None)
    early = limits.crowded_out(waiting, limits.MAX_WAITING, ori_of, lambda each: each.seq)
    return Effect(
        events=events,
        waiting={each.seq: replace(each, due=min(each.due, situation.at)) for each in early},
        messages={seq: None for seq, each in events.items() if each is None},
    )


def make_room_with_note(situation: Situation, event: Event) -> Effect:
    """Do the same as `make_room`, with a verdict in the journal under the message that did not fit."""
    made = make_room(situation)
    if not made.events:
        return made
    roots = ", ".join(f"{each.root} of {each.ori}" for each in situation.known.events if each.seq in made.events)
    detail = f"more is known of the offender than fits: what was known of message {roots} is forgotten"
    return made.then(Effect(verdicts=(situation.journal.verdict(event, "noted", "crowded_out", detail),)))


def reviews_crowded_out(known: KnownEvents) -> list[WaitingMessage]:
    """Return the messages whose reviews are closed since no more fit."""
    return limits.reviews_crowded_out(known.waiting, ori_of, lambda each: each.seq)


def close_crowded_out(situation: Situation) -> Effect:
    """Return the effect of closing the reviews that do not fit."""
    effect = Effect()
    for each in reviews_crowded_out(situation.known):
        event = situation.stored_message(each.seq)
        review = close_review(review_of(event, each), "discarded")
        detail = f"more than {limits.MAX_IN_REVIEW} messages about the offender are in review"
        verdict = situation.journal.verdict(event, "suppressed", "crowded_out", detail, each.review_id)
        outputs = (Output(REVIEWS, review.review_id, review), *part_ended(event, "failed"))
        effect = effect.then(stop_waiting(situation, {each.seq})).then(Effect(outputs=outputs, verdicts=(verdict,)))
    return effect


def total_size(known: KnownEvents) -> int:
    """Return the size of all events together (see MAX_SIZE)."""
    return sum([size(each) for each in known.events])


def size(known: KnownEvent) -> int:
    """Return the size of one event (see MAX_SIZE)."""
    names = len(known.message_ids) + len(known.fingerprints) + len(known.cancel_ids)
    return 1 + names + (HELD_CANCEL_SIZE if known.held is not None else 0)


def ori_of(kept: KnownEvent | WaitingMessage) -> str:
    return kept.ori
