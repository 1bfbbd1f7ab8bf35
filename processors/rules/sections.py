"""
The sections of rule files: a model for the entries of each, and a line in `SECTIONS`.

Every entry may have `from` (first day in effect), `until` (last day) and `withdrawn` (not in force here). Stages find the
entries of a section in `RuleSet.entries[name]`.
"""

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from processors.domain.event import Direction
from processors.domain.zones import zone_named
from processors.rules.rule_set import fold

MOST_DAYS: Final = 3_650  # of a deadline; a limit is needed since business days are counted one by one


class Entry(BaseModel):
    """One entry of a rule file and the days it is in effect, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=True)

    grows: ClassVar[frozenset[str]] = frozenset()  # lists that a later entry extends; it replaces other lists

    since: date | None = Field(default=None, alias="from")
    until: date | None = None
    withdrawn: bool = False

    def on(self, day: date) -> bool:
        """Whether the entry is in effect on `day`."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


Words = tuple[str, ...]


class Model(Entry):
    """An entry whose lists may be written as TOML arrays."""

    @field_validator("*", mode="before")
    @classmethod
    def _arrays(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


class NamedEntry(Model):
    """A code and its meaning."""

    name: str
    meaning: str = ""


class OrderEntry(Model):
    """What a hearing must come after (specification §4.1.1.2); `why` is shown to the reviewer."""

    events: Words = ()
    statuses: Words = ()
    why: str


class EventTypeEntry(NamedEntry):
    """An event type; if `confidential`, the public never sees whom such an event is about."""

    confidential: bool = False


class EventEntry(Model):
    """One event subtype of one or several event types."""

    types: Words
    subtype: str
    notification_types: Words = ()
    meaning: str = ""
    emergency: bool = False
    status: str | None = None
    location: str | None = None
    from_statuses: Words = ()
    from_locations: Words = ()
    follows: Words = ()
    order: tuple[OrderEntry, ...] = ()
    release: bool = False
    intake: bool = False
    same: Words = ("action_at", "case_number", "court", "status", "location_kind", "location_name")
    action_date: Words = ("ActivityDate", "CourtAppearanceDate")
    activity: str | None = None


class StatusEntry(Model):
    """A status; `next` are those it may become, `after` those that may become it (for a status that is added)."""

    grows = frozenset({"synonyms", "after"})

    name: str
    meaning: str = ""
    synonyms: Words = ()
    next: Words = ()
    after: Words = ()


class LocationEntry(Model):
    """A kind of location; `next` are those that a move may lead to, `after` those it may come from (for a kind that is added)."""

    grows = frozenset({"synonyms", "after"})

    name: str
    meaning: str = ""
    synonyms: Words = ()
    custodial: bool = False
    confidential: bool = False
    next: Words = ()
    after: Words = ()


class ZoneEntry(Model):
    """A time zone: of the whole jurisdiction, or of the agencies whose ORI begins with one of `ori`."""

    zone: str
    ori: Words = ()
    note: str = ""

    @field_validator("zone")
    @classmethod
    def _time_zone_exists(cls, value: str) -> str:
        if (name := zone_named(value)) is None:
            raise ValueError(f"{value!r} is no time zone: write one such as America/New_York")
        return name


class JurisdictionEntry(Model):
    """The jurisdiction of the file; unknown contacts are left out. `public` if the public may look up custody that it reports."""

    name: str = ""
    compact: bool = False
    compact_office: str = ""
    compact_office_phone: str = ""
    victim_authority: str = ""
    victim_authority_phone: str = ""
    public: bool = False


class HotlineEntry(Model):
    """A hotline shown on the public pages; `in_language` is its name in languages other than English."""

    name: str
    phone: str
    text_word: str = ""
    text_number: str = ""
    in_language: dict[str, str] = {}

    @model_validator(mode="after")
    def _text_is_whole(self) -> Self:
        if bool(self.text_word) != bool(self.text_number):
            raise ValueError("write both text_word and text_number, or neither: what to text, and where to")
        return self


class TextEntry(Model):
    """The text of one subtype in one language; with `type` the text of that event type only."""

    subtype: str
    type: str | None = None
    language: str
    noun: str = ""
    sms: str = ""
    subject: str = ""
    body: str = ""
    voice: str = ""


class CompactStateEntry(Model):
    """One state of one region of the compact workflow; `closed` if the case has ended, `completed` if the transfer is."""

    region: Literal["instructions", "transfer", "supervision"]
    name: str
    meaning: str = ""
    closed: bool = False
    completed: bool = False


class MoveEntry(Model):
    """The states in which a step is legal (any, in a region not named), where it leads, and the direction of the journey."""

    instructions: Words = ()
    transfer: Words = ()
    supervision: Words = ()
    to: dict[str, str] = {}
    way: Direction | None = None


class ReasonEntry(Model):
    """An activity from which another takes its reason: `reason`, or if empty the reason of that activity's message."""

    activity: str
    reason: str = ""


class CompactActivityEntry(Model):
    """One kind of step of the compact workflow; without `moves` it changes no state."""

    name: str
    enters: dict[str, str] = {}
    awaits: Words = ()
    moves: tuple[MoveEntry, ...] = ()
    most_days: int | None = None
    reason_from: tuple[ReasonEntry, ...] = ()


Party = Literal["sending state", "receiving state", "victim authority", "victims"]


class DeadlineEntry(Model):
    """One legal clock (rules.deadlines.Deadline says what each field means)."""

    name: str
    rule: str
    expects: str
    text: str
    source: str
    count: int = Field(ge=0, le=MOST_DAYS)
    unit: Literal["business days", "calendar days"]
    counted_from: Literal["action", "transmission", "receipt", "report_by"] = "action"
    otherwise: int | None = Field(default=None, ge=0, le=MOST_DAYS)
    raised_by: Words
    met_by: Words = ()
    cancelled_by: Words = ()
    owed_by: Party
    owed_to: Party
    reasons: Words = ()
    unless_reasons: Words = ()
    after: Words = ()
    unless_after: Words = ()
    told_in: Literal["sending state", "receiving state"] | None = None
    lapses: bool = False


class UntrackedEntry(Model):
    """A time limit of a compact rule for which no deadline is kept: what the rule `says`, and `why` not."""

    rule: str
    says: str
    why: str


class HolidayEntry(Model):
    """A correction of the calendar: an additional holiday or, with `worked`, a day or yearly holiday that is a business day."""

    name: str
    day: date | None = None
    worked: bool = False

    @model_validator(mode="after")
    def _corrects_something(self) -> Self:
        if self.day is None and not self.worked:
            raise ValueError("write its `day`, or worked = true for a yearly holiday that is a business day")
        return self


class SchemeEntry(Model):
    """A kind of number by which agencies identify people (contract §3.2); `*` stands for every kind without an entry."""

    grows = frozenset({"synonyms"})

    name: str
    synonyms: Words = ()
    meaning: str = ""
    scope: Literal["nation", "state", "agency"] = "agency"
    strong: bool = False
    prefixed: bool = False
    pattern: str = ".*[0-9].*"
    length: tuple[int, int] = (1, 48)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression ({error}): correct it") from error
        return value

    @field_validator("length")
    @classmethod
    def _rises(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 1 <= value[0] <= value[1]:
            raise ValueError("write the least and the greatest length, such as [1, 12]")
        return value


class NoIdentifierEntry(Model):
    """A word that agencies type if there is no number."""

    grows = frozenset({"words"})

    words: Words


class FillerEntry(Model):
    """A form of value that only fills a field, if it has `least` characters; after a state's letters, only of `after_prefix` ones."""

    name: Literal[
        "one repeated character",
        "a repeated digit after a state",
        "an ascending run",
        "a descending run",
        "a run there and back",
        "a doubled run",
        "a repeated run",
        "a word with a digit or two",
        "a repeated group",
        "nothing but zeros",
        "one repeated digit but for the first or last",
        "letters and digits of a form",
        "a placeholder of a form",
        "a masked number",
        "a negative number",
        "a date",
        "a number cut short by a spreadsheet",
    ]
    least: int = Field(default=3, ge=2)
    after_prefix: Words = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One section: the model of its entries, and the keys by which a later entry overrides an earlier one."""

    name: str
    entry: type[Entry]
    keys: Callable[[Any], Iterable[Hashable]]


def by_name(entry: Any) -> tuple[Hashable, ...]:
    return (entry.name,)


SECTIONS: Final[dict[str, Section]] = {
    section.name: section
    for section in (
        Section("jurisdiction", JurisdictionEntry, lambda _: ("",)),
        Section("zone", ZoneEntry, lambda entry: entry.ori or ("",)),
        Section("event_type", EventTypeEntry, by_name),
        Section("notification_type", NamedEntry, by_name),
        Section("notification_subtype", NamedEntry, by_name),
        Section("validation", NamedEntry, by_name),
        Section("date_element", NamedEntry, by_name),
        Section("event", EventEntry, lambda entry: tuple((each, entry.subtype) for each in entry.types)),
        Section("status", StatusEntry, lambda entry: (fold(entry.name),)),
        Section("location", LocationEntry, lambda entry: (fold(entry.name),)),
        Section("compact_state", CompactStateEntry, lambda entry: ((entry.region, entry.name),)),
        Section("compact_activity", CompactActivityEntry, by_name),
        Section("deadline", DeadlineEntry, lambda entry: ((entry.name, *entry.reasons),)),
        Section("untracked", UntrackedEntry, lambda entry: ((entry.rule, entry.says),)),
        Section("holiday", HolidayEntry, lambda entry: (entry.day or entry.name,)),
        Section("hotline", HotlineEntry, by_name),
        Section("scheme", SchemeEntry, lambda entry: (entry.name.upper(),)),
        Section("no_identifier", NoIdentifierEntry, lambda _: ("",)),
        Section("filler", FillerEntry, by_name),
        Section("text", TextEntry, lambda entry: ((entry.type, entry.subtype, entry.language),)),
    )
}
