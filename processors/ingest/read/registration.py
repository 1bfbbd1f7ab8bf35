"""Check a registration (contract §4): an offender who can be found, a registrant who can be reached, contact data sealed."""

import re
from collections.abc import Mapping
from datetime import tzinfo
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from processors.domain.person import Person
from processors.domain.registration import Contacts, Registration, address_digest
from processors.domain.seal import Seal
from processors.ingest.read.contacts import SentContact, usable_contacts
from processors.ingest.read.document import convert, fields_of
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.submission import check_id, check_person, normalize_person, parse_moment, unknown_code

SOURCES: Final = frozenset({"IVINS", "VINE", "DOJ_VNS", "ICE_VNP", "AGENCY"})
MAX_CONTACTS: Final = 32
MAX_CHOICES: Final = 1_000
MISSING: Final = {"contacts": "no_contact", "offender": "no_offender"}
_PIN: Final = re.compile(r"[0-9]{4}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class SentRegistration(msgspec.Struct, frozen=True):
    """A registration as it was sent; times are ISO 8601, or milliseconds."""

    registration_id: str
    registrant_id: str
    source: str
    offender: Person
    contacts: tuple[SentContact, ...]
    case_numbers: tuple[str, ...] = ()
    event_subtypes: tuple[str, ...] = ()
    language: str = "en"
    time_zone: str = "America/New_York"
    pin: str | None = None
    created_at: str | int | None = None
    expires_at: str | int | None = None


SHAPE: Final = fields_of(SentRegistration)


def check(document: Mapping[str, Any], key: str | None, seal: Seal) -> tuple[Registration, str]:
    """Return the registration with its contacts sealed, and a sentence on what was left out of it."""
    form = convert(document, SentRegistration, MISSING)
    check_fields(form, key)
    contacts = usable_contacts(form.contacts)
    if not contacts:
        raise Rejection("no_contact", f"None of the {len(form.contacts)} contacts is an address that can be reached.")
    zone = time_zone(form.time_zone)
    registration = Registration(
        registration_id=form.registration_id,
        registrant_id=form.registrant_id,
        source=form.source,
        offender=normalize_person(form.offender, "offender"),
        case_numbers=form.case_numbers,
        event_subtypes=form.event_subtypes,
        language=form.language,
        time_zone=form.time_zone,
        created_at=parse_instant("created_at", form.created_at, zone),
        expires_at=parse_instant("expires_at", form.expires_at, zone),
        sealed=seal_contacts(Contacts(contacts=contacts, pin=pin_digest(form.pin, form.registrant_id, seal)), form.registrant_id, seal),
        addresses=tuple(dict.fromkeys(address_digest(each.address, seal) for each in contacts)),
    )
    check_person(registration.offender, "The offender")
    dropped = sum(not usable_contacts((each,)) for each in form.contacts)
    return registration, f" {dropped} of {len(form.contacts)} contacts cannot be reached and were left out." if dropped else ""


def check_fields(form: SentRegistration, key: str | None) -> None:
    """Reject ids that cannot be keys, unknown codes, and more contacts or choices than a registrant has."""
    check_id("registration_id", form.registration_id)
    check_id("registrant_id", form.registrant_id)
    if key is not None and key.strip() != form.registration_id:
        raise Rejection("bad_registration", "The record's key is not its registration_id, so that it could never be removed.")
    if form.source not in SOURCES:
        raise unknown_code("registration source", form.source)
    if not _LANGUAGE.fullmatch(form.language):
        raise Rejection("bad_registration", "The field language is no language tag such as en or es.")
    if form.pin is not None and not _PIN.fullmatch(form.pin):
        raise Rejection("bad_registration", "The field pin is not four digits.")
    if len(form.contacts) > MAX_CONTACTS or len(form.case_numbers) > MAX_CHOICES or len(form.event_subtypes) > MAX_CHOICES:
        raise Rejection("too_complex", f"There are more than {MAX_CONTACTS} contacts, or more than {MAX_CHOICES} cases or subtypes.")


def time_zone(name: str) -> ZoneInfo:
    if name not in zone_names():
        raise Rejection("bad_registration", "The field time_zone is no zone of the IANA database such as America/New_York.")
    return ZoneInfo(name)


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all time zones."""
    return frozenset(available_timezones())


def parse_instant(field: str, value: str | int | None, zone: tzinfo) -> int | None:
    """Return a time in milliseconds; of a day alone, its end, since what expires on a day holds on that day."""
    if isinstance(value, str):
        found = parse_moment(field, value, zone)
        return found.past_from if field == "expires_at" else found.action_at
    return value


def pin_digest(digits: str | None, registrant_id: str, seal: Seal) -> str | None:
    """Return digits as an HMAC that only equals the same registrant's."""
    return None if digits is None else seal.fingerprint(digits, f"pin:{registrant_id}")


def seal_contacts(contacts: Contacts, registrant_id: str, seal: Seal) -> bytes:
    return seal.close(msgspec.json.encode(contacts), f"contacts:{registrant_id}")
