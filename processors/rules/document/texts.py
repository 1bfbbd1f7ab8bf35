"""The text messages that registrants receive."""

from collections.abc import Callable
from typing import Final

from processors.rules.document.parts import Part, group, join
from processors.rules.rule_set import EventCode, RuleSet

Sample = Callable[[EventCode, str], str | None]  # the text message for one code in one language
LANGUAGES: Final = {"en": "English", "es": "Spanish"}


def text_part(rule_set: RuleSet, sample: Sample) -> Part:
    """Return the part with the text messages, with an invented person, day and places."""
    groups = group(
        (
            code.event_type,
            (code.subtype, *((text or "none: flagged for review") for text in (sample(code, language) for language in LANGUAGES))),
        )
        for code in rule_set.codes.values()
    )
    return Part(
        "Texts",
        ("The text messages that registrants get, with an invented offender, day and places. Email and voice say the same in more words.",),
        ("Event", *LANGUAGES.values()),
        tuple((f"{subtype} ({join(kinds)})", *texts) for (subtype, *texts), kinds in groups),
    )
