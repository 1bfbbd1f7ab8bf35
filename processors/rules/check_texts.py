"""The part of `vn rules check` that checks texts: every text that is needed exists, and its templates can be filled in."""

from collections.abc import Hashable, Iterator
from functools import lru_cache
from typing import Final

from jinja2 import TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment

from processors.rules.rule_set import RuleSet

LANGUAGES: Final = ("en", "es")  # required, like every other language in which a rule file has a text
REFERENCE: Final = "en"  # the language with which the others are compared
OPTIONAL: Final = ("*state.", "*at.")  # texts that a language may lack
TEXT_FIELDS: Final = ("noun", "sms", "subject", "body", "voice")
# The variables of a text (explained in default/texts.en.toml) and of the frames around texts.
TEXT_VARIABLES: Final = frozenset(
    {
        *(
            "names",
            "initials",
            "n",
            "also",
            "when",
            "place",
            "origin",
            "court",
            "case",
            "agency",
            "sending",
            "receiving",
            "report_by",
            "way",
        ),
        *("offenders", "emergency", "hearing", "changes", "unsaid", "offices"),
        *("text", "noun", "about"),
        *("code", "spoken_code", "valid_until", "status", "since", "kind"),
    }
)
FRAME: Final = "*"  # prefix of texts that do not belong to a subtype

Problem = tuple[str, Hashable, str]  # section, key, sentence


def missing_texts(rule_set: RuleSet) -> Iterator[Problem]:
    """Every subtype that may reach a registrant has a text in every language and for every channel."""
    languages = languages_of(rule_set)
    for key, code in rule_set.codes.items():
        if set(code.notification_types) <= {"Internal"}:
            continue
        for language in languages:
            text = rule_set.text(code.event_type, code.subtype, language)
            lacking = TEXT_FIELDS if text is None else tuple(field for field in TEXT_FIELDS if not getattr(text, field).strip())
            if lacking:
                yield (
                    "event",
                    key,
                    f"its text in {language!r} lacks {', '.join(lacking)}: add a [[text]]; until then it is flagged, never told.",
                )


def languages_of(rule_set: RuleSet) -> list[str]:
    """Return the languages that must be complete."""
    return sorted({*LANGUAGES, *(language for _, language in rule_set.texts)})


def incomplete_languages(rule_set: RuleSet) -> Iterator[Problem]:
    """Every language has the texts that do not belong to a subtype: frames, field names, requests, confirmations, prompts."""
    needed = {
        name: [field for field in TEXT_FIELDS if getattr(text, field).strip()]
        for (name, language), text in rule_set.texts.items()
        if language == REFERENCE and name.startswith(FRAME) and not name.startswith(OPTIONAL)
    }
    for language in languages_of(rule_set):
        for name, fields in needed.items():
            text = rule_set.texts.get((name, language))
            lacking = [field for field in fields if text is None or not getattr(text, field).strip()]
            if lacking:
                yield "text", (None, name, language), f"it lacks {', '.join(lacking)}: add it to the language's file."


def broken_texts(rule_set: RuleSet) -> Iterator[Problem]:
    """Every text is for a subtype of the code lists, and its templates compile."""
    subtypes = {code.subtype for code in rule_set.codes.values()}
    for key, entry in rule_set.entries["text"].items():
        if entry.type is not None and (entry.type, entry.subtype) not in rule_set.codes:
            yield "text", key, f"the lists have no {entry.subtype!r} of {entry.type!r}: correct it or add the [[event]]."
        elif entry.subtype not in subtypes and not entry.subtype.startswith(FRAME):
            yield "text", key, f"the lists have no subtype {entry.subtype!r}: correct it or add the [[event]]."
        for field in TEXT_FIELDS:
            if fault := template_fault(getattr(entry, field)):
                yield "text", key, f"`{field}` cannot be read as a template: {fault}."


@lru_cache(maxsize=4_096)
def template_fault(source: str) -> str | None:
    """Return why `source` is not a valid template; None if it is."""
    try:
        unknown = find_undeclared_variables(SandboxedEnvironment().parse(source)) - TEXT_VARIABLES
    except TemplateSyntaxError as error:
        return (error.message or "it is broken").rstrip(".")
    return f"there is nothing called {min(unknown)!r}, only {', '.join(sorted(TEXT_VARIABLES))}" if unknown else None
