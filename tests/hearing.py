"""A hearing notice as identify writes it; the tests of each stage add what they need."""

from typing import Any

from processors.domain.event import Event

OFFENDER = "o0123456789abcdef"


def hearing(message_id: str, received_at: int, action_at: int, **more: Any) -> Event:
    """Return a hearing notice of a court in Virginia; of a date that is past from `action_at` on, unless `more` says otherwise."""
    fields: dict[str, Any] = {
        "offender": OFFENDER,
        "ori": "VA0010000",
        "jurisdiction": "VA",
        "part": 0,
        "parts": 1,
        "operation": "Add",
        "event_type": "Court",
        "event_subtype": "Court Hearing",
        "notification_type": "Hearing Notice",
        "past_from": action_at,
    }
    return Event(**(fields | {"message_id": message_id, "received_at": received_at, "action_at": action_at} | more))
