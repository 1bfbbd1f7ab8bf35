"""Checks ids: they become keys, log lines and command arguments, and must not reveal who or where anybody is."""

import re
from typing import Final

from processors.ingest.read.rejection import Rejection

MAX_ID: Final = 256
_EMAIL: Final = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")
_INTERNATIONAL: Final = re.compile(r"(?:\+|\b00)[1-9](?:[ ().-]?\d){6,14}\b")
_GROUPED: Final = re.compile(r"(?<!\d)(?:1[ .-]?)?\(?[2-9]\d\d\)?[ .-][2-9]\d\d[ .-]\d{4}(?!\d)")
_NORTH_AMERICAN: Final = re.compile(r"(?:tel:|sms:)?1?(?!.11)[2-9]\d\d(?!.11)[2-9]\d{6}")


def check_id(field: str, value: str) -> None:
    """Reject an id that is too long or unprintable."""
    if len(value) > MAX_ID or not value.isprintable():
        raise Rejection("bad_id", f"The field {field} is longer than {MAX_ID} characters or holds some that do not print.")


def check_private_id(field: str, value: str) -> None:
    """Reject the id of a registration or registrant that is too long, unprintable or looks like an address."""
    check_id(field, value)
    if looks_like_address(value):
        raise Rejection("bad_id", f"The field {field} looks like an email address or telephone number: use an id that tells nothing.")


def looks_like_address(value: str) -> bool:
    """Whether an id holds an email address or telephone number, or may be one."""
    return bool(
        _EMAIL.search(value) or _INTERNATIONAL.search(value) or _GROUPED.search(value) or _NORTH_AMERICAN.fullmatch(value.strip().lower())
    )
