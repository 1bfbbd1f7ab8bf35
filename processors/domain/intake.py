"""The record that `read` writes for each accepted message. `vn.intake` has one partition, so that all messages are in one order."""

from typing import Literal

from msgspec import Struct

from processors.domain.person import ComparedPerson

Kind = Literal[
    "submission",
    "registration",
    "removal",
    "receipt",
    "review_action",
    "verification",
    "inbound",
    "offender_action",
    "verification_request",
    "standing_request",
    "erasure",
]


class Intake(Struct, frozen=True, cache_hash=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One accepted message of any kind.

    `message_id` is the id of the submission, registration or review, or the receipt's reference; an inbound message has
    none. `received_at` is the broker's timestamp of the original record. `body` is the JSON of the checked Submission,
    Registration, Receipt, ReviewAction, Verification, Inbound, VerificationRequest, StandingRequest or Erasure, empty for a removal.
    `action_at`, `past_from` and `date_only` are those of Event, for submissions only. `people` are the submission's or
    registration's offenders in comparable form. `origin` is the sealed Origin of a registration or receipt, which a later stage
    may refuse.
    """

    kind: Kind
    message_id: str
    received_at: int
    body: bytes = b""
    action_at: int = 0
    past_from: int = 0
    date_only: bool = False
    people: tuple[ComparedPerson, ...] = ()
    origin: bytes = b""
