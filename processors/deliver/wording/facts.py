"""The facts of one message: everything a text may use, in the words of one language."""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct

from processors.deliver.state import Notice
from processors.deliver.wording import gsm7
from processors.deliver.wording.clean import clean
from processors.deliver.wording.dates import day_in_words, instant_in_words, local_day, moment_in_words
from processors.deliver.wording.style import Style
from processors.domain.event import Change
from processors.domain.person import Identifier, Name
from processors.rules.rule_set import Rules

NUMBERS: Final = ("ICOTS", "DOC", "BOOKING", "SID", "FBI")  # the numbers that a registrant most likely knows, in order
HEARING: Final = "Hearing Notice"
NAMES: Final = 4_096  # whose words are kept: a message is written for several contacts, and of a new event for several registrants
NO_INITIALS: Final = "N.N."  # the initials of an offender without a name


class Offender(Struct, frozen=True, gc=False):
    """An offender as named in a message: full name, short name, number, and initials."""

    name: str
    short: str
    number: str
    initials: str


class ChangeText(Struct, frozen=True, gc=False):
    """One change in the registrant's language. `old_brief` is a shorter old value; if `whole`, the values must not be cut."""

    label: str
    old: str
    new: str
    old_brief: str
    whole: bool


class Office(Struct, frozen=True, gc=False):
    """A compact office and its telephone number."""

    name: str
    phone: str


class Facts(Struct, frozen=True, gc=False):
    """Everything a text may use, in words of one language."""

    language: str
    names: tuple[str, ...]
    offenders: tuple[Offender, ...]
    others: str  # the language's word for further offenders
    when: str
    ahead: bool
    place: str
    origin: str
    court: str
    case: str
    agency: str
    sending: str
    receiving: str
    report_by: str
    way: str  # "back", "onward", "ahead", or empty: Event.way
    emergency: bool
    hearing: bool
    changes: tuple[ChangeText, ...]
    unsaid: int  # changes left out
    codes: tuple[str, str]  # the postal codes of sending and receiving state
    offices: tuple[Office, ...]


def facts_of(notices: tuple[Notice, ...], style: Style, at: int) -> Facts:
    """Return the facts of the notices in words."""
    first = notices[0]
    language, brief = style.language, style.brief
    offenders = offenders_of(notices, style)
    return Facts(
        language=language,
        names=tuple([readable(each) if brief else each.name for each in offenders]),
        offenders=offenders,
        others=style.noun("*more"),
        when=instant_in_words(first.action_at, style, date_only=first.date_only),
        ahead=first.action_at > at,
        place=join_values(notices, "place"),
        origin=join_values(notices, "origin"),
        court=join_values(notices, "court"),
        case=join_values(notices, "case_number"),
        agency=join_values(notices, "agency"),
        sending=join_values(notices, "sending_state", style.state),
        receiving=join_values(notices, "receiving_state", style.state),
        report_by=join_values(notices, "report_by", lambda day: day_in_words(day, language, brief=brief)),
        way=join_values(notices, "way"),
        emergency=True in [notice.emergency for notice in notices],
        hearing=first.notification_type == HEARING,
        changes=tuple([change_text(change, style) for change in first.changes]),
        unsaid=0,
        codes=(join_values(notices, "sending_state"), join_values(notices, "receiving_state")),
        offices=() if brief and not style.discreet else tuple(offices_of(style.rules, at, notices)),
    )


def offenders_of(notices: tuple[Notice, ...], style: Style) -> tuple[Offender, ...]:
    """Return every offender once, in the order in which they arrived."""
    parts = {(notice.message_id, notice.part): notice for notice in reversed(notices)}
    found: dict[str, Offender] = {}
    for notice in reversed(parts.values()):
        number = number_of(notice.identifiers)
        name = full_name(notice.name) or number or style.noun("*unnamed")
        short = short_name(notice.name) or name
        found.setdefault(name.casefold(), Offender(name, short, number if number != name else "", initials_of(notice.name)))
    return tuple(found.values())


@lru_cache(NAMES)
def full_name(name: Name | None) -> str:
    """Return a name in spoken order; empty if there is none."""
    if name is None:
        return ""
    return clean(" ".join(part for part in (name.given, name.middle, name.sur) if part)) or clean(name.full or "")


def short_name(name: Name | None) -> str:
    """Return a name with the given name as an initial; empty if the parts are not known."""
    if name is None or not (given := clean(name.given or "")) or not (sur := clean(name.sur or "")):
        return ""
    return f"{given[0]}. {sur}"


@lru_cache(NAMES)
def initials_of(name: Name | None) -> str:
    """Return the initials of a name, which only the registrant can interpret."""
    words = [] if name is None else clean(" ".join(filter(None, (name.given, name.sur))) or name.full or "").replace(",", " ").split()
    return "".join(f"{each[0].upper()}." for each in words[:1] + words[1:][-1:]) or NO_INITIALS


def readable(offender: Offender) -> str:
    """Return the name if GSM-7 can write it, else the number."""
    return offender.name if gsm7.legible(offender.name) or not offender.number else offender.number


@lru_cache(NAMES)
def number_of(identifiers: tuple[Identifier, ...]) -> str:
    """Return the number by which a registrant most likely knows the offender, with its scheme."""
    for scheme in (*NUMBERS, *(identifier.scheme for identifier in identifiers)):
        for identifier in identifiers:
            if identifier.scheme == scheme:
                return clean(f"{scheme} {identifier.value}")
    return ""


def join_values(notices: tuple[Notice, ...], name: str, say: Callable[[str], str] = str) -> str:
    """Return the values of one field of the notices in words: one value, or the distinct values joined."""
    if len(notices) == 1:
        value: str | None = getattr(notices[0], name)
        return say(clean(value)) if value else ""
    return " / ".join([say(each) for each in dict.fromkeys(clean(getattr(notice, name) or "") for notice in notices) if each])


def offices_of(rules: Rules, at: int, notices: Iterable[Notice]) -> Iterator[Office]:
    """Yield the compact offices of the notices' states whose telephone numbers are in the rules."""
    for code in dict.fromkeys(code for each in notices for code in (each.sending_state, each.receiving_state) if code):
        entry = rules.rule_set(code, at).entries.get("jurisdiction", {}).get("") if code in rules.jurisdictions else None
        if entry is not None and entry.compact_office_phone:
            yield Office(clean(entry.compact_office or rules.jurisdictions[code].name), clean(entry.compact_office_phone))


def change_text(change: Change, style: Style) -> ChangeText:
    """Return one change in the registrant's language."""

    def value(text: str) -> str:
        if change.field in {"action_at", "report_by"}:
            return moment_in_words(text, style)
        return style.state(clean(text)) if change.field.endswith("_state") else clean(text)

    label = style.noun(f"*field.{change.field}") or style.noun("*field")
    old, new = value(change.old), value(change.new)
    if change.field != "action_at":
        return ChangeText(label, old, new, old, whole=False)
    old_day, new_day = (local_day(each, style) for each in (change.old, change.new))
    return ChangeText(label, old, new, (old.removeprefix(old_day).strip() if old_day == new_day else old_day) or old, whole=True)
