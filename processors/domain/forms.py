"""What outsiders send as Avro, in the shape the public schemas give it; `read` checks it and makes the domain's own of it."""

from msgspec import Struct

from processors.domain.person import Person
from processors.domain.registration import Contact


class RegistrationForm(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A registration as a site sends it, contacts and PIN in clear (contract §4); nothing but `read` ever holds one."""

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


class ReceiptForm(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A receipt as a provider sends it, keyed digits in clear (contract §5); nothing but `read` ever holds one."""

    reference: str
    status: str
    occurred_at: int
    provider: str
    detail: str | None = None
    digits: str | None = None
