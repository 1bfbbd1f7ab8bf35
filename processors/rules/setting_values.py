"""The values of administrative settings, as administrators write them and as stages use them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST: Final = 36_500 * UNITS["d"]


class BadSetting(ValueError):
    """The setting cannot be used; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Surge:
    """At most `limit` within `window` milliseconds."""

    limit: int
    window: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Start and end in minutes since midnight; only emergencies are sent between them."""

    start: int
    end: int


def parse_duration(key: str, text: str) -> int:
    """Return the milliseconds of a duration ("30s", "15m", "8h", "60d")."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if found is None:
        raise BadSetting(f"{key} cannot be {text!r}: write a whole number and s, m, h or d, such as 30s, 15m, 8h or 60d.")
    if (length := int(found[1]) * UNITS[found[2]]) > LONGEST:
        raise BadSetting(f"{key} cannot be {text!r}: the longest is {LONGEST // UNITS['d']}d.")
    return length


def parse_flag(key: str, text: str) -> bool:
    """Return the boolean that `text` stands for."""
    if text not in {"true", "false"}:
        raise BadSetting(f"{key} cannot be {text!r}: write true or false.")
    return text == "true"


def parse_surge(key: str, text: str) -> Surge | None:
    """Return the limit that `text` names ("500/10m"), None for "none"."""
    if text == "none":
        return None
    limit, slash, window = text.partition("/")
    if not slash or not re.fullmatch(r"[1-9][0-9]{0,8}", limit):
        raise BadSetting(f"{key} cannot be {text!r}: write messages and time, such as 500/10m, or none.")
    if not (length := parse_duration(key, window)):
        raise BadSetting(f"{key} cannot be {text!r}: the time must be longer than nothing, such as 500/10m.")
    return Surge(int(limit), length)


def parse_quiet_hours(key: str, text: str) -> QuietHours | None:
    """Return the hours that `text` names ("21:00-07:00"), None for "none"."""
    if text == "none":
        return None
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if found is None:
        raise BadSetting(f"{key} cannot be {text!r}: write two times of day, such as 21:00-07:00, or none.")
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if start == end:
        raise BadSetting(f"{key} cannot be {text!r}: the two times must differ; write none for no quiet hours.")
    return QuietHours(start, end)


def parse_word(key: str, text: str, words: Sequence[str]) -> str:
    """Return `text` if it is one of the setting's words."""
    if text not in words:
        raise BadSetting(f"{key} cannot be {text!r}: write {' or '.join(words)}.")
    return text


def parse_number(key: str, text: str) -> int:
    """Return the whole number that `text` names."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise BadSetting(f"{key} cannot be {text!r}: write a whole number of at least 1, such as 25.")
    return int(text)
