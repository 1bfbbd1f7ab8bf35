"""Registrations and contacts (contract §4)."""

from typing import Final, Literal

from msgspec import Struct

from processors.domain.offender import OffenderStanding
from processors.domain.person import Person
from processors.domain.seal import Seal

Channel = Literal["sms", "email", "voice"]

CANARY: Final = "CANARY"  # the source of the watch's own registrations, whose messages leave on vn.outbound.canary alone
SIGN_IN: Final = "SIGN_IN"  # the source of what only lets a contact prove itself to a site: a code is sent, and nothing else is ever told
SEVERAL_ZONES: Final = ","  # between the time zones of a registrant whose telephone number has several
RegistrationState = Literal["awaiting_verification", "active", "possible_match", "unreachable", "opted_out", "expired", "refused"]


class Contact(Struct, frozen=True, gc=False):
    """One address of a registrant: an E.164 telephone number or an email address."""

    channel: Channel
    address: str
    verified: bool = False


class Registration(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    A checked registration with sealed contacts.

    `sealed` is the encrypted `Contacts`; no other field holds contact data. `key` is the key it was encrypted with, drawn for
    it and itself sealed. `addresses` are the keyed digests of the contacts' addresses, each once, in their order. Empty
    `case_numbers` or `event_subtypes` mean all.
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
    key: bytes = b""
    addresses: tuple[str, ...] = ()


class Contacts(Struct, frozen=True, gc=False, kw_only=True):
    """The sealed part of a registration; `pin` is an HMAC of the four digits, never the digits themselves."""

    contacts: tuple[Contact, ...]
    pin: str | None = None


class Enrolment(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    A registration resolved to an offender's key, on its way to match; no contact data.

    `ended` marks a registration that was removed. It takes effect for events with a larger `seq`. One that `asks` changes
    nothing: deliver asks where the offender stands, which validate fills in.
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
    asks: bool = False
    standing: OffenderStanding | None = None


class Reachable(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    The contacts of one registration for deliver, keyed by registrant id; `sealed` and `key` are the registration's.

    One that was `refused` was never in force: its site is to hear so.
    """

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
    silenced: tuple[str, ...] = ()
    key: bytes = b""
    refused: bool = False


class StandingRequest(Struct, frozen=True, gc=False, kw_only=True):
    """Deliver asks where the offender of a registration stands now, to say so in its confirmation."""

    registration_id: str


class PresentStanding(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The answer: where the offender of a registration stands; None if they are unknown, or several."""

    registrant_id: str
    registration_id: str
    received_at: int
    standing: OffenderStanding | None = None


class NearMatch(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    Whether a person is being asked if a registration is for an offender whom it nearly describes, keyed by registrant id.

    `open` while they are asked; the registration is not for that offender until they say so.
    """

    registrant_id: str
    registration_id: str
    offender: str
    seq: int
    received_at: int
    open: bool = False


class Verification(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    A verification code that a registrant gave back to the registration site.

    `code` is an HMAC of the six digits (`verification_digest`), never the digits; `seq` is filled in by identify.
    """

    registration_id: str
    code: str
    at: int
    received_at: int = 0
    seq: int = 0


def verification_digest(code: str, registration_id: str, seal: Seal) -> str:
    """Return the HMAC of a verification code, equal only for the same registration's code."""
    return seal.fingerprint(code, f"verification:{registration_id}")


def address_digest(address: str, seal: Seal) -> str:
    """Return the HMAC that stands for an address in records without contact data; `address` is in canonical form."""
    return seal.fingerprint(address.lower(), "address")


class RegistrationStatus(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The status of a registration, for the site that sent it (contract §5)."""

    registration_id: str
    source: str
    status: RegistrationState
    since: int


class VerificationRequest(Struct, frozen=True, gc=False, kw_only=True):
    """Deliver asks whether another verification code may go to an address; identify knows how many went there today."""

    registrant_id: str
    contact: str


class VerificationPermit(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The answer: a code may go to the contact now, or not before a time."""

    registrant_id: str
    contact: str
    received_at: int
    not_before: int | None = None
