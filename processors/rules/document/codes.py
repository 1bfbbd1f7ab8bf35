"""The code lists, the tables of statuses and locations, and what makes two messages the same event."""

from collections.abc import Iterator
from typing import Final

from processors.rules.document.parts import Part, join, unique, yes_or_blank
from processors.rules.rule_set import RuleSet

SAME_EVENT: Final = "the same agency, event type, event subtype, notification type and offender"
FIELDS: Final = {
    "action_at": "action date",
    "case_number": "case number",
    "court": "court",
    "status": "status",
    "location_kind": "kind of location",
    "location_name": "name of the location",
    "sending_state": "sending state",
    "receiving_state": "receiving state",
}


def event_parts(rule_set: RuleSet) -> Iterator[Part]:
    """Yield the code lists, one part per event type."""
    for kind in sorted(rule_set.event_types):
        codes = [code for code in rule_set.codes.values() if code.event_type == kind]
        yield Part(
            f"Events: {kind}",
            (),
            ("Event subtype", "Notification type", "Emergency", "Status after", "Location after", "Meaning"),
            tuple(
                (
                    code.subtype,
                    join(code.notification_types),
                    yes_or_blank(code.emergency),
                    code.status or "",
                    code.location or "",
                    code.meaning,
                )
                for code in sorted(codes, key=lambda code: code.subtype)
            ),
        )


def action_date_part(rule_set: RuleSet) -> Part:
    """Return the part on the elements that hold the action date."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for code in rule_set.codes.values():
        groups.setdefault(code.action_date, []).append(f"{code.event_type}: {code.subtype}")
    usual = max(groups, key=lambda each: len(groups[each]), default=())
    return Part(
        "Action dates",
        ("The action date is read from the first of these elements that the message has.",),
        ("Elements", "Events"),
        tuple((join(elements, " else "), "all others" if elements == usual else join(events, "; ")) for elements, events in groups.items()),
    )


def status_part(rule_set: RuleSet) -> Part:
    """Return the part on the legal changes of status."""
    return Part(
        "Status changes (specification 4.1.5.2)",
        ("A status update is legal if the new status may follow the current one.",),
        ("Status", "Also called", "May become"),
        tuple((each.name, join(each.synonyms), join(each.next) or "nothing") for each in unique(rule_set.statuses.values())),
    )


def location_part(rule_set: RuleSet) -> Part:
    """Return the part on the legal moves between kinds of location."""
    return Part(
        "Moves (specification 4.1.4.2)",
        ("A movement is legal if the new kind of location may follow the current one. Staying in the same kind is always legal.",),
        ("Kind of location", "Held there", "Also called", "May move to"),
        tuple(
            (each.name, yes_or_blank(each.custodial), join(each.synonyms), join(each.next) or "nowhere")
            for each in unique(rule_set.locations.values())
        ),
    )


def narrower_part(rule_set: RuleSet) -> Part:
    """Return the part on events that require certain statuses or locations."""
    return Part(
        "Events with narrower conditions",
        ("These events are legal only from the statuses or locations named here.",),
        ("Event", "From statuses", "From kinds of location"),
        tuple(
            (
                f"{code.event_type}: {code.subtype}",
                join(code.from_statuses) or "any that may",
                join(code.from_locations) or "any that may",
            )
            for code in rule_set.codes.values()
            if code.from_statuses or code.from_locations
        ),
    )


def duplicate_part(rule_set: RuleSet) -> Part:
    """Return the part on what makes two messages the same event."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for code in rule_set.codes.values():
        groups.setdefault(code.same, []).append(f"{code.event_type}: {code.subtype}")
    usual = max(groups, key=lambda each: len(groups[each]), default=())
    return Part(
        "Duplicates (specification 4)",
        (
            f"Two messages are the same event when they have {SAME_EVENT}, and equal values of these.",
            "Any other difference between them is inconsequential.",
        ),
        ("Equal values", "Events"),
        tuple(
            (join(FIELDS.get(each, each) for each in same), "all others" if same == usual else join(events, "; "))
            for same, events in groups.items()
        ),
    )
