"""Whose rules these are, how a message is checked, what changes when, and where to sign."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from processors.rules.document.parts import Part, join, yes_or_blank
from processors.rules.files import RuleFile
from processors.rules.load import VALIDITY_FIELDS
from processors.rules.rule_set import Jurisdiction, Rules, RuleSet

METHOD: Final = (
    "1. The same event is never told twice (see Duplicates).",
    "2. A message marked Do Not Validate, and not Validate, is sent on without the checks below. It updates status and location.",
    "3. Every other message: its action date must be within the settings date.past and date.future.",
    "4. A Hearing Notice must also keep the order below, a Movement be a legal move, a Status Update a legal change of status.",
    "5. A Previous Event tag asks for an earlier message that carried Expect Subsequent Event (see Previous events).",
    "6. What is not known yet is not held against a message: the first message about an offender has nothing to contradict.",
    "7. A date in the past notifies nobody. Any other failed check is put before a reviewer, who releases or discards the message.",
    "8. A release to another facility waits for that facility's intake (see Releases and intakes).",
)


def scope_part(rules: Rules, whose: Jurisdiction, files: tuple[RuleFile, ...], day: date) -> Part:
    """Return the part on whose rules these are, for which day, from which files."""
    return Part(
        "What this document says",
        (
            f"These are the rules by which events reported by agencies of {whose.name} are checked, held or told, as of {day.isoformat()}.",
            f"Version {rules.version}. Every decision in the audit journal names the version that decided.",
        ),
        ("Subject", "Entry"),
        tuple(
            (subject, entry)
            for subject, entry in (
                ("Jurisdiction", whose.name),
                ("Member of the interstate compact", yes_or_blank(whose.compact)),
                ("Compact office", join(filter(None, (whose.compact_office, whose.compact_office_phone)))),
                ("Victim notification authority", join(filter(None, (whose.victim_authority, whose.victim_authority_phone)))),
                ("Rule files", join(each.where for each in files)),
            )
            if entry
        ),
    )


def hotline_part(rule_set: RuleSet) -> Part:
    """Return the part on the hotlines that the public's pages name."""
    return Part(
        "Where there is help",
        ("The pages for the public name these lines.",),
        ("Line", "Telephone", "Text message"),
        tuple(
            (each.name, each.phone, f"{each.text_word} to {each.text_number}" if each.text_word else "")
            for each in rule_set.entries["hotline"].values()
        ),
    )


def method_part() -> Part:
    """Return the part on the order of the checks."""
    return Part("How a message is checked", METHOD)


def dates_part(files: Iterable[RuleFile]) -> Part:
    """Return the part on the entries that begin or end on a day."""
    rows = tuple(
        (each.where, f"{section}: {entry_name(entry)}", str(entry.since or "always"), str(entry.until or "further notice"))
        for each in files
        for section, entries in each.entries.items()
        for entry in entries
        if entry.since is not None or entry.until is not None
    )
    sentence = (
        "These entries are in effect from one day or until another." if rows else "No entry begins or ends on a day: all are in effect."
    )
    return Part("Effective dates", (sentence,), ("File", "Entry", "From", "Until") if rows else (), rows)


def entry_name(entry: Any) -> str:
    """Return what an entry is about."""
    fields = entry.model_dump(include={"types", "type", "subtype", "name", "language", "zone", "rule"} - VALIDITY_FIELDS, exclude_none=True)
    return join(join(value) if isinstance(value, tuple) else str(value) for value in fields.values())


def signature_part(version: str, whose: Jurisdiction, day: date) -> Part:
    """Return the part in which the administrator signs."""
    return Part(
        "Approval",
        (
            f"The rules of {whose.name}, version {version}, as in effect on {day.isoformat()}, are approved for use.",
            "Name:       ________________________________________",
            "Office:     ________________________________________",
            "Signature:  ________________________________________",
            "Date:       ____________________",
        ),
    )
