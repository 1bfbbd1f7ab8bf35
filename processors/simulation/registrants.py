"""Who wants to be told of whom: registrations made, changed, ended and expired, as registration sites send them."""

from dataclasses import dataclass, field
from typing import Any, Final

from processors.simulation.chance import Chance
from processors.simulation.geography import ZONES
from processors.simulation.people import Offender
from processors.simulation.rates import SHARES
from processors.simulation.times import HOUR, written

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
    """A person who is told; `contacts` are those that every registration of theirs carries."""

    registrant_id: str
    zone: str
    language: str
    contacts: tuple[Contact, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """A registration as it stands from `at` on; `ended` where it stands no longer."""

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

    def at(self, moment: int) -> Version | None:
        """Return the version that a message which comes in at a moment finds; None before, and after the end."""
        found = next((each for each in reversed(self.versions) if each.at < moment), None)
        if found is None or found.ended or (found.expires_at is not None and found.expires_at <= moment):
            return None
        return found

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
            "created_at": written(version.at - HOUR, "UTC"),
            **({} if version.expires_at is None else {"expires_at": written(version.expires_at, "UTC")}),
        }


def registrant(number: int, offender: Offender, chance: Chance) -> Registrant:
    """Return somebody new, mostly from the offender's state."""
    phone = f"+1{AREAS[number // LINES % len(AREAS)]}555{1_000 + number % LINES}"
    usual: tuple[Contact, ...] = (("sms", phone, True), ("email", f"r{number}@example.org", True), ("voice", phone, True))
    state = offender.state if chance.happens(0.8) else chance.one_of(tuple(ZONES))
    return Registrant(
        f"R-{number:05d}", ZONES[state], "es" if chance.happens(0.25) else "en", chance.some_of(usual, chance.between(1, len(usual)))
    )


def registration(number: int, who: Registrant, offender: Offender, span: tuple[int, int], chance: Chance) -> Registration:
    """Return a registration with what becomes of it in a stretch of time; most stand throughout."""
    start, end = span

    def rolled(name: str) -> bool:
        return chance.happens(SHARES[name])

    def some_time(after: int) -> int:
        return after + HOUR + chance.below(max(end - after - HOUR, 1))

    made = some_time(start) if rolled("registered later") else start
    subtypes = chance.some_of(CHOICES, chance.between(2, 5)) if rolled("own choice") else ()
    docket = f"CR26-{offender.number + (1 if chance.happens(0.3) else 0):06d}"
    cases = (docket,) if rolled("own choice") else ()
    unverified = (("email", f"r{number}.new@example.org", False),) if rolled("unverified contact") else ()
    expires = some_time(made) // 1000 * 1000 if rolled("registration expired") else None
    first = Version(made, subtypes, cases, (*who.contacts, *unverified), expires)
    found = Registration(f"REG-{number:05d}", who, offender, offender.asked_for(chance), chance.one_of(SOURCES), [first])
    if rolled("registration changed"):
        found.versions.append(other(first, some_time(made), number, chance))
    if rolled("registration removed"):
        found.versions.append(Version(some_time(found.versions[-1].at), ended=True))
    return found


def other(version: Version, at: int, number: int, chance: Chance) -> Version:
    """Return a registration changed: another choice of events, or contacts verified and added."""
    if chance.happens(0.5):
        return Version(at, chance.some_of(CHOICES, 3) if not version.subtypes else (), version.cases, version.contacts, version.expires_at)
    verified = tuple((channel, address, True) for channel, address, _ in version.contacts)
    more: Contact = ("email", f"r{number}.more@example.org", True)
    return Version(at, version.subtypes, version.cases, (*verified, more), version.expires_at)
