"""
Checks values of the command line that several commands take.

A value is wrong usage (`UsageError`, exit code 2) if its form, its range, or the names that vn and its rules know show that it is
wrong. What only the pipeline or a file can show, such as an unknown review, is a failure (`UserError`, exit code 1).
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import typer

from processors.runtime.errors import UsageError

DECIDABLE_YEARS: Final = range(1971, 2200)  # in which the stages can decide: later than 1970-01-01 in every time zone


def not_blank(value: str | list[str] | None) -> str | list[str] | None:
    """Return the value of an argument or option; raises BadParameter if it, or one of several, is blank."""
    if any(not each.strip() for each in ([value] if isinstance(value, str) else value or ())):
        raise typer.BadParameter("it is blank")
    return value


def reason_option(use: str) -> Any:
    """Return the option `--reason`, which may not be blank; `use` says what it is for."""
    return typer.Option("--reason", callback=not_blank, help=use)


def known_jurisdiction(code: str, known: Collection[str]) -> str:
    """Return a jurisdiction's code in capital letters; raises UsageError if no rule file is for it."""
    if code.upper() not in known:
        raise UsageError(f"no rule file is for {code!r}: write one of {', '.join(sorted(known))}")
    return code.upper()


def check_year(option: str, day: datetime, years: range = DECIDABLE_YEARS) -> None:
    """Raise UsageError if the day is not in one of the years."""
    if day.year not in years:
        raise UsageError(f"{option} is a day of the years {years.start} to {years.stop - 1}")
