"""
The words: the texts of the rules with the facts filled in, for one language and channel.

Texts are data (rules/default/texts.<language>.toml says what they may use); this is the only place that fills them in.
What agencies write is never a template, keeps no line breaks, control or direction characters, and is cut at 200.
A text message that is too long is shortened step by step (`SHORTER`) until it fits one segment.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.lists import format_list
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from processors.deliver import gsm7
from processors.deliver.state import Piece
from processors.domain.event import Change
from processors.domain.person import Identifier, Name
from processors.domain.registration import Channel
from processors.rules.book import Book, Rules, Text

FALLBACK: Final = "en"
LONGEST: Final = 200
NUMBERS: Final = ("ICOTS", "DOC", "BOOKING", "SID", "FBI")  # by which number a registrant most likely knows the offender
FRAMES: Final = {"news": "*news", "change": "*change", "cancellation": "*cancellation"}
HEARING: Final = "Hearing Notice"

# Plain text for people, no markup: there is nothing to escape.
ENVIRONMENT: Final = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
ENVIRONMENT.globals.clear()  # a text needs facts, no functions of jinja's own


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel says, in the language it came out in; `subject` for email alone."""

    language: str
    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Tongue:
    """In which language, by which rules and in whose time zone things are said; `brief` as a text message writes dates and names."""

    language: str
    rules: Rules
    book: Book
    zone: ZoneInfo
    brief: bool

    def noun(self, name: str) -> str:
        """Return a single word of the texts, empty where the language has none."""
        text = self.book.texts.get((name, self.language))
        return "" if text is None else text.noun

    def state(self, code: str) -> str:
        """Return the name of a state, the code where no name is known."""
        if not code:
            return ""
        jurisdiction = self.rules.jurisdictions.get(code)
        return self.noun(f"*state.{code}") or (jurisdiction.name if jurisdiction is not None else "") or code


@dataclass(frozen=True, slots=True)
class Offender:
    """An offender as named: the whole name, the short one, and a number."""

    name: str
    short: str
    number: str


@dataclass(frozen=True, slots=True)
class Worded:
    """One change in the registrant's language; `old_brief` is the old value where the new one stands beside it, `whole` may not be cut."""

    label: str
    old: str
    new: str
    old_brief: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Office:
    """A compact office and its telephone."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a text may use, in words of one language."""

    language: str
    names: tuple[str, ...]
    offenders: tuple[Offender, ...]
    others: str  # how the language says that there are more
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
    changes: tuple[Worded, ...]
    unsaid: int  # changes left out
    codes: tuple[str, str]  # the postal codes of sending and receiving state
    offices: tuple[Office, ...]


def tell(pieces: tuple[Piece, ...], rules: Rules, at: int, language: str, channel: Channel) -> Message | None:
    """
    Return what `channel` says of these pieces of one agency event; None where the rules have no text for it.

    One that cannot be filled in is none: `vn rules check` refuses it, but rules may run that nobody has checked.
    """
    first = pieces[0]
    book = rules.book(first.jurisdiction, first.received_at)
    for spoken in (language.partition("-")[0].lower(), FALLBACK):
        text = book.text(first.event_type, first.event_subtype, spoken)
        frame, about = (book.texts.get((name, spoken)) for name in (FRAMES[first.telling], "*about"))
        if text is not None and frame is not None and about is not None:
            tongue = Tongue(spoken, rules, book, book.zone_of(first.ori), brief=channel == "sms")
            try:
                return fill(channel, facts_of(pieces, tongue, at), frame, about, text)
            except (TemplateError, TypeError):
                return None
    return None


def ask(book: Book, language: str, channel: Channel) -> Message:
    """Return the request to verify a contact; it tells nothing of anybody, since the address may be a stranger's."""
    spoken = next(each for each in (language.partition("-")[0].lower(), FALLBACK) if ("*verification", each) in book.texts)
    text = book.texts["*verification", spoken]
    if channel == "sms":
        return Message(spoken, None, gsm7.transliterate(text.sms))
    return Message(spoken, text.subject if channel == "email" else None, text.body if channel == "email" else text.voice)


def fill(channel: Channel, facts: Facts, frame: Text, about: Text, text: Text) -> Message:
    """Return the text with the facts in it, as the channel can carry it."""
    match channel:
        case "sms":
            template = compiled(frame.sms, about.sms, text.sms, text.noun)
            return Message(facts.language, None, shortest(template, facts))
        case "email":
            subject = compiled(frame.subject, about.subject, text.subject, text.noun)
            body = compiled(frame.body, about.body, text.body, text.noun)
            context = context_of(facts)
            return Message(facts.language, clean(subject.render(context)), tidy(body.render(context)))
        case "voice":
            template = compiled(frame.voice, about.voice, text.voice, text.noun)
            return Message(facts.language, None, tidy(template.render(context_of(facts))))


@lru_cache(maxsize=4_096)
def compiled(frame: str, about: str, text: str, noun: str) -> Template:
    """Return the text inside its frame, compiled."""
    source = frame.replace("{{ about }}", about).replace("{{ text }}", text).replace("{{ noun }}", noun)
    return ENVIRONMENT.from_string(source)


def context_of(facts: Facts) -> dict[str, Any]:
    """Return what a template sees."""
    many = len(facts.offenders) > 1

    def n(one: str, several: str, one_ahead: str | None = None, several_ahead: str | None = None) -> str:
        if facts.ahead and one_ahead is not None:
            return (several_ahead or one_ahead) if many else one_ahead
        return several if many else one

    return {
        "names": phrase(facts),
        "n": n,
        "also": also,
        "when": facts.when,
        "place": facts.place,
        "origin": facts.origin,
        "court": facts.court,
        "case": facts.case,
        "agency": facts.agency,
        "sending": facts.sending,
        "receiving": facts.receiving,
        "report_by": facts.report_by,
        "way": facts.way,
        "offenders": facts.offenders,
        "emergency": facts.emergency,
        "hearing": facts.hearing,
        "changes": facts.changes,
        "unsaid": facts.unsaid,
        "offices": facts.offices,
    }


def also(words: str, value: str, after: str = "") -> str:
    """Return the words and the value; nothing where there is no value."""
    return f"{words}{value}{after}" if value else ""


def phrase(facts: Facts) -> str:
    """Return the names in one phrase, with the number of those left out."""
    left_out = len(facts.offenders) - len(facts.names)
    names = [*facts.names, *([f"{left_out} {facts.others}"] if left_out else [])]
    if len(names) == 1:
        return names[0]
    joined = format_list(names, locale=locale(facts.language))
    # Spanish "y" is "e" before the sound of i ("Ana e Inés", but "Ana y Hierro").
    return re.sub(r" y (?=(?:[IÍiíYy](?![aeou])|[Hh][ií](?![aeou])))", " e ", joined) if facts.language == "es" else joined


# --- facts -----------------------------------------------------------------------------------------------------------


def facts_of(pieces: tuple[Piece, ...], tongue: Tongue, at: int) -> Facts:
    """Return the facts of the pieces in words."""
    first = pieces[0]
    language, brief = tongue.language, tongue.brief
    offenders = named(pieces, tongue)
    sending, receiving = one(pieces, "sending_state"), one(pieces, "receiving_state")
    return Facts(
        language=language,
        names=tuple(readable(each) if brief else each.name for each in offenders),
        offenders=offenders,
        others=tongue.noun("*more"),
        when=when(first.action_at, tongue, date_only=first.date_only),
        ahead=first.action_at > at,
        place=one(pieces, "place"),
        origin=one(pieces, "origin"),
        court=one(pieces, "court"),
        case=one(pieces, "case_number"),
        agency=one(pieces, "agency"),
        sending=tongue.state(sending),
        receiving=tongue.state(receiving),
        report_by=day(one(pieces, "report_by"), language, brief=brief),
        way=one(pieces, "way"),
        emergency=any(piece.emergency for piece in pieces),
        hearing=first.notification_type == HEARING,
        changes=tuple(worded(change, tongue) for change in first.changes),
        unsaid=0,
        codes=(sending, receiving),
        offices=() if brief else tuple(offices(tongue.rules, at, (sending, receiving))),
    )


def named(pieces: tuple[Piece, ...], tongue: Tongue) -> tuple[Offender, ...]:
    """Return every offender once, by message and part and by name, in the order they came."""
    parts = {(piece.message_id, piece.part): piece for piece in reversed(pieces)}
    found: dict[str, Offender] = {}
    for piece in reversed(parts.values()):
        number = number_of(piece.identifiers)
        name = full_name(piece.name) or number or tongue.noun("*unnamed")
        found.setdefault(name.casefold(), Offender(name, short_name(piece.name) or name, number if number != name else ""))
    return tuple(found.values())


def full_name(name: Name | None) -> str:
    """Return a name as it is spoken, empty where there is none."""
    if name is None:
        return ""
    return clean(" ".join(part for part in (name.given, name.middle, name.sur) if part)) or clean(name.full or "")


def short_name(name: Name | None) -> str:
    """Return a name with its given name as an initial, empty where the parts are not known."""
    if name is None or not (given := clean(name.given or "")) or not (sur := clean(name.sur or "")):
        return ""
    return f"{given[0]}. {sur}"


def readable(offender: Offender) -> str:
    """Return the name where GSM-7 can write it, else the number."""
    return offender.name if gsm7.legible(offender.name) or not offender.number else offender.number


def number_of(identifiers: tuple[Identifier, ...]) -> str:
    """Return the number by which the offender is most likely known, with its scheme."""
    for scheme in (*NUMBERS, *(identifier.scheme for identifier in identifiers)):
        for identifier in identifiers:
            if identifier.scheme == scheme:
                return clean(f"{scheme} {identifier.value}")
    return ""


def one(pieces: tuple[Piece, ...], name: str) -> str:
    """Return what the pieces say of one thing: one value, or the different ones beside each other."""
    if len(pieces) == 1:
        return clean(getattr(pieces[0], name) or "")
    return " / ".join(filter(None, dict.fromkeys(clean(getattr(piece, name) or "") for piece in pieces)))


def offices(rules: Rules, at: int, codes: Iterable[str]) -> Iterator[Office]:
    """Return the compact offices of these states whose telephone the rules know."""
    for code in dict.fromkeys(codes):
        entry = rules.book(code, at).entries.get("jurisdiction", {}).get("") if code in rules.jurisdictions else None
        if entry is not None and entry.compact_office_phone:
            yield Office(clean(entry.compact_office or rules.jurisdictions[code].name), clean(entry.compact_office_phone))


def worded(change: Change, tongue: Tongue) -> Worded:
    """Return one change in the registrant's language."""

    def value(text: str) -> str:
        if change.field in {"action_at", "report_by"}:
            return moment(text, tongue)
        return tongue.state(clean(text)) if change.field.endswith("_state") else clean(text)

    label = tongue.noun(f"*field.{change.field}") or tongue.noun("*field")
    old, new = value(change.old), value(change.new)
    if change.field != "action_at":
        return Worded(label, old, new, old, whole=False)
    old_day, new_day = (local_day(each, tongue) for each in (change.old, change.new))
    return Worded(label, old, new, (old.removeprefix(old_day).strip() if old_day == new_day else old_day) or old, whole=True)


# --- dates -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def locale(language: str) -> Locale:
    """Return how the language writes dates and lists in the United States."""
    for name in (f"{language}_US", language):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse("en_US")


def when(at: int, tongue: Tongue, *, date_only: bool) -> str:
    """Return an instant in words, in the agency's zone and with its abbreviation; a date without time is that day alone."""
    local = datetime.fromtimestamp(at / 1_000, tongue.zone)
    words = date_in_words(local.date(), "medium" if tongue.brief else "full", tongue.language)
    if date_only:
        return words
    one = tongue.noun("*at.one") if local.hour % 12 == 1 else ""
    between = " " if tongue.brief else one or tongue.noun("*at") or ", "
    return f"{words}{between}{time_in_words(local.hour, local.minute, tongue.language)} {local.tzname()}"


@lru_cache(maxsize=16_384)
def date_in_words(found: date, form: Literal["medium", "long", "full"], language: str) -> str:
    return spaced(format_date(found, form, locale=locale(language)))


@lru_cache(maxsize=16_384)
def time_in_words(hour: int, minute: int, language: str) -> str:
    return spaced(format_time(time(hour, minute), "short", locale=locale(language)))


def day(text: str, language: str, *, brief: bool) -> str:
    """Return an ISO 8601 date in words; what is none as it is."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return date_in_words(found, "medium" if brief else "long", language)


def moment(text: str, tongue: Tongue) -> str:
    """Return a date or date-time of a changed field in words; what is none as it is."""
    text = clean(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    if len(text) == len("2026-12-14"):
        return day(text, tongue.language, brief=tongue.brief)
    local = found if found.tzinfo is not None else found.replace(tzinfo=tongue.zone)
    return when(int(local.timestamp() * 1_000), tongue, date_only=False)


def local_day(text: str, tongue: Tongue) -> str:
    """Return the day of a date or date-time in words, empty where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return ""
    local = found.astimezone(tongue.zone) if found.tzinfo is not None else found
    return day(local.date().isoformat(), tongue.language, brief=tongue.brief)


# --- clean text ------------------------------------------------------------------------------------------------------


def spaced(text: str) -> str:
    """Return the text with ordinary blanks."""
    return " ".join(text.split())


@lru_cache(maxsize=16_384)
def clean(text: str) -> str:
    """Return one line of what somebody else wrote: no control, format or direction characters, single blanks, at most 200."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(sign if unicodedata.category(sign)[0] not in "CZ" else " " if sign.isspace() else "" for sign in text)
    return spaced(text)[:LONGEST]


def tidy(text: str) -> str:
    """Return a filled-in text without blank ends, and with each sentence's first letter large where a name began it small."""
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return text[:1].upper() + text[1:]


# --- one segment -----------------------------------------------------------------------------------------------------


def cut_places(length: int) -> Callable[[Facts], Facts]:
    def step(facts: Facts) -> Facts:
        return replace(
            facts,
            place=gsm7.cut(facts.place, length),
            origin=gsm7.cut(facts.origin, length),
            court=gsm7.cut(facts.court, length),
        )

    return step


def cut_names(length: int) -> Callable[[Facts], Facts]:
    def step(facts: Facts) -> Facts:
        changes = (
            each if each.whole else replace(each, old=gsm7.cut(each.old, length), new=gsm7.cut(each.new, length)) for each in facts.changes
        )
        names = (gsm7.cut(name, length) for name in facts.names)
        return replace(facts, names=tuple(names), changes=tuple(changes), agency=gsm7.cut(facts.agency, length))

    return step


def old_dates(facts: Facts) -> Facts:
    return replace(facts, changes=tuple(replace(each, old=each.old_brief) for each in facts.changes))


def initials(facts: Facts) -> Facts:
    short = {readable(each): each.short if gsm7.legible(each.short) else readable(each) for each in facts.offenders}
    return replace(facts, names=tuple(short[name] for name in facts.names))


# What is shortened for a text message, in this order, each on top of those before it.
SHORTER: Final[tuple[Callable[[Facts], Facts], ...]] = (
    cut_places(24),  # the names of places and courts
    lambda facts: replace(facts, place="", origin="", court=""),  # they go
    lambda facts: replace(facts, sending=facts.codes[0], receiving=facts.codes[1]),  # states by their postal codes
    old_dates,  # of a changed date, the old day; of a changed time, the old time
    initials,  # given names
    lambda facts: replace(facts, names=facts.names[:1]),  # one offender, and how many others
    lambda facts: replace(facts, changes=facts.changes[:1], unsaid=max(0, len(facts.changes) - 1)),  # one change
    cut_names(26),  # names and changed values
    cut_names(14),
    lambda facts: replace(facts, sending="", receiving="", report_by=""),  # the states go
)


def shortest(template: Template, facts: Facts) -> str:
    """Return the filled-in text in GSM-7, shortened no further than one segment needs."""
    text = one_line(template, facts)
    for step in SHORTER:
        if gsm7.fits(text):
            return text
        facts = step(facts)
        text = one_line(template, facts)
    while not gsm7.fits(text):
        text = text[:-1]
    return text


def one_line(template: Template, facts: Facts) -> str:
    return gsm7.transliterate(tidy(template.render(context_of(facts))))
