"""What agencies say: one message, the same message said again or anew, and what becomes of it."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from processors.simulation.chance import Chance
from processors.simulation.people import Offender
from processors.simulation.times import DAY, local, midnight, written

Telling = Literal["news", "change", "cancellation"]
Form = Literal["json", "xml"]
Tags = tuple[tuple[str, tuple[str, ...]], ...]

CHECKED: Final[Tags] = (("Validate", ("Date",)),)

# Contract §3: what wakes somebody at night.
EMERGENCIES: Final = frozenset(
    {
        "Request ICOTS Transfer",
        "Accept Transfer",
        "Departure",
        "Arrival",
        "Failure to Arrive",
        "Absconded",
        "Behavior Requiring Retaking",
        "Retaking",
        "Escape",
        "Release",
        "Unsupervised Custody Release",
    }
)


@dataclass(frozen=True, slots=True)
class Agency:
    """Who sends; `scheme` is whose numbers it knows people by. A federal agency has no state."""

    ori: str
    name: str
    zone: str
    scheme: str
    state: str | None = None

    def document(self) -> dict[str, str]:
        return {"ori": self.ori, "name": self.name, **({"state": self.state} if self.state else {})}


@dataclass(frozen=True, slots=True)
class When:
    """An action date: when it is, from when it is past, and how the agency writes it."""

    at: int
    past: int
    text: str

    @property
    def whole_day(self) -> bool:
        return self.past != self.at


def moment(at: int, zone: str, form: str = "offset") -> When:
    """Return an action time, in UTC, with the zone's offset or without one; whole seconds."""
    at = at // 1000 * 1000
    text = written(at, zone)
    if form == "utc":
        text = written(at, "UTC").replace("+00:00", "Z")
    elif form == "plain" and unambiguous(at, zone):
        text = text[:19]
    return When(at, at, text)


def unambiguous(at: int, zone: str) -> bool:
    """Whether the zone's clocks are not moved within a day, so that a time without offset can mean one instant only."""
    return local(at - DAY, zone).utcoffset() == local(at + DAY, zone).utcoffset()


def whole_day(at: int, zone: str) -> When:
    """Return the action date of the day that it is in the zone."""
    day = local(at, zone).date()
    next_day = local(midnight(day, zone) + DAY + DAY // 2, zone).date()
    return When(midnight(day, zone), midnight(next_day, zone), day.isoformat())


@dataclass(frozen=True, slots=True)
class Message:
    """One agency message about one event, as the agency means it."""

    message_id: str
    agency: Agency
    event_type: str
    subtype: str
    notification_type: str
    action: When
    offenders: tuple[Offender, ...]
    tags: Tags = CHECKED
    operation: str = "Add"
    refers_to: str | None = None
    case: tuple[str, str] | None = None
    status: str | None = None
    location: tuple[str, str] | None = None
    from_location: tuple[str, str] | None = None
    compact: dict[str, str] = field(default_factory=dict)
    remarks: str | None = None
    form: Form = "json"
    shouted: bool = False

    @property
    def emergency(self) -> bool:
        return self.subtype in EMERGENCIES

    def document(self, at: int) -> dict[str, Any]:
        """Return the message as JSON carries it, sent at an instant."""
        fields: dict[str, Any] = {
            "message_id": self.message_id,
            "operation": self.operation,
            "refers_to": self.refers_to,
            "sent_at": written(at // 1000 * 1000, self.agency.zone),
            "agency": self.agency.document(),
            "event_id": f"E-{self.message_id}",
            "event_type": self.event_type,
            "event_subtype": self.subtype,
            "notification_type": self.notification_type,
            "notification_subtypes": [{"subtype": tag, "validations": list(tied)} for tag, tied in self.tags],
            "action_at": self.action.text,
            "offenders": [self._described(each) for each in self.offenders],
            "case": None if self.case is None else {"number": self.case[0], "court": self.case[1]},
            "status": self.status,
            "location": None if self.location is None else {"kind": self.location[0], "name": self.location[1]},
            "from_location": None if self.from_location is None else {"kind": self.from_location[0], "name": self.from_location[1]},
            "compact": self.compact or None,
            "remarks": self.remarks,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _described(self, offender: Offender) -> dict[str, Any]:
        person = offender.described(self.agency.scheme)
        if self.shouted:
            person["name"] = {part: f" {text.upper()}  " for part, text in person["name"].items()}
        return person

    def again(self, message_id: str, chance: Chance) -> "Message":
        """Return the same event in another message, with what does not matter otherwise: spelling, remarks, format."""
        return replace(
            self,
            message_id=message_id,
            remarks=chance.one_of((None, "resent", "see file")),
            shouted=chance.happens(0.5),
            form=chance.one_of(("json", "xml")),
        )

    def cancelling(self, message_id: str) -> "Message":
        """Return the Cancel of this message."""
        return replace(self, message_id=message_id, operation="Cancel", refers_to=self.message_id)

    def updating(self, message_id: str, **changes: Any) -> "Message":
        """Return an Update of this message."""
        return replace(self, message_id=message_id, operation="Update", refers_to=self.message_id, **changes)


@dataclass(frozen=True, slots=True)
class Told:
    """It goes on to registrants at `at`: as news, as a change or as a cancellation of what message `root` said first."""

    at: int
    telling: Telling = "news"
    root: str | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """It is told to nobody: by which stage, how and why."""

    stage: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It is not let in."""

    reason: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same message once more; the first has its fate already."""


Fate = Told | Silent | Refused | Repeated

PAST: Final = Silent("validate", "suppressed", "past")
INTERNAL: Final = Silent("validate", "suppressed", "internal")
DUPLICATE: Final = Silent("dedupe", "suppressed", "duplicate")


def flagged(reason: str) -> Silent:
    """Return the fate of what a reviewer is to look at."""
    return Silent("validate", "flagged", reason)


@dataclass(frozen=True, slots=True)
class Saying:
    """A message at the moment it comes in, and what becomes of it; `raw` where it is no message at all."""

    at: int
    message: Message | None
    fate: Fate
    raw: str | None = None
    pad: int = 0
