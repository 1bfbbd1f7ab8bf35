"""
The lifecycles of an attempt, and of a contact within a delivery, as transition tables.

An *attempt* is one outbound record, and a lease: a provider may start to send it until it expires. It is `sent`, then `accepted` by a
provider, and ends with or without a receipt: `expired` if no provider accepted it before the lease ended, `unanswered` if no final
receipt came within `receipt.wait`. Receipts arrive twice, late and in any order. A receipt without a transition in the table changes
nothing, and is recorded in the journal as late. `delivered`, `confirmed`, `permanent_failure` and `opted_out` are final: nothing
overwrites them (contract §5).

A *contact* is one address that a delivery is to reach. It is `due` until an attempt is made, and `trying` while one is under way. How
an attempt's end affects its contact depends on the kind of message (`OUTCOMES`):

- a `text` message or an `email` has reached the contact when it was delivered. No receipt after an email was accepted counts as
  reached; no receipt after a text message counts as not reached: the contact expires, and the text is not sent again (contract §5).
- an `email_in_doubt`, which a vendor may or may not have accepted, is treated like a text: no receipt proves nothing.
- a `call` that is not an emergency has reached the contact when a person or a machine answered; otherwise it is repeated.
- an `emergency_call` without a PIN on file has reached the contact when a person answered or pressed a key, not if a machine did.
- a `pin_call` has reached the contact only with the right PIN: a machine mistaken for a person must not end an emergency (contract §5).

`reached`, `failed`, `expired`, `gave_up`, `opted_out` and `cancelled` are end states. Only late receipts still change them: a delivery,
an opt-out, or, after the contact was given up, an acceptance of the last attempt, whose final receipt is then awaited.
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
    """Yield the transitions of an attempt as (from, event, to). A receipt leads to the state with its own name."""
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


ATTEMPT_TRANSITIONS: Final[AttemptTable] = {(state, event): to for state, event, to in _attempts()}

CONTACT_TRANSITIONS: Final[ContactTable] = {
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

# What an attempt's status means for its contact, unless the kind of message says otherwise.
_COMMON_OUTCOMES: Final[Mapping[AttemptState, ContactEvent]] = {
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
    "text": {**_COMMON_OUTCOMES, "unanswered": "silence"},
    "email": {**_COMMON_OUTCOMES, "unanswered": "reached"},
    "email_in_doubt": {**_COMMON_OUTCOMES, "unanswered": "silence"},
    "call": {**_COMMON_OUTCOMES, "unconfirmed": "reached", "voicemail": "reached"},
    "emergency_call": {**_COMMON_OUTCOMES, "unconfirmed": "reached"},
    "pin_call": _COMMON_OUTCOMES,
}

UNDER_WAY: Final[frozenset[ContactState]] = frozenset({"due", "trying"})
WITHOUT_SUCCESS: Final[frozenset[ContactState]] = frozenset({"failed", "expired", "gave_up"})

State = TypeVar("State")
Event = TypeVar("Event")


def next_state(table: Mapping[tuple[State, Event], State], state: State, event: Event) -> State | None:
    """Return the state after the event; None if the table has no such transition, which changes nothing."""
    return table.get((state, event))
