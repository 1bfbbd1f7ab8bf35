"""How the pages write instants, durations and records."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from processors.runtime.clock import wall

MASKED: Final = frozenset({"to", "body", "subject", "sealed", "original", "submission", "contacts", "pin", "digits", "address"})
PLACEHOLDER: Final = "(not shown)"
UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))


def moment(millis: int | None) -> str:
    """Return an instant as people read it, in UTC."""
    return "" if millis is None else datetime.fromtimestamp(millis / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """Return a duration in its largest unit, rounded down."""
    whole = int(abs(seconds))
    return next((f"{whole // size} {unit}" for size, unit in UNITS if whole >= size), f"{whole} s")


def ago(millis: int) -> str:
    """Return how long ago an instant was, in its largest unit."""
    return duration(max(0, wall() - millis) / 1000)


def sentence(text: str) -> str:
    """Return a journal's detail as a sentence: a capital first, a full stop last."""
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def mask(value: Any) -> Any:
    """Return a record as plain values, with whatever may hold contact data or a registrant's words left out."""
    if hasattr(value, "__struct_fields__"):
        return {
            name: PLACEHOLDER if name in MASKED and getattr(value, name) else mask(getattr(value, name)) for name in value.__struct_fields__
        }
    if isinstance(value, Mapping):
        return {name: PLACEHOLDER if name in MASKED else mask(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [mask(each) for each in value]
    return PLACEHOLDER if isinstance(value, bytes) else value
