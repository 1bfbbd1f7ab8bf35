"""
Combines rule files into rule sets.

A rule set is built from layers, each overriding the one before: the built-in defaults, files of `VN_RULES_DIR` for all jurisdictions,
the jurisdiction's built-in file, and files of `VN_RULES_DIR` for the jurisdiction. An entry with the key of an earlier one
overrides the fields that it sets; `withdrawn` removes the earlier one.
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

from processors.rules.files import BUILT_IN, BadRules, RuleFile, read_files
from processors.rules.identity import IdentityRules, schemes_of
from processors.rules.rule_set import EventCode, Jurisdiction, LocationKind, Order, Rules, RuleSet, RuleSetHistory, Status, Text, fold
from processors.rules.sections import SECTIONS, Entry, EventEntry, JurisdictionEntry, LocationEntry, StatusEntry

DEFAULT: Final = ""  # the jurisdiction of the default rules
VALIDITY_FIELDS: Final = frozenset({"since", "until", "withdrawn"})

Entries = Mapping[str, Mapping[Hashable, Any]]
V = TypeVar("V")


def load_rules(directory: Path | None = None) -> Rules:
    """Return the built-in rules overridden by those in `directory` (VN_RULES_DIR); raises BadRules."""
    return Rules(read_rules(directory))


def read_rules(directory: Path | None = None) -> "RuleLibrary":
    """Return all rule files, built in and in `directory`; raises BadRules."""
    added = read_files(directory) if directory is not None else ()
    default, own = built_in()
    library = RuleLibrary(
        (default, tuple(each for each in added if not each.jurisdictions), own, tuple(each for each in added if each.jurisdictions))
    )
    for code in (DEFAULT, *library.jurisdictions):
        library.history(code)
    return library


@cache
def built_in() -> tuple[tuple[RuleFile, ...], tuple[RuleFile, ...]]:
    """Return the built-in files, for everybody and for jurisdictions; cached, since they do not change."""
    return read_files(BUILT_IN / "default"), read_files(BUILT_IN / "jurisdictions")


@dataclass(frozen=True)
class RuleLibrary:
    """The rule files in their layers, and a cache of the rule sets built from them."""

    layers: tuple[tuple[RuleFile, ...], ...]
    histories: dict[str, RuleSetHistory] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def version(self) -> str:
        lines = "\n".join(f"{each.where} {each.sha}" for each in chain(*self.layers))
        return blake2b(lines.encode(), digest_size=4).hexdigest()

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes of the jurisdictions with rules of their own."""
        return frozenset(code for each in chain(*self.layers) for code in each.jurisdictions)

    @cached_property
    def jurisdictions(self) -> Mapping[str, Jurisdiction]:
        return {code: jurisdiction_of(code, self.history(code).rule_sets[-1].entries["jurisdiction"]) for code in sorted(self.codes)}

    def history(self, jurisdiction: str) -> RuleSetHistory:
        """Return the jurisdiction's rule sets; one without rules of its own gets the default ones."""
        if (found := self.histories.get(jurisdiction)) is not None:
            return found
        if jurisdiction != DEFAULT and jurisdiction not in self.codes:
            return self.history(DEFAULT)
        return self.histories.setdefault(jurisdiction, make_history(jurisdiction, self.files_for(jurisdiction)))

    def files_for(self, jurisdiction: str) -> tuple[tuple[RuleFile, ...], ...]:
        """Return the files that apply to a jurisdiction, in their layers."""
        return tuple(tuple(each for each in layer if not each.jurisdictions or jurisdiction in each.jurisdictions) for layer in self.layers)


@lru_cache(maxsize=256)
def make_history(jurisdiction: str, layers: tuple[tuple[RuleFile, ...], ...]) -> RuleSetHistory:
    """Return one rule set for each period in which no entry begins or ends; cached, since most jurisdictions have only built-in files."""
    files = tuple(chain(*layers))
    days = change_days(chain.from_iterable(chain.from_iterable(each.entries.values()) for each in files))
    rule_sets = tuple(make_rule_set(jurisdiction, effective_sections(files, day)) for day in (date.min, *days))
    return RuleSetHistory(tuple(midnight(day, rule_set.zone) for day, rule_set in zip(days, rule_sets[1:], strict=True)), rule_sets)


def change_days(entries: Iterable[Entry]) -> tuple[date, ...]:
    """Return the days on which an entry takes effect or ends."""
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


class EffectiveEntries(dict[Any, Any]):
    """The entries of one section in effect, by key; hashable by identity, so that results derived from it can be cached."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # never changed after construction


def effective_sections(files: tuple[RuleFile, ...], day: date) -> dict[str, EffectiveEntries]:
    """Return the entries in effect on `day`, by section and key."""
    return {name: effective_entries(tuple(each for each in files if name in each.entries), name, day) for name in SECTIONS}


@lru_cache(maxsize=4_096)
def effective_entries(files: tuple[RuleFile, ...], name: str, day: date) -> EffectiveEntries:
    """Return one section's entries in effect on `day`; cached, since most jurisdictions share them."""
    found = EffectiveEntries()
    for entry in chain.from_iterable(each.entries[name] for each in files):
        if entry.on(day):
            for key in SECTIONS[name].keys(entry):
                apply_entry(found, key, entry)
    return found


def apply_entry(entries: dict[Hashable, Any], key: Hashable, entry: Entry) -> None:
    """Add the entry, or override or withdraw the earlier one of its key."""
    if entry.withdrawn:
        entries.pop(key, None)
    elif key in entries:
        before = entries[key]
        named = {name: merged_value(name, before, entry) for name in entry.model_fields_set - VALIDITY_FIELDS}
        entries[key] = before.model_copy(update=named)
    else:
        entries[key] = entry


def merged_value(name: str, before: Entry, later: Entry) -> Any:
    """Return a field's value after the later entry overrides or extends the earlier one."""
    if name in later.grows:
        return tuple(dict.fromkeys((*getattr(before, name), *getattr(later, name))))
    return getattr(later, name)


def make_rule_set(jurisdiction: str, entries: dict[str, EffectiveEntries]) -> RuleSet:
    """Return the rule set of these entries."""
    if "" not in entries["zone"]:
        raise BadRules(
            f"{jurisdiction or 'default'}.toml: no time zone is in effect on some day: add a [[zone]] without `ori` for every day."
        )
    zones = {key: ZoneInfo(entry.zone) for key, entry in entries["zone"].items()}
    return RuleSet(
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
        identity=identity_of(entries["scheme"], entries["no_identifier"], entries["filler"]),
        entries=entries,
    )


@lru_cache(maxsize=512)
def identity_of(schemes: EffectiveEntries, words: EffectiveEntries, fillers: EffectiveEntries) -> IdentityRules:
    """Return the identity rules of these entries."""
    return IdentityRules(
        schemes_of(
            (each.name, each.synonyms, each.scope, each.strong, each.pattern, each.length, each.prefixed, each.meaning)
            for each in schemes.values()
        ),
        frozenset(word for each in words.values() for word in each.words),
        tuple((each.name, each.least, each.after_prefix) for each in fillers.values()),
    )


def jurisdiction_of(code: str, entries: Mapping[Hashable, JurisdictionEntry]) -> Jurisdiction:
    """Return the jurisdiction; its code serves as its name if it has none."""
    entry = entries.get("", JurisdictionEntry())
    return Jurisdiction(
        code,
        entry.name or code,
        entry.compact,
        entry.compact_office,
        entry.compact_office_phone,
        entry.victim_authority,
        entry.victim_authority_phone,
        entry.public,
    )


@lru_cache(maxsize=512)
def codes_of(entries: EffectiveEntries) -> Mapping[tuple[str, str], EventCode]:
    """Return the code lists: one code for each event type of an entry."""
    return {(kind, entry.subtype): event_code(kind, entry) for (kind, _), entry in entries.items()}


@lru_cache(maxsize=512)
def statuses_of(entries: EffectiveEntries) -> Mapping[str, Status]:
    return by_synonym(entries, lambda entry, after: Status(entry.name, entry.synonyms, after))


@lru_cache(maxsize=512)
def locations_of(entries: EffectiveEntries) -> Mapping[str, LocationKind]:
    return by_synonym(entries, lambda entry, after: LocationKind(entry.name, entry.synonyms, entry.custodial, after, entry.confidential))


@lru_cache(maxsize=512)
def texts_of(entries: EffectiveEntries) -> Mapping[tuple[str, str], Text]:
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


def by_synonym(entries: EffectiveEntries, make: Callable[[Any, tuple[str, ...]], V]) -> Mapping[str, V]:
    """Return the values by folded name and synonyms; a name takes precedence over another's synonym."""
    values = {fold(entry.name): (entry, make(entry, reachable(entry, entries.values()))) for entry in entries.values()}
    found = {fold(synonym): value for entry, value in values.values() for synonym in entry.synonyms}
    return {**found, **{name: value for name, (_, value) in values.items()}}


def reachable(entry: StatusEntry | LocationEntry, entries: Iterable[StatusEntry | LocationEntry]) -> tuple[str, ...]:
    """Return the names of `next`, and of the entries that have this one in their `after`."""
    return tuple(dict.fromkeys((*entry.next, *(other.name for other in entries if entry.name in other.after))))
