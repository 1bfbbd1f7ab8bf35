"""Converts between milliseconds since the epoch and ISO 8601."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

CACHED: Final = 1_024  # instants; cached since everything that follows from one record has the same time


@lru_cache(CACHED)
def iso(millis: int) -> str:
    """Return the instant as ISO 8601 in UTC, with milliseconds only if there are any."""
    moment = datetime.fromtimestamp(millis // 1000, UTC).replace(microsecond=millis % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds" if millis % 1000 else "seconds").replace("+00:00", "Z")


def millis(text: str) -> int:
    """Return the instant of an ISO 8601 date-time with offset; raises ValueError without one."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a date-time without offset names no instant")
    return round(moment.timestamp() * 1000)
