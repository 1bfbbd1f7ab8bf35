"""The values of administrative settings, as administrators write them and as stages use them."""

import re
from dataclasses import dataclass
from typing import Final

from processors.rules.setting_table import Setting

UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


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


def parse_duration(setting: Setting, text: str) -> int:
    """Return the milliseconds of a duration ("30s", "15m", "8h", "60d") within the bounds."""
    if (length := milliseconds(text)) is None:
        raise BadSetting(f"{setting.key} cannot be {text!r}: write a whole number and s, m, h or d, such as 30s, 15m, 8h or 60d.")
    if length < (milliseconds(setting.shortest) or 0):
        raise BadSetting(f"{setting.key} cannot be {text!r}: the shortest is {setting.shortest}.")
    if length > (milliseconds(setting.longest) or 0):
        raise BadSetting(f"{setting.key} cannot be {text!r}: the longest is {setting.longest}.")
    return length


def milliseconds(text: str) -> int | None:
    """Return the milliseconds of a duration, None if `text` is none."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    return None if found is None else int(found[1]) * UNITS[found[2]]


def parse_flag(setting: Setting, text: str) -> bool:
    """Return the boolean that `text` stands for."""
    if text not in {"true", "false"}:
        raise BadSetting(f"{setting.key} cannot be {text!r}: write true or false.")
    return text == "true"


def parse_rate(setting: Setting, text: str) -> Surge | None:
    """Return the limit that `text` names ("500/10m"), None for "none"."""
    if text == "none":
        return None
    limit, slash, window = text.partition("/")
    if not slash or not re.fullmatch(r"[1-9][0-9]{0,8}", limit):
        form = f"a number of {setting.counted} and a time, such as {setting.default}, or none"
        raise BadSetting(f"{setting.key} cannot be {text!r}: write {form}.")
    if int(limit) > setting.most:
        raise BadSetting(f"{setting.key} cannot be {text!r}: the most is {setting.most}.")
    return Surge(int(limit), parse_duration(setting, window))


def parse_quiet_hours(setting: Setting, text: str) -> QuietHours | None:
    """Return the hours that `text` names ("21:00-07:00"), None for "none"."""
    if text == "none":
        return None
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if found is None:
        raise BadSetting(f"{setting.key} cannot be {text!r}: write two times of day, such as 21:00-07:00, or none.")
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if start == end:
        raise BadSetting(f"{setting.key} cannot be {text!r}: the two times must differ; write none for no quiet hours.")
    return QuietHours(start, end)


def parse_word(setting: Setting, text: str) -> str:
    """Return `text` if it is one of the setting's words."""
    if text not in setting.words:
        raise BadSetting(f"{setting.key} cannot be {text!r}: write {' or '.join(setting.words)}.")
    return text


def parse_number(setting: Setting, text: str) -> int:
    """Return the whole number that `text` names."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise BadSetting(f"{setting.key} cannot be {text!r}: write a whole number of at least 1, such as {setting.default}.")
    if int(text) > setting.most:
        raise BadSetting(f"{setting.key} cannot be {text!r}: the most is {setting.most}.")
    return int(text)
