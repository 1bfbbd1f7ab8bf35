"""Pending messages, which wait or are in review: they are checked again, released, discarded, or superseded."""

from functools import partial

from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.review import ReviewAction, ReviewState
from processors.stage import Output
from processors.topics import REVIEWS
from processors.validate import reviews
from processors.validate.chain import chain_of
from processors.validate.check_result import CheckResult, check
from processors.validate.draft import Draft, Situation
from processors.validate.outcomes import forward_or_suppress, hold_message
from processors.validate.state import HeldMessage, Pending


def supersede(event: Event, situation: Situation) -> Draft:
    """Close every pending message about the same agency event, since a later message replaces it."""
    draft = Draft(situation)
    for pending in situation.known.pending:
        if pending.chain == chain_of(event):
            message = situation.message(pending)
            detail = f"message {event.message_id} ({event.operation}) replaced it before it was told; it was held as {pending.reason}"
            draft = close_pending(draft, pending, message, "superseded")
            draft = draft.note(message.event, "suppressed", "superseded", detail, pending.review_id)
    return draft


def check_again(pending: Pending, situation: Situation) -> Draft:
    """Check a pending message again; nothing is written if only the time has changed."""
    message = situation.message(pending)
    result = check(message.event, situation.known, situation.rules, situation.now)
    found = result.found
    if found is not None and found.reason == pending.reason:
        return Draft(situation) if found.due == pending.due else with_due_time(found.due, pending, situation)
    draft = close_pending(Draft(situation), pending, message, "released" if found is None else "superseded")
    if found is not None and result.holds:
        return hold_message(draft, message.event, found, result.detail)
    return finish_pending(draft, message, pending, result)


def finish_pending(draft: Draft, message: HeldMessage, pending: Pending, result: CheckResult) -> Draft:
    """Send on or suppress a pending message that no check holds any more."""
    reason = "in_range" if pending.reason == "too_far_ahead" else "confirmed"
    detail = f"{result.detail}; held since then as {pending.reason}: {message.detail}"
    return forward_or_suppress(draft, message.event, result, reason, detail, pending.review_id)


def with_due_time(due: int | None, pending: Pending, situation: Situation) -> Draft:
    later = replace(pending, due=due)
    return Draft(situation).with_known(pending=tuple(later if each.key == pending.key else each for each in situation.known.pending))


def check_waiting(draft: Draft) -> Draft:
    """Check the messages that wait for an earlier one again, until nothing more takes effect."""
    while draft.took_effect and draft.situation.known.pending:
        draft = replace(draft, took_effect=False)
        for pending in draft.situation.known.pending:
            if pending.review_id is None and not draft.took_effect:
                draft = draft.then(partial(check_again, pending))
    return draft


def act_on_review(action: ReviewAction, situation: Situation) -> Draft:
    """Carry out a reviewer's decision; if the review is not open, only write a verdict."""
    open_here = (each for each in situation.known.pending if each.review_id is not None)
    pending = next((each for each in open_here if each.review_id == action.review_id), None)
    if pending is None:
        return Draft(situation, verdicts=(situation.journal.unknown_review(action),))
    return release(pending, action, situation) if action.action == "release" else discard(pending, action, situation)


def release(pending: Pending, action: ReviewAction, situation: Situation) -> Draft:
    """Send on what a reviewer released, whatever the checks found; only a text is required."""
    message = situation.message(pending)
    event = replace(message.event, released_by=action.reviewer)
    result = check(event, situation.known, situation.rules, situation.now)
    released = f"{action.reviewer} released it: {action.reason}"
    if result.found is not None and result.holds:
        detail = f"{released}; but {result.detail}"
        return Draft(situation).note(message.event, "flagged", result.found.reason, detail, pending.review_id)
    draft = close_pending(Draft(situation), pending, message, "released", action)
    return forward_or_suppress(
        draft, event, result, "released", f"{released}; it was held as {pending.reason}: {message.detail}", pending.review_id
    )


def discard(pending: Pending, action: ReviewAction, situation: Situation) -> Draft:
    """Close a review without telling anybody; the message takes no effect."""
    message = situation.message(pending)
    detail = f"{action.reviewer} discarded it: {action.reason}; it was held as {pending.reason}: {message.detail}"
    draft = close_pending(Draft(situation), pending, message, "discarded", action)
    return draft.note(message.event, "suppressed", "discarded", detail, pending.review_id)


def close_pending(draft: Draft, pending: Pending, message: HeldMessage, state: ReviewState, action: ReviewAction | None = None) -> Draft:
    """Remove a pending message, and close its review if there is one."""
    left = tuple(each for each in draft.situation.known.pending if each.key != pending.key)
    draft = draft.hold(pending.key, None).with_known(pending=left)
    if pending.review_id is None:
        return draft
    return draft.write(Output(REVIEWS, pending.review_id, reviews.review(pending, message, state, action)))
