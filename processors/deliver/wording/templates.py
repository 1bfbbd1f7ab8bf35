"""
The texts of the rules, filled in with the facts, for one language and channel.

Texts are data (rules/default/texts.en.toml says what they may use); they are filled in only here. What agencies write is never used
as a template.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from babel.lists import format_list
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from msgspec import Struct

from processors.deliver.state import Notice
from processors.deliver.wording.clean import clean, tidy
from processors.deliver.wording.dates import locale
from processors.deliver.wording.facts import Facts, facts_of
from processors.deliver.wording.fitting import shortest
from processors.deliver.wording.segments import encode
from processors.deliver.wording.style import Style
from processors.domain.registration import Channel
from processors.rules.rule_set import Rules, RuleSet, Text

FALLBACK: Final = "en"
DISCREET: Final = "*discreet"
MOST_INITIALS: Final = 3
FRAMES: Final = {"news": "*news", "change": "*change", "cancellation": "*cancellation"}

# Plain text for people, no markup: there is nothing to escape.
ENVIRONMENT: Final = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
ENVIRONMENT.globals.clear()  # texts need only facts, none of Jinja's own functions


class Message(Struct, frozen=True, gc=False):
    """The message for one channel, with the language that it is in; `subject` for email only."""

    language: str
    subject: str | None
    body: str


def message_for(notices: tuple[Notice, ...], rules: Rules, at: int, language: str, channel: Channel) -> Message | None:
    """
    Return the message for `channel` about these notices of one agency event; None if the rules have no text for it.

    A text that cannot be rendered counts as missing: `vn rules check` refuses it, but rules may run unchecked.
    """
    first, discreet = notices[0], is_discreet(language)
    rule_set = rules.rule_set(first.jurisdiction, first.received_at)
    for spoken in (language.partition("-")[0].lower(), FALLBACK):
        text = rule_set.text(first.event_type, first.event_subtype, spoken)
        frame, about = rule_set.texts.get((FRAMES[first.telling], spoken)), rule_set.texts.get(("*about", spoken))
        if text is not None and frame is not None and about is not None:
            style = Style(spoken, rules, rule_set, rule_set.zone_of(first.ori), brief=channel == "sms", discreet=discreet)
            if discreet:
                frame = with_discreet_text(frame, DISCREET, spoken, rule_set)
            try:
                return fill(channel, facts_of(notices, style, at), frame, about, text)
            except (TemplateError, TypeError):
                return None
    return None


def plain_message(
    rule_set: RuleSet, name: str, language: str, channel: Channel, facts_in: Callable[[str], dict[str, Any]]
) -> Message | None:
    """Return the message of the text `name`, which is not about an event, in the language or in English; None if there is none."""
    for spoken in (language.partition("-")[0].lower(), FALLBACK):
        if (text := rule_set.texts.get((name, spoken))) is None:
            continue
        if is_discreet(language):
            text = with_discreet_text(text, f"{DISCREET}.{name[1:]}", spoken, rule_set)
        facts = facts_in(spoken)
        try:
            match channel:
                case "sms":
                    return Message(spoken, None, encode(render(text.sms, facts)))
                case "email":
                    return Message(spoken, clean(render(text.subject, facts)), tidy(render(text.body, facts)))
                case "voice":
                    return Message(spoken, None, tidy(render(text.voice, facts)))
        except (TemplateError, TypeError):
            return None
    return None


def is_discreet(language: str) -> bool:
    """Whether a registrant's language requests texts for lock screens: it ends in the private-use subtag `-x-discreet` (BCP 47)."""
    return "discreet" in language.lower().partition("-x-")[2].split("-")


def with_discreet_text(text: Text, name: str, language: str, rule_set: RuleSet) -> Text:
    """Return the text with the parts that a lock screen shows replaced by discreet ones: text message, email subject and first lines."""
    found = rule_set.texts.get((name, language))
    if found is None:
        return text
    body = f"{found.body.strip()}\n\n{text.body.lstrip()}" if found.body else text.body
    return replace(text, sms=found.sms or text.sms, subject=found.subject or text.subject, body=body)


def render(source: str, facts: dict[str, Any]) -> str:
    """Return a text with its facts filled in."""
    return fill_in(template(source), facts)


def fill_in(template: Template, facts: dict[str, Any]) -> str:
    """Return a template with its facts filled in; the facts are its only variables, so they are passed without a copy."""
    return "".join(template.root_render_func(template.new_context(facts, shared=True)))


@lru_cache(maxsize=256)
def template(source: str) -> Template:
    return ENVIRONMENT.from_string(source)


def call_prompt(rule_set: RuleSet, language: str, *, confirm: bool) -> str:
    """Return what a registrant is told to key in during a call, in the language or in English."""
    return call_text(rule_set, "*call.confirm" if confirm else "*call.stop", language)


def call_text(rule_set: RuleSet, name: str, language: str) -> str:
    """Return a text spoken in calls, in the language or in English."""
    found = (rule_set.texts.get((name, spoken)) for spoken in (language.partition("-")[0].lower(), FALLBACK))
    return next((text.voice for text in found if text is not None and text.voice), "")


def fill(channel: Channel, facts: Facts, frame: Text, about: Text, text: Text) -> Message:
    """Return the text with the facts in it, as the channel can carry it."""
    match channel:
        case "sms":
            template = compile_text(frame.sms, about.sms, text.sms, text.noun)
            return Message(facts.language, None, shortest(lambda given: tidy(fill_in(template, context_of(given))), facts))
        case "email":
            subject = compile_text(frame.subject, about.subject, text.subject, text.noun)
            body = compile_text(frame.body, about.body, text.body, text.noun)
            context = context_of(facts)
            return Message(facts.language, clean(fill_in(subject, context)), tidy(fill_in(body, context)))
        case "voice":
            template = compile_text(frame.voice, about.voice, text.voice, text.noun)
            return Message(facts.language, None, tidy(fill_in(template, context_of(facts))))


@lru_cache(maxsize=4_096)
def compile_text(frame: str, about: str, text: str, noun: str) -> Template:
    """Return the text inside its frame, compiled."""
    source = frame.replace("{{ about }}", about).replace("{{ text }}", text).replace("{{ noun }}", noun)
    return ENVIRONMENT.from_string(source)


def context_of(facts: Facts) -> dict[str, Any]:
    """Return the variables and functions of a template."""
    many = len(facts.offenders) > 1

    def n(one: str, several: str, one_ahead: str | None = None, several_ahead: str | None = None) -> str:
        if facts.ahead and one_ahead is not None:
            return (several_ahead or one_ahead) if many else one_ahead
        return several if many else one

    return {
        "names": names_phrase(facts),
        "initials": initials_phrase(facts),
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
    """Return the words followed by the value; empty if there is no value."""
    return f"{words}{value}{after}" if value else ""


def names_phrase(facts: Facts) -> str:
    """Return the names in one phrase, with the number of those left out."""
    left_out = len(facts.offenders) - len(facts.names)
    names = [*facts.names, *([f"{left_out} {facts.others}"] if left_out else [])]
    if len(names) == 1:
        return names[0]
    joined = format_list(names, locale=locale(facts.language))
    # Spanish "y" is "e" before the sound of i ("Ana e Inés", but "Ana y Hierro").
    return re.sub(r" y (?=(?:[IÍiíYy](?![aeou])|[Hh][ií](?![aeou])))", " e ", joined) if facts.language == "es" else joined


def initials_phrase(facts: Facts) -> str:
    """Return the initials of the first few offenders, with the number of the others."""
    found = list(dict.fromkeys([each.initials for each in facts.offenders]))
    more = len(found) - MOST_INITIALS
    return ", ".join([*found[:MOST_INITIALS], *([f"+{more}"] if more > 0 else [])])
