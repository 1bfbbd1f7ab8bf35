"""Quiet hours, in the registrant's local time (contract §6 `quiet.hours`)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from processors.rules.rule_set import QuietHours

MAX_SEARCH: Final = 2 * 24 * 60 * 60 * 1_000  # zones so far apart that it is always night in one of them


def quiet_end_in_any(at: int, hours: QuietHours | None, zones: Sequence[ZoneInfo]) -> int:
    """
    Return the first instant from `at` on that is outside quiet hours in every zone where the registrant may be.

    A number of a country with many zones may be anywhere in it; if it is always quiet in one of them, the first zone counts.
    """
    if hours is None:
        return at
    until = at
    while (later := max(quiet_end(until, hours, zone) for zone in zones)) > until:
        until = later
        if until - at > MAX_SEARCH:
            return quiet_end(at, hours, zones[0])
    return until


def quiet_end(at: int, hours: QuietHours | None, zone: ZoneInfo) -> int:
    """Return the instant (milliseconds) at which the quiet hours around `at` end; `at` itself if it is not in quiet hours."""
    if hours is None or hours.start == hours.end:
        return at
    local = datetime.fromtimestamp(at / 1_000, zone)
    minute = local.hour * 60 + local.minute
    if not is_within(minute, hours):
        return at
    end = clock_time(local.date() + timedelta(days=1 if minute >= hours.end else 0), hours.end, zone)
    # When clocks go back, the end may occur twice: take the later one if the first has passed.
    return max(at, next((until for until in (to_milliseconds(end), to_milliseconds(end.replace(fold=1))) if until > at), at))


def quiet_start(at: int, hours: QuietHours | None, zone: ZoneInfo) -> int | None:
    """Return the instant after `at` at which quiet hours begin next; None if there are none."""
    if hours is None or hours.start == hours.end:
        return None
    today = datetime.fromtimestamp(at / 1_000, zone).date()
    starts = (to_milliseconds(clock_time(today + timedelta(days=days), hours.start, zone)) for days in range(3))
    return next(start for start in starts if start > at)


def is_within(minute: int, hours: QuietHours) -> bool:
    """Whether a minute of the day is in the quiet hours, which may span midnight."""
    if hours.start < hours.end:
        return hours.start <= minute < hours.end
    return minute >= hours.start or minute < hours.end


def clock_time(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the instant of a minute of a day in a zone."""
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)


def to_milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)
