"""How the pages write times, durations and records."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from processors.runtime.clock import wall_time

MASKED_FIELDS: Final = frozenset({"to", "body", "subject", "sealed", "original", "submission", "contacts", "pin", "digits", "address"})
PLACEHOLDER: Final = "(not shown)"
UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def moment(millis: int | None) -> str:
    """Return a time as readable text, in UTC; empty for None."""
    return "" if millis is None else datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """Return a duration in its largest unit, rounded down."""
    whole = int(abs(seconds))
    return next((f"{whole // size} {unit}" for size, unit in UNITS if whole >= size), f"{whole} s")


def ago(millis: int) -> str:
    """Return how long ago a time (milliseconds) was, in its largest unit."""
    return duration(max(0, wall_time() - millis) / 1000)


def sentence(text: str) -> str:
    """Return a journal's detail as a sentence: capitalized, with a period at the end."""
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def mask_personal_data(value: Any) -> Any:
    """Return a record as plain values, with a placeholder for every field that may hold contact data or a registrant's words."""
    if hasattr(value, "__struct_fields__"):
        return {
            name: PLACEHOLDER if name in MASKED_FIELDS and getattr(value, name) else mask_personal_data(getattr(value, name))
            for name in value.__struct_fields__
        }
    if isinstance(value, Mapping):
        return {name: PLACEHOLDER if name in MASKED_FIELDS else mask_personal_data(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [mask_personal_data(each) for each in value]
    return PLACEHOLDER if isinstance(value, bytes) else value
