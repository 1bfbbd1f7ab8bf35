"""Reviewers' decisions: send what can be sent now, or discard it."""

from msgspec.structs import replace

from processors.deliver.due import DETAILS, DueDecision, drop_notices, lacks_text, review_of_pending, send_or_wait
from processors.deliver.inputs.replies import decide_reply
from processors.deliver.situation import Situation, VerdictSubject, registrant_after
from processors.deliver.state import Pending, Registrant, State
from processors.domain.review import ReviewAction
from processors.stage import Decision


def act_on_review(registrant: Registrant, action: ReviewAction, situation: Situation) -> Decision[State]:
    """Return the decision on a reviewer's action."""
    reply = next((each for each in registrant.replies if each.review_id == action.review_id), None)
    if reply is not None:
        return decide_reply(registrant, reply, action, situation)
    due = next((each for each in registrant.pending if each.review_id == action.review_id is not None), None)
    if due is None:
        detail = f"{action.reviewer} asked to {action.action} a review that is not open here"
        return Decision(verdicts=(situation.verdict(action.review_id or "", "noted", "unknown_review", detail),))
    decided = discard(due, action, situation) if action.action == "discard" else tell_or_keep(due, registrant, action, situation)
    after = registrant_after(decided.decision, registrant)
    others = tuple(each for each in registrant.pending if each is not due)
    after = replace(after, pending=(*others, *decided.left))
    return decided.decision.then(Decision(states={registrant.registrant_id: after}))


def discard(due: Pending, action: ReviewAction, situation: Situation) -> DueDecision:
    """Close the review without sending anything."""
    detail = f"{action.reviewer} discarded it: {action.reason}"
    dropped = drop_notices(due.notices, "discarded", detail, situation, result="failed", about=VerdictSubject(due.review_id))
    return DueDecision(dropped.then(review_of_pending(due, "discarded", detail, situation, action)))


def tell_or_keep(due: Pending, registrant: Registrant, action: ReviewAction, situation: Situation) -> DueDecision:
    """Send it under every registration in force; what cannot be sent yet stays in review."""
    detail = f"{action.reviewer} released it: {action.reason}"
    ids = tuple(sorted(each.registration_id for each in registrant.in_force(situation.at)))
    notices = tuple(replace(notice, registration_ids=ids) for notice in due.notices)
    lacking = "unknown_registration" if not ids else "no_text" if lacks_text(notices, registrant, situation) else None
    about = VerdictSubject(due.review_id)
    if lacking is not None:
        still = f"{detail}; but {DETAILS[lacking]}"
        flagged = tuple(situation.notice_verdict(notice, "flagged", lacking, still, about) for notice in due.notices)
        return DueDecision(Decision(verdicts=flagged), (due,))
    verdicts = tuple(situation.notice_verdict(notice, "noted", "released", detail, about) for notice in notices)
    closed = review_of_pending(due, "released", detail, situation, action)
    sent = send_or_wait(replace(due, notices=notices, review_id=None), registrant, situation)
    return DueDecision(Decision[State](verdicts=verdicts).then(closed).then(sent.decision), sent.left)
