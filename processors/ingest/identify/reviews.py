"""What identify leaves to a person: people tied together who were known apart, and messages beyond the surge limit."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec
from msgspec import structs

from processors.domain.event import Event
from processors.domain.intake import Intake
from processors.domain.journal import Outcome, Verdict
from processors.domain.review import REVIEW_ID, Review, ReviewAction, ReviewState
from processors.ingest.comparison import digest
from processors.ingest.identify import paging
from processors.ingest.identify.state import Desk, Open, RollPage, State, group_key, review_key
from processors.ingest.identify.verdicts import STAGE, noted, said
from processors.stage import Context, Output, Record
from processors.topics import EVENTS, REGISTRANTS, REVIEWS

DOWNSTREAM: Final = {"dedupe": EVENTS, "validate": EVENTS, "deliver": REGISTRANTS}  # the road to each stage's own reviews
CLOSED: Final[Mapping[Literal["release", "discard"], tuple[ReviewState, Outcome]]] = {
    "release": ("released", "passed"),
    "discard": ("discarded", "suppressed"),
}

_action = msgspec.json.Decoder(ReviewAction).decode


def open_review(desk: Desk, first: Event, reason: str, detail: str, group: str | None = None) -> Review:
    """A person is asked about the message, alone or with the others of its group."""
    digested = digest(f"{first.ori}|{first.message_id}|{first.part}|{reason}|{first.seq}", 6)
    review = Review(
        review_id=f"{STAGE}-{first.offender}-{digested}",
        message_id=first.message_id,
        ori=first.ori,
        stage=STAGE,
        offender=first.offender,
        state="open",
        reason=reason,
        detail=detail,
        since=first.received_at,
        jurisdiction=first.jurisdiction,
        event_type=first.event_type,
        event_subtype=first.event_subtype,
        group=group,
    )
    desk.put(review_key(review.review_id), Open(review))
    desk.outputs.append(Output(REVIEWS, review.review_id, review))
    return review


def hold(desk: Desk, events: tuple[Event, ...], group: str, detail: str) -> Review:
    """The events wait for a person, with the others of the group."""
    review = open_review(desk, events[0], "surge", detail, group)
    bare = tuple(structs.replace(each, submission=b"") for each in events)
    desk.put(review_key(review.review_id), Open(review, bare, events[0].submission))
    paging.add(desk, group_key(group), review.review_id)
    return review


def waiting_keys(review_id: str | None, states: Mapping[str, State]) -> Iterator[str]:
    """Yield the states that replacing a held message needs."""
    if review_id is not None:
        yield review_key(review_id)
        waiting = states.get(review_key(review_id))
        if isinstance(waiting, Open) and waiting.review.group is not None:
            yield from group_keys(waiting.review.group, states)


def supersede(desk: Desk, waiting: Open, by: tuple[Event, ...], context: Context) -> Iterator[Verdict]:
    """A later message of the agency takes the place of a held one, for the offenders that it is about (contract §3.1.1)."""
    later, review = by[0], waiting.review
    offenders = {each.offender for each in by}
    left = tuple(each for each in waiting.events if each.offender not in offenders)
    if left:
        desk.put(review_key(review.review_id), structs.replace(waiting, events=left))
    else:
        desk.put(review_key(review.review_id), None)
        desk.outputs.append(Output(REVIEWS, review.review_id, structs.replace(review, state="superseded")))
    detail = f"Message {later.message_id} ({later.operation}) replaced it while it was held."
    for each in waiting.events:
        if each.offender in offenders:
            verdict = said(each, context, "suppressed", "superseded", detail)
            yield structs.replace(verdict, at=later.received_at, review_id=review.review_id)


def group_keys(group: str, states: Mapping[str, State]) -> Iterator[str]:
    """Yield the states that adding to a group of held messages needs."""
    return paging.last_keys(group_key(group), states)


def action_keys(record: Record, states: Mapping[str, State]) -> Iterator[str]:
    """Yield the states that an action on a review or a group needs."""
    action = _action(record.value.body)
    if action.review_id is not None:
        yield review_key(action.review_id)
    if action.group is not None:
        for key in paging.all_keys(group_key(action.group), states):
            yield key
            page = states.get(key)
            yield from map(review_key, page.items if isinstance(page, RollPage) else ())


def decide_action(record: Record, desk: Desk, context: Context) -> Iterator[Verdict]:
    """A review or group of our own is settled; an action on another stage's review goes the road of its offender or registrant."""
    intake: Intake = record.value
    action = structs.replace(_action(intake.body), seq=record.offset, received_at=intake.received_at)
    named = REVIEW_ID.fullmatch(action.review_id or "")
    if named is not None and named["stage"] in DOWNSTREAM:
        desk.outputs.append(Output(DOWNSTREAM[named["stage"]], named["subject"], action))
        yield noted(intake, context, "review_action", f"Sent on to {named['stage']}: {action.action}.")
        return
    review_ids = (action.review_id,) if action.review_id is not None else paging.members(desk, group_key(action.group or ""))
    found = [each for review_id in review_ids if (each := desk.get(review_key(review_id), Open))]
    if not found:
        ours = named is None or named["stage"] == STAGE
        yield noted(
            intake, context, "unknown_review", "The action names no open review." if ours else "No stage takes actions on this review."
        )
        return
    yield noted(intake, context, CLOSED[action.action][0], f"{len(found)} reviews are settled.")
    for each in found:
        yield from settle(desk, each, action, context)


def settle(desk: Desk, waiting: Open, action: ReviewAction, context: Context) -> Iterator[Verdict]:
    """The review is closed as the reviewer said; what waited goes on, to be checked like any other message, or is dropped."""
    state, outcome = CLOSED[action.action]
    review = structs.replace(waiting.review, state=state, reviewer=action.reviewer, comment=action.reason)
    desk.put(review_key(review.review_id), None)
    desk.outputs.append(Output(REVIEWS, review.review_id, review))
    for each in waiting.events:
        if action.action == "release":
            desk.outputs.append(Output(EVENTS, each.offender, structs.replace(each, submission=waiting.submission)))
        verdict = said(each, context, outcome, state, f"{action.action.capitalize()} by {action.reviewer}: {action.reason}")
        yield structs.replace(verdict, at=action.received_at, review_id=review.review_id)
