"""Reviewers' decisions on identify's own reviews; decisions on other stages' reviews are routed to them."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import structs

from processors.domain.intake import Intake
from processors.domain.review import REVIEW_ID, STATE_AFTER, ReviewAction, unsealed_subject
from processors.ingest.identify import groups, pages
from processors.ingest.identify.identity import current_key
from processors.ingest.identify.journal import STAGE, intake_verdict
from processors.ingest.identify.people import answer_near_match, confirm_registration, keep_apart, merge_keys, merge_offenders
from processors.ingest.identify.reviews import settle_review, waiting_keys
from processors.ingest.identify.state import (
    UNCHANGED,
    GroupDecision,
    ListPage,
    OpenReview,
    State,
    States,
    after,
    find,
    group_decision_key,
    group_key,
    registration_key,
    review_key,
)
from processors.stage import Context, Decision, Output, Record, combine
from processors.topics import EVENTS, REGISTRANTS

DOWNSTREAM: Final = {
    "dedupe": EVENTS,
    "validate": EVENTS,
    "deliver": REGISTRANTS,
}  # the topic through which actions reach each stage

_action = msgspec.json.Decoder(ReviewAction).decode


def action_keys(record: Record, states: States) -> Iterator[str]:
    """Yield the states that an action on a review or a group needs."""
    action = _action(record.value.body)
    review_ids = []
    if action.review_id is not None:
        review_ids.append(action.review_id)
        named = REVIEW_ID.fullmatch(action.review_id)
        if named is not None and named["stage"] in DOWNSTREAM:
            yield named["subject"]
    if action.group is not None:
        yield group_decision_key(action.group)
        yield group_key(action.group)
        if groups.is_large(action.group, states):
            yield from groups.count_keys(action.group, states)
            return
        for key in pages.all_page_keys(group_key(action.group), states):
            yield key
            page = find(states, key, ListPage)
            review_ids += page.items if page is not None else ()
    for review_id in review_ids:
        yield review_key(review_id)
        waiting = find(states, review_key(review_id), OpenReview)
        if waiting is not None:
            yield from waiting_keys(waiting, states)
            yield from merge_keys(waiting.offenders, states)
            if waiting.registration_id is not None:
                yield registration_key(waiting.registration_id)


def decide_action(record: Record, states: States, context: Context) -> Decision[State]:
    """Settle one of identify's reviews or groups, or route an action on another stage's review to its offender or registrant."""
    intake: Intake = record.value
    action = structs.replace(_action(intake.body), seq=record.offset, received_at=intake.received_at)
    named = REVIEW_ID.fullmatch(action.review_id or "")
    if named is not None and named["stage"] in DOWNSTREAM:
        verdict = intake_verdict(intake, context, "review_action", f"Sent on to {named['stage']}: {action.action}.")
        # Deliver's reviews name no registrant: their subject is sealed.
        subject = unsealed_subject(named["subject"], context.seal) or current_key(named["subject"], states)
        return Decision((Output(DOWNSTREAM[named["stage"]], subject, action),), verdicts=(verdict,))
    if action.group is not None and groups.is_large(action.group, states):
        return decide_large_group(intake, action, states, context)
    review_ids = (action.review_id,) if action.review_id is not None else pages.items(states, group_key(action.group or ""))
    found = [each for review in review_ids if (each := find(states, review_key(review), OpenReview))]
    if not found:
        ours = named is None or named["stage"] == STAGE
        detail = "The action names no open review." if ours else "No stage takes actions on this review."
        return Decision(verdicts=(intake_verdict(intake, context, "unknown_review", detail),))
    if action.group is not None:
        together = with_second_reviewer(action, len(found), states, context)
        if together is None:
            return wait_for_second_reviewer(intake, action, len(found), context)
        action = together
    verdict = intake_verdict(intake, context, STATE_AFTER[action.action], f"{len(found)} reviews are settled.")
    settled = [Decision[State](states=forget_decision(states, action), verdicts=(verdict,))]
    for each in found:
        answered = decide_question(states, each, action, record, context)
        states = after(states, answered)
        settled += (answered, settle_review(states, each, action, context))
    return combine(settled)


def decide_large_group(intake: Intake, action: ReviewAction, states: States, context: Context) -> Decision[State]:
    """Start to settle a group of several pages, once enough reviewers have decided."""
    count = groups.count_reviews(action.group or "", states)
    together = with_second_reviewer(action, count, states, context)
    if together is None:
        return wait_for_second_reviewer(intake, action, count, context)
    verdict = intake_verdict(
        intake, context, STATE_AFTER[action.action], f"{count} reviews are settled, one page of the group after another."
    )
    return groups.start_settlement(together, states).then(Decision(states=forget_decision(states, action), verdicts=(verdict,)))


def with_second_reviewer(action: ReviewAction, count: int, states: States, context: Context) -> ReviewAction | None:
    """Return the action to carry out, in the name of both reviewers if two are needed; None if it must wait for the second."""
    if count <= context.rules.reviewer_limit():
        return action
    first = find(states, group_decision_key(action.group or ""), GroupDecision)
    if first is None or first.action != action.action or first.reviewer == action.reviewer:
        return None
    return structs.replace(action, reviewer=f"{first.reviewer} and {action.reviewer}")


def wait_for_second_reviewer(intake: Intake, action: ReviewAction, count: int, context: Context) -> Decision[State]:
    """Store a decision on a group that is too large for one reviewer, until a second reviewer decides the same."""
    decided = GroupDecision(action.action, action.reviewer)
    detail = f"{action.reviewer} would {action.action} {count} reviews: a second reviewer must decide the same (review.four_eyes)."
    verdict = intake_verdict(intake, context, "second_reviewer_needed", detail)
    return Decision(states={group_decision_key(action.group or ""): decided}, verdicts=(verdict,))


def forget_decision(states: States, action: ReviewAction) -> Mapping[str, State | None]:
    """Return the state change that deletes the first reviewer's decision on a group, which is now settled."""
    key = group_decision_key(action.group or "")
    return {key: None} if states.get(key) is not None else {}


def decide_question(states: States, waiting: OpenReview, action: ReviewAction, record: Record, context: Context) -> Decision[State]:
    """Carry out a reviewer's answer: whether offenders are one person, or whether a registration is for an offender."""
    if not waiting.offenders:
        return UNCHANGED
    if waiting.registration_id is not None:
        answered = answer_near_match(states, waiting.registration_id, waiting.offenders[0], record)
        if action.action == "discard":
            return answered
        return answered.then(confirm_registration(states, waiting.registration_id, waiting.offenders[0], record))
    if action.action == "discard":
        return keep_apart(states, waiting.offenders)
    return merge_offenders(states, waiting.offenders, f"{action.reviewer} says so: {action.reason}", record, context)
