"""The meaning of Twilio's error codes and statuses, from codes.toml."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from processors.providers.outcome import Refused, SendOutcome, VendorUnavailable
from processors.runtime import metrics

FILE: Final = Path(__file__).with_name("codes.toml")
HUMAN: Final = "human"  # AnsweredBy of a call that a person answered


@cache
def tables() -> dict[str, dict[str, Any]]:
    """Return the tables of codes.toml."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def meaning(code: str) -> str | None:
    """Return the receipt status of an error code, or "unavailable"; None for an unknown code."""
    found = tables()["codes"].get(code)
    return None if found is None else str(found)


def outcome_of(code: str) -> SendOutcome:
    """Return the outcome of an error code; an unknown code is counted and is a technical failure."""
    match meaning(code):
        case "temporary_failure" | "permanent_failure" | "opted_out" as status:
            return Refused(status, f"Twilio error {code}")
        case None:
            metrics.UNKNOWN_CODES.labels("twilio").inc()
    return VendorUnavailable(f"Twilio error {code}")


def message_status(status: str, code: str) -> str | None:
    """Return the receipt status for a text message's callback; None for an unknown status."""
    found = tables()["message_status"].get(status)
    if found is None or not code:
        return None if found is None else str(found)
    outcome = outcome_of(code)
    return outcome.status if isinstance(outcome, Refused) else "temporary_failure"


def call_status(status: str, answered_by: str) -> str | None:
    """
    Return the receipt status for a call's callback; None for an unknown status.

    Unless a person is known to have answered, a call counts as answered by a machine, which never settles an emergency.
    """
    if status == "completed" and answered_by != HUMAN:
        return "voicemail"
    found = tables()["call_status"].get(status)
    return None if found is None else str(found)
