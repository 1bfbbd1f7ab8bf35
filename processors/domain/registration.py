"""Registrations and contacts (contract §4)."""

from typing import Final, Literal

from msgspec import Struct

from processors.domain.offender import OffenderStanding
from processors.domain.person import Person
from processors.domain.seal import Seal

Channel = Literal["sms", "email", "voice"]

CANARY: Final = "CANARY"  # source of the watch's own registrations, whose messages go to vn.outbound.canary only
SIGN_IN: Final = "SIGN_IN"  # source of registrations that only verify a contact for a site: a code is sent, and nothing else
SEVERAL_ZONES: Final = ","  # separates the time zones of a registrant whose telephone area spans several
RegistrationState = Literal["awaiting_verification", "active", "possible_match", "unreachable", "opted_out", "expired", "refused"]


class Contact(Struct, frozen=True, gc=False):
    """One address of a registrant: an E.164 telephone number or an email address."""

    channel: Channel
    address: str
    verified: bool = False


class Registration(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    A checked registration with sealed contacts.

    `sealed` is the encrypted `Contacts`; no other field holds contact data. `key` is the random key it was encrypted with, itself
    sealed. `addresses` are the keyed digests of the contacts' addresses, in order and without duplicates. Empty
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
    A registration resolved to an offender's key, on its way to match; contains no contact data.

    `ended` marks a registration that was removed. The record takes effect for events with a larger `seq`. One that `asks` changes
    nothing: it asks for the offender's current `standing`, which validate fills in for deliver.
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

    `silenced` are its addresses that opted out, as `channel:digest`. If `refused`, the registration was never in force, and its
    site is told so.
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
    """Deliver's request for the current status of a registration's offender, for the confirmation message."""

    registration_id: str


class PresentStanding(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The answer to a StandingRequest; `standing` is None if the offender is unknown or the registration is for several."""

    registrant_id: str
    registration_id: str
    received_at: int
    standing: OffenderStanding | None = None


class NearMatch(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    A registration nearly describes an offender, and a reviewer decides whether it is for them; keyed by registrant id.

    `open` until the reviewer has decided. Until released, the registration is not for that offender.
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
    """Return the HMAC of a verification code; it is equal only for the same code of the same registration."""
    return seal.fingerprint(code, f"verification:{registration_id}")


def address_digest(address: str, seal: Seal) -> str:
    """Return the HMAC that represents an address in records without contact data; `address` is in canonical form."""
    return seal.fingerprint(address.lower(), "address")


class RegistrationStatus(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The status of a registration, for the site that sent it (contract §5)."""

    registration_id: str
    source: str
    status: RegistrationState
    since: int


class VerificationRequest(Struct, frozen=True, gc=False, kw_only=True):
    """Deliver's request to send another verification code to an address; identify counts the codes sent there today."""

    registrant_id: str
    contact: str


class VerificationPermit(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The answer to a VerificationRequest: a code may be sent to the contact now, or not before `not_before`."""

    registrant_id: str
    contact: str
    received_at: int
    not_before: int | None = None
