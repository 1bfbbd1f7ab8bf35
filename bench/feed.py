"""The benchmark's input: a day of ordinary messages from a dozen agencies, a quarter of the offenders have a registrant."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

EVENTS_EACH: Final = 5
REGISTERED: Final = 4  # every fourth offender
BILINGUAL: Final = 5  # every fifth registrant reads Spanish
BY_EMAIL_TOO: Final = 2  # every second one gave an email address as well
DOUBLED: Final = 20  # every twentieth message is sent twice

JAIL: Final = (
    ("Intake", "Movement", {"location": {"kind": "Local Jail", "name": "Riverside Regional Jail"}}),
    ("Furlough", "Status Update", {}),
    ("Recapture", "Status Update", {}),
    ("Prerelease Notification", "Information", {}),
    ("Release to Supervision", "Status Update", {}),
)
PRISON: Final = (
    ("Intake", "Movement", {"location": {"kind": "State Prison", "name": "Greenfield Correctional Center"}}),
    ("Parole Eligibility", "Information", {}),
    ("Escape", "Status Update", {}),
    ("Recapture", "Status Update", {"location": {"kind": "State Prison", "name": "Greenfield Correctional Center"}}),
    ("Release to Supervision", "Status Update", {}),
)
COURT: Final = (
    ("Court Hearing", "Hearing Notice", {}),
    ("Disposition", "Information", {}),
    ("Presentence Investigation", "Information", {}),
    ("Sentencing", "Status Update", {}),
    ("Appeal Filed", "Information", {}),
)


@dataclass(frozen=True, slots=True)
class Agency:
    ori: str
    name: str
    state: str
    kind: str
    life: tuple[tuple[str, str, dict[str, Any]], ...]


AGENCIES: Final = tuple(
    Agency(f"{state}{number:03d}{index}0000"[:9], f"{name} {number}", state, kind, life)
    for state in ("VA", "NC")
    for index, (name, kind, life) in enumerate(
        (("Jail", "Jail", JAIL), ("Prison", "Corrections", PRISON), ("Circuit Court", "Court", COURT))
    )
    for number in (1, 2)
)


FIRST_BIRTH: Final = date(1950, 1, 1)
BIRTHS: Final = 20_000  # days on which offenders were born
APART: Final = 7_919  # days between one offender's birth and the next one's; prime, so that all days come
SHIFT: Final = 4_441  # so that the last letters of people born on one day differ
RUN: Final = 7  # offenders in a row with one given name, so that it says nothing of the birth date or the last letter


def offender(number: int) -> dict[str, Any]:
    state = AGENCIES[number % len(AGENCIES)].state
    return {
        "identifiers": [{"scheme": "SID", "value": f"{state}71{number:06d}"}],
        "name": {"given": GIVEN[number // RUN % len(GIVEN)], "sur": f"{SUR[number // len(GIVEN) % len(SUR)]}{letters(number)}"},
        "birth_date": (FIRST_BIRTH + timedelta(days=(number * APART + number // BIRTHS * SHIFT) % BIRTHS)).isoformat(),
    }


GIVEN: Final = ("Thomas", "Maria", "Luis", "Ann", "Robert", "Grace", "Peter", "Irene", "Paul", "Ruth")
SUR: Final = ("Walker", "Baker", "Miller", "Turner", "Cooper", "Fisher", "Mason")


def letters(number: int) -> str:
    """Return a number written in letters, to make names unique."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


def submissions(count: int, run: str, now: datetime) -> Iterator[tuple[str, bytes]]:
    """Yield agency and JSON of each message, every twentieth of them twice; each offender's messages are in order."""
    people = max(1, count // EVENTS_EACH)
    for number in range(count):
        step, person = divmod(number, people)
        yield submission(person, step % EVENTS_EACH, f"{run}-{number}", now)
        if number % DOUBLED == 0:
            yield submission(person, step % EVENTS_EACH, f"{run}-{number}-again", now)


def submission(person: int, step: int, message_id: str, now: datetime) -> tuple[str, bytes]:
    """Return agency and JSON of one message: one step of the agency's dealings with the offender."""
    agency = AGENCIES[person % len(AGENCIES)]
    subtype, kind, more = agency.life[step]
    at = now + timedelta(days=20) if kind == "Hearing Notice" else now - timedelta(hours=20 - 4 * step, seconds=person % 3_600)
    message = {
        "message_id": message_id,
        "agency": {"ori": agency.ori, "name": agency.name, "state": agency.state},
        "event_type": agency.kind,
        "event_subtype": subtype,
        "notification_type": kind,
        "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}],
        "action_at": at.isoformat(timespec="seconds"),
        "sent_at": now.isoformat(timespec="seconds"),
        "offenders": [offender(person)],
        "case": {"number": f"CR{person}", "court": "Riverside Circuit Court"},
        "remarks": "Sent by the records system.",
        **more,
    }
    return agency.ori, msgspec.json.encode(message)


def registered_people(people: int) -> range:
    """Return the numbers of the offenders who have a registrant."""
    return range(0, people, REGISTERED)


def registrations(people: int, run: str) -> Iterator[tuple[str, bytes]]:
    """Yield id and JSON of the registrations for this many offenders."""
    for person in registered_people(people):
        yield registration(person, person // REGISTERED, f"{run}-{person}")


def registration(person: int, number: int, registration_id: str) -> tuple[str, bytes]:
    """Return id and JSON of the registration with this number, for one offender."""
    contacts = [{"channel": "sms", "address": f"+1804{2_000_000 + person}", "verified": True}]
    if number % BY_EMAIL_TOO == 0:
        contacts.append({"channel": "email", "address": f"r{person}@example.org", "verified": True})
    fields = {
        "registration_id": registration_id,
        "registrant_id": f"R-{registration_id}",
        "source": "VINE",
        "offender": {"identifiers": offender(person)["identifiers"]},
        "language": "es" if number % BILINGUAL == 0 else "en",
        "contacts": contacts,
    }
    return registration_id, msgspec.json.encode(fields)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
