"""The interstate compact: steps, deadlines, business days and time zones."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from processors.rules.calendar import SATURDAY, public_holidays
from processors.rules.deadline_phrases import DIRECTION_PHRASES, conditions_phrase
from processors.rules.deadline_phrases import event_names as events_of
from processors.rules.document.parts import Part, group, join
from processors.rules.rule_set import RuleSet


def compact_parts(rule_set: RuleSet) -> Iterator[Part]:
    """Yield the parts on the interstate compact's workflow and its legal clocks."""
    activities = rule_set.entries["compact_activity"].values()
    events: dict[str, list[str]] = {}
    for code in rule_set.codes.values():
        events.setdefault(code.activity or "", []).append(code.subtype)
    yield Part(
        "The interstate compact: steps",
        (
            "A compact case stands at once somewhere in its reporting instructions, its transfer and its supervision.",
            "A step may be taken only from a state that one of its lines names. Any other waits for what may be late, then is flagged.",
        ),
        ("Step", "Event subtypes", "May be taken while it stands at", "Leads to"),
        tuple(
            (each.name if first else "", join(events.get(each.name, ())) if first else "", *step)
            for each in activities
            for first, step in zip((True, *(False for _ in each.moves)), steps(each), strict=False)
        ),
    )
    yield Part(
        "The interstate compact: deadlines",
        (
            "What one state owes the other by when, by the rules in effect on this day; another day's activity has that day's deadline.",
            "The day from which it counts is not counted. It ends with the last day in the owing state's time zone, and is then overdue.",
        ),
        ("Rule", "What is owed", "Owed by", "Begins with", "Met by", "Source"),
        tuple(
            (
                each.rule,
                each.text,
                each.owed_by,
                join(filter(None, (events_of(each.raised_by, rule_set, " or "), conditions_phrase(each, rule_set))), "; "),
                events_of(each.met_by, rule_set, " or ") or "ends by itself",
                each.source,
            )
            for each in sorted(rule_set.entries["deadline"].values(), key=lambda each: (each.rule, each.name))
        ),
    )
    yield Part(
        "The interstate compact: no deadline is kept",
        ("The rules set a time for these too; no message begins them, or none could meet them.",),
        ("Rule", "What it says", "Why no deadline is kept"),
        tuple((each.rule, each.says, each.why) for each in rule_set.entries["untracked"].values()),
    )


def steps(activity: Any) -> Iterator[tuple[str, str]]:
    """Yield the states in which an activity is allowed and the states that it leads to, a pair for each of its moves."""
    if not activity.moves:
        yield "any", ""
    for move in activity.moves:
        regions = {region: getattr(move, region) for region in ("instructions", "transfer", "supervision")}
        allowed = join((f"{region} {join(where, ' or ')}" for region, where in regions.items() if where), "; ")
        leads = join((f"{region} {where}" for region, where in move.to.items()), "; ") or "where it stands"
        yield allowed or "any", join(filter(None, (leads, DIRECTION_PHRASES.get(move.way or ""))), "; ")


def business_days_part(rule_set: RuleSet, day: date) -> Part:
    """Return the part on the holidays of the coming year, and the rule file behind each."""
    corrected = {each.day or each.name: each for each in rule_set.entries["holiday"].values()}
    days = (day + timedelta(days=each) for each in range(366))
    return Part(
        "Business days",
        (
            "Deadlines in business days leave out Saturdays, Sundays and the holidays of the United States and of the jurisdiction.",
            "The compact's rules do not define them: check this list for the year to come, and correct it in a rule file ([[holiday]]).",
        ),
        ("Day", "No business day because of"),
        tuple(
            (f"{each.isoformat()} {each:%A}", corrected[each].name if each in corrected else join(sorted(names), "; "))
            for each in days
            if each.weekday() < SATURDAY
            and not rule_set.calendar.is_business_day(each)
            and (names := public_holidays(rule_set.calendar.state, each.year).get(each, frozenset()), True)
        ),
    )


def zone_part(rule_set: RuleSet) -> Part:
    """Return the part on the time zones in which dates are read."""
    return Part(
        "Time zones",
        ("A date without a time lasts until the end of that day in the agency's time zone.",),
        ("Agencies", "Time zone", "Remark"),
        (
            ("all others" if rule_set.zones_by_ori else "all", rule_set.zone.key, ""),
            *(
                (f"ORI {join(prefixes)}…", zone, note)
                for (zone, note), prefixes in group(
                    (prefix, (rule_set.zones_by_ori[prefix].key, zone_note(rule_set, prefix))) for prefix in rule_set.zones_by_ori
                )
            ),
        ),
    )


def zone_note(rule_set: RuleSet, prefix: str) -> str:
    return str(rule_set.entries["zone"][prefix].note)
