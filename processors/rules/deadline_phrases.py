"""Describes the compact's clocks and steps in words for administrators: when a clock starts and ends, and under what conditions."""

from collections.abc import Iterable
from typing import Any, Final

from processors.rules.rule_set import RuleSet

COMPACT: Final = "Interstate Compact"
MAX_LISTED: Final = 3  # more kinds of agencies than this are called "any agency"
DIRECTION_PHRASES: Final = {
    "back": "announced as the way back to the sending state",
    "onward": "announced as the way to a subsequent state",
    "ahead": "announced as travel to the receiving state",
}
START_PHRASES: Final = {
    "action": "the day of the activity",
    "transmission": "the day on which the message was sent",
    "receipt": "the day on which the message was received",
}


def period_phrase(entry: Any) -> str:
    """Return the period of the clock in words; without a number of days, it ends on the report date."""
    if entry.count:
        return f"{entry.count} {entry.unit}"
    return "the date to report" if entry.otherwise is None else f"the date to report; without one, {entry.otherwise} {entry.unit}"


def start_phrase(entry: Any) -> str:
    """Return in words the day from which a clock counts."""
    if entry.counted_from != "report_by":
        return START_PHRASES[entry.counted_from]
    if entry.otherwise is None:
        return "the date to report; without one the clock does not run"
    return f"the date to report; without one, {entry.otherwise} {entry.unit} from the day of the activity"


def event_names(activities: Iterable[str], rule_set: RuleSet, between: str = ", ") -> str:
    """Return the event subtypes of these activities in words; those of other agencies with their event types."""
    kinds: dict[str, list[str]] = {}
    for activity in activities:
        for code in rule_set.codes.values():
            if code.activity == activity:
                kinds.setdefault(code.subtype, []).append(code.event_type)
    return between.join(subtype if COMPACT in types else f"{subtype} ({agencies(types)})" for subtype, types in kinds.items())


def agencies(kinds: Iterable[str]) -> str:
    """Return event types in words; "any agency" if there are many."""
    different = sorted(set(kinds))
    return ", ".join(different) if len(different) <= MAX_LISTED else "any agency"


def conditions_phrase(entry: Any, rule_set: RuleSet) -> str:
    """Return the conditions under which a clock starts, in words; empty if there are none."""
    conditions = [
        *([f"only for the reason {' or '.join(entry.reasons)}"] if entry.reasons else ()),
        *([f"not for the reason {' or '.join(entry.unless_reasons)}"] if entry.unless_reasons else ()),
        *([f"reported by an agency of the {entry.told_in}"] if entry.told_in == "receiving state" else ()),
        *(["reported by an agency outside the receiving state"] if entry.told_in == "sending state" else ()),
        *([f"only after {event_names(entry.after, rule_set, ' or ')}"] if entry.after else ()),
        *([f"not after {event_names(entry.unless_after, rule_set, ' or ')}"] if entry.unless_after else ()),
    ]
    return "; ".join(conditions)


def in_force_phrase(entry: Any) -> str:
    """Return the period in which an entry is in force, in words."""
    parts = (*([f"from {entry.since}"] if entry.since else ()), *([f"until {entry.until}"] if entry.until else ()))
    return " ".join(parts) or "always"
