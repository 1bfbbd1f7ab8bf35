"""Identify's reviews: offenders who may be one person, registrations that nearly match, and messages beyond the surge limit."""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import structs

from processors.domain.event import Event, with_hold_until
from processors.domain.journal import Outcome
from processors.domain.review import STATE_AFTER, Review, ReviewAction, close_review, review_id
from processors.domain.review import open_review as new_review
from processors.ingest.identify import pages
from processors.ingest.identify.identity import current_key
from processors.ingest.identify.journal import STAGE, event_verdict
from processors.ingest.identify.state import Offender, OpenReview, State, States, find, group_key, review_key
from processors.stage import Context, Decision, Output
from processors.tally import part_ended
from processors.topics import EVENTS, REVIEWS

OUTCOMES: Final[Mapping[str, Outcome]] = {"release": "passed", "discard": "suppressed"}


def open_review(event: Event, reason: str, detail: str) -> Review:
    """Return a new, open review of a message."""
    name = review_id(STAGE, event.offender, event.ori, event.message_id, str(event.part), reason, str(event.seq), separator="|")
    return new_review(event, name, reason, detail, event.received_at)


def publish_review(
    review: Review,
    events: tuple[Event, ...] = (),
    submission: bytes = b"",
    offenders: tuple[str, ...] = (),
    registration_id: str | None = None,
) -> Decision[State]:
    """Publish an open review, which holds events or asks about offenders."""
    opened = OpenReview(review, events, submission, offenders, registration_id)
    return Decision((Output(REVIEWS, review.review_id, review),), {review_key(review.review_id): opened})


def hold_events(states: States, events: tuple[Event, ...], group: str, detail: str) -> tuple[Review, Decision[State]]:
    """Hold events in a review that belongs to a group; return the review, and the decision."""
    review = structs.replace(open_review(events[0], "surge", detail), group=group)
    bare = tuple(structs.replace(each, submission=b"") for each in events)
    _, added = pages.add(states, group_key(group), review.review_id)
    return review, publish_review(review, bare, events[0].submission).then(added)


def replacing_keys(review: str | None, states: States) -> Iterator[str]:
    """Yield the keys needed to replace a held message."""
    if review is not None:
        yield review_key(review)
        waiting = find(states, review_key(review), OpenReview)
        if waiting is not None:
            yield from waiting_keys(waiting, states)
            if waiting.review.group is not None:
                yield from group_keys(waiting.review.group, states)


def waiting_keys(waiting: OpenReview, states: States) -> Iterator[str]:
    """Yield the keys of the held events' offenders, and of those they were merged into."""
    for each in waiting.events:
        yield each.offender
        yield current_key(each.offender, states)


def at_current_keys(states: States, waiting: OpenReview) -> OpenReview:
    """Return the review with its events under their offenders' current keys."""
    if all(current_key(each.offender, states) == each.offender for each in waiting.events):
        return waiting
    events = []
    for each in waiting.events:
        key = current_key(each.offender, states)
        offender = find(states, key, Offender)
        events.append(structs.replace(each, offender=key, formerly=offender.formerly if offender is not None else ()))
    return structs.replace(waiting, events=tuple(events))


def settle_review(states: States, waiting: OpenReview, action: ReviewAction, context: Context) -> Decision[State]:
    """Close the review as the reviewer decided; its events are sent on, to be checked like any others, or dropped."""
    state = STATE_AFTER[action.action]
    review = close_review(waiting.review, state, action)
    detail = f"{action.action.capitalize()} by {action.reviewer}: {action.reason}"
    waiting = at_current_keys(states, waiting)
    verdicts = tuple(
        structs.replace(event_verdict(each, context, OUTCOMES[action.action], state, detail, review.review_id), at=action.received_at)
        for each in waiting.events
    )
    if action.action == "release":
        released = (structs.replace(each, submission=waiting.submission) for each in waiting.events)
        outputs = tuple(Output(EVENTS, each.offender, with_hold_until(each, action.received_at)) for each in released)
    else:
        outputs = tuple(end for each in waiting.events for end in part_ended(each, "nobody" if each.withheld else "failed"))
    return Decision((Output(REVIEWS, review.review_id, review), *outputs), {review_key(review.review_id): None}, verdicts)


def supersede_review(waiting: OpenReview, by: tuple[Event, ...], context: Context) -> Decision[State]:
    """Replace a held message by a later one from the agency, for the offenders concerned (contract §3.1.1)."""
    later, review = by[0], waiting.review
    offenders = {each.offender for each in by}
    left = tuple(each for each in waiting.events if each.offender not in offenders)
    detail = f"Message {later.message_id} ({later.operation}) replaced it while it was held."
    verdicts = tuple(
        structs.replace(event_verdict(each, context, "suppressed", "superseded", detail, review.review_id), at=later.received_at)
        for each in waiting.events
        if each.offender in offenders
    )
    ends = tuple(end for each in waiting.events if each.offender in offenders for end in part_ended(each))
    key = review_key(review.review_id)
    if left:
        return Decision(ends, {key: structs.replace(waiting, events=left)}, verdicts)
    return Decision((Output(REVIEWS, review.review_id, close_review(review, "superseded")), *ends), {key: None}, verdicts)


def group_keys(group: str, states: States) -> Iterator[str]:
    """Yield the keys needed to add to a group of held messages."""
    return pages.last_page_keys(group_key(group), states)
