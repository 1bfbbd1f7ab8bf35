"""
Dates as agencies write them, as instants.

Accepted are the calendar forms of ISO 8601, extended (2026-11-02T17:40:00Z) or basic (20261102T174000Z), a date alone,
and XML Schema's date with an offset (2026-11-02-05:00), whose offset is left out: it is that day at the agency.

Without offset a time is the agency's own (contract §3). Where its clocks go back and the hour exists twice, the event is
at the first and past only after the second; where they go forward and the hour does not exist, the time counts as if they
had not moved yet, as calendars have it (RFC 5545): 02:30 of that night is 03:30. Midnight is 00:00, never 24:00.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Final

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9998  # 9999-12-31 is what databases write for "never", and the day after it does not exist
WIDEST_OFFSET: Final = timedelta(hours=14)
DAY: Final = timedelta(days=1)

_ISO: Final = re.compile(
    r"(?P<year>\d{4})(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
    r"(?P<time>[Tt ](?P<hour>\d\d)(?P<colon>:?)(?P<minute>\d\d)(?:(?P=colon)(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?"
    r"(?P<offset>[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class When:
    """An action date: the instant it begins, the instant from which it is past, in milliseconds, and whether it is a day."""

    action_at: int
    past_from: int
    date_only: bool


def when(text: str, zone: tzinfo) -> When:
    """Return when an event is that an agency in `zone` dates so; raises ValueError where that cannot be read."""
    found = _matched(text)
    day = _day(found)
    if found["time"] is None:
        start = datetime(day.year, day.month, day.day, tzinfo=zone)
        return When(_millis(start), _millis(start + DAY), date_only=True)
    at = _time(found, day)
    if found["offset"] is not None:
        instant = _millis(at.replace(tzinfo=_offset(found["offset"])))
        return When(instant, instant, date_only=False)
    first = _millis(at.replace(tzinfo=zone))
    return When(first, max(first, _millis(at.replace(tzinfo=zone, fold=1))), date_only=False)


def civil_date(text: str) -> str:
    """Return the day named, as YYYY-MM-DD, of a date or date-time; raises ValueError where there is none."""
    return _day(_matched(text)).isoformat()


def _matched(text: str) -> re.Match[str]:
    found = _ISO.fullmatch(text)
    if found is None:
        raise ValueError("not an ISO 8601 calendar date")
    return found


def _day(found: re.Match[str]) -> date:
    year = int(found["year"])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError("no year that an event can be in")
    return date(year, int(found["month"]), int(found["day"]))


def _time(found: re.Match[str], day: date) -> datetime:
    micros = int((found["fraction"] or "").ljust(6, "0")[:6])
    return datetime(day.year, day.month, day.day, int(found["hour"]), int(found["minute"]), int(found["second"] or 0), micros)  # noqa: DTZ001


def _offset(text: str) -> timezone:
    if text in "Zz":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    if digits[2:] > "59":
        raise ValueError("no offset has so many minutes")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if size > WIDEST_OFFSET:
        raise ValueError("no time zone is so far from UTC")
    return timezone(size if text[0] == "+" else -size)


def _millis(moment: datetime) -> int:
    """Return the instant in milliseconds, exactly: seconds and fraction apart, since a float cannot hold both."""
    return int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000
