"""
What the rules say, as the stages ask it.

`Rules` is everything that was loaded, with the settings in force. `Rules.book(jurisdiction, at)` is the page that
holds for one jurisdiction at one time: default rules, overlaid by the jurisdiction's, entries in effect on that day.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from processors.domain.event import EVERYWHERE, Scope
from processors.domain.policy import Policy
from processors.rules.calendar import Calendar
from processors.rules.deadlines import Deadlines
from processors.rules.settings import QuietHours, Settings, Surge
from processors.rules.workflow import Workflow

__all__ = [
    "Book",
    "BookHistory",
    "EventCode",
    "Jurisdiction",
    "LocationKind",
    "Order",
    "QuietHours",
    "RuleSource",
    "Rules",
    "Status",
    "Surge",
    "Text",
    "fold",
]


@dataclass(frozen=True, slots=True)
class Order:
    """
    A hearing must come after something: one of these events, or while in one of these statuses (specification §4.1.1.2).

    An event is a subtype of any agency ("Disposition") or of one kind of agency ("Corrections/Intake"): ask `after`.
    """

    events: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    why: str = ""

    def after(self, event_type: str, subtype: str) -> bool:
        """Whether an earlier event of this type and subtype is one that the hearing may come after."""
        return subtype in self.events or f"{event_type}/{subtype}" in self.events


@dataclass(frozen=True, slots=True)
class EventCode:
    """
    One event type with one subtype of the code lists.

    `status` and `location` are what the event implies where the message names none. `follows` are the subtypes one of
    which meets a Previous Event tag. `order` is what a hearing must come after. `release` marks the subtype that may be
    a transfer to another facility, `intake` the one that tells it instead. `same` names the event fields that make two
    messages the same event; `action_date` the XML elements that hold the action date, first choice first.
    `from_statuses` and `from_locations` narrow what the event may follow where the tables of statuses and of moves are
    wider (nobody is recaptured who is in custody): ask `Book.may_become` and `Book.may_move`, which know both.
    """

    event_type: str
    subtype: str
    notification_types: tuple[str, ...]
    emergency: bool = False
    status: str | None = None
    location: str | None = None
    follows: tuple[str, ...] = ()
    order: tuple[Order, ...] = ()
    release: bool = False
    intake: bool = False
    same: tuple[str, ...] = ("action_at", "case_number", "court", "status", "location_kind", "location_name")
    action_date: tuple[str, ...] = ("ActivityDate", "CourtAppearanceDate")
    activity: str | None = None  # the compact workflow's name of it
    from_statuses: tuple[str, ...] = ()
    from_locations: tuple[str, ...] = ()
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A custody or supervision status; `next` are the names of those it may become."""

    name: str
    synonyms: tuple[str, ...] = ()
    next: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocationKind:
    """A kind of place; `custodial` where one is held there; `next` are the kinds one may legally move to."""

    name: str
    synonyms: tuple[str, ...] = ()
    custodial: bool = False
    next: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """The words for one subtype in one language; jinja2 sources. `noun` names the event inside changes and cancellations."""

    noun: str
    sms: str
    subject: str
    body: str
    voice: str


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """Whose rules these are; `compact` where it is a member of the interstate compact. What is not known is empty."""

    code: str
    name: str
    compact: bool = False
    compact_office: str = ""
    compact_office_phone: str = ""
    victim_authority: str = ""
    victim_authority_phone: str = ""


@dataclass(frozen=True)
class Book:
    """The rules of one jurisdiction on one day."""

    jurisdiction: str
    codes: Mapping[tuple[str, str], EventCode]
    event_types: frozenset[str]
    notification_types: frozenset[str]
    notification_subtypes: frozenset[str]
    validations: frozenset[str]
    statuses: Mapping[str, Status]  # by folded name and synonym
    locations: Mapping[str, LocationKind]  # by folded name and synonym
    texts: Mapping[tuple[str, str], Text]  # by subtype and language; an event type's own text under "type/subtype"
    zone: ZoneInfo
    zones_by_ori: Mapping[str, ZoneInfo] = field(default_factory=dict)
    name: str = ""
    entries: Mapping[str, Mapping[Hashable, Any]] = field(default_factory=dict)  # every section of the rule files, by its own keys

    def code(self, event_type: str, subtype: str) -> EventCode | None:
        """Return the code list entry, or None where the lists have none."""
        return self.codes.get((event_type, subtype))

    def status(self, text: str) -> Status | None:
        """Return the status that `text` names, by name or synonym, whatever its case and blanks."""
        return self.statuses.get(fold(text))

    def location(self, text: str) -> LocationKind | None:
        """Return the kind of place that `text` names, by name or synonym, whatever its case and blanks."""
        return self.locations.get(fold(text))

    def may_become(self, code: EventCode, current: Status, new: Status) -> bool:
        """Whether somebody who is `current` may become `new` by an event of this code (specification §4.1.5.2)."""
        return new.name in current.next and (not code.from_statuses or current.name in code.from_statuses)

    def may_move(self, code: EventCode, current: LocationKind, new: LocationKind) -> bool:
        """Whether this event may take somebody from `current` to `new` (specification §4.1.4.2); staying is legal (contract §3.1.7)."""
        if new.name == current.name:
            return True
        return new.name in current.next and (not code.from_locations or current.name in code.from_locations)

    def zone_of(self, ori: str) -> ZoneInfo:
        """Return the agency's time zone: by the longest ORI prefix that has an exception, else the state's default."""
        if not self.zones_by_ori:
            return self.zone
        for length in range(len(ori), 0, -1):
            if (zone := self.zones_by_ori.get(ori[:length])) is not None:
                return zone
        return self.zone

    @cached_property
    def workflow(self) -> Workflow:
        """The interstate compact's workflow."""
        return Workflow.of(self.entries.get("compact_state", {}), self.entries.get("compact_activity", {}))

    @cached_property
    def deadlines(self) -> Deadlines:
        """The legal clocks that begin on this day."""
        return Deadlines.of(self.entries.get("deadline", {}))

    @cached_property
    def calendar(self) -> Calendar:
        """The jurisdiction's business days."""
        return Calendar.of(self.jurisdiction, self.entries.get("holiday", {}))

    def text(self, event_type: str, subtype: str, language: str) -> Text | None:
        """Return the words for the subtype, those of the event type first; None where there are none in that language."""
        return self.texts.get((f"{event_type}/{subtype}", language)) or self.texts.get((subtype, language))


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return `text` as codes compare: lower case, single blanks."""
    return " ".join(text.split()).casefold()


@dataclass(frozen=True, slots=True)
class BookHistory:
    """One jurisdiction's books: `books[0]` holds until `starts[0]` (milliseconds), `books[n]` from `starts[n - 1]` on."""

    starts: tuple[int, ...]
    books: tuple[Book, ...]

    def at(self, at: int) -> Book:
        return self.books[bisect_right(self.starts, at)]


class RuleSource(Protocol):
    """What was read from the rule files; `rules.load` makes it."""

    @property
    def version(self) -> str:
        """A digest of the files read."""

    @property
    def jurisdictions(self) -> Mapping[str, Jurisdiction]:
        """Every jurisdiction with rules of its own, by its code."""

    def history(self, jurisdiction: str) -> BookHistory:
        """Return the jurisdiction's page; an unknown one gets the default page."""


class Rules:
    """
    Every rule and setting in force, immutable; a new one is made when a setting changes.

    Built by `rules.load.load_rules(directory)`, overlaid by `with_policies`. `version` names both, as the journal
    records it: `r<digest of the rule files>.p<digest of the settings>`. `refused` says in a sentence each which policies
    could not be used and were left out.
    """

    __slots__ = ("_library", "refused", "settings", "version")

    def __init__(self, library: RuleSource, settings: Settings | None = None) -> None:
        self._library = library
        self.settings = settings or Settings()
        self.refused = self.settings.refused
        self.version = f"r{library.version}.p{self.settings.version}"

    def with_policies(self, policies: Iterable[Policy]) -> "Rules":
        """Return the same rules with these settings in force and no others."""
        return Rules(self._library, Settings.of(policies))

    @property
    def jurisdictions(self) -> Mapping[str, Jurisdiction]:
        """Every jurisdiction with rules of its own, by its code."""
        return self._library.jurisdictions

    @property
    def notification_types(self) -> frozenset[str]:
        """The notification types of all code lists, whatever the jurisdiction and the day."""
        return frozenset(name for book in self.books() for name in book.notification_types)

    @property
    def subtypes(self) -> frozenset[str]:
        """The event subtypes of all code lists, whatever the jurisdiction and the day."""
        return frozenset(code.subtype for book in self.books() for code in book.codes.values())

    def books(self) -> Iterator[Book]:
        """Yield every book: the default's, then each jurisdiction's, in the order of time."""
        for code in ("", *self.jurisdictions):
            yield from self.history(code).books

    def member(self, state: str) -> bool:
        """Whether `state` is a member of the interstate compact; Guam, American Samoa and the Northern Marianas are not."""
        found = self.jurisdictions.get(state)
        return found is not None and found.compact

    def history(self, jurisdiction: str) -> BookHistory:
        """Return the jurisdiction's books of all times."""
        return self._library.history(jurisdiction)

    def book(self, jurisdiction: str, at: int) -> Book:
        """Return the page for `jurisdiction` on the day of `at`; an unknown jurisdiction gets the default page."""
        return self._library.history(jurisdiction).at(at)

    def duration(self, key: str, scope: Scope, *, emergency: bool = False, channel: str = "") -> int:
        """Return a duration setting in milliseconds; some have another default for emergencies or by channel (contract §6)."""
        return cast("int", self.settings.value(key, scope, emergency=emergency, channel=channel))

    def flag(self, key: str, scope: Scope) -> bool:
        """Return a true-or-false setting."""
        return cast("bool", self.settings.value(key, scope))

    def surge(self, scope: Scope) -> Surge | None:
        """Return `surge.limit`, None where it is off."""
        return cast("Surge | None", self.settings.value("surge.limit", scope))

    def verify_attempts(self) -> Surge | None:
        """Return `verify.attempts`, None where it is off."""
        return cast("Surge | None", self.settings.value("verify.attempts", EVERYWHERE))

    def quiet_hours(self, scope: Scope) -> QuietHours | None:
        """Return `quiet.hours`, None where there are none."""
        return cast("QuietHours | None", self.settings.value("quiet.hours", scope))

    def text(self, key: str, scope: Scope) -> str:
        """Return a setting that is a word, such as `delivery.order`."""
        return cast("str", self.settings.value(key, scope))
