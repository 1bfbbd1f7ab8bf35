"""Who wants to be told, about whom, and where they can be reached (contract §4)."""

from typing import Literal

from msgspec import Struct

from processors.domain.person import Person

Channel = Literal["sms", "email", "voice"]


class Contact(Struct, frozen=True):
    """One address of a registrant: an E.164 telephone number or an email address."""

    channel: Channel
    address: str
    verified: bool = False


class Registration(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    A registration as read: checked, and with its contacts sealed.

    `sealed` is the encrypted `Contacts`; nothing else in the record says where the registrant can be reached.
    `case_numbers` and `event_subtypes` empty mean all. Times are milliseconds.
    """

    registration_id: str
    registrant_id: str
    source: str
    offender: Person
    case_numbers: tuple[str, ...] = ()
    event_subtypes: tuple[str, ...] = ()
    language: str = "en"
    time_zone: str = "America/New_York"
    created_at: int | None = None
    expires_at: int | None = None
    sealed: bytes = b""


class Contacts(Struct, frozen=True, kw_only=True):
    """What is sealed inside a registration; `pin` is an HMAC of the four digits, never the digits."""

    contacts: tuple[Contact, ...]
    pin: str | None = None


class Enrolment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    A registration resolved to one offender's key, on the road to match; without contact data.

    `ended` marks a registration that was removed; `seq` orders it among events: it takes effect for events with a
    larger `seq`.
    """

    offender: str
    seq: int
    received_at: int
    registration_id: str
    registrant_id: str
    case_numbers: tuple[str, ...] = ()
    event_subtypes: tuple[str, ...] = ()
    expires_at: int | None = None
    ended: bool = False


class Reachable(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How deliver may reach a registrant under one registration; key is the registrant."""

    registrant_id: str
    seq: int
    received_at: int
    registration_id: str
    source: str = ""
    language: str = "en"
    time_zone: str = "America/New_York"
    expires_at: int | None = None
    ended: bool = False
    sealed: bytes = b""
