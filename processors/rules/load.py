"""
Puts the rule files together.

A book is made of layers, each laid over the one before: the built-in default, files of `VN_RULES_DIR` that bind
everybody, the built-in file of the jurisdiction, files of `VN_RULES_DIR` that bind it. An entry with the key of an
earlier one changes what it names and leaves the rest; `withdrawn` takes it out of force.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache, cached_property, lru_cache
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from processors.rules.book import Book, BookHistory, EventCode, Jurisdiction, LocationKind, Order, Rules, Status, Text, fold
from processors.rules.files import BUILT_IN, BadRules, RuleFile, read_files
from processors.rules.sections import SECTIONS, Entry, EventEntry, JurisdictionEntry, LocationEntry, StatusEntry

EVERYBODY: Final = ""  # the default page's jurisdiction
DATING: Final = frozenset({"since", "until", "withdrawn"})

Entries = Mapping[str, Mapping[Hashable, Any]]
V = TypeVar("V")


def load_rules(directory: Path | None = None) -> Rules:
    """Return the built-in rules, overlaid by those in `directory` (VN_RULES_DIR); raises BadRules with one sentence."""
    return Rules(read_rules(directory))


def read_rules(directory: Path | None = None) -> "RuleLibrary":
    """Return every rule file, built in and added, ready to make books of; raises BadRules with one sentence."""
    added = read_files(directory) if directory is not None else ()
    default, own = built_in()
    shelf = RuleLibrary(
        (default, tuple(each for each in added if not each.jurisdictions), own, tuple(each for each in added if each.jurisdictions))
    )
    for code in (EVERYBODY, *shelf.jurisdictions):
        shelf.history(code)
    return shelf


@cache
def built_in() -> tuple[tuple[RuleFile, ...], tuple[RuleFile, ...]]:
    """Return the files that come with the pipeline: for everybody, and for each jurisdiction; read once, since they do not change."""
    return read_files(BUILT_IN / "default"), read_files(BUILT_IN / "jurisdictions")


@dataclass(frozen=True)
class RuleLibrary:
    """The files in their layers, and the pages made of them so far."""

    layers: tuple[tuple[RuleFile, ...], ...]
    pages: dict[str, BookHistory] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def version(self) -> str:
        lines = "\n".join(f"{each.where} {each.sha}" for each in chain(*self.layers))
        return blake2b(lines.encode(), digest_size=4).hexdigest()

    @cached_property
    def jurisdictions(self) -> Mapping[str, Jurisdiction]:
        codes = sorted({code for each in chain(*self.layers) for code in each.jurisdictions})
        return {code: jurisdiction_of(code, self.history(code).books[-1].entries["jurisdiction"]) for code in codes}

    def history(self, jurisdiction: str) -> BookHistory:
        """Return the jurisdiction's page; one without rules of its own gets the default page."""
        if (found := self.pages.get(jurisdiction)) is not None:
            return found
        if jurisdiction != EVERYBODY and not any(jurisdiction in each.jurisdictions for each in chain(*self.layers)):
            return self.history(EVERYBODY)
        return self.pages.setdefault(jurisdiction, make_history(jurisdiction, self.binding(jurisdiction)))

    def binding(self, jurisdiction: str) -> tuple[tuple[RuleFile, ...], ...]:
        """Return the files that bind a jurisdiction, in their layers."""
        return tuple(tuple(each for each in layer if not each.jurisdictions or jurisdiction in each.jurisdictions) for layer in self.layers)


def make_history(jurisdiction: str, layers: tuple[tuple[RuleFile, ...], ...]) -> BookHistory:
    """Return one book for every stretch of days between which no entry begins or ends."""
    files = tuple(chain(*layers))
    days = changes(chain.from_iterable(chain.from_iterable(each.entries.values()) for each in files))
    books = tuple(make_book(jurisdiction, overlay(files, day)) for day in (date.min, *days))
    return BookHistory(tuple(midnight(day, book.zone) for day, book in zip(days, books[1:], strict=True)), books)


def changes(entries: Iterable[Entry]) -> tuple[date, ...]:
    """Return the days on which an entry comes into effect or is no longer in effect."""
    begin, end = set(), set()
    for entry in entries:
        if entry.since is not None:
            begin.add(entry.since)
        if entry.until is not None and entry.until != date.max:
            end.add(entry.until + timedelta(days=1))
    return tuple(sorted(begin | end))


def midnight(day: date, zone: ZoneInfo) -> int:
    """Return the instant at which `day` begins in `zone`, in milliseconds."""
    return int(datetime.combine(day, time(), zone).timestamp() * 1_000)


class Laid(dict[Any, Any]):
    """The entries of one section in effect, by key; hashable as the object it is, so that what is made of it is made once."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # it is not changed once it is laid


def overlay(files: tuple[RuleFile, ...], day: date) -> dict[str, Laid]:
    """Return the entries in effect on `day`, by section and key."""
    return {name: laid(tuple(each for each in files if name in each.entries), name, day) for name in SECTIONS}


@lru_cache(maxsize=4_096)
def laid(files: tuple[RuleFile, ...], name: str, day: date) -> Laid:
    """Return one section's entries in effect on `day`, each file's laid over those before it; most jurisdictions share theirs."""
    found = Laid()
    for entry in chain.from_iterable(each.entries[name] for each in files):
        if entry.on(day):
            for key in SECTIONS[name].keys(entry):
                lay(found, key, entry)
    return found


def lay(entries: dict[Hashable, Any], key: Hashable, entry: Entry) -> None:
    """Change the entry of that key in what the later one names, or add or withdraw it."""
    if entry.withdrawn:
        entries.pop(key, None)
    elif key in entries:
        before = entries[key]
        named = {name: joined(name, before, entry) for name in entry.model_fields_set - DATING}
        entries[key] = before.model_copy(update=named)
    else:
        entries[key] = entry


def joined(name: str, before: Entry, later: Entry) -> Any:
    """Return the value of a field of which both entries may say something."""
    if name in later.grows:
        return tuple(dict.fromkeys((*getattr(before, name), *getattr(later, name))))
    return getattr(later, name)


def make_book(jurisdiction: str, entries: dict[str, Laid]) -> Book:
    """Return the book that these entries make."""
    if "" not in entries["zone"]:
        raise BadRules(
            f"{jurisdiction or 'default'}.toml: no time zone is in effect on some day: add a [[zone]] without `ori` for every day."
        )
    zones = {key: ZoneInfo(entry.zone) for key, entry in entries["zone"].items()}
    return Book(
        jurisdiction=jurisdiction,
        name=jurisdiction_of(jurisdiction, entries["jurisdiction"]).name,
        codes=codes_of(entries["event"]),
        event_types=frozenset(map(str, entries["event_type"])),
        notification_types=frozenset(map(str, entries["notification_type"])),
        notification_subtypes=frozenset(map(str, entries["notification_subtype"])),
        validations=frozenset(map(str, entries["validation"])),
        statuses=statuses_of(entries["status"]),
        locations=locations_of(entries["location"]),
        texts=texts_of(entries["text"]),
        zone=zones.pop(""),
        zones_by_ori={str(prefix): zone for prefix, zone in zones.items()},
        entries=entries,
    )


def jurisdiction_of(code: str, entries: Mapping[Hashable, JurisdictionEntry]) -> Jurisdiction:
    """Return whose rules these are; a file that does not say its name is called by its code."""
    entry = entries.get("", JurisdictionEntry())
    return Jurisdiction(
        code,
        entry.name or code,
        entry.compact,
        entry.compact_office,
        entry.compact_office_phone,
        entry.victim_authority,
        entry.victim_authority_phone,
    )


@lru_cache(maxsize=512)
def codes_of(entries: Laid) -> Mapping[tuple[str, str], EventCode]:
    """Return the code lists: one code for each event type that an entry names."""
    return {(kind, entry.subtype): event_code(kind, entry) for (kind, _), entry in entries.items()}


@lru_cache(maxsize=512)
def statuses_of(entries: Laid) -> Mapping[str, Status]:
    return by_synonym(entries, lambda entry, after: Status(entry.name, entry.synonyms, after))


@lru_cache(maxsize=512)
def locations_of(entries: Laid) -> Mapping[str, LocationKind]:
    return by_synonym(entries, lambda entry, after: LocationKind(entry.name, entry.synonyms, entry.custodial, after))


@lru_cache(maxsize=512)
def texts_of(entries: Laid) -> Mapping[tuple[str, str], Text]:
    """Return the texts by subtype and language; an event type's own under "type/subtype"."""
    return {
        (entry.subtype if entry.type is None else f"{entry.type}/{entry.subtype}", entry.language): Text(
            entry.noun, entry.sms, entry.subject, entry.body, entry.voice
        )
        for entry in entries.values()
    }


def event_code(event_type: str, entry: EventEntry) -> EventCode:
    return EventCode(
        event_type=event_type,
        subtype=entry.subtype,
        notification_types=entry.notification_types,
        emergency=entry.emergency,
        status=entry.status,
        location=entry.location,
        follows=entry.follows,
        order=tuple(Order(each.events, each.statuses, each.why) for each in entry.order),
        release=entry.release,
        intake=entry.intake,
        same=entry.same,
        action_date=entry.action_date,
        activity=entry.activity,
        from_statuses=entry.from_statuses,
        from_locations=entry.from_locations,
        meaning=entry.meaning,
    )


def by_synonym(entries: Laid, make: Callable[[Any, tuple[str, ...]], V]) -> Mapping[str, V]:
    """Return each value under its folded name and synonyms, knowing all that may come next; a name beats another's synonym."""
    values = {fold(entry.name): (entry, make(entry, reachable(entry, entries.values()))) for entry in entries.values()}
    found = {fold(synonym): value for entry, value in values.values() for synonym in entry.synonyms}
    return {**found, **{name: value for name, (_, value) in values.items()}}


def reachable(entry: StatusEntry | LocationEntry, entries: Iterable[StatusEntry | LocationEntry]) -> tuple[str, ...]:
    """Return what may come next: what the entry names itself, and those that name it as what they come after."""
    return tuple(dict.fromkeys((*entry.next, *(other.name for other in entries if entry.name in other.after))))
