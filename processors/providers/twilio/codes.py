"""What Twilio's error codes and statuses mean; the tables are codes.toml."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

from processors.providers.outcome import Outcome, Refused, Unavailable
from processors.runtime import metrics

FILE: Final = Path(__file__).with_name("codes.toml")
PERSON: Final = "human"  # AnsweredBy of a call that a person answered; a machine, a fax, or unknown otherwise


@cache
def tables() -> dict[str, dict[str, Any]]:
    """Return the tables of codes.toml."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def meaning(code: str) -> str | None:
    """Return the receipt status of an error code, or "unavailable"; None for a code that the table does not have."""
    found = tables()["codes"].get(code)
    return None if found is None else str(found)


def outcome_of(code: str) -> Outcome:
    """Return the outcome of an error code; an unknown one is a technical failure, and counted."""
    match meaning(code):
        case "temporary_failure" | "permanent_failure" | "opted_out" as status:
            return Refused(status, f"Twilio error {code}")
        case None:
            metrics.UNKNOWN_CODES.labels("twilio").inc()
    return Unavailable(f"Twilio error {code}")


def message_status(status: str, code: str) -> str | None:
    """Return the receipt status of a text message's callback, None for a status that the table does not have."""
    found = tables()["message_status"].get(status)
    if found is None or not code:
        return None if found is None else str(found)
    said = outcome_of(code)
    return said.status if isinstance(said, Refused) else "temporary_failure"


def call_status(status: str, answered_by: str) -> str | None:
    """
    Return the receipt status of a call's callback, None for a status that the table does not have.

    A call of which it is not known that a person answered it counts as taken by a machine, which never ends an emergency.
    """
    if status == "completed" and answered_by != PERSON:
        return "voicemail"
    found = tables()["call_status"].get(status)
    return None if found is None else str(found)
