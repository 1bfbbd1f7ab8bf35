"""Reviews, reviewers' actions, and the review ids that route an action to its stage."""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.seal import Seal, SealBroken

SUBJECT: Final = "review-subject"  # the seal's purpose
ReviewState = Literal["open", "released", "discarded", "superseded"]

OffenderDecision = Literal["merge", "split", "publish"]
REVIEW_ID: Final = re.compile(r"(?P<stage>[a-z]+)-(?P<subject>.+)-(?P<digest>[0-9a-f]{12})")


class Review(Struct, frozen=True, gc=False, kw_only=True):
    """One flagged message; `review_id` alone tells which stage holds it, and under which state key."""

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


class ReviewAction(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A reviewer's decision on one review or on a `group`; `received_at` and `seq` are filled in by ingest."""

    action: Literal["release", "discard"]
    reason: str
    reviewer: str
    review_id: str | None = None
    group: str | None = None
    received_at: int = 0
    seq: int = 0


class OffenderAction(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    A person's decision on the identity of offenders.

    merge: the `offenders` are one person. split: some `identifiers` of the one offender belong to another person. publish: publish
    the offenders' data again. Identifiers are in comparable form, such as SID:VA7700123.
    """

    action: OffenderDecision
    offenders: tuple[str, ...]
    reason: str
    reviewer: str
    identifiers: tuple[str, ...] = ()


STATE_AFTER: Final[Mapping[Literal["release", "discard"], ReviewState]] = {"release": "released", "discard": "discarded"}


def review_id(stage: str, subject: str, *parts: str, separator: str = "\n") -> str:
    """Return `<stage>-<subject>-<digest of the parts>`; a replayed decision gives the same id."""
    return f"{stage}-{subject}-{blake2b(separator.join(parts).encode(), digest_size=6).hexdigest()}"


def sealed_subject(subject: str, seal: Seal) -> str:
    """Return a state key encrypted for use in a review id, if the key itself must not appear there; `opened_subject` decrypts it."""
    return seal.close(subject.encode(), SUBJECT).hex()


def unsealed_subject(sealed: str, seal: Seal) -> str | None:
    """Return the state key encrypted by `sealed_subject`; None if the text is not one."""
    try:
        return seal.open(bytes.fromhex(sealed), SUBJECT).decode()
    except (SealBroken, ValueError):
        return None


def subject_of(review: str | None, stage: str) -> str | None:
    """Return the state key in a review id of this stage; None for another stage's id or no id."""
    named = REVIEW_ID.fullmatch(review or "")
    return named["subject"] if named is not None and named["stage"] == stage else None


def open_review(event: Event, name: str, reason: str, detail: str, since: int) -> Review:
    """Return the open review `name` of a message; its stage is the first part of the name."""
    return Review(
        review_id=name,
        message_id=event.message_id,
        ori=event.ori,
        stage=name.partition("-")[0],
        offender=event.offender,
        state="open",
        reason=reason,
        detail=detail,
        since=since,
        jurisdiction=event.jurisdiction,
        event_type=event.event_type,
        event_subtype=event.event_subtype,
    )


def close_review(review: Review, state: ReviewState, action: ReviewAction | None = None) -> Review:
    """Return the review in its final state, with the reviewer's name and reason if a person decided."""
    if action is None:
        return replace(review, state=state)
    return replace(review, state=state, reviewer=action.reviewer, comment=action.reason)
