"""
State keys, review ids and review records of pending messages.

A pending message has an entry in the offender's document; the message itself is stored under its own key. Review ids and keys are
digests of what they identify, so that a replayed decision gives the same ids and keys.
"""

from hashlib import blake2b
from typing import Final

from processors.domain.event import Event
from processors.domain.review import Review, ReviewAction, ReviewState, close_review, open_review, review_id
from processors.validate.chain import chain_of
from processors.validate.finding import Finding
from processors.validate.state import HeldMessage, Pending

NAME: Final = "validate"


def pending_key(event: Event) -> str:
    """Return the state key of a message that waits or is in review."""
    return f"{event.offender}#{blake2b(chr(10).join(parts_of(event)).encode(), digest_size=6).hexdigest()}"


def review_id_of(event: Event, reason: str) -> str:
    """Return the id of a message's review for a reason."""
    return review_id(NAME, event.offender, *parts_of(event), reason)


def parts_of(event: Event) -> tuple[str, ...]:
    """Return the values that identify one message about an offender."""
    return (event.ori, event.message_id, str(event.part), str(event.seq))


def open_pending(event: Event, finding: Finding, since: int) -> Pending:
    """Return the entry of a message that waits or, if it is flagged, is in review."""
    review = review_id_of(event, finding.reason) if finding.outcome == "flagged" else None
    return Pending(pending_key(event), chain_of(event), finding.reason, since, finding.due, review)


def review(pending: Pending, message: HeldMessage, state: ReviewState, action: ReviewAction | None = None) -> Review:
    """Return the review record of a flagged message, with the reviewer's name and reason if a reviewer decided."""
    name = pending.review_id or review_id_of(message.event, pending.reason)
    return close_review(open_review(message.event, name, pending.reason, message.detail, pending.since), state, action)
