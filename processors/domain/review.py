"""What waits for a person's judgement, and what they decided."""

from typing import Literal

from msgspec import Struct

ReviewState = Literal["open", "released", "discarded", "superseded"]


class Review(Struct, frozen=True, kw_only=True):
    """One flagged message; `review_id` is `<stage>-<offender key>-<digest>`, so that an action finds its way back from the id alone."""

    review_id: str
    message_id: str
    ori: str
    stage: str
    offender: str
    state: ReviewState
    reason: str
    detail: str
    since: int
    jurisdiction: str
    event_type: str
    event_subtype: str
    group: str | None = None
    reviewer: str | None = None
    comment: str | None = None


class ReviewAction(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reviewer's decision on one review or on a `group`; the rest is filled in by ingest."""

    action: Literal["release", "discard"]
    reason: str
    reviewer: str
    review_id: str | None = None
    group: str | None = None
    received_at: int = 0
    seq: int = 0
