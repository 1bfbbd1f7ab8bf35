"""
What waits for a time or for a person: opened, released, discarded, superseded.

A pending message is a line in the dossier and a document with the message itself, under a key of its own. Review ids
and keys are digests of what they name, so that a decision taken twice names the same review.
"""

from hashlib import blake2b

from processors.domain.event import Event
from processors.domain.review import Review, ReviewAction, ReviewState
from processors.validate.finding import Finding
from processors.validate.state import Held, Pending, chain_of

STAGE = "validate"


def key_of(event: Event) -> str:
    """Return the state key of a message that waits or is in review."""
    return f"{event.offender}#{digest(event)}"


def review_id(event: Event, reason: str) -> str:
    """Return the id of the review of a message for a reason; the offender's key in it leads an action back here."""
    return f"{STAGE}-{event.offender}-{digest(event, reason)}"


def offender_of(review: str) -> str | None:
    """Return the offender's key that a review id of this stage names, None for any other."""
    stage, _, rest = review.partition("-")
    offender, _, name = rest.rpartition("-")
    return offender if stage == STAGE and offender and name else None


def digest(event: Event, *more: str) -> str:
    parts = (event.ori, event.message_id, str(event.part), str(event.seq), *more)
    return blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()


def opened(event: Event, finding: Finding, since: int) -> Pending:
    """Return the line of a message that waits or, where it is flagged, is in review."""
    review = review_id(event, finding.reason) if finding.outcome == "flagged" else None
    return Pending(key_of(event), chain_of(event), finding.reason, since, finding.due, review)


def review(pending: Pending, held: Held, state: ReviewState, action: ReviewAction | None = None) -> Review:
    """Return the review record of a flagged message in its new state, with the reviewer's name and reason where one decided."""
    event = held.event
    return Review(
        review_id=pending.review_id or review_id(event, pending.reason),
        message_id=event.message_id,
        ori=event.ori,
        stage=STAGE,
        offender=event.offender,
        state=state,
        reason=pending.reason,
        detail=held.detail,
        since=pending.since,
        jurisdiction=event.jurisdiction,
        event_type=event.event_type,
        event_subtype=event.event_subtype,
        reviewer=None if action is None else action.reviewer,
        comment=None if action is None else action.reason,
    )
