"""
Check and normalise the addresses of a registrant.

Telephone numbers become E.164 (contract §4). A number with an extension is refused: others may answer it.
"""

import re
from collections.abc import Sequence
from typing import Final

import phonenumbers
from msgspec import Struct

from processors.domain.registration import Channel, Contact

DEFAULT_REGION: Final = "US"  # of a number without country code
MAX_EMAIL: Final = 254
_EMAIL: Final = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_](?:[\w-]*[^\W_])")


class SentContact(Struct, frozen=True):
    """A contact as it was sent."""

    channel: str
    address: str
    verified: bool = False


def usable_contacts(forms: Sequence[SentContact]) -> tuple[Contact, ...]:
    """Return the contacts that can be used, each once; one that was sent verified and unverified is verified."""
    found: dict[tuple[Channel, str], bool] = {}
    for form in forms:
        channel = CHANNELS.get(form.channel)
        address = normalize(channel, form.address) if channel else None
        if channel and address:
            found[channel, address] = found.get((channel, address), False) or form.verified
    return tuple(Contact(channel, address, verified) for (channel, address), verified in found.items())


def normalize(channel: Channel, address: str) -> str | None:
    """Return the address in its canonical form; None where nobody can be reached there."""
    return normalize_email(address) if channel == "email" else normalize_telephone(address)


def normalize_telephone(number: str) -> str | None:
    """Return the number in E.164."""
    try:
        parsed = phonenumbers.parse(number, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    if parsed.extension or not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def normalize_email(address: str) -> str | None:
    """Return the address with its domain in lower case."""
    if len(address) > MAX_EMAIL or not address.isprintable() or not _EMAIL.fullmatch(address):
        return None
    mailbox, _, domain = address.rpartition("@")
    return f"{mailbox}@{domain.lower()}"


CHANNELS: Final[dict[str, Channel]] = {"sms": "sms", "email": "email", "voice": "voice"}
