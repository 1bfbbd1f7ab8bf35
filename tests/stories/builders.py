"""What agencies and registration sites would send, with everything usual filled in."""

from itertools import count
from typing import Any

_NUMBERS = count(1)

WALKER = {
    "identifiers": [{"scheme": "SID", "value": "VA7700123"}],
    "name": {"given": "Thomas", "sur": "Walker"},
    "birth_date": "1979-02-11",
}
BAKER = {
    "identifiers": [{"scheme": "SID", "value": "VA7700456"}],
    "name": {"given": "Luis", "sur": "Baker"},
    "birth_date": "1990-08-30",
}


def submission(**changes: Any) -> dict[str, Any]:
    """An escape from a jail, an hour before the driver's clock begins; `changes` replace fields, None takes one away."""
    number = next(_NUMBERS)
    usual = {
        "message_id": f"M-{number}",
        "agency": {"ori": "VA0430000", "name": "Riverside Jail", "state": "VA"},
        "event_type": "Jail",
        "event_subtype": "Escape",
        "notification_type": "Status Update",
        "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}],
        "action_at": "2026-11-02T11:00:00-05:00",
        "offenders": [WALKER],
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def tagged(subtype: str, *validations: str) -> dict[str, Any]:
    """A notification subtype with its validations."""
    return {"subtype": subtype, "validations": list(validations)}


def hearing(**changes: Any) -> dict[str, Any]:
    """A court hearing six weeks ahead."""
    usual = {
        "agency": {"ori": "VA043013A", "name": "Riverside Commonwealth's Attorney", "state": "VA"},
        "event_type": "Prosecution",
        "event_subtype": "Court Hearing",
        "notification_type": "Hearing Notice",
        "action_at": "2026-12-14T10:00:00-05:00",
        "case": {"number": "CR26-7", "court": "Riverside Circuit Court"},
    }
    return submission(**{**usual, **changes})


def registration(registrant: str = "R-1", **changes: Any) -> dict[str, Any]:
    """A registration for Walker, by SMS alone."""
    number = next(_NUMBERS)
    usual = {
        "registration_id": f"VINE-{number}",
        "registrant_id": registrant,
        "source": "VINE",
        "offender": WALKER,
        "case_numbers": [],
        "event_subtypes": [],
        "language": "en",
        "time_zone": "America/New_York",
        "contacts": [{"channel": "sms", "address": f"+1804555{2000 + number % 8000}", "verified": True}],
        "pin": "2580",
        "created_at": "2026-10-01T12:00:00Z",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}
