"""
The rules as stages query them.

`Rules` holds all rule files and the settings in force. `Rules.rule_set(jurisdiction, at)` returns a `RuleSet`, the rules of one
jurisdiction on one day: the default rules overridden by the jurisdiction's, with the entries in effect on that day.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from processors.domain.event import EVERYWHERE, Scope
from processors.domain.policy import Policy
from processors.rules.calendar import Calendar
from processors.rules.deadlines import Deadlines
from processors.rules.identity import IdentityRules
from processors.rules.setting_values import QuietHours, Surge
from processors.rules.settings import Settings
from processors.rules.workflow import Workflow

__all__ = [
    "EventCode",
    "Jurisdiction",
    "LocationKind",
    "Order",
    "QuietHours",
    "RuleSet",
    "RuleSetHistory",
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
    What must precede a hearing: one of these events, or one of these statuses (specification §4.1.1.2).

    An event is a subtype of any agency ("Disposition") or of one kind of agency ("Corrections/Intake"); `after` checks both.
    """

    events: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    why: str = ""

    def after(self, event_type: str, subtype: str) -> bool:
        """Whether the hearing may come after an event of this type and subtype."""
        return subtype in self.events or f"{event_type}/{subtype}" in self.events


@dataclass(frozen=True, slots=True)
class EventCode:
    """
    One event type and subtype of the code lists.

    `status` and `location` apply if the message gives none. `follows` are the subtypes that meet a Previous Event tag,
    `order` is what a hearing must come after. `release` marks a subtype that may be a transfer to another facility, `intake` one
    that is told instead. `same` are the event fields that identify an event: messages with equal values are duplicates.
    `action_date` are the XML elements of the action date in order of preference. `from_statuses` and `from_locations` restrict
    what the event may follow beyond the tables of statuses and moves (nobody in custody is recaptured); `RuleSet.may_become` and
    `RuleSet.may_move` consider both.
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
    """A custody or supervision status; `next` are the names of the statuses that may follow it."""

    name: str
    synonyms: tuple[str, ...] = ()
    next: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocationKind:
    """
    A kind of location. `custodial` if people are held there; `next` are the kinds that a legal move may lead to.

    If `confidential`, the public never sees who is or was there.
    """

    name: str
    synonyms: tuple[str, ...] = ()
    custodial: bool = False
    next: tuple[str, ...] = ()
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """The Jinja templates of one subtype in one language; `noun` names the event in changes and cancellations."""

    noun: str
    sms: str
    subject: str
    body: str
    voice: str


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """
    A jurisdiction; `compact` if it is a member of the interstate compact. Unknown fields are empty.

    `public` if the public may look up the custody that it reports.
    """

    code: str
    name: str
    compact: bool = False
    compact_office: str = ""
    compact_office_phone: str = ""
    victim_authority: str = ""
    victim_authority_phone: str = ""
    public: bool = False


@dataclass(frozen=True, eq=False)
class RuleSet:
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
    identity: IdentityRules = field(default_factory=lambda: IdentityRules({}))
    entries: Mapping[str, Mapping[Hashable, Any]] = field(default_factory=dict)  # every section of the rule files, by its own keys

    def code(self, event_type: str, subtype: str) -> EventCode | None:
        """Return the code list entry, None if there is none."""
        return self.codes.get((event_type, subtype))

    def status(self, text: str) -> Status | None:
        """Return the status by name or synonym, ignoring case and spacing."""
        return self.statuses.get(fold(text))

    def location(self, text: str) -> LocationKind | None:
        """Return the kind of location by name or synonym, ignoring case and spacing."""
        return self.locations.get(fold(text))

    def may_become(self, code: EventCode, current: Status, new: Status) -> bool:
        """Whether an event of this code may change the status from `current` to `new` (specification §4.1.5.2)."""
        return new.name in current.next and (not code.from_statuses or current.name in code.from_statuses)

    def may_move(self, code: EventCode, current: LocationKind, new: LocationKind) -> bool:
        """Whether an event of this code may move from `current` to `new` (specification §4.1.4.2); staying is legal (contract §3.1.7)."""
        if new.name == current.name:
            return True
        return new.name in current.next and (not code.from_locations or current.name in code.from_locations)

    def zone_of(self, ori: str) -> ZoneInfo:
        """Return the agency's time zone: that of the longest matching ORI prefix, otherwise the state's default."""
        if not self.zones_by_ori:
            return self.zone
        for length in range(len(ori), 0, -1):
            if (zone := self.zones_by_ori.get(ori[:length])) is not None:
                return zone
        return self.zone

    @cached_property
    def confidential_types(self) -> frozenset[str]:
        """The event types whose offenders the public never sees."""
        return frozenset(str(key) for key, entry in self.entries.get("event_type", {}).items() if entry.confidential)

    @cached_property
    def workflow(self) -> Workflow:
        """The interstate compact's workflow."""
        return Workflow.of(self.entries.get("compact_state", {}), self.entries.get("compact_activity", {}))

    @cached_property
    def deadlines(self) -> Deadlines:
        """The deadlines that can start on this day."""
        return Deadlines.of(self.entries.get("deadline", {}))

    @cached_property
    def calendar(self) -> Calendar:
        """The jurisdiction's business days."""
        return Calendar.of(self.jurisdiction, self.entries.get("holiday", {}))

    def text(self, event_type: str, subtype: str, language: str) -> Text | None:
        """Return the text of the subtype, preferably the event type's own; None if there is none in that language."""
        return self.texts.get((f"{event_type}/{subtype}", language)) or self.texts.get((subtype, language))


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return `text` in comparable form for codes: case-folded, with single spaces."""
    return " ".join(text.split()).casefold()


@dataclass(frozen=True, slots=True)
class RuleSetHistory:
    """One jurisdiction's rule sets over time: `rule_sets[0]` until `starts[0]` (milliseconds), `rule_sets[n]` from `starts[n - 1]` on."""

    starts: tuple[int, ...]
    rule_sets: tuple[RuleSet, ...]


class RuleSource(Protocol):
    """The rule files as read by `rules.load`."""

    @property
    def version(self) -> str:
        """A digest of the files read."""

    @property
    def jurisdictions(self) -> Mapping[str, Jurisdiction]:
        """Every jurisdiction with rules of its own, by its code."""

    @property
    def histories(self) -> Mapping[str, RuleSetHistory]:
        """The histories that were built so far."""

    def history(self, jurisdiction: str) -> RuleSetHistory:
        """Return the jurisdiction's rule sets over time; an unknown one gets the default ones."""


class Rules:
    """
    All rules and settings in force; immutable: a changed setting makes a new instance.

    Built by `rules.load.load_rules(directory)` and `with_policies`. `version` is recorded in the journal:
    `r<digest of the rule files>.p<digest of the settings>`. `jurisdictions` are those with rules of their own, by their codes.
    `refused` has a sentence for each policy that cannot be used and was left out.
    """

    __slots__ = ("_library", "jurisdictions", "refused", "settings", "version")

    def __init__(self, library: RuleSource, settings: Settings | None = None) -> None:
        self._library = library
        self.jurisdictions = library.jurisdictions
        self.settings = settings or Settings()
        self.refused = self.settings.refused
        self.version = f"r{library.version}.p{self.settings.version}"

    def with_policies(self, policies: Iterable[Policy]) -> "Rules":
        """Return the same rules with these settings in force and no others."""
        return Rules(self._library, Settings.of(policies))

    @property
    def notification_types(self) -> frozenset[str]:
        """The notification types of all code lists, whatever the jurisdiction and the day."""
        return frozenset(name for rule_set in self.rule_sets() for name in rule_set.notification_types)

    @property
    def subtypes(self) -> frozenset[str]:
        """The event subtypes of all code lists, whatever the jurisdiction and the day."""
        return frozenset(code.subtype for rule_set in self.rule_sets() for code in rule_set.codes.values())

    def rule_sets(self) -> Iterator[RuleSet]:
        """Yield every rule set: the default ones, then those of each jurisdiction, each in order of time."""
        for code in ("", *self.jurisdictions):
            yield from self.history(code).rule_sets

    def member(self, state: str) -> bool:
        """Whether `state` is a member of the interstate compact; Guam, American Samoa and the Northern Marianas are not."""
        found = self.jurisdictions.get(state)
        return found is not None and found.compact

    def history(self, jurisdiction: str) -> RuleSetHistory:
        """Return the jurisdiction's rule sets of all times."""
        return self._library.history(jurisdiction)

    def rule_set(self, jurisdiction: str, at: int) -> RuleSet:
        """Return the rules of `jurisdiction` on the day of `at`; an unknown jurisdiction gets the default rules."""
        history = self._library.histories.get(jurisdiction) or self._library.history(jurisdiction)
        return history.rule_sets[bisect_right(history.starts, at)]

    def duration(self, key: str, scope: Scope, *, emergency: bool = False, channel: str = "") -> int:
        """Return a duration setting in milliseconds; some have different defaults for emergencies or by channel (contract §6)."""
        everywhere = self.settings.global_values
        found: int = everywhere[key] if key in everywhere else self.settings.value(key, scope, emergency=emergency, channel=channel)
        return found

    def flag(self, key: str, scope: Scope) -> bool:
        """Return a true-or-false setting."""
        everywhere = self.settings.global_values
        found: bool = everywhere[key] if key in everywhere else self.settings.value(key, scope)
        return found

    def reviewer_limit(self) -> int:
        """Return how many reviews of a group one reviewer may decide alone (`review.four_eyes`)."""
        found: int = self.settings.value("review.four_eyes", EVERYWHERE)
        return found

    def surge(self, scope: Scope) -> Surge | None:
        """Return `surge.limit`; None if it is off."""
        found: Surge | None = self.settings.value("surge.limit", scope)
        return found

    def verify_attempts(self) -> Surge | None:
        """Return `verify.attempts`, None if it is off."""
        found: Surge | None = self.settings.value("verify.attempts", EVERYWHERE)
        return found

    def quiet_hours(self, scope: Scope) -> QuietHours | None:
        """Return `quiet.hours`, None if there are none."""
        found: QuietHours | None = self.settings.value("quiet.hours", scope)
        return found

    def text(self, key: str, scope: Scope) -> str:
        """Return a setting that is a word, such as `delivery.order`."""
        found: str = self.settings.value(key, scope)
        return found
