"""Dates and times in the words of one language, in the agency's time zone."""

from datetime import date, datetime, time
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

from processors.deliver.wording.clean import clean, with_plain_blanks
from processors.deliver.wording.style import Style


@lru_cache(maxsize=64)
def locale(language: str) -> Locale:
    """Return the locale of the language in the United States, for dates and lists."""
    for name in (f"{language}_US", language):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en_US")


def instant_in_words(at: int, style: Style, *, date_only: bool) -> str:
    """Return an instant in words, in the agency's zone and with its abbreviation; a date without time is that day alone."""
    local = datetime.fromtimestamp(at / 1_000, style.zone)
    words = date_in_words(local.date(), "medium" if style.brief else "full", style.language)
    if date_only:
        return words
    one = style.noun("*at.one") if local.hour % 12 == 1 else ""
    between = " " if style.brief else one or style.noun("*at") or ", "
    return f"{words}{between}{time_in_words(local.hour, local.minute, style.language)} {local.tzname()}"


@lru_cache(maxsize=16_384)
def date_in_words(found: date, form: Literal["medium", "long", "full"], language: str) -> str:
    return with_plain_blanks(format_date(found, form, locale=locale(language)))


@lru_cache(maxsize=16_384)
def time_in_words(hour: int, minute: int, language: str) -> str:
    return with_plain_blanks(format_time(time(hour, minute), "short", locale=locale(language)))


def day_in_words(text: str, language: str, *, brief: bool) -> str:
    """Return an ISO 8601 date in words; any other text unchanged."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return date_in_words(found, "medium" if brief else "long", language)


def moment_in_words(text: str, style: Style) -> str:
    """Return a date or date-time of a changed field in words; any other text unchanged."""
    text = clean(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    if len(text) == len("2026-12-14"):
        return day_in_words(text, style.language, brief=style.brief)
    local = found if found.tzinfo is not None else found.replace(tzinfo=style.zone)
    return instant_in_words(int(local.timestamp() * 1_000), style, date_only=False)


def local_day(text: str, style: Style) -> str:
    """Return the day of a date or date-time in words; empty for any other text."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return ""
    local = found.astimezone(style.zone) if found.tzinfo is not None else found
    return day_in_words(local.date().isoformat(), style.language, brief=style.brief)
