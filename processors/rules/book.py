"""
What the rules say, as the stages ask it.

`Rules` is everything that was loaded, with the settings in force. `Rules.book(jurisdiction, at)` is the page that
holds for one jurisdiction at one time: default rules, overlaid by the jurisdiction's, entries in effect on that day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from processors.domain.event import Scope


@dataclass(frozen=True, slots=True)
class Order:
    """A hearing must come after something: one of these events, or while in one of these statuses (specification §4.1.1.2)."""

    events: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class EventCode:
    """
    One event type with one subtype of the code lists.

    `status` and `location` are what the event implies where the message names none. `follows` are the subtypes one of
    which meets a Previous Event tag. `order` is what a hearing must come after. `release` marks the subtype that may be
    a transfer to another facility, `intake` the one that tells it instead. `same` names the event fields that make two
    messages the same event; `action_date` the XML elements that hold the action date, first choice first.
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
class Surge:
    """More than `limit` messages within `window` milliseconds is a bulk update."""

    limit: int
    window: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Minutes since midnight from which and until which nothing but emergencies is sent."""

    start: int
    end: int


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

    def code(self, event_type: str, subtype: str) -> EventCode | None:
        """Return the code list entry, or None where the lists have none."""
        return self.codes.get((event_type, subtype))

    def status(self, text: str) -> Status | None:
        """Return the status that `text` names, by name or synonym, whatever its case and blanks."""
        return self.statuses.get(fold(text))

    def location(self, text: str) -> LocationKind | None:
        """Return the kind of place that `text` names, by name or synonym, whatever its case and blanks."""
        return self.locations.get(fold(text))

    def zone_of(self, ori: str) -> ZoneInfo:
        """Return the agency's time zone: by the longest ORI prefix that has an exception, else the state's default."""
        for length in range(len(ori), 0, -1):
            if (zone := self.zones_by_ori.get(ori[:length])) is not None:
                return zone
        return self.zone

    def text(self, event_type: str, subtype: str, language: str) -> Text | None:
        """Return the words for the subtype, those of the event type first; None where there are none in that language."""
        return self.texts.get((f"{event_type}/{subtype}", language)) or self.texts.get((subtype, language))


def fold(text: str) -> str:
    """Return `text` as codes compare: lower case, single blanks."""
    return " ".join(text.split()).casefold()


class Rules:
    """
    Every rule and setting in force, immutable; a new one is made when a setting changes.

    Built by `rules.load.load_rules(directory)`, overlaid by `with_policies`. `version` names both, as the journal
    records it: `r<digest of the rule files>.p<digest of the settings>`.
    """

    version: str

    def book(self, jurisdiction: str, at: int) -> Book:
        """Return the page for `jurisdiction` on the day of `at`; an unknown jurisdiction gets the default page."""
        raise NotImplementedError

    def duration(self, key: str, scope: Scope) -> int:
        """Return a duration setting in milliseconds."""
        raise NotImplementedError

    def flag(self, key: str, scope: Scope) -> bool:
        """Return a true-or-false setting."""
        raise NotImplementedError

    def surge(self, scope: Scope) -> Surge | None:
        """Return `surge.limit`, None where it is off."""
        raise NotImplementedError

    def quiet_hours(self, scope: Scope) -> QuietHours | None:
        """Return `quiet.hours`, None where there are none."""
        raise NotImplementedError

    def text(self, key: str, scope: Scope) -> str:
        """Return a setting that is a word, such as `delivery.order`."""
        raise NotImplementedError
