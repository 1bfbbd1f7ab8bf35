"""Checks a registration (contract §4): the offender can be found, the registrant can be reached; contact data is sealed."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from processors.domain.erasure import seal_key
from processors.domain.normalize import normalize
from processors.domain.person import ComparedPerson, Person
from processors.domain.quarantine import record_id
from processors.domain.registration import CANARY, SEVERAL_ZONES, SIGN_IN, Contact, Contacts, Registration, address_digest
from processors.domain.seal import Seal
from processors.domain.zones import zone_named
from processors.ingest.comparison import can_be_registered_for
from processors.ingest.identify.agency import NATIONAL
from processors.ingest.read.acceptance import AcceptedRecord, OpenedRecord, encode
from processors.ingest.read.contacts import check_contacts, time_zones
from processors.ingest.read.document import clean_id, convert, describe_unknown, fields_of, tidy
from processors.ingest.read.formats import json_document
from processors.ingest.read.ids import check_private_id
from processors.ingest.read.instants import SentTime, parse_expiry, parse_instant
from processors.ingest.read.journal_ids import JournalIds, private_id
from processors.ingest.read.languages import canonical_language
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.submission import check_person, normalize_person, unknown_code
from processors.rules.identity import NO_ISSUER, IdentityRules, readable_mark
from processors.rules.rule_set import Rules
from processors.stage import Context, Record

SOURCES: Final = frozenset({"IVINS", "VINE", "DOJ_VNS", "ICE_VNP", "AGENCY", CANARY, SIGN_IN})
MAX_CONTACTS: Final = 32
MAX_CHOICES: Final = 1_000
MAX_REFUSED: Final = 3  # contacts whose refusal is explained in the journal
MISSING: Final = {"contacts": "no_contact", "offender": "no_offender"}
DEFAULT_ZONE: Final = "America/New_York"
PIN_LENGTH: Final = 4  # digits
PIN: Final = re.compile(rf"[0-9]{{{PIN_LENGTH}}}")


class SentRegistration(msgspec.Struct, frozen=True, gc=False):
    """A registration as it was sent; times are ISO 8601, or milliseconds. Contacts are checked one by one."""

    registration_id: str
    registrant_id: str
    source: str
    offender: Person
    contacts: tuple[Any, ...]
    case_numbers: tuple[str, ...] = ()
    event_subtypes: tuple[str, ...] = ()
    language: str = "en"
    time_zone: str | None = None
    pin: str | None = None
    created_at: SentTime | None = None
    expires_at: SentTime | None = None


SHAPE: Final = {**fields_of(SentRegistration), "contacts": fields_of(Contact)}


def check(
    document: Mapping[str, Any], key: str | None, seal: Seal, drawn: bytes, rules: IdentityRules
) -> tuple[Registration, ComparedPerson, str]:
    """Return the registration with contacts sealed by the random key, the offender in comparable form, and a note on what was ignored."""
    form = convert(document, SentRegistration, MISSING)
    check_fields(form, key)
    contacts, refused = check_contacts(form.contacts)
    if not contacts:
        raise Rejection("no_contact", f"No contact can be used{describe_refusals(refused)}.")
    zone, zones = zones_of(form, contacts)
    registration = Registration(
        registration_id=form.registration_id,
        registrant_id=form.registrant_id,
        source=form.source,
        offender=normalize_person(form.offender, "offender"),
        case_numbers=form.case_numbers,
        event_subtypes=tuple(filter(normalize, form.event_subtypes)),
        language=language(form.language),
        time_zone=zones,
        created_at=None if form.created_at is None else parse_instant("created_at", form.created_at, zone),
        expires_at=None if form.expires_at is None else parse_expiry("expires_at", form.expires_at, zone),
        sealed=seal_contacts(
            Contacts(contacts=contacts, pin=pin_digest(form.pin, form.registrant_id, seal)), form.registrant_id, Seal(drawn)
        ),
        key=seal_key(drawn, form.registrant_id, seal),
        addresses=tuple(dict.fromkeys(address_digest(each.address, seal) for each in contacts)),
    )
    person, left_out = check_identity(registration.offender, rules)
    note = f" {len(refused)} of {len(form.contacts)} contacts were left out{describe_refusals(refused)}." if refused else ""
    return registration, person, note + left_out


def describe_refusals(refused: tuple[str, ...]) -> str:
    """Return why contacts were refused, as the end of a sentence."""
    rest = f", and {len(refused) - MAX_REFUSED} more" if len(refused) > MAX_REFUSED else ""
    return f": {', '.join(refused[:MAX_REFUSED])}{rest}" if refused else ""


def check_identity(offender: Person, rules: IdentityRules) -> tuple[ComparedPerson, str]:
    """Return the registration's offender in comparable form; rejects one named only by a number that others may have (contract §3.2)."""
    person, left_out = check_person(offender, "The offender", rules, NO_ISSUER)
    if not can_be_registered_for(person):
        numbers = " and ".join(map(readable_mark, person.marks))
        raise Rejection(
            "no_identity", f"{numbers} may be several people's number: add the offender's name or birth date, or a SID or FBI number."
        )
    return person, left_out


def check_offender(document: Mapping[str, Any], rules: IdentityRules) -> None:
    """Reject the offender of a registration as `check` does, so that a site can ask before it accepts one."""
    fields, _ = tidy(document, fields_of(Person))
    check_identity(normalize_person(convert(fields, Person, {}), "offender"), rules)


def check_fields(form: SentRegistration, key: str | None) -> None:
    """Reject ids that cannot be keys, unknown codes, and more contacts or choices than a registrant has."""
    check_private_id("registration_id", form.registration_id)
    check_private_id("registrant_id", form.registrant_id)
    if key is not None and clean_id(key) != form.registration_id:
        raise Rejection("bad_registration", "The record's key is not its registration_id, so that it could never be removed.")
    if form.source not in SOURCES:
        raise unknown_code("registration source", form.source)
    if form.pin is not None and not PIN.fullmatch(form.pin):
        raise Rejection("bad_registration", "The field pin is not four digits.")
    if len(form.contacts) > MAX_CONTACTS or len(form.case_numbers) > MAX_CHOICES or len(form.event_subtypes) > MAX_CHOICES:
        raise Rejection("too_complex", f"There are more than {MAX_CONTACTS} contacts, or more than {MAX_CHOICES} cases or subtypes.")


def check_subtypes(registration: Registration, subtypes: Collection[str]) -> None:
    """Reject an event subtype that is in no code list (`subtypes`, in comparable form): it would never be told."""
    for each in registration.event_subtypes:
        if normalize(each) not in subtypes:
            raise unknown_code("event subtype", each)


def language(tag: str) -> str:
    """Return the language by its shortest code."""
    found = canonical_language(tag)
    if found is None:
        raise Rejection("bad_registration", "The field language is no language tag (BCP 47) or code (ISO 639) such as en, es or spa.")
    return found


def zones_of(form: SentRegistration, contacts: tuple[Contact, ...]) -> tuple[ZoneInfo, str]:
    """Return the zone of the registration's own dates, and all zones in which the registrant may be."""
    if form.time_zone is not None:
        name = zone_named(form.time_zone)
        if name is None:
            raise Rejection("bad_registration", "The field time_zone is no zone of the IANA database such as America/New_York.")
        return ZoneInfo(name), name
    names = tuple(filter(zone_named, time_zones(contacts))) or (DEFAULT_ZONE,)
    return ZoneInfo(names[0]), SEVERAL_ZONES.join(names)


def pin_digest(digits: str | None, registrant_id: str, seal: Seal) -> str | None:
    """Return the HMAC of a PIN; it is equal only for the same PIN of the same registrant."""
    return None if digits is None else seal.fingerprint(digits, f"pin:{registrant_id}")


def seal_contacts(contacts: Contacts, registrant_id: str, seal: Seal) -> bytes:
    return seal.close(msgspec.json.encode(contacts), f"contacts:{registrant_id}")


def open_record(record: Record, context: Context) -> OpenedRecord:
    if record.value is None:
        return open_removal(record)
    fields, unknown = tidy(json_document(record), SHAPE)
    ids = JournalIds(private_id(fields.get("registration_id")), registrant_id=private_id(fields.get("registrant_id")))

    def check_record() -> AcceptedRecord:
        identity = context.rules.rule_set(NATIONAL, record.timestamp).identity
        drawn = context.draw(record_id(record.topic, record.partition, record.offset))
        found, person, note = check(fields, record.key, context.seal, drawn, identity)
        check_subtypes(found, known_subtypes(context.rules))
        return AcceptedRecord("registration", ids, encode(found), note + describe_unknown(unknown), people=(person,))

    return OpenedRecord(ids, check_record)


@lru_cache(4)
def known_subtypes(rules: Rules) -> frozenset[str]:
    """Return all event subtypes, of every jurisdiction and day, in comparable form."""
    return frozenset(map(normalize, rules.subtypes))


def open_removal(record: Record) -> OpenedRecord:
    """Return a removal; its id is the record's key."""
    registration_id = clean_id(record.key or "")
    if not registration_id:
        raise Rejection("bad_registration", "A removal names its registration as the record's key; this one has none.")
    ids = JournalIds(private_id(registration_id))

    def check_record() -> AcceptedRecord:
        check_private_id("key", registration_id)
        return AcceptedRecord("removal", ids, b"")

    return OpenedRecord(ids, check_record)
