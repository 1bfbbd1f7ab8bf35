"""Checks the contacts of a registrant (contract §4), each by itself: refusing one contact never loses another."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import phonenumbers
from msgspec import Struct, ValidationError, convert
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number, time_zones_for_number

from processors.domain.addresses import NORMALIZE, NORTH_AMERICA, UnusableAddress
from processors.domain.normalize import without_invisible
from processors.domain.registration import Channel, Contact

MOST_ZONES: Final = 24  # more zones mean that the number has no location
SOMEWHERE: Final = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")  # of a number without a location
CHANNELS: Final[Mapping[str, Channel]] = {"sms": "sms", "email": "email", "voice": "voice"}


class SentContact(Struct, frozen=True, gc=False):
    """A contact as it was sent."""

    channel: str
    address: str | int | float
    verified: bool = False


class CheckedContacts(NamedTuple):
    """The contacts that can be used, without duplicates, and the reason for each contact that cannot."""

    usable: tuple[Contact, ...]
    refused: tuple[str, ...]


def check_contacts(sent: Iterable[Any]) -> CheckedContacts:
    """Return the contacts checked; an address that was sent both verified and unverified is verified."""
    found: dict[tuple[Channel, str], bool] = {}
    refused = []
    for number, each in enumerate(sent, 1):
        try:
            contact = check_contact(each)
        except UnusableAddress as why:
            refused.append(f"contact {number} {why}")
        else:
            at = contact.channel, contact.address
            found[at] = found.get(at, False) or contact.verified
    return CheckedContacts(tuple(Contact(channel, address, verified) for (channel, address), verified in found.items()), tuple(refused))


def check_contact(sent: Any) -> Contact:
    """Return one contact in canonical form."""
    try:
        form = convert(sent, SentContact)
    except ValidationError:
        raise UnusableAddress("lacks its channel or address, or holds a value of the wrong kind") from None
    channel = CHANNELS.get(without_invisible(form.channel).strip().lower())
    if channel is None:
        raise UnusableAddress("has a channel that is neither sms nor email nor voice")
    return Contact(channel, NORMALIZE[channel](str(form.address)), form.verified)


def time_zones(contacts: Iterable[Contact]) -> tuple[str, ...]:
    """
    Return the time zones of the first telephone number among the contacts, several if its area has several; none without a number.

    A number that is toll-free (the library gives it every zone from Guam to Bermuda) or in an area code too new for the library may be
    anywhere. In North America the area code counts, though the library may not list the range of the number.
    """
    number = next((each.address for each in contacts if each.channel != "email"), None)
    if number is None:
        return ()
    parsed = phonenumbers.parse(number)
    in_area = time_zones_for_geographical_number if parsed.country_code == NORTH_AMERICA else time_zones_for_number
    found: tuple[str, ...] = in_area(parsed)
    return SOMEWHERE if len(found) > MOST_ZONES or UNKNOWN_TIMEZONE in found else found
