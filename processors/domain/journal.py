"""What each stage decided about each message, and what could not be read."""

from typing import Literal

from msgspec import Struct

Outcome = Literal[
    "accepted",  # read: well-formed, on its way
    "passed",  # on to the next stage
    "waiting",  # a timer will decide
    "suppressed",  # the registrants are not to be told
    "flagged",  # a reviewer decides
    "rejected",  # dead-lettered
    "matched",  # match: so many registrants
    "unmatched",  # match: nobody registered; the end of the road
    "gathered",  # deliver: waits for its merge window or the end of quiet hours
    "sent",  # deliver: an attempt left
    "dropped",  # deliver: registration gone, or superseded before it left
    "receipt",  # deliver: a provider's answer
    "noted",  # nothing decided: registrations, review actions, observations
]


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One stage's decision on one message and offender; no contact data, no name.

    `reason` is a code of `domain.reasons`, `detail` a sentence with the values that decided, `at` the time decided by
    (the record's receive time or the timer's due time), `rules` the version of rules and settings.
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


class Verdicts(Struct, frozen=True):
    """The verdicts of one batch on one partition: one record, so that the journal costs less than the work."""

    verdicts: tuple[Verdict, ...]


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that could not be taken; `original` is its bytes, sealed where `encrypted`."""

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


class Unreadable(Struct, frozen=True):
    """An external record that claims to be Avro and cannot be read: the reason code and a sentence."""

    reason: str
    detail: str
