"""The journal: each stage's decisions on each message, and dead letters."""

import hashlib
from collections.abc import Collection
from typing import Final, Literal, Protocol, Self

from msgspec import Struct

from processors.domain.review import ReviewAction

Outcome = Literal[
    "accepted",  # read: well-formed, passed to identify
    "passed",  # passed to the next stage
    "waiting",  # a timer will decide
    "suppressed",  # the registrants are not to be told
    "flagged",  # a reviewer decides
    "rejected",  # dead-lettered
    "matched",  # match: registrants were found
    "unmatched",  # match: nobody is registered; processing ends
    "gathered",  # deliver: waits for its merge window or the end of quiet hours
    "sent",  # deliver: an attempt was sent to a provider
    "dropped",  # deliver: registration ended, or superseded before it was sent
    "delivered",  # deliver: a contact was reached
    "undelivered",  # deliver: no contact was reached
    "receipt",  # deliver: a provider's report on an attempt
    "noted",  # no decision: registrations, review actions, observations
]

JOURNAL_STAGES: Final = ("read", "identify", "dedupe", "validate", "match", "deliver")  # the stages that write verdicts, in pipeline order


def stage_order(stage: str) -> int:
    """Return a stage's position in the pipeline; a stage that writes no verdicts comes last."""
    return JOURNAL_STAGES.index(stage) if stage in JOURNAL_STAGES else len(JOURNAL_STAGES)


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One stage's decision on one message and offender; contains no contact data and no names.

    `reason` is a code of `domain.reasons`, `detail` a sentence with the values behind the decision, `at` the time of the
    decision (the record's receive time or the timer's due time), `rules` the version of rules and settings.
    `formerly` is the offender's key before a merge. `status` is the new state of the attempt named by `reference`, `provider` who
    reported it. `trace` is the id of the agency's own trace, if it sent one.
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
    """Makes the verdicts of one decision: the stage, the time, and the version of rules and settings are the same in all of them."""

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
        """Return the verdict on an action that names no open review; its `message_id` is the review's id, since no message is known."""
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
    """All verdicts of one batch and partition in one record, so that the journal costs less than the pipeline itself."""

    verdicts: tuple[Verdict, ...]


MAX_ORIGINAL_BYTES: Final = 2 * 1024 * 1024  # a larger rejected record is cut; producers may send three million bytes
BEGINNING_BYTES: Final = 64 * 1024  # kept of a larger record
MAX_KEY_LENGTH: Final = 1024  # characters of a key that are kept


class Original(Struct, frozen=True, gc=False):
    """
    The content of a rejected record as a dead letter keeps it.

    A broker limits the *compressed* size, so a record may be larger than any that the pipeline could write. Above
    MAX_ORIGINAL_BYTES only its digest, length and beginning are kept. `length` is None for a record kept whole.
    """

    sha256: str
    value: bytes
    key: str | None = None
    length: int | None = None

    @classmethod
    def of(cls, value: bytes, key: str | None) -> Self:
        """Return what is kept of a record; a key that is too long is dropped."""
        whole = len(value) <= MAX_ORIGINAL_BYTES and len(key or "") <= MAX_KEY_LENGTH
        return cls(
            sha256=hashlib.sha256(value).hexdigest(),
            value=value if len(value) <= MAX_ORIGINAL_BYTES else value[:BEGINNING_BYTES],
            key=key if len(key or "") <= MAX_KEY_LENGTH else None,
            length=None if whole else len(value),
        )


class DeadLetter(Struct, frozen=True, gc=False, kw_only=True):
    """
    A rejected record; `original` holds its bytes, sealed if `encrypted`.

    `length` is the original's length in bytes if it was not kept whole; `original` is then its beginning, or None. `owner` is the
    keyed digest of the registrant whose data it may hold, `addresses` the keyed digests of the addresses found in it. If there
    are any, it is sealed with a key of its own, or with the registrant's key. `replay_topic` is set if a later stage rejected what
    `read` had made of the record: `original` and `key` are then those of that internal record, which is replayed to this topic.
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
    replay_topic: str | None = None

    def concerns(self, owner: str, addresses: Collection[str]) -> bool:
        """Whether it may hold the data of the registrant with these keyed digests of id and addresses."""
        return self.owner == owner or not set(self.addresses).isdisjoint(addresses)

    @property
    def is_anybodys(self) -> bool:
        """Whether it may hold contact data of an unknown registrant."""
        return self.encrypted and self.owner is None and not self.addresses


class DeadLetterSettled(Struct, frozen=True, gc=False, kw_only=True):
    """Marks a dead letter as sent again (`replayed`) or as needing no action (`settled`); the key is its id."""

    dead_letter_id: str
    how: Literal["replayed", "settled"]
    settled_by: str
    reason: str
    settled_at: int


class Unreadable(Struct, frozen=True, gc=False):
    """Why an external record that claims to be Avro cannot be decoded: reason code and sentence."""

    reason: str
    detail: str
