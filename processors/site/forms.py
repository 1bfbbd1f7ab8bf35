"""Validation of form fields; a problem is the name of a sentence in the language files, never the input."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

import phonenumbers
from msgspec import Struct

from processors.domain.addresses import NORTH_AMERICA, normalize
from processors.domain.names import words_of
from processors.domain.registration import Channel, Contact
from processors.ingest.read.dates import parse_birth_date
from processors.ingest.read.registration import check_offender
from processors.ingest.read.rejection import Rejection
from processors.rules.identity import IdentityRules
from processors.views.public import PersonQuery

NAME_LENGTH: Final = 100
NUMBER_LENGTH: Final = 40
MAX_CONTACTS: Final = 4
CHANNELS: Final[tuple[Channel, ...]] = ("sms", "voice", "email")
FIRST_YEAR: Final = 1900
_MARKUP: Final = re.compile(r"[<>{}\\\x00-\x1f\x7f]")
_EASY: Final = frozenset({*(str(each) * 4 for each in range(10)), "1234", "4321"})
VIN_LENGTH: Final = 10
Problems = dict[str, str]


class Offender(Struct, frozen=True, omit_defaults=True):
    """The offender of a registration: the numbers of a person found, or a name and birth date."""

    numbers: tuple[tuple[str, str, str | None], ...] = ()
    given: str = ""
    sur: str = ""
    birth_date: str = ""


def person_query_of(form: Mapping[str, str]) -> tuple[PersonQuery | None, Problems]:
    """Return the search in a form; with a problem if it says too little."""
    number, last = form.get("number", "").strip(), form.get("last_name", "").strip()
    initial, year = form.get("initial", "").strip(), form.get("year", "").strip()
    problems: Problems = {}
    if len(number) > NUMBER_LENGTH or _MARKUP.search(number):
        problems["number"] = "bad_number"
    if len(last) > NAME_LENGTH or _MARKUP.search(last) or (last and not words_of(last)):
        problems["last_name"] = "bad_name"
    if len(initial) > NAME_LENGTH or _MARKUP.search(initial):
        problems["initial"] = "bad_name"
    if year and not is_year(year):
        problems["year"] = "bad_year"
    if not problems and not number and (not last or not (words_of(initial) or year)):
        problems["last_name"] = "too_little"
    return (None, problems) if problems else (PersonQuery(number, last, initial, year), {})


def is_year(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) == len("1900") and int(text) >= FIRST_YEAR


def offender_of(form: Mapping[str, str], today: date) -> tuple[Offender | None, Problems]:
    """Return the offender that a form describes by name and birth date, in ISO 8601."""
    given, sur, born = (form.get(each, "").strip() for each in ("given", "sur", "birth_date"))
    problems: Problems = {}
    for field, text in (("given", given), ("sur", sur)):
        if not text or len(text) > NAME_LENGTH or _MARKUP.search(text) or not words_of(text):
            problems[field] = "bad_name" if text else "missing"
    birth_date = birth_date_of(born)
    if birth_date is None:
        problems["birth_date"] = "bad_date" if born else "missing"
    elif birth_date > today or birth_date.year < FIRST_YEAR:
        problems["birth_date"] = "impossible_date"
    if birth_date is None or problems:
        return None, problems
    return Offender(given=given, sur=sur, birth_date=birth_date.isoformat()), {}


def birth_date_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def offender_document(offender: Offender) -> dict[str, object]:
    """Return an offender in the form of a registration."""
    found: dict[str, object] = {}
    if offender.numbers:
        keys = ("scheme", "value", "issuer")
        found["identifiers"] = [{key: part for key, part in zip(keys, each, strict=True) if part} for each in offender.numbers]
    if offender.sur:
        found |= {"name": {"given": offender.given, "sur": offender.sur}, "birth_date": offender.birth_date}
    return found


def refusal_of(offender: Offender, rules: IdentityRules) -> Problems:
    """Return what is wrong with an offender for whom the pipeline refuses registrations; asks the pipeline's own check."""
    try:
        check_offender(offender_document(offender), rules)
    except Rejection:
        if not offender.sur:
            return {"given": "not_enough"}
        if parse_birth_date(offender.birth_date) != offender.birth_date:
            return {"birth_date": "impossible_date"}
        return {"given": "unusable_name"}
    return {}


def number_of(form: Mapping[str, str]) -> tuple[str, Problems]:
    """Return the offender's number in a form, such as an A-number; empty if there is none."""
    number = form.get("number", "").strip()
    if len(number) > NUMBER_LENGTH or _MARKUP.search(number):
        return "", {"number": "bad_number"}
    return number, {}


def contacts_of(form: Mapping[str, str]) -> tuple[tuple[Contact, ...], Problems]:
    """Return the contacts in canonical form, without duplicates; only North American numbers, since others are costly to reach."""
    found: dict[tuple[Channel, str], None] = {}
    problems: Problems = {}
    for index in range(MAX_CONTACTS):
        text, channel = form.get(f"address{index}", "").strip(), form.get(f"channel{index}", "")
        if not text:
            continue
        known = next((each for each in CHANNELS if each == channel), None)
        address = canonical_address(known, text) if known else None
        if known is None or address is None:
            problems[f"address{index}"] = "bad_email" if channel == "email" else "bad_phone"
        else:
            found[known, address] = None
    if not found and not problems:
        problems["address0"] = "no_contact"
    return tuple(Contact(channel, address) for channel, address in found), problems


def canonical_address(channel: Channel, text: str) -> str | None:
    """Return an address in canonical form; None if it is unusable or not in North America."""
    address = normalize(channel, text)
    if address is None or channel == "email":
        return address
    return address if phonenumbers.parse(address).country_code == NORTH_AMERICA else None


def email_and_phone_of(form: Mapping[str, str]) -> tuple[tuple[Contact, ...], Problems]:
    """Return the email address, which must be typed twice, and the telephone number if there is one."""
    email = canonical_address("email", form.get("email", "").strip())
    again = canonical_address("email", form.get("email_again", "").strip())
    problems: Problems = {}
    if email is None:
        problems["email"] = "bad_email"
    elif again is None or again.lower() != email.lower():
        problems["email_again"] = "not_the_same"
    found: tuple[Contact, ...] = () if email is None else (Contact("email", email),)
    if form.get("address0", "").strip():
        others, wrong = contacts_of({name: form.get(name, "") for name in ("address0", "channel0")})
        found, problems = found + others, problems | wrong
    return found, problems


def vin_of(text: str) -> str | None:
    """Return the digits of a victim identification number, with or without separators; None for anything else."""
    digits = text.replace(" ", "").replace("-", "")
    return digits if digits.isascii() and digits.isdigit() and len(digits) == VIN_LENGTH else None


def address_of(text: str) -> str | None:
    """Return the telephone number or email address that somebody signs in with, in canonical form."""
    return canonical_address("email" if "@" in text else "sms", text.strip())


def pin_problem(pin: str) -> str | None:
    """Return what is wrong with a PIN; None if nothing is."""
    if not (pin.isascii() and pin.isdigit() and len(pin) == len("0000")):
        return "bad_pin"
    return "easy_pin" if pin in _EASY else None


def code_of(text: str) -> str | None:
    """Return the six digits of a code, with or without separators; None for anything else."""
    digits = text.replace(" ", "").replace("-", "")
    return digits if digits.isascii() and digits.isdigit() and len(digits) == len("000000") else None
