"""Messages of agencies, variants of them, and their expected outcomes."""

from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from processors.simulation.people import Knowledge, Offender, with_disorder
from processors.simulation.randomness import RandomStream
from processors.simulation.times import DAY, iso_in_zone, local, midnight

NewsKind = Literal["news", "change", "cancellation"]
Form = Literal["json", "xml"]
Tags = tuple[tuple[str, tuple[str, ...]], ...]

CHECKED: Final[Tags] = (("Validate", ("Date",)),)

# Contract §3: sent at night as well.
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
    """A sending agency; `scheme` is that of its offender numbers. A federal agency has no state."""

    ori: str
    name: str
    zone: str
    scheme: str
    state: str | None = None

    def document(self) -> dict[str, str]:
        return {"ori": self.ori, "name": self.name, **({"state": self.state} if self.state else {})}


@dataclass(frozen=True, slots=True)
class ActionTime:
    """An action date or time: its instant, the instant from which it is past, and how the agency writes it."""

    at: int
    past: int
    text: str

    @property
    def is_whole_day(self) -> bool:
        return self.past != self.at


def action_time(at: int, zone: str, form: str = "offset") -> ActionTime:
    """Return an action time in whole seconds, written in UTC, with the zone's offset, or without offset."""
    at = at // 1000 * 1000
    text = iso_in_zone(at, zone)
    if form == "utc":
        text = iso_in_zone(at, "UTC").replace("+00:00", "Z")
    elif form == "plain" and unambiguous(at, zone):
        text = text[:19]
    return ActionTime(at, at, text)


def unambiguous(at: int, zone: str) -> bool:
    """Whether the zone's offset does not change within a day, so that a time without offset is one instant."""
    return local(at - DAY, zone).utcoffset() == local(at + DAY, zone).utcoffset()


def action_day(at: int, zone: str) -> ActionTime:
    """Return the date in the zone as an action date without time."""
    day = local(at, zone).date()
    next_day = local(midnight(day, zone) + DAY + DAY // 2, zone).date()
    return ActionTime(midnight(day, zone), midnight(next_day, zone), day.isoformat())


@dataclass(frozen=True, slots=True)
class Message:
    """One agency message about one event, before it is encoded."""

    message_id: str
    agency: Agency
    event_type: str
    subtype: str
    notification_type: str
    action: ActionTime
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
    upper_case: bool = False
    knowledge: Knowledge = "all"
    disorder: tuple[str, ...] = ()

    @property
    def emergency(self) -> bool:
        return self.subtype in EMERGENCIES

    def document(self, at: int) -> dict[str, Any]:
        """Return the message as a JSON object, sent at `at`."""
        fields: dict[str, Any] = {
            "message_id": self.message_id,
            "operation": self.operation,
            "refers_to": self.refers_to,
            "sent_at": iso_in_zone(at // 1000 * 1000, self.agency.zone),
            "agency": self.agency.document(),
            "event_id": f"E-{self.message_id}",
            "event_type": self.event_type,
            "event_subtype": self.subtype,
            "notification_type": self.notification_type,
            "notification_subtypes": [{"subtype": tag, "validations": list(tied)} for tag, tied in self.tags],
            "action_at": self.action.text,
            "offenders": [self._person(each) for each in self.offenders],
            "case": None if self.case is None else {"number": self.case[0], "court": self.case[1]},
            "status": self.status,
            "location": None if self.location is None else {"kind": self.location[0], "name": self.location[1]},
            "from_location": None if self.from_location is None else {"kind": self.from_location[0], "name": self.from_location[1]},
            "compact": self.compact or None,
            "remarks": self.remarks,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def _person(self, offender: Offender) -> dict[str, Any]:
        person = with_disorder(offender.known_by(self.knowledge, self.agency.scheme), offender, self.disorder)
        if self.upper_case:
            person["name"] = {part: f" {text.upper()}  " for part, text in person["name"].items()}
        return person

    def as_duplicate(self, message_id: str, random: RandomStream) -> "Message":
        """Return the same event in another message that differs in spelling, remarks and format only."""
        return replace(
            self,
            message_id=message_id,
            remarks=random.choice((None, "resent", "see file")),
            upper_case=random.happens(0.5),
            form=random.choice(("json", "xml")),
        )

    def as_cancel(self, message_id: str) -> "Message":
        """Return the Cancel of this message."""
        return replace(self, message_id=message_id, operation="Cancel", refers_to=self.message_id)

    def as_update(self, message_id: str, **changes: Any) -> "Message":
        """Return an Update of this message."""
        return replace(self, message_id=message_id, operation="Update", refers_to=self.message_id, **changes)


@dataclass(frozen=True, slots=True)
class Notified:
    """Registrants are notified at `at`; a change or a cancellation is of the event that message `root` reported first."""

    at: int
    kind: NewsKind = "news"
    root: str | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """Nobody is notified: which stage withholds it, with which outcome and reason."""

    stage: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Ingest rejects it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Redelivered:
    """A second delivery of the same message, whose outcome is that of the first."""


ExpectedOutcome = Notified | Withheld | Rejected | Redelivered

PAST: Final = Withheld("validate", "suppressed", "past")
INTERNAL: Final = Withheld("validate", "suppressed", "internal")
DUPLICATE: Final = Withheld("dedupe", "suppressed", "duplicate")


def expect_flag(reason: str) -> Withheld:
    """Return the outcome of a message that goes to review."""
    return Withheld("validate", "flagged", reason)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """A message, its arrival time and its expected outcome; `raw` bytes in place of a message that cannot be read."""

    at: int
    message: Message | None
    outcome: ExpectedOutcome
    raw: str | None = None
    pad: int = 0
