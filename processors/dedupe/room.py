"""
How much is remembered of one offender, and what becomes of the rest.

No real person's events come near it; a feed gone wrong does. The agency that has most of them loses its oldest, and nobody who
should hear something is passed over:

- An event is forgotten: sent again it is told again, and a Cancel or Update of it goes to a reviewer.
- If its Cancel is held, registrants are told of the cancellation at once.
- Of messages that wait for an earlier one, the oldest go to a reviewer before their time.
- The oldest review is closed as discarded, and its agency hears that the message was not delivered.
"""

from typing import Final

from msgspec.structs import replace

from processors.dedupe.effect import Effect
from processors.dedupe.situation import Situation
from processors.dedupe.state import LONGEST, KnownEvent, KnownEvents, WaitingMessage
from processors.dedupe.waiting import review_of, stop_waiting
from processors.domain import room
from processors.domain.event import Event
from processors.domain.review import close_review
from processors.stage import Output
from processors.tally import part_ended
from processors.topics import REVIEWS

ROOM: Final = 1_000  # events, and the ids and contents that they are known by
HELD: Final = 4  # what a held Cancel counts for
LARGEST: Final = 1 + 3 * LONGEST + HELD  # that one event may take


def has_room(known: KnownEvents) -> bool:
    """Whether one message more fits in any case, as for almost everybody."""
    few = (len(known.events) + 1) * LARGEST <= ROOM  # most have no more, and need no counting
    return (few or room_taken(known) + LARGEST <= ROOM) and len(known.waiting) < min(room.MAX_WAITING, room.MAX_IN_REVIEW)


def make_room(situation: Situation) -> Effect:
    """Return the effect of forgetting the events that do not fit, and of flagging at once the messages that do not."""
    known = situation.known
    events: dict[int, KnownEvent | None] = {}
    gone: list[KnownEvent] = []
    if room_taken(known) > ROOM:  # then some more at once, so that not every message has to look for what goes
        gone = room.crowded_out(known.events, ROOM * 9 // 10, ori_of, lambda each: (each.held is not None, each.last or each.seq), size)
    for each in gone:
        held = each.held
        events[each.seq] = None if held is None else replace(each, held=replace(held, due=situation.at), forget_at=situation.at)
    waiting = (each for each in known.waiting if each.review_id is None)
    early = room.crowded_out(waiting, room.MAX_WAITING, ori_of, lambda each: each.seq)
    return Effect(
        events=events,
        waiting={each.seq: replace(each, due=min(each.due, situation.at)) for each in early},
        messages={seq: None for seq, each in events.items() if each is None},
    )


def make_room_and_note_it(situation: Situation, event: Event) -> Effect:
    """Return the same with a note in the journal, under the message that found no room."""
    made = make_room(situation)
    if not made.events:
        return made
    roots = ", ".join(f"{each.root} of {each.ori}" for each in situation.known.events if each.seq in made.events)
    detail = f"more is known of the offender than fits: what was known of message {roots} is forgotten"
    return made.then(Effect(verdicts=(situation.journal.verdict(event, "noted", "crowded_out", detail),)))


def reviews_crowded_out(known: KnownEvents) -> list[WaitingMessage]:
    """Return the messages in review that go once there is room for no more."""
    return room.reviews_crowded_out(known.waiting, ori_of, lambda each: each.seq)


def close_crowded_out(situation: Situation) -> Effect:
    """Return the effect of closing the reviews that do not fit."""
    effect = Effect()
    for each in reviews_crowded_out(situation.known):
        event = situation.stored_message(each.seq)
        review = close_review(review_of(event, each), "discarded")
        detail = f"more than {room.MAX_IN_REVIEW} messages about the offender are in review"
        verdict = situation.journal.verdict(event, "suppressed", "crowded_out", detail, each.review_id)
        outputs = (Output(REVIEWS, review.review_id, review), *part_ended(event, "failed"))
        effect = effect.then(stop_waiting(situation, {each.seq})).then(Effect(outputs=outputs, verdicts=(verdict,)))
    return effect


def room_taken(known: KnownEvents) -> int:
    """Return how much room all events take."""
    return sum([size(each) for each in known.events])


def size(known: KnownEvent) -> int:
    """Return how much room an event takes."""
    names = len(known.message_ids) + len(known.fingerprints) + len(known.cancel_ids)
    return 1 + names + (HELD if known.held is not None else 0)


def ori_of(kept: KnownEvent | WaitingMessage) -> str:
    return kept.ori
