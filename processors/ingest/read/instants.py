"""
Parses the times of registrations, receipts and so on: ISO 8601, or Unix milliseconds (contract §4).

A number that cannot be milliseconds is refused, never guessed: seconds would be a day in January 1970, microseconds a day in the
fiftieth millennium. The first day of a system's calendar is refused too, since nobody means it.
"""

import re
from datetime import tzinfo
from typing import Final

from processors.domain.normalize import normalize
from processors.domain.time import iso
from processors.ingest.read.dates import ActionTime, is_first_day, parse_when
from processors.ingest.read.rejection import Rejection

SentTime = str | int | float
"""A time as it is sent: ISO 8601, or milliseconds, which some programs write as 1893456000000.0 or 1.893456e12."""

FIRST: Final = 100_000_000_000  # 1973-03-03; as seconds it would be the year 5138
LAST: Final = 253_402_300_799_999  # the end of the year 9999
# Any day of the year 9999, also in the order of forms, and its last hours in UTC, which are in the year 10000.
NEVER: Final = re.compile(
    r"9999(?:-?(?:0[1-9]|1[0-2])(?:-?(?:0[1-9]|[12]\d|3[01])(?!\d).*)?)?|\d\d?([/.-])\d\d?\1 ?9999(?!\d).*|\+?0?10000-01-01(?:T.*)?",
    re.DOTALL,
)
NEVER_WORDS: Final = frozenset(
    {"never", "infinity", "none", "null", "na", "noexpiration", "noexpiry", "doesnotexpire", "indefinite", "permanent", "nunca"}
)
MOST_LETTERS: Final = 32  # of a text that may be a word for "never"
NEVER_FROM: Final = 253_370_764_800_000  # the beginning of the year 9999
NEVER_UNTIL: Final = 253_402_387_200_000  # a day after its end
LONGEST: Final = (1 << 63) - 1  # what programs write for "never"
_NUMBER: Final = re.compile(r"(-?(?:\d{9,13}|\d{15,20}))(?:\.0*)?", re.ASCII)  # 14 digits would be a date and time without signs
_COMPACT: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d")


def parse_instant(field: str, value: SentTime, zone: tzinfo) -> int:
    """Return a time in milliseconds; a day alone means its beginning."""
    number = as_number(value)
    return parse_moment(field, str(value), zone).action_at if number is None else milliseconds(field, number)


def parse_expiry(field: str, value: SentTime, zone: tzinfo) -> int | None:
    """Return when something expires (for a date without a time, the end of that day); None if the sender says never."""
    number = as_number(value)
    if number is None:
        return None if says_never(str(value)) else parse_plausible_time(field, str(value), zone).past_from
    return None if number == LONGEST or NEVER_FROM <= number < NEVER_UNTIL else milliseconds(field, number)


def says_never(text: str) -> bool:
    return NEVER.fullmatch(text) is not None or (len(text) <= MOST_LETTERS and normalize(text) in NEVER_WORDS)


def as_number(value: SentTime) -> int | None:
    """Return a number without its fraction, even if it is a string; None for a date."""
    if not isinstance(value, str):
        return int(value)
    return int(found[1]) if (found := _NUMBER.fullmatch(value)) else None


def as_text(field: str, number: float) -> str:
    """Return Unix milliseconds as ISO 8601."""
    return iso(milliseconds(field, int(number)))


def milliseconds(field: str, number: int) -> int:
    """Return a number that can be Unix milliseconds."""
    if _COMPACT.fullmatch(str(number)):
        kind = "a date and time written as one number"
    elif NEVER_FROM // 1000 <= number <= LAST // 1000:  # as milliseconds it would be a day of 1978
        kind = "the year 9999 in seconds"
    elif FIRST <= number < NEVER_FROM:
        return number
    else:
        kind = "seconds" if 0 < number < FIRST else "microseconds or smaller" if number > LAST else "no time that an event can have"
    raise Rejection("unreadable_date", f"The field {field} is a number that is not Unix milliseconds: it looks like {kind}.")


def parse_moment(field: str, text: str, zone: tzinfo) -> ActionTime:
    """Return the time that a field names in ISO 8601."""
    try:
        return parse_when(text, zone)
    except ValueError:
        raise unreadable_date(field) from None


def parse_plausible_time(field: str, text: str, zone: tzinfo) -> ActionTime:
    """Return the time that a field names; refuses placeholder dates, and dates that result from wrong units."""
    at = parse_moment(field, text, zone)
    if at.action_at == 0 or is_first_day(text):
        raise Rejection("unreadable_date", f"The field {field} is {text[:10]}, which systems write where they have no date.")
    if 0 < at.action_at < FIRST:
        raise Rejection("unreadable_date", f"The field {field} is {text[:10]}, which is what seconds are that were taken for milliseconds.")
    return at


def unreadable_date(field: str) -> Rejection:
    return Rejection("unreadable_date", f"The field {field} is not an ISO 8601 date or date-time of an existing day.")
