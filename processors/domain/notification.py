"""Notifications, outbound messages, receipts and responses (contract §5)."""

from typing import Literal

from msgspec import Struct

from processors.domain.event import Event
from processors.domain.person import Identifier
from processors.domain.registration import Channel

OutboundKind = Literal["notification", "correction", "verification", "confirmation"]
ReceiptStatus = Literal[
    "accepted",
    "delivered",
    "confirmed",
    "unconfirmed",
    "voicemail",
    "busy",
    "no_answer",
    "temporary_failure",
    "permanent_failure",
    "opted_out",
]
AttemptState = Literal["sent", ReceiptStatus, "expired", "unanswered"]


class Notification(Struct, frozen=True, kw_only=True, gc=False):
    """One event for one registrant: written by match; merged, put into words and sent by deliver."""

    registrant_id: str
    registration_ids: tuple[str, ...]
    event: Event


class OutboundEvent(Struct, frozen=True, gc=False):
    """The event that a message is about; `action_at` in milliseconds."""

    type: str
    subtype: str
    action_at: int


class OutboundOffender(Struct, frozen=True, gc=False):
    """An offender named in a message."""

    name: str
    identifiers: tuple[Identifier, ...]


class OutboundAgency(Struct, frozen=True, gc=False):
    """The agency that reported the event."""

    name: str
    ori: str


class Outbound(Struct, frozen=True, kw_only=True, gc=False):
    """One attempt to reach one registrant on one channel. `to` is the address, which only the provider uses."""

    reference: str
    notification_id: str
    attempt: int
    registrant_id: str
    kind: OutboundKind
    channel: Channel
    to: str
    language: str
    subject: str | None
    body: str
    emergency: bool
    event: OutboundEvent | None
    offenders: tuple[OutboundOffender, ...] | None
    agency: OutboundAgency | None
    message_ids: tuple[str, ...]
    created_at: int
    not_before: int | None
    expires_at: int
    confirm: bool


class Receipt(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    A provider's report on an attempt.

    `digits` is an HMAC of the PIN that was keyed in, never the digits themselves. `origin` is the sealed Origin, empty
    if an earlier version read the receipt.
    """

    reference: str
    status: ReceiptStatus
    occurred_at: int
    provider: str
    detail: str | None = None
    digits: str | None = None
    received_at: int = 0
    origin: bytes = b""


class Response(Struct, frozen=True, gc=False, kw_only=True):
    """A Message Response event for the submitting agency; it neither names nor counts registrants."""

    message_id: str
    ori: str
    event_type: str
    event_subtype: str
    notification_type: str
    responded_at: int
