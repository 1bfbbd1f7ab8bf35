"""
Checks the consistency of the rules (`vn rules check`): contradictions between entries that are valid by themselves.

A finding names file and entry, and says what is wrong and what to do. To add a check, write a function of one rule set and
list it in `CHECKS`.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any, Final, NamedTuple

from msgspec import structs

from processors.domain.event import Event
from processors.rules.calendar import Calendar, holiday_names
from processors.rules.check_texts import Problem, broken_texts, incomplete_languages, missing_texts
from processors.rules.files import RuleFile
from processors.rules.identity import OTHER
from processors.rules.load import DEFAULT, VALIDITY_FIELDS, Entries, RuleLibrary
from processors.rules.rule_set import EventCode, RuleSet, fold
from processors.rules.sections import SECTIONS, Entry

EVENT_FIELDS: Final = frozenset(field.name for field in structs.fields(Event))
KEYS: Final = frozenset({"name", "subtype", "types", "type", "language", "ori"})
UNCHECKED_SECTIONS: Final = frozenset({"jurisdiction", "zone"})  # not read by any check, and different in every jurisdiction
REGIONS: Final = ("instructions", "transfer", "supervision")


@dataclass(frozen=True, slots=True, order=True)
class FileFinding:
    """One problem: file, entry, and what is wrong and what to do."""

    file: str
    entry: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.entry}: {self.problem}"


def check(library: RuleLibrary) -> tuple[FileFinding, ...]:
    """Return all findings, each once, sorted by file and entry."""
    found = set(overlaps(library.layers))
    checked: list[Entries] = []
    for code in (DEFAULT, *library.jurisdictions):
        files = tuple(chain(*library.files_for(code)))
        for rule_set in library.history(code).rule_sets:
            entries = {section: each for section, each in rule_set.entries.items() if section not in UNCHECKED_SECTIONS}
            if entries in checked:
                continue
            checked.append(entries)
            for section, key, problem in chain.from_iterable(each(rule_set) for each in CHECKS):
                found.add(FileFinding(source(files, section, key), f"{section} {readable_key(key)}", problem))
    return tuple(sorted(found))


def source(files: Iterable[RuleFile], section: str, key: Hashable) -> str:
    """Return the last file that contains this entry."""
    keys = SECTIONS[section].keys
    holding = [each.where for each in files if any(key in keys(entry) for entry in each.entries.get(section, ()))]
    return holding[-1] if holding else "default"


def readable_key(key: Hashable) -> str:
    """Return an entry's key in readable form."""
    return "/".join(str(part) for part in key if part is not None) if isinstance(key, tuple) else str(key)


def overlaps(layers: Iterable[Iterable[RuleFile]]) -> Iterator[FileFinding]:
    """Yield entries of one layer that set the same fields of the same key on the same day."""
    for layer in layers:
        said: dict[tuple[str, Hashable, str], list[tuple[RuleFile, Entry]]] = {}
        for file in layer:
            for section, entries in file.entries.items():
                for entry in entries:
                    for key in SECTIONS[section].keys(entry):
                        for bound in file.jurisdictions or (DEFAULT,):
                            said.setdefault((section, key, bound), []).append((file, entry))
        for (section, key, _), saying in said.items():
            for (_, one), (file, other) in combinations(saying, 2):
                if (fields := common_fields(one, other)) and both_in_effect(one, other):
                    problem = f"two entries in effect on the same day name {', '.join(fields)}: end the earlier one with `until`."
                    yield FileFinding(file.where, f"{section} {readable_key(key)}", problem)


def common_fields(one: Entry, other: Entry) -> list[str]:
    """Return the fields that both entries set, apart from their keys."""
    return sorted(one.model_fields_set & other.model_fields_set - VALIDITY_FIELDS - KEYS) or (
        ["the same"] if one.withdrawn or other.withdrawn else []
    )


def both_in_effect(one: Entry, other: Entry) -> bool:
    """Whether there is a day on which both entries are in effect."""
    return (one.since is None or other.until is None or one.since <= other.until) and (
        other.since is None or one.until is None or other.since <= one.until
    )


class Reference(NamedTuple):
    """Codes named in one field of an entry, and the list that must contain them."""

    section: str
    key: Hashable
    field: str
    given: Collection[str]
    known: Collection[str]
    what: str


def unknown_codes(rule_set: RuleSet) -> Iterator[Problem]:
    """Every code named in an entry is in a code list."""
    for each in chain(event_references(rule_set), move_references(rule_set), compact_references(rule_set)):
        for given in each.given:
            if given not in each.known:
                yield each.section, each.key, f"`{each.field}` names {given!r}, which is no {each.what}: correct it or add it."
    for key, code in rule_set.codes.items():
        if not code.notification_types:
            yield "event", key, "it has no `notification_types`: name them, or correct the subtype if it is misspelt."


def event_references(rule_set: RuleSet) -> Iterator[Reference]:
    """Yield the codes named by events."""
    subtypes = {code.subtype for code in rule_set.codes.values()}
    events = subtypes | {f"{kind}/{subtype}" for kind, subtype in rule_set.codes}
    statuses, kinds = names(rule_set.entries["status"]), names(rule_set.entries["location"])
    for key, code in rule_set.codes.items():
        yield Reference("event", key, "types", [code.event_type], rule_set.event_types, "event type")
        yield Reference("event", key, "notification_types", code.notification_types, rule_set.notification_types, "notification type")
        yield Reference("event", key, "status", [code.status] if code.status else [], statuses, "status")
        yield Reference("event", key, "from_statuses", code.from_statuses, statuses, "status")
        yield Reference("event", key, "location", [code.location] if code.location else [], kinds, "kind of location")
        yield Reference("event", key, "from_locations", code.from_locations, kinds, "kind of location")
        yield Reference("event", key, "follows", code.follows, subtypes, "event subtype")
        yield Reference("event", key, "same", code.same, EVENT_FIELDS, "field of an event")
        for order in code.order:
            yield Reference("event", key, "order.events", order.events, events, "event subtype")
            yield Reference("event", key, "order.statuses", order.statuses, statuses, "status")


def move_references(rule_set: RuleSet) -> Iterator[Reference]:
    """Yield the codes named by statuses and kinds of locations."""
    for section, what in (("status", "status"), ("location", "kind of location")):
        known = names(rule_set.entries[section])
        for key, entry in rule_set.entries[section].items():
            yield Reference(section, key, "next", entry.next, known, what)
            yield Reference(section, key, "after", entry.after, known, what)


def compact_references(rule_set: RuleSet) -> Iterator[Reference]:
    """Yield the codes named by the compact's workflow and deadlines, and the activities named by events."""
    activities = names(rule_set.entries["compact_activity"])
    for event, code in rule_set.codes.items():
        yield Reference("event", event, "activity", [code.activity] if code.activity else [], activities, "compact activity")
    states = {f"{region}: {name}" for region, name in pairs(rule_set.entries["compact_state"])}
    for key, activity in rule_set.entries["compact_activity"].items():
        yield Reference("compact_activity", key, "awaits", activity.awaits, activities, "compact activity")
        sources = [each.activity for each in activity.reason_from]
        yield Reference("compact_activity", key, "reason_from", sources, activities, "compact activity")
        yield Reference("compact_activity", key, "enters", qualify(activity.enters), states, "compact state")
        for move in activity.moves:
            for region in REGIONS:
                given = [f"{region}: {name}" for name in getattr(move, region)]
                yield Reference("compact_activity", key, f"moves.{region}", given, states, "compact state")
            yield Reference("compact_activity", key, "moves.to", qualify(move.to), states, "compact state")
    for key, deadline in rule_set.entries["deadline"].items():
        for field in ("raised_by", "met_by", "cancelled_by", "after", "unless_after"):
            yield Reference("deadline", key, field, getattr(deadline, field), activities, "compact activity")


def qualify(where: Mapping[str, str]) -> list[str]:
    """Return workflow states as "region: state"."""
    return [f"{region}: {name}" for region, name in where.items()]


def pairs(entries: Iterable[Hashable]) -> Iterator[tuple[Hashable, Hashable]]:
    """Yield the keys that have two parts."""
    return (key for key in entries if isinstance(key, tuple))


def names(entries: Mapping[Hashable, Any]) -> frozenset[str]:
    return frozenset(entry.name for entry in entries.values())


def unreachable(rule_set: RuleSet) -> Iterator[Problem]:
    """Every status and every kind of location is reachable from another."""
    for section, values in (("status", rule_set.statuses.values()), ("location", rule_set.locations.values())):
        led_to = {name for each in values for name in each.next if name != each.name}
        for key, entry in rule_set.entries[section].items():
            if entry.name not in led_to:
                yield section, key, "no other leads to it: name it in another's `next`, or say what it comes `after`."


def unreachable_in_compact(rule_set: RuleSet) -> Iterator[Problem]:
    """Every state of the compact's workflow is entered by some activity."""
    activities = rule_set.entries["compact_activity"].values()
    entered = set(chain.from_iterable(qualify(each.enters) for each in activities))
    entered.update(chain.from_iterable(qualify(move.to) for each in activities for move in each.moves))
    for key, state in rule_set.entries["compact_state"].items():
        if f"{state.region}: {state.name}" not in entered:
            yield "compact_state", key, "no activity leads to it: name it in the `enters` or `to` of one."


def ambiguous_synonyms(rule_set: RuleSet) -> Iterator[Problem]:
    """Every name and synonym stands for one status, and for one kind of location."""
    for section in ("status", "location"):
        owner: dict[str, str] = {fold(entry.name): entry.name for entry in rule_set.entries[section].values()}
        for key, entry in rule_set.entries[section].items():
            for synonym in entry.synonyms:
                claimed = owner.setdefault(fold(synonym), entry.name)
                if claimed != entry.name:
                    yield section, key, f"{synonym!r} already stands for {claimed!r}: leave it to one of them."


def impossible_requirements(rule_set: RuleSet) -> Iterator[Problem]:
    """Every requirement can be met: an event that must follow another, or be preceded by one, is possible."""
    for field, needs in (("follows", has_predecessor), ("order", has_precedents)):
        possible = possible_events(rule_set, needs)
        for key in rule_set.codes:
            if key not in possible:
                yield "event", key, f"nothing can ever meet its `{field}`, which leads in a circle: let one of these events come first."
    for key, code in rule_set.codes.items():
        if code.order and "Hearing Notice" not in code.notification_types:
            yield "event", key, "`order` is asked of a Hearing Notice only, which it never is: leave it out, or use `follows`."
        for order in code.order:
            if not order.events and not order.statuses:
                yield "event", key, "an `order` names neither events nor statuses: name what the hearing comes after."
        if code.status and code.from_statuses and not any(code.status in next_of(rule_set.statuses, name) for name in code.from_statuses):
            yield "event", key, f"none of its `from_statuses` may become {code.status!r}: add it to the `next` of one of them."
        if (
            code.location
            and code.from_locations
            and not any(code.location in (name, *next_of(rule_set.locations, name)) for name in code.from_locations)
        ):
            yield "event", key, f"none of its `from_locations` leads to {code.location!r}: add it to the `next` of one of them."


def next_of(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return what may follow the status or kind of that name."""
    found = values.get(fold(name))
    return () if found is None else found.next


def has_predecessor(code: EventCode, possible: Collection[tuple[str, str]]) -> bool:
    """Whether a possible event meets a Previous Event tag of this event."""
    return not code.follows or any(subtype in code.follows for _, subtype in possible)


def has_precedents(code: EventCode, possible: Collection[tuple[str, str]]) -> bool:
    """Whether every order of this hearing can be met by a possible event; a status can always be met."""
    return all(order.statuses or any(order.after(*event) for event in possible) for order in code.order)


def possible_events(rule_set: RuleSet, needs: Callable[[EventCode, Collection[tuple[str, str]]], bool]) -> set[tuple[str, str]]:
    """Return the events that are possible, starting from those that need nothing."""
    possible: set[tuple[str, str]] = set()
    while more := {key for key, code in rule_set.codes.items() if key not in possible and needs(code, possible)}:
        possible |= more
    return possible


def unknown_date_elements(rule_set: RuleSet) -> Iterator[Problem]:
    """Every event's action date is in an element that messages have."""
    for key, code in rule_set.codes.items():
        if not code.action_date:
            yield "event", key, "`action_date` names no element: name the one that holds the date."
        for element in code.action_date:
            if element not in rule_set.entries["date_element"]:
                yield (
                    "event",
                    key,
                    f"`action_date` names {element!r}, which no message carries: correct it or add it as a [[date_element]].",
                )


def compact_dead_ends(rule_set: RuleSet) -> Iterator[Problem]:
    """Every step of the compact's workflow has an event, and every deadline can start and be met."""
    with_event = {code.activity for code in rule_set.codes.values()}
    for key, activity in rule_set.entries["compact_activity"].items():
        if activity.name not in with_event:
            yield "compact_activity", key, "no event has this `activity`: name it in an [[event]], or leave it out."
    for key, deadline in rule_set.entries["deadline"].items():
        if not with_event.intersection(deadline.raised_by):
            yield "deadline", key, "no event starts it: name an activity that an event has in `raised_by`."
        if not deadline.lapses and not with_event.intersection(deadline.met_by):
            yield "deadline", key, "nobody can ever meet it: name an activity that an event has in `met_by`, or let it end with `lapses`."


def unknown_numbers(rule_set: RuleSet) -> Iterator[Problem]:
    """Find contradictory schemes, and rules without a scheme for other numbers."""
    if OTHER not in rule_set.identity.schemes:
        yield "scheme", OTHER, "no entry says how other numbers compare: do not withdraw it."
    for each in rule_set.identity.schemes.values():
        if each.prefixed and each.scope != "state":
            yield "scheme", each.name, 'its values begin with a state, but its scope is another: write scope = "state".'


def unknown_holidays(rule_set: RuleSet) -> Iterator[Problem]:
    """Find yearly holidays marked as worked that the calendar does not have."""
    for name in rule_set.calendar.worked_names:
        worked = Calendar(worked_names=frozenset({name}))
        if not any(worked.is_worked(each) for each in holiday_names(rule_set.jurisdiction)):
            yield "holiday", name, "the calendar has no such holiday: write the name as `vn rules show` lists it, or a `day`."


CHECKS: Final[tuple[Callable[[RuleSet], Iterable[Problem]], ...]] = (
    unknown_codes,
    unreachable,
    unreachable_in_compact,
    ambiguous_synonyms,
    impossible_requirements,
    unknown_date_elements,
    missing_texts,
    incomplete_languages,
    broken_texts,
    compact_dead_ends,
    unknown_numbers,
    unknown_holidays,
)
