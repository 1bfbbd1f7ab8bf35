"""
The life of an attempt, and of a contact within a notification: states and events as data.

An *attempt* is one outbound record, and a lease: a provider may begin to send it until it expires. It is `sent`, then
`accepted` by a provider, and ends by a receipt or without one: `expired` if nobody accepted it before the lease ended,
`unanswered` if no final receipt came within `receipt.wait`. Receipts come twice, late and in any order; one that the
table has no transition for changes nothing and is journalled as late. `delivered`, `confirmed`, `permanent_failure` and
`opted_out` are final: nothing overwrites them (contract §5).

A *contact* is one address that a notification is to reach. It is `due` until an attempt is made and `trying` while one
is under way; how an attempt ends decides what follows (`OUTCOMES`), by what kind of message it is:

- a `text` message or an `email` is reached when it was delivered. Silence after an email was accepted counts as reached,
  silence after a text message as not reached: that contact expires, and the text is not sent there again (contract §5).
- an `email_in_doubt`, of which its provider cannot know whether a vendor accepted it, is like a text: silence proves nothing.
- a `call` of no emergency is reached when somebody or a machine answered; otherwise it is made again.
- an `emergency_call` without a PIN on file is reached when a person answered or pressed a key; a machine does not end it.
- a `pin_call` is reached by the right PIN alone: a machine taken for a person must not end an emergency (contract §5).

`reached`, `failed`, `expired`, `gave_up`, `opted_out` and `cancelled` are ends. Only what is heard late still changes one: a delivery,
an opt-out, or, after it was given up, that a provider had taken the last attempt after all, for which a receipt is then awaited.
docs/delivery.md is drawn from these tables.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, TypeVar

from processors.domain.notification import AttemptState, ReceiptStatus

AttemptEvent = Literal[ReceiptStatus, "lease_ended", "wait_ended"]

ContactState = Literal["due", "trying", "reached", "failed", "expired", "gave_up", "opted_out", "cancelled"]
ContactEvent = Literal["attempt", "accepted", "reached", "again", "failed", "silence", "opted_out", "give_up", "cancel"]
MessageKind = Literal["text", "email", "email_in_doubt", "call", "emergency_call", "pin_call"]

AttemptTable = Mapping[tuple[AttemptState, AttemptEvent], AttemptState]
ContactTable = Mapping[tuple[ContactState, ContactEvent], ContactState]

FINAL: Final[tuple[ReceiptStatus, ...]] = ("delivered", "confirmed", "permanent_failure", "opted_out")
REFUSALS: Final[tuple[ReceiptStatus, ...]] = ("unconfirmed", "voicemail", "busy", "no_answer", "temporary_failure")


def _attempts() -> Iterator[tuple[AttemptState, AttemptEvent, AttemptState]]:
    """Yield the transitions of an attempt: from, event, to. A receipt leads to the state of its own name."""
    yield "sent", "accepted", "accepted"
    yield "sent", "lease_ended", "expired"
    yield "accepted", "wait_ended", "unanswered"
    yield "expired", "accepted", "accepted"
    for status in (*REFUSALS, *FINAL):
        yield "sent", status, status
        yield "accepted", status, status
        yield "expired", status, status
        yield "unanswered", status, status
    for status in FINAL:
        for refusal in REFUSALS:
            yield refusal, status, status


ATTEMPT: Final[AttemptTable] = {(state, event): to for state, event, to in _attempts()}

CONTACT: Final[ContactTable] = {
    ("due", "attempt"): "trying",
    ("due", "accepted"): "trying",
    ("due", "reached"): "reached",
    ("due", "failed"): "failed",
    ("due", "opted_out"): "opted_out",
    ("due", "give_up"): "gave_up",
    ("due", "cancel"): "cancelled",
    ("trying", "accepted"): "trying",
    ("trying", "reached"): "reached",
    ("trying", "again"): "due",
    ("trying", "failed"): "failed",
    ("trying", "silence"): "expired",
    ("trying", "opted_out"): "opted_out",
    ("trying", "give_up"): "gave_up",
    ("trying", "cancel"): "cancelled",
    ("failed", "reached"): "reached",
    ("expired", "reached"): "reached",
    ("expired", "failed"): "failed",
    ("expired", "opted_out"): "opted_out",
    ("gave_up", "accepted"): "trying",
    ("gave_up", "reached"): "reached",
    ("gave_up", "opted_out"): "opted_out",
    ("cancelled", "reached"): "reached",
    ("cancelled", "opted_out"): "opted_out",
}

# What the end of an attempt means for its contact, by the kind of message.
_EVERY: Final[Mapping[AttemptState, ContactEvent]] = {
    "accepted": "accepted",
    "delivered": "reached",
    "confirmed": "reached",
    "permanent_failure": "failed",
    "opted_out": "opted_out",
    "temporary_failure": "again",
    "busy": "again",
    "no_answer": "again",
    "expired": "again",
    "unconfirmed": "again",
    "voicemail": "again",
    "unanswered": "again",
}
OUTCOMES: Final[Mapping[MessageKind, Mapping[AttemptState, ContactEvent]]] = {
    "text": {**_EVERY, "unanswered": "silence"},
    "email": {**_EVERY, "unanswered": "reached"},
    "email_in_doubt": {**_EVERY, "unanswered": "silence"},
    "call": {**_EVERY, "unconfirmed": "reached", "voicemail": "reached"},
    "emergency_call": {**_EVERY, "unconfirmed": "reached"},
    "pin_call": _EVERY,
}

UNDER_WAY: Final[frozenset[ContactState]] = frozenset({"due", "trying"})
WITHOUT_SUCCESS: Final[frozenset[ContactState]] = frozenset({"failed", "expired", "gave_up"})

State = TypeVar("State")
Event = TypeVar("Event")


def next_state(table: Mapping[tuple[State, Event], State], state: State, event: Event) -> State | None:
    """Return the state after the event; None if the table has no such transition, which changes nothing."""
    return table.get((state, event))
