"""
Business days, calendar days and ends of days; the compact's rules count in both kinds of days.

A business day is Monday to Friday, except holidays of the United States or of the owing state as given by the library `holidays` and
corrected by the `holiday` entries of rule files. The compact's rules define neither "business day" nor "holiday".
"""

from collections.abc import Hashable, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

COUNTRY: Final = "US"
LANGUAGE: Final = "en_US"  # of the names of holidays, independent of the machine's locale
SATURDAY: Final = 5
OBSERVED: Final = " (observed)"  # added by the library to the name of a holiday that is moved off a weekend
HOLIDAY_YEARS: Final = range(2020, 2040)  # years whose holidays a rule file may name
DAY: Final = timedelta(days=1)


class Calendar(NamedTuple):
    """One state's business days; if the owing state is not known, or no state owes, only federal holidays count."""

    state: str = ""
    closed: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    worked_names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, state: str, entries: Mapping[Hashable, Any]) -> "Calendar":
        """Return the calendar of a state with the corrections of its rule file's section `holiday`."""
        return cls(
            state,
            frozenset(entry.day for entry in entries.values() if entry.day is not None and not entry.worked),
            frozenset(entry.day for entry in entries.values() if entry.day is not None and entry.worked),
            frozenset(entry.name for entry in entries.values() if entry.day is None and entry.worked),
        )

    def is_business_day(self, day: date) -> bool:
        """Whether the day is a business day."""
        if day in self.closed:
            return False
        if day in self.worked:
            return True
        return day.weekday() < SATURDAY and all(map(self.is_worked, public_holidays(self.state, day.year).get(day, ())))

    def is_worked(self, holiday: str) -> bool:
        """Whether a yearly holiday or its observed day is a business day; the name's case is ignored."""
        name = holiday.casefold()
        return not {name, name.removesuffix(OBSERVED)}.isdisjoint(map(str.casefold, self.worked_names))

    def after(self, day: date, count: int, unit: str) -> date:
        """Return the day `count` days after `day`; `day` itself is not counted."""
        return day + count * DAY if unit == "calendar days" else business_days_after(self, day, count)


@lru_cache(maxsize=2048)
def business_days_after(calendar: Calendar, day: date, count: int) -> date:
    while count > 0:
        day += DAY
        count -= calendar.is_business_day(day)
    return day


@lru_cache(maxsize=512)
def public_holidays(state: str, year: int) -> Mapping[date, frozenset[str]]:
    """Return the federal and state holidays of a year with their names; an observed day is listed separately."""
    from holidays import country_holidays, list_supported_countries  # noqa: PLC0415  a quarter of the startup time, and only one process needs it

    found: dict[date, frozenset[str]] = {}
    for subdivision in {None, state if state in list_supported_countries()[COUNTRY] else None}:
        for day, names in country_holidays(COUNTRY, subdiv=subdivision, years=year, language=LANGUAGE).items():
            if day.year == year:
                found[day] = found.get(day, frozenset()) | {name.strip() for name in names.split(";")}
    return found


def holiday_names(state: str) -> frozenset[str]:
    """Return the names of the federal and state holidays, including those that do not occur every year."""
    return frozenset().union(*(names for year in HOLIDAY_YEARS for names in public_holidays(state, year).values()))


def day_of(instant: int, zone: ZoneInfo) -> date:
    """Return the day of an instant (milliseconds) in a zone; outside the dates that Python supports, the first or last day."""
    try:
        return datetime.fromtimestamp(instant // 1000, zone).date()
    except (OverflowError, ValueError):
        return date.min if instant < 0 else date.max


def end_of(day: date, zone: ZoneInfo) -> int:
    """Return the end of a day in a zone, in milliseconds."""
    return round(datetime.combine(day + DAY, time(), zone).timestamp() * 1000)


def noon_of(day: date, zone: ZoneInfo) -> int:
    """Return noon of a day in a zone, in milliseconds: an instant on that day in every zone of the same state."""
    return round(datetime.combine(day, time(12), zone).timestamp() * 1000)
