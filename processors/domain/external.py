"""Avro records written by outsiders, in the shape of the public schemas; `read` checks and converts them to domain values."""

from msgspec import Struct

from processors.domain.person import Person
from processors.domain.registration import Contact


class RegistrationForm(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A registration as a site sends it, contacts and PIN in the clear (contract §4); only `read` handles one."""

    registration_id: str
    registrant_id: str
    source: str
    offender: Person
    case_numbers: tuple[str, ...] = ()
    event_subtypes: tuple[str, ...] = ()
    language: str = "en"
    time_zone: str = "America/New_York"
    contacts: tuple[Contact, ...] = ()
    pin: str | None = None
    created_at: int | None = None
    expires_at: int | None = None


class ReceiptForm(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A receipt as a provider sends it, keyed digits in the clear (contract §5); only `read` handles one."""

    reference: str
    status: str
    occurred_at: int
    provider: str
    detail: str | None = None
    digits: str | None = None


class VerificationForm(Struct, frozen=True, gc=False, kw_only=True):
    """A verification code as a site sends it, in the clear (contract §4); only `read` handles one."""

    registration_id: str
    code: str
    at: int


class InboundForm(Struct, frozen=True, gc=False, kw_only=True, rename={"sender": "from"}):
    """A message from a registrant's own address as a provider sends it, in the clear (contract §5); only `read` handles one."""

    provider: str
    channel: str
    sender: str
    to: str
    body: str
    occurred_at: int
    id: str | None = None
