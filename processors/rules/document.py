"""
The rules of one jurisdiction as a document that its administrator can read and sign.

This is the "clear method" that the specification wants documented wherever it leaves a rule to the jurisdiction. It
is made of parts with a heading, sentences and a table; how it looks is the command's business.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from processors.domain.event import Scope
from processors.rules.book import Book, EventCode, Jurisdiction, Rules
from processors.rules.calendar import SATURDAY, public_holidays
from processors.rules.deadline_phrases import WAYS, conditions
from processors.rules.deadline_phrases import events as events_of
from processors.rules.files import RuleFile
from processors.rules.load import DATING, midnight
from processors.rules.settings import SETTINGS, WORDS, Place, Setting

Sample = Callable[[EventCode, str], str | None]  # the text message for one code in one language

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
LANGUAGES: Final = {"en": "English", "es": "Spanish"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the document: a heading, sentences, and a table where there is one."""

    heading: str
    sentences: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The whole document; `version` is the digest under which the journal records these rules."""

    title: str
    version: str
    parts: tuple[Part, ...]


def document(rules: Rules, files: Iterable[RuleFile], jurisdiction: str, day: date, sample: Sample) -> Document:
    """Return the rules of `jurisdiction` ("" for the default rules) on `day`, and the files that make them."""
    book = rules.book(jurisdiction, midnight(day, rules.history(jurisdiction).books[-1].zone))
    files = tuple(files)
    whose = rules.jurisdictions.get(jurisdiction) or Jurisdiction(jurisdiction, "Default rules")
    title = f"Victim notification rules: {whose.name}" + (f" ({whose.code})" if whose.code else "")
    return Document(
        title,
        rules.version,
        (
            scope_part(rules, whose, files, day),
            method_part(),
            settings_part(rules, jurisdiction),
            *event_parts(book),
            action_date_part(book),
            status_part(book),
            location_part(book),
            narrower_part(book),
            order_part(book),
            previous_part(book),
            transfer_part(book, rules.duration("transfer.hold", Scope(jurisdiction or None))),
            duplicate_part(book),
            *compact_parts(book),
            business_days_part(book, day),
            zone_part(book),
            text_part(book, sample),
            dates_part(files),
            signature_part(rules.version, whose, day),
        ),
    )


def scope_part(rules: Rules, whose: Jurisdiction, files: tuple[RuleFile, ...], day: date) -> Part:
    """Whose rules these are, of what day, from which files."""
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
                ("Member of the interstate compact", yes(whose.compact)),
                ("Compact office", joined(filter(None, (whose.compact_office, whose.compact_office_phone)))),
                ("Victim notification authority", joined(filter(None, (whose.victim_authority, whose.victim_authority_phone)))),
                ("Rule files", joined(each.where for each in files)),
            )
            if entry
        ),
    )


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


def method_part() -> Part:
    """The order of the checks, in words."""
    return Part("How a message is checked", METHOD)


def settings_part(rules: Rules, jurisdiction: str) -> Part:
    """Every setting: what holds here, the default, what it means."""
    scope = Scope(jurisdiction or None)
    rows: list[tuple[str, ...]] = []
    for key, setting in SETTINGS.items():
        here = [
            (place, text) for place, text in rules.settings.texts.items() if place[0] == key and place[3] in {None, jurisdiction or None}
        ]
        place = rules.settings.set_for(key, scope)
        value = rules.settings.texts[place] if place is not None else setting.default_text
        rows.append((key, value, "set" if place is not None else "default", setting.meaning))
        rows.extend((key, text, where(each), "") for each, text in here if each[1] is not None or each[2] is not None)
    return Part(
        "Administrative settings in force",
        (
            "A value that was set beats every default.",
            "Among set values one for the event subtype goes before one for the notification type, that before one for the jurisdiction.",
        ),
        ("Setting", "Value", "Where from", "Meaning"),
        tuple(rows),
    )


def where(place: Place) -> str:
    """Return what a setting was set for, in words."""
    _, subtype, kind, state = place
    named = ((WORDS["event_subtype"], subtype), (WORDS["notification_type"], kind), (WORDS["jurisdiction"], state))
    return "set for " + joined(f"{word} {value}" for word, value in named if value is not None)


def event_parts(book: Book) -> Iterator[Part]:
    """The code lists, an event type a part."""
    for kind in sorted(book.event_types):
        codes = [code for code in book.codes.values() if code.event_type == kind]
        yield Part(
            f"Events: {kind}",
            (),
            ("Event subtype", "Notification type", "Emergency", "Status after", "Location after", "Meaning"),
            tuple(
                (code.subtype, joined(code.notification_types), yes(code.emergency), code.status or "", code.location or "", code.meaning)
                for code in sorted(codes, key=lambda code: code.subtype)
            ),
        )


def action_date_part(book: Book) -> Part:
    """Which element holds the action date."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for code in book.codes.values():
        groups.setdefault(code.action_date, []).append(f"{code.event_type}: {code.subtype}")
    usual = max(groups, key=lambda each: len(groups[each]), default=())
    return Part(
        "Action dates",
        ("The action date is read from the first of these elements that the message has.",),
        ("Elements", "Events"),
        tuple(
            (joined(elements, " else "), "all others" if elements == usual else joined(events, "; ")) for elements, events in groups.items()
        ),
    )


def status_part(book: Book) -> Part:
    """Which status may follow which."""
    return Part(
        "Status changes (specification 4.1.5.2)",
        ("A status update is legal where the new status may follow the current one.",),
        ("Status", "Also called", "May become"),
        tuple((each.name, joined(each.synonyms), joined(each.next) or "nothing") for each in unique(book.statuses.values())),
    )


def location_part(book: Book) -> Part:
    """Which move is legal."""
    return Part(
        "Moves (specification 4.1.4.2)",
        ("A movement is legal where the new kind of location may follow the current one. Staying in the same kind is always legal.",),
        ("Kind of location", "Held there", "Also called", "May move to"),
        tuple(
            (each.name, yes(each.custodial), joined(each.synonyms), joined(each.next) or "nowhere")
            for each in unique(book.locations.values())
        ),
    )


def narrower_part(book: Book) -> Part:
    """Which events may happen only to somebody of certain statuses, or only from certain locations."""
    return Part(
        "Events with narrower conditions",
        ("These events are legal only from the statuses or locations named here.",),
        ("Event", "From statuses", "From kinds of location"),
        tuple(
            (
                f"{code.event_type}: {code.subtype}",
                joined(code.from_statuses) or "any that may",
                joined(code.from_locations) or "any that may",
            )
            for code in book.codes.values()
            if code.from_statuses or code.from_locations
        ),
    )


def order_part(book: Book) -> Part:
    """What a hearing must come after."""
    return Part(
        "Order of hearings (specification 4.1.1.2)",
        ("A hearing notice about somebody already known must come after one of the events, or while one of the statuses holds.",),
        ("Hearing", "Comes after", "Or while", "Because"),
        tuple(
            (f"{code.event_type}: {code.subtype}", joined(order.events), joined(order.statuses), order.why)
            for code in book.codes.values()
            for order in code.order
        ),
    )


def previous_part(book: Book) -> Part:
    """What meets a Previous Event tag."""
    return Part(
        "Previous events (specification 4.3.3)",
        ("A Previous Event tag on one of these is met by an earlier message of the events named that carried Expect Subsequent Event.",),
        ("Event", "Follows"),
        tuple((f"{code.event_type}: {code.subtype}", joined(code.follows, " or ")) for code in book.codes.values() if code.follows),
    )


def transfer_part(book: Book, hold: int) -> Part:
    """Which release waits for which intake."""
    custodial = [each.name for each in unique(book.locations.values()) if each.custodial]
    return Part(
        "Releases and intakes (specification 4.1.4.3)",
        (
            f"A release whose location is {joined(custodial, ' or ')} is a transfer to another facility.",
            f"It waits {hours(hold)} for the intake of the same offender at the same kind of location, which may also come first.",
            "The intake is then told and the release is not; without an intake the release is told.",
        ),
        ("Releases that wait", "Intakes that are told instead"),
        (
            (
                joined(f"{code.event_type}: {code.subtype}" for code in book.codes.values() if code.release),
                joined(f"{code.event_type}: {code.subtype}" for code in book.codes.values() if code.intake),
            ),
        ),
    )


def duplicate_part(book: Book) -> Part:
    """What makes two messages the same event."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for code in book.codes.values():
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
            (joined(FIELDS.get(each, each) for each in same), "all others" if same == usual else joined(events, "; "))
            for same, events in groups.items()
        ),
    )


def compact_parts(book: Book) -> Iterator[Part]:
    """The interstate compact's workflow and its legal clocks."""
    activities = book.entries["compact_activity"].values()
    events: dict[str, list[str]] = {}
    for code in book.codes.values():
        events.setdefault(code.activity or "", []).append(code.subtype)
    yield Part(
        "The interstate compact: steps",
        (
            "A compact case stands at once somewhere in its reporting instructions, its transfer and its supervision.",
            "A step may be taken only from where one of its lines says. One from elsewhere waits for what may be late, then is flagged.",
        ),
        ("Step", "Event subtypes", "May be taken while it stands at", "Leads to"),
        tuple(
            (each.name if first else "", joined(events.get(each.name, ())) if first else "", *step)
            for each in activities
            for first, step in zip((True, *(False for _ in each.moves)), steps(each), strict=False)
        ),
    )
    yield Part(
        "The interstate compact: deadlines",
        (
            "What one state owes the other by when, by the rules in effect on this day; another day's activity has that day's deadline.",
            "The day from which it counts is not counted. It ends with the last day where the state is that owes, and is then overdue.",
        ),
        ("Rule", "What is owed", "Owed by", "Begins with", "Met by", "Source"),
        tuple(
            (
                each.rule,
                each.text,
                each.owed_by,
                joined(filter(None, (events_of(each.raised_by, book, " or "), conditions(each, book))), "; "),
                events_of(each.met_by, book, " or ") or "ends by itself",
                each.source,
            )
            for each in sorted(book.entries["deadline"].values(), key=lambda each: (each.rule, each.name))
        ),
    )
    yield Part(
        "The interstate compact: no deadline is kept",
        ("The rules set a time for these too; no message begins them, or none could meet them.",),
        ("Rule", "What it says", "Why no deadline is kept"),
        tuple((each.rule, each.says, each.why) for each in book.entries["untracked"].values()),
    )


def steps(activity: Any) -> Iterator[tuple[str, str]]:
    """Yield from where an activity may be taken and where it leads, a pair for each of its moves."""
    if not activity.moves:
        yield "any", ""
    for move in activity.moves:
        regions = {region: getattr(move, region) for region in ("instructions", "transfer", "supervision")}
        allowed = joined((f"{region} {joined(where, ' or ')}" for region, where in regions.items() if where), "; ")
        leads = joined((f"{region} {where}" for region, where in move.to.items()), "; ") or "where it stands"
        yield allowed or "any", joined(filter(None, (leads, WAYS.get(move.way or ""))), "; ")


def business_days_part(book: Book, day: date) -> Part:
    """Which working days are no business days in the year to come, and which rule file says so."""
    corrected = {each.day or each.name: each for each in book.entries["holiday"].values()}
    days = (day + timedelta(days=each) for each in range(366))
    return Part(
        "Business days",
        (
            "Deadlines in business days leave out Saturdays, Sundays and the holidays of the United States and of the jurisdiction.",
            "The compact's rules do not define them: check this list for the year to come, and correct it in a rule file ([[holiday]]).",
        ),
        ("Day", "No business day because of"),
        tuple(
            (f"{each.isoformat()} {each:%A}", corrected[each].name if each in corrected else joined(sorted(names), "; "))
            for each in days
            if each.weekday() < SATURDAY
            and not book.calendar.is_business_day(each)
            and (names := public_holidays(book.calendar.state, each.year).get(each, frozenset()), True)
        ),
    )


def zone_part(book: Book) -> Part:
    """In which time zone dates are read."""
    return Part(
        "Time zones",
        ("A date without a time lasts until the end of that day in the agency's time zone.",),
        ("Agencies", "Time zone", "Remark"),
        (
            ("all others" if book.zones_by_ori else "all", book.zone.key, ""),
            *(
                (f"ORI {joined(prefixes)}…", zone, note)
                for (zone, note), prefixes in grouped(
                    (prefix, (book.zones_by_ori[prefix].key, zone_note(book, prefix))) for prefix in book.zones_by_ori
                )
            ),
        ),
    )


def zone_note(book: Book, prefix: str) -> str:
    return str(book.entries["zone"][prefix].note)


def grouped(pairs: Iterable[tuple[str, Any]]) -> Iterable[tuple[Any, list[str]]]:
    """Return the names that go with each value."""
    groups: dict[Any, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(value, []).append(name)
    return groups.items()


def text_part(book: Book, sample: Sample) -> Part:
    """What registrants read, with a person, a day and places made up."""
    groups = grouped(
        (
            code.event_type,
            (code.subtype, *((text or "none: flagged for review") for text in (sample(code, language) for language in LANGUAGES))),
        )
        for code in book.codes.values()
    )
    return Part(
        "Texts",
        ("The text messages that registrants get, with an invented offender, day and places. Email and voice say the same in more words.",),
        ("Event", *LANGUAGES.values()),
        tuple((f"{subtype} ({joined(kinds)})", *texts) for (subtype, *texts), kinds in groups),
    )


def dates_part(files: Iterable[RuleFile]) -> Part:
    """Which entries begin or end on a day."""
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
    fields = entry.model_dump(include={"types", "type", "subtype", "name", "language", "zone", "rule"} - DATING, exclude_none=True)
    return joined(joined(value) if isinstance(value, tuple) else str(value) for value in fields.values())


def signature_part(version: str, whose: Jurisdiction, day: date) -> Part:
    """Where the administrator signs."""
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


def yes(truth: bool) -> str:  # noqa: FBT001  a truth is all it is about
    return "yes" if truth else ""


def joined(words: Iterable[str], between: str = ", ") -> str:
    return between.join(words)


def hours(millis: int) -> str:
    """Return a duration as people say it."""
    for unit, length in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000)):
        if millis >= length and millis % length == 0:
            return f"{millis // length} {unit}"
    return f"{millis // 1_000} seconds"


def unique(values: Iterable[Any]) -> list[Any]:
    """Return each of the values once, whatever number of names lead to it, by name."""
    return sorted({each.name: each for each in values}.values(), key=lambda each: str(each.name))


def settings_markdown() -> str:
    """Return docs/settings.md, whole."""
    rows = (
        f"| `{setting.key}` | {setting.default_text.replace('|', '/')} | {form(setting)} | {scopes(setting)} | {setting.meaning} |"
        for setting in SETTINGS.values()
    )
    return SETTINGS_PAGE.format(rows="\n".join(rows))


def form(setting: Setting) -> str:
    """Return what a value of the setting looks like."""
    return {
        "duration": "duration",
        "flag": "`true` or `false`",
        "surge": "`number/time` or `none`",
        "number": "a whole number",
        "hours": "`hh:mm-hh:mm` or `none`",
        "word": " or ".join(f"`{each}`" for each in setting.words),
    }[setting.kind]


def scopes(setting: Setting) -> str:
    """Return what a setting can be set for."""
    return joined(WORDS[each] for each in reversed(setting.where)) or "everything at once only"


SETTINGS_PAGE: Final = """# Administrative settings

Changed while the pipeline runs, in force in every stage within five seconds:

```sh
vn policy show                                                  # what is set and what the defaults are
vn policy set date.future 90d --jurisdiction VA --notification-type "Hearing Notice"
vn policy unset date.future --jurisdiction VA --notification-type "Hearing Notice"
```

What waits already is looked at again at once, by the settings of now: a date too far ahead, a release whose intake is awaited, an
event that waits for an earlier one, the end of quiet hours, an agency's silence. What is gathered within `merge.window`, and a
Cancel or Update that waits within `cancel.hold` or `out_of_order.hold` in dedupe, keeps the time it was given.

A duration is a whole number and `s`, `m`, `h` or `d`: `30s`, `15m`, `8h`, `60d`.

| setting | default | value | may be set for one | meaning |
|---|---|---|---|---|
{rows}

## Which value counts

A value that was set beats every default, also a default that differs by notification type or for emergencies. Among
values that were set the most specific wins: first those for the event subtype, then those for the notification type, then
those for the jurisdiction, then the one for everything.

| set for | comes before one set for |
|---|---|
| subtype, notification type and jurisdiction | subtype and notification type |
| subtype and notification type | subtype and jurisdiction |
| subtype and jurisdiction | subtype |
| subtype | notification type and jurisdiction |
| notification type and jurisdiction | notification type |
| notification type | jurisdiction |
| jurisdiction | everything |

The jurisdiction is that of the agency that reported the event. A value that cannot be used is refused with a sentence that
says what would do; one that reached the topic `vn.policies` all the same is left out, and the default holds.

The settings of a process (brokers, store, key file and so on) are environment variables and are not these.
"""
