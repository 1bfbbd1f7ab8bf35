"""What identify leaves to a person: people tied together who were known apart, and messages beyond the surge limit."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import structs

from processors.domain.event import Event
from processors.domain.intake import Intake
from processors.domain.journal import Outcome
from processors.domain.review import REVIEW_ID, STATE_AFTER, Review, ReviewAction, closed, review_id
from processors.domain.review import open_review as new_review
from processors.ingest.identify import pages
from processors.ingest.identify.journal import STAGE, event_verdict, note
from processors.ingest.identify.state import ListPage, OpenReview, State, States, find, group_key, review_key
from processors.stage import Context, Decision, Output, Record, combine
from processors.topics import EVENTS, REGISTRANTS, REVIEWS

DOWNSTREAM: Final = {"dedupe": EVENTS, "validate": EVENTS, "deliver": REGISTRANTS}  # the topic that leads to each stage's own reviews
OUTCOMES: Final[Mapping[str, Outcome]] = {"release": "passed", "discard": "suppressed"}

_action = msgspec.json.Decoder(ReviewAction).decode


def open_review(event: Event, reason: str, detail: str) -> Review:
    """Return the review that asks a person about the message."""
    name = review_id(STAGE, event.offender, event.ori, event.message_id, str(event.part), reason, str(event.seq), separator="|")
    return new_review(event, name, reason, detail, event.received_at)


def publish(review: Review, events: tuple[Event, ...] = (), submission: bytes = b"") -> Decision[State]:
    """Publish an open review; the events wait for it."""
    return Decision((Output(REVIEWS, review.review_id, review),), {review_key(review.review_id): OpenReview(review, events, submission)})


def hold(states: States, events: tuple[Event, ...], group: str, detail: str) -> tuple[Review, Decision[State]]:
    """Return the review in which the events wait for a person, with the others of the group, and the change."""
    review = structs.replace(open_review(events[0], "surge", detail), group=group)
    bare = tuple(structs.replace(each, submission=b"") for each in events)
    _, added = pages.add(states, group_key(group), review.review_id)
    return review, publish(review, bare, events[0].submission).then(added)


def replacing_keys(review: str | None, states: States) -> Iterator[str]:
    """Yield the states that replacing a held message needs."""
    if review is not None:
        yield review_key(review)
        waiting = find(states, review_key(review), OpenReview)
        if waiting is not None and waiting.review.group is not None:
            yield from group_keys(waiting.review.group, states)


def supersede(waiting: OpenReview, by: tuple[Event, ...], context: Context) -> Decision[State]:
    """Replace a held message by a later one of the agency, for the offenders that it is about (contract §3.1.1)."""
    later, review = by[0], waiting.review
    offenders = {each.offender for each in by}
    left = tuple(each for each in waiting.events if each.offender not in offenders)
    detail = f"Message {later.message_id} ({later.operation}) replaced it while it was held."
    verdicts = tuple(
        structs.replace(event_verdict(each, context, "suppressed", "superseded", detail, review.review_id), at=later.received_at)
        for each in waiting.events
        if each.offender in offenders
    )
    key = review_key(review.review_id)
    if left:
        return Decision(states={key: structs.replace(waiting, events=left)}, verdicts=verdicts)
    return Decision((Output(REVIEWS, review.review_id, closed(review, "superseded")),), {key: None}, verdicts)


def group_keys(group: str, states: States) -> Iterator[str]:
    """Yield the states that adding to a group of held messages needs."""
    return pages.last_page_keys(group_key(group), states)


def action_keys(record: Record, states: States) -> Iterator[str]:
    """Yield the states that an action on a review or a group needs."""
    action = _action(record.value.body)
    if action.review_id is not None:
        yield review_key(action.review_id)
    if action.group is not None:
        for key in pages.all_page_keys(group_key(action.group), states):
            yield key
            page = find(states, key, ListPage)
            yield from map(review_key, page.items if page is not None else ())


def decide_action(record: Record, states: States, context: Context) -> Decision[State]:
    """Settle a review or group of identify's own; send an action on another stage's review to its offender or registrant."""
    intake: Intake = record.value
    action = structs.replace(_action(intake.body), seq=record.offset, received_at=intake.received_at)
    named = REVIEW_ID.fullmatch(action.review_id or "")
    if named is not None and named["stage"] in DOWNSTREAM:
        verdict = note(intake, context, "review_action", f"Sent on to {named['stage']}: {action.action}.")
        return Decision((Output(DOWNSTREAM[named["stage"]], named["subject"], action),), verdicts=(verdict,))
    review_ids = (action.review_id,) if action.review_id is not None else pages.items(states, group_key(action.group or ""))
    found = [each for review in review_ids if (each := find(states, review_key(review), OpenReview))]
    if not found:
        ours = named is None or named["stage"] == STAGE
        detail = "The action names no open review." if ours else "No stage takes actions on this review."
        return Decision(verdicts=(note(intake, context, "unknown_review", detail),))
    verdict = note(intake, context, STATE_AFTER[action.action], f"{len(found)} reviews are settled.")
    return combine((Decision(verdicts=(verdict,)), *(settle(each, action, context) for each in found)))


def settle(waiting: OpenReview, action: ReviewAction, context: Context) -> Decision[State]:
    """Close the review as the reviewer decided; what waited goes on, to be checked like any other message, or is dropped."""
    state = STATE_AFTER[action.action]
    review = closed(waiting.review, state, action)
    detail = f"{action.action.capitalize()} by {action.reviewer}: {action.reason}"
    verdicts = tuple(
        structs.replace(event_verdict(each, context, OUTCOMES[action.action], state, detail, review.review_id), at=action.received_at)
        for each in waiting.events
    )
    released = waiting.events if action.action == "release" else ()
    events = (Output(EVENTS, each.offender, structs.replace(each, submission=waiting.submission)) for each in released)
    return Decision((Output(REVIEWS, review.review_id, review), *events), {review_key(review.review_id): None}, verdicts)
