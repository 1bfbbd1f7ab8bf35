"""Milliseconds since the epoch and local times."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def local(at: int, zone: str) -> datetime:
    """Return the local time in a zone."""
    return (EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(zone))


def instant(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def midnight(day: date, zone: str) -> int:
    """Return the start of a day in a zone."""
    return instant(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)))


def iso_in_zone(at: int, zone: str) -> str:
    """Return the instant as ISO 8601 with the zone's offset."""
    return local(at, zone).isoformat(timespec="milliseconds" if at % SECOND else "seconds")


def full_minute(at: int) -> int:
    """Return the instant at its full minute."""
    return at // MINUTE * MINUTE
