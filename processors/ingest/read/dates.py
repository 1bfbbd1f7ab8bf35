"""
Parse dates as agencies write them into instants.

Accepts the calendar forms of ISO 8601, extended (2026-11-02T17:40:00Z) or basic (20261102T174000Z), a date alone, and XML
Schema's date with an offset (2026-11-02-05:00), whose offset is ignored: it means that day at the agency. Also accepts a blank
before the offset, as databases write it (2026-11-02 17:40:00.0 -05:00), and a zone name after it (-05:00[America/New_York]); the
offset counts.

A time without an offset is local time at the agency (contract §3). If the hour occurs twice, because clocks go back, the event is
at the first occurrence and past only after the second. If it does not exist, because clocks go forward, the time is read as if
they had not moved yet (RFC 5545): 02:30 of that night is 03:30. Midnight is 00:00, never 24:00.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

from msgspec import Struct

from processors.domain.no_names import PLACEHOLDER_WORDS, UNKNOWN_NAMES

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9998  # 9999-12-31 is what databases write for "never", and the day after it does not exist
WIDEST_OFFSET: Final = timedelta(hours=14)
DAY: Final = timedelta(days=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Python parses more than these forms (weeks, 24:00 in some versions), so the form is checked first.
_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d|\d{8})"
    r"(?:T(?:[01]\d|2[0-3])(?::\d\d(?::\d\d(?:[.,]\d+)?)?|\d\d(?:\d\d(?:[.,]\d+)?)?))?"
    r"(?:Z|[+-]\d\d(?::?[0-5]\d)?)?",
    re.ASCII,
)
_BEFORE_OFFSET: Final = re.compile(r"(?<=\d) (?=(?:Z|[+-]\d\d(?::?[0-5]\d)?)$)", re.ASCII)
_UTC: Final = re.compile(r"(?<=\d) ?(?:UTC|GMT)$", re.ASCII)
_ZONE_AFTER: Final = re.compile(r"(?:(?<=Z)|(?<=[+-]\d\d:\d\d)|(?<=[+-]\d{4}))\[!?[A-Z][A-Z0-9_+/-]*\]$", re.ASCII)


# A complete birth date in the usual form, without a month, day or year that stands for an unknown one.
_WHOLE: Final = re.compile(r"(?:19(?!00)\d\d|20[0-4]\d)-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
# A date of which parts are unknown: 1979, 1979-02, 1979-00-00, 1979-99-99, 1979-XX-XX, 197X, 19790000, 0000-02-11, --02-11.
_DIGIT: Final = r"[\dXU?*#_]"
_PART: Final = rf"{_DIGIT}{{2}}"
_PARTIAL: Final = re.compile(
    rf"(?P<year>{_DIGIT}{{4}}|-)(?:-(?P<month>{_PART})(?:-(?P<day>{_PART}))?|(?P<basic_month>{_PART})(?P<basic_day>{_PART}))?"
    r"(?:T00:?00(?::?00(?:\.0+)?)?)?(?:Z|[+-][01]\d:?[0-5]\d)?",
    re.ASCII,
)
# The same as forms write it, 00/00/1979, 02/00/1979 or 1979/00/00: which number is the month is unknown. A blank is a T here.
_NONE: Final = r"(?:00|99|[XU?*_#T-]{0,2}|MM|DD)"
_YEAR_ALONE: Final = re.compile(
    rf"(?:{_NONE}[/.-](?:[\dXU?]{{2}}|{_NONE})|[\dXU?]{{2}}[/.-]{_NONE})[/.-](?P<last>\d{{4}})|(?P<first>\d{{4}})(?:[/.]{_NONE}){{2}}",
    re.ASCII,
)
# A month of a year as forms write it: 2/1979, 1979/02.
_MONTH_OF_YEAR: Final = re.compile(r"(?P<month>\d{1,2})[/.](?P<year>\d{4})|(?P<year_first>\d{4})[/.](?P<month_last>\d\d)", re.ASCII)
# A form that is not filled in, or holds zeros: __/__/____, MM/DD/YYYY, TT.MM.JJJJ, 000000.
_EMPTY_FORM: Final = re.compile(r"[MDYJATXU?*_#/.:\s-]*|0+")
# What systems write if no birth date is known: the first year of a calendar, one of its last, or a year of the wrong century.
IMPOSSIBLE_YEARS: Final = frozenset({"0000", "0001", "1753", "1899", "1900", "9999", *map(str, range(2050, 2101))})
# A day as forms write it, in a year that stands for no date: 01/01/1900, 1/1/0001 00:00:00, XX/XX/XXXX.
_NO_YEAR: Final = "|".join(sorted(IMPOSSIBLE_YEARS))
_NO_DAY: Final = re.compile(
    rf"[\dXU?]{{1,2}}[/.-][\dXU?]{{1,2}}[/.-](?:{_NO_YEAR}|[XU?]{{4}})(?:T(?:12|0?0):00(?::00(?:\.0+)?)?(?:TAM)?)?", re.ASCII
)
# The year with a sign that it is uncertain or that the rest is missing: 1979?, ~1979, c. 1979, 1979 (est.), born 1979, 1979--.
_UNCERTAIN: Final = r"(?:C|CA|CIRCA|ABT|ABOUT|AROUND|EST|ESTIMATED?|APPROX|APPROXIMATELY|APROX|HACIA)\b\.?"
_ABOUT: Final = re.compile(
    rf"(?:~|{_UNCERTAIN}|(?:BORN|B|DOB|YOB|YEAR)\b[.:]?)?\s*"
    rf"(?:(?P<known>\d{{4}}(?:-\d\d){{0,2}})(?:[~?%]|\s*\(?{_UNCERTAIN}\)?)?|(?P<begun>\d{{4}}(?:-\d\d)?)-{{1,2}})",
    re.ASCII,
)
_WORDS: Final = re.compile(r"[^\W\d_]+")
NO_BIRTH_DATE: Final = (
    PLACEHOLDER_WORDS
    | UNKNOWN_NAMES
    | {"dob", "birth", "birthdate", "date", "of", "on", "file", "yet", "determined", "undetermined"}
    | {"k", "s", "f", "fecha", "nacimiento", "consta", "nat", "see", "remarks", "notes", "disponible", "se", "desconoce"}
)
# The days on which calendars of systems begin, which they write if they have no date: Unix time, and databases.
_FIRST_DAY: Final = re.compile(r"(?:1970|1900)-?01-?01(?:T00:?00(?::?00(?:[.,]0+)?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?", re.ASCII)
_FIRST_YEARS: Final = ("1970", "1969", "1900")  # 1969: the first instant of Unix time, in zones west of Greenwich
_KNOWN: Final = re.compile(r"(?!0+$|9+$)\d+", re.ASCII)
LAST_BIRTH: Final = 2100
MONTHS: Final = 12


class ActionTime(Struct, frozen=True, gc=False):
    """An action date: the instant it begins, the instant from which it is past, in milliseconds, and whether it is a day."""

    action_at: int
    past_from: int
    date_only: bool


def parse_when(text: str, zone: tzinfo) -> ActionTime:
    """Return the time that an agency in `zone` means by `text`; raises ValueError if it cannot be read."""
    iso = _iso_form(text)
    if "T" not in iso:
        day = _day(iso)
        start = datetime(day.year, day.month, day.day, tzinfo=zone)
        return ActionTime(_millis(start), _millis(start + DAY), date_only=True)
    at = datetime.fromisoformat(iso)
    _check_year(at)
    offset = at.utcoffset()
    if offset is None:
        first = _millis(at.replace(tzinfo=zone))
        return ActionTime(first, max(first, _millis(at.replace(tzinfo=zone, fold=1))), date_only=False)
    if abs(offset) > WIDEST_OFFSET:
        raise ValueError("no time zone is so far from UTC")
    instant = _millis(at)
    return ActionTime(instant, instant, date_only=False)


@lru_cache(4096)
def parse_day(text: str) -> str:
    """Return the day named, as YYYY-MM-DD, of a date or date-time; raises ValueError if there is none."""
    return _day(_iso_form(text)).isoformat()


def means_unknown(text: str) -> bool:
    """Whether a text consists of words for "none", such as "unknown", "N/A" or "not on file", rather than being a mistyped date."""
    words = _WORDS.findall(text.replace(".", "").casefold())
    return NO_BIRTH_DATE.issuperset(words) and not any(map(str.isdigit, text))


@lru_cache(4096)
def parse_birth_date(text: str) -> str | None:
    """
    Return a birth date as far as it is known: YYYY-MM-DD, YYYY-MM, YYYY, or None; raises ValueError if it is not a date.

    Systems write zeros, nines, X or ? for unknown parts, and a word, an empty form or an impossible year if nothing is known.
    """
    return _day(text).isoformat() if _WHOLE.fullmatch(text) else _partial_birth_date(text)


def is_first_day(text: str) -> bool:
    """
    Whether a text is the day on which a calendar of systems begins, without a time or at midnight, or Unix time 0 in any zone.

    A date that must be given is refused for it, one that may be missing counts as missing (is_no_date), and a birth date is real.
    """
    written = plain(text)
    if not written.startswith(_FIRST_YEARS):
        return False
    if _FIRST_DAY.fullmatch(_without_zone_name(written).replace(" ", "T")):
        return True
    try:
        at = datetime.fromisoformat(_iso_form(text))
    except ValueError:
        return False
    return at.tzinfo is not None and at == EPOCH


def is_no_date(text: str) -> bool:
    """Whether a text is what systems write if they have no date: a word, zeros, the first or one of the last days of a calendar."""
    if _WHOLE.match(text):  # as most do
        return is_first_day(text)
    try:
        return is_first_day(text) or parse_birth_date(text) is None
    except ValueError:
        return False


def _partial_birth_date(text: str) -> str | None:
    """Return what is known of a birth date that is incomplete or in another form."""
    spaced = plain(text)
    written = spaced.replace(" ", "T")
    if means_unknown(text) or _NO_DAY.fullmatch(written) or _EMPTY_FORM.fullmatch(spaced):
        return None
    if about := _ABOUT.fullmatch(spaced):
        written = about["known"] or about["begun"]
    found = _PARTIAL.fullmatch(_year_first(written))
    if found is None:
        return None if _ISO.fullmatch(written) and written[:4] in IMPOSSIBLE_YEARS else parse_day(text)
    year, month, day = (
        part if _KNOWN.fullmatch(part or "") else None
        for part in (found["year"], found["month"] or found["basic_month"], found["day"] or found["basic_day"])
    )
    if year is None or year in IMPOSSIBLE_YEARS:
        return None
    if not FIRST_YEAR <= int(year) <= LAST_BIRTH:
        raise ValueError("no year that anybody is born in")
    if month is None:
        return year
    if day is not None:
        return parse_day(f"{year}-{month}-{day}")
    if not 1 <= int(month) <= MONTHS:
        raise ValueError("no month of the year")
    return f"{year}-{month}"


def _year_first(written: str) -> str:
    """Return a date in the order of forms, of which only the year or the month and the year are known, as ISO 8601 writes it."""
    if alone := _YEAR_ALONE.fullmatch(written):
        return alone["last"] or alone["first"]
    if month := _MONTH_OF_YEAR.fullmatch(written):
        return f"{month['year'] or month['year_first']}-{month['month'] or month['month_last']:0>2}"
    return written


def plain(text: str) -> str:
    """Return a date in capitals, with plain digits and hyphens instead of typographic ones."""
    if text.isascii():
        return text.upper()
    shown = unicodedata.normalize("NFKC", text)
    return "".join("-" if unicodedata.category(each) == "Pd" or each == "\u2212" else each for each in shown).upper()


def _iso_form(text: str) -> str:
    """Return the text in capitals with T between date and time; raises ValueError for any other form."""
    written = plain(text)
    iso = written.replace(" ", "T")
    if _ISO.fullmatch(iso) is None:
        iso = _without_zone_name(written).replace(" ", "T")
        if _ISO.fullmatch(iso) is None:
            raise ValueError("not an ISO 8601 calendar date")
    return iso


def _without_zone_name(written: str) -> str:
    """Return a date and time without a zone's name after its offset, and without the blank before that."""
    return _BEFORE_OFFSET.sub("", _UTC.sub("Z", _ZONE_AFTER.sub("", written)))


def _day(iso: str) -> date:
    day = date.fromisoformat(iso[: 10 if iso[4] == "-" else 8])
    _check_year(day)
    return day


def _check_year(day: date) -> None:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError("no year that an event can be in")


def _millis(moment: datetime) -> int:
    """Return the instant in whole milliseconds, exactly: a float could not hold it."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
