"""The journal: each stage's decisions on each message, and dead letters."""

import hashlib
from collections.abc import Collection
from typing import Final, Literal, Protocol, Self

from msgspec import Struct

from processors.domain.review import ReviewAction

Outcome = Literal[
    "accepted",  # read: well-formed, on its way
    "passed",  # on to the next stage
    "waiting",  # a timer will decide
    "suppressed",  # the registrants are not to be told
    "flagged",  # a reviewer decides
    "rejected",  # dead-lettered
    "matched",  # match: so many registrants
    "unmatched",  # match: nobody registered; nothing more follows
    "gathered",  # deliver: waits for its merge window or the end of quiet hours
    "sent",  # deliver: an attempt left
    "dropped",  # deliver: registration gone, or superseded before it left
    "delivered",  # deliver: a contact was reached
    "undelivered",  # deliver: no contact was reached
    "receipt",  # deliver: a provider's answer
    "noted",  # nothing decided: registrations, review actions, observations
]

JOURNAL_STAGES: Final = ("read", "identify", "dedupe", "validate", "match", "deliver")  # that write verdicts, in the order of the pipeline


def stage_order(stage: str) -> int:
    """Return a stage's place in the pipeline; one that writes no verdicts comes last."""
    return JOURNAL_STAGES.index(stage) if stage in JOURNAL_STAGES else len(JOURNAL_STAGES)


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One stage's decision on one message and offender; no contact data, no name.

    `reason` is a code of `domain.reasons`, `detail` a sentence with the values behind the decision, `at` the time of the
    decision (the record's receive time or the timer's due time), `rules` the version of rules and settings.
    `formerly` is a key that the offender had until then: two were merged. `status` is the state that the attempt of `reference`
    came to, `provider` who reported it. `trace` is the id of the trace that the agency sent along, if any.
    """

    stage: str
    message_id: str
    outcome: Outcome
    reason: str
    detail: str
    at: int
    ori: str | None = None
    offender: str | None = None
    part: int | None = None
    rules: str = ""
    review_id: str | None = None
    notification_id: str | None = None
    registrant_id: str | None = None
    reference: str | None = None
    channel: str | None = None
    formerly: str | None = None
    status: str | None = None
    trace: str | None = None
    provider: str | None = None


class MessagePart(Protocol):
    """One offender's part of one message, as verdicts need it."""

    @property
    def message_id(self) -> str: ...
    @property
    def ori(self) -> str: ...
    @property
    def offender(self) -> str: ...
    @property
    def part(self) -> int: ...
    @property
    def trace(self) -> str | None: ...


class Journal(Struct, frozen=True, gc=False):
    """Writes the verdicts of one decision: which stage decides, at what time, by which version of rules and settings."""

    stage: str
    at: int
    rules: str

    def verdict(self, part: MessagePart, outcome: Outcome, reason: str, detail: str, review_id: str | None = None) -> Verdict:
        """Return the verdict on one offender's part of one message."""
        return Verdict(
            stage=self.stage,
            message_id=part.message_id,
            outcome=outcome,
            reason=reason,
            detail=detail,
            at=self.at,
            ori=part.ori,
            offender=part.offender,
            part=part.part,
            rules=self.rules,
            review_id=review_id,
            trace=part.trace,
        )

    def unknown_review(self, action: ReviewAction, offender: str | None = None) -> Verdict:
        """Return the note on an action that names no open review, under the review's id since no message is known."""
        name = action.review_id or action.group or ""
        return Verdict(
            stage=self.stage,
            message_id=name,
            outcome="noted",
            reason="unknown_review",
            detail=f"there is no open review {name} to {action.action}",
            at=self.at,
            offender=offender,
            rules=self.rules,
            review_id=action.review_id,
        )


class Verdicts(Struct, frozen=True, gc=False):
    """All verdicts of one batch and partition in one record, which keeps the journal cheaper than the pipeline itself."""

    verdicts: tuple[Verdict, ...]


ORIGINAL_KEPT: Final = 2 * 1024 * 1024  # bytes of a rejected record kept whole; a record of three million may be produced
BEGINNING_KEPT: Final = 64 * 1024  # bytes kept of a larger one
KEY_KEPT: Final = 1024  # characters of a key


class Original(Struct, frozen=True, gc=False):
    """
    What a dead letter keeps of a rejected record.

    A broker limits the *compressed* size, so a record may be larger than any that the pipeline could write: of one above
    ORIGINAL_KEPT only its digest, length and beginning are kept. `length` is None for a record kept whole.
    """

    sha256: str
    value: bytes
    key: str | None = None
    length: int | None = None

    @classmethod
    def of(cls, value: bytes, key: str | None) -> Self:
        """Return what is kept of a record; the key of an incomplete one is dropped if it is too long."""
        whole = len(value) <= ORIGINAL_KEPT and len(key or "") <= KEY_KEPT
        return cls(
            sha256=hashlib.sha256(value).hexdigest(),
            value=value if len(value) <= ORIGINAL_KEPT else value[:BEGINNING_KEPT],
            key=key if len(key or "") <= KEY_KEPT else None,
            length=None if whole else len(value),
        )


class DeadLetter(Struct, frozen=True, gc=False, kw_only=True):
    """
    A record that was rejected; `original` holds its bytes, sealed if `encrypted`.

    `length` is the original's length in bytes if it was not kept whole: then `original` is its beginning, or None. `owner` is the
    keyed digest of the registrant whose data it may hold, `addresses` are those of the addresses in it, if they could be read: then
    it is sealed with a key of its own, or with the registrant's.
    """

    dead_letter_id: str
    reason: str
    detail: str
    stage: str
    topic: str
    partition: int
    offset: int
    received_at: int
    sha256: str
    encrypted: bool
    original: bytes | None
    key: str | None = None
    length: int | None = None
    owner: str | None = None
    addresses: tuple[str, ...] = ()

    def concerns(self, owner: str, addresses: Collection[str]) -> bool:
        """Whether it may hold the data of a registrant, by the keyed digests of their id and their addresses."""
        return self.owner == owner or not set(self.addresses).isdisjoint(addresses)

    @property
    def is_anybodys(self) -> bool:
        """Whether it may hold data of which it does not say whose it is."""
        return self.encrypted and self.owner is None and not self.addresses


class DeadLetterSettled(Struct, frozen=True, gc=False, kw_only=True):
    """A dead letter was sent again (`replayed`) or needs nothing more (`settled`); key is its id."""

    dead_letter_id: str
    how: Literal["replayed", "settled"]
    settled_by: str
    reason: str
    settled_at: int


class Unreadable(Struct, frozen=True, gc=False):
    """Why an external record that claims to be Avro cannot be decoded: reason code and sentence."""

    reason: str
    detail: str
