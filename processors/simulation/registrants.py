"""Simulated registrants and their registrations, which are created, changed, removed and expire."""

from dataclasses import dataclass, field
from typing import Any, Final

from processors.simulation.geography import ZONES
from processors.simulation.people import Knowledge, Offender
from processors.simulation.randomness import RandomStream
from processors.simulation.rates import SHARES
from processors.simulation.times import HOUR, iso_in_zone

SOURCES: Final = ("IVINS", "VINE", "VINE", "DOJ_VNS", "ICE_VNP", "AGENCY")
AREAS: Final = (804, 919, 302, 412, 505, 612, 702, 808)
LINES: Final = 9_000
CHOICES: Final = (
    "Departure",
    "Arrival",
    "Request ICOTS Transfer",
    "Accept Transfer",
    "Absconded",
    "Escape",
    "Release",
    "Court Hearing",
    "Case Closure",
    "Intake",
)

Contact = tuple[str, str, bool]  # channel, address, whether it is verified


@dataclass(frozen=True, slots=True)
class Registrant:
    """A registrant; every registration of theirs carries these contacts."""

    registrant_id: str
    zone: str
    language: str
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """The content of a registration from `at` on; `ended` if it is removed then."""

    at: int
    subtypes: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    expires_at: int | None = None
    ended: bool = False


@dataclass(slots=True)
class Registration:
    """One registration for one offender, with all its versions."""

    registration_id: str
    registrant: Registrant
    offender: Offender
    person: dict[str, Any]
    source: str
    versions: list[Version] = field(default_factory=list)
    knowledge: Knowledge = "all"

    def version_at(self, moment: int) -> Version | None:
        """Return the version in force for a message received at `moment`; None before the first and after the end."""
        found = next((each for each in reversed(self.versions) if each.at < moment), None)
        if found is None or found.ended or (found.expires_at is not None and found.expires_at <= moment):
            return None
        return found

    def contacts_at(self, moment: int) -> tuple[Contact, ...]:
        """Return the contacts by which somebody can be reached at `moment`."""
        version = self.version_at(moment)
        return () if version is None else version.contacts

    def document(self, version: Version) -> dict[str, Any]:
        return {
            "registration_id": self.registration_id,
            "registrant_id": self.registrant.registrant_id,
            "source": self.source,
            "offender": self.person,
            "case_numbers": list(version.cases),
            "event_subtypes": list(version.subtypes),
            "language": self.registrant.language,
            "time_zone": self.registrant.zone,
            "contacts": [{"channel": channel, "address": address, "verified": verified} for channel, address, verified in version.contacts],
            "pin": f"{sum(map(ord, self.registration_id)) * 37 % 10_000:04d}",
            "created_at": iso_in_zone(version.at - HOUR, "UTC"),
            **({} if version.expires_at is None else {"expires_at": iso_in_zone(version.expires_at, "UTC")}),
        }


def registrant(number: int, offender: Offender, random: RandomStream) -> Registrant:
    """Return a new registrant, mostly from the offender's state."""
    phone = f"+1{AREAS[number // LINES % len(AREAS)]}555{1_000 + number % LINES}"
    usual: tuple[Contact, ...] = (("sms", phone, True), ("email", f"r{number}@example.org", True), ("voice", phone, True))
    state = offender.state if random.happens(0.8) else random.choice(tuple(ZONES))
    return Registrant(
        f"R-{number:05d}", ZONES[state], "es" if random.happens(0.25) else "en", random.sample(usual, random.between(1, len(usual)))
    )


def registration(number: int, who: Registrant, offender: Offender, span: tuple[int, int], random: RandomStream) -> Registration:
    """Return a registration with all its versions in the period `span`."""
    start, end = span

    def happens(name: str) -> bool:
        return random.happens(SHARES[name])

    def some_time(after: int) -> int:
        return after + HOUR + random.below(max(end - after - HOUR, 1))

    made = some_time(start) if happens("registered later") else start
    subtypes = random.sample(CHOICES, random.between(2, 5)) if happens("own choice") else ()
    docket = f"CR26-{offender.number + (1 if random.happens(0.3) else 0):06d}"
    cases = (docket,) if happens("own choice") else ()
    unverified = (("email", f"r{number}.new@example.org", False),) if happens("unverified contact") else ()
    expires = some_time(made) // 1000 * 1000 if happens("registration expired") else None
    first = Version(made, subtypes, cases, (*who.contacts, *unverified), expires)
    person = offender.described_for_registration(random)
    found = Registration(f"REG-{number:05d}", who, offender, person, random.choice(SOURCES), [first])
    if offender.met is not None:
        found.knowledge = random.child("knowledge", number).choice(("SID", "DOC"))
        found.person = {"identifiers": [offender.sid if found.knowledge == "SID" else offender.doc]}
    if happens("registration changed"):
        found.versions.append(changed_version(first, some_time(made), number, random))
    if happens("registration removed"):
        found.versions.append(Version(some_time(found.versions[-1].at), ended=True))
    return found


def changed_version(version: Version, at: int, number: int, random: RandomStream) -> Version:
    """Return a changed registration: other event subtypes, or its contacts verified and one added."""
    if random.happens(0.5):
        return Version(at, random.sample(CHOICES, 3) if not version.subtypes else (), version.cases, version.contacts, version.expires_at)
    verified = tuple((channel, address, True) for channel, address, _ in version.contacts)
    more: Contact = ("email", f"r{number}.more@example.org", True)
    return Version(at, version.subtypes, version.cases, (*verified, more), version.expires_at)
