"""Sentences about hotlines, which the rule files define, in a language."""

from collections.abc import Iterator
from typing import Any

from processors.rules.rule_set import Rules
from processors.site.languages import Words


def hotlines(rules: Rules, words: Words, language: str, at: int) -> tuple[str, ...]:
    """Return a sentence for each hotline at a time (milliseconds): the general ones, then each jurisdiction's own."""
    return tuple(_sentences(rules, words["safety"], language, at))


def _sentences(rules: Rules, words: Words, language: str, at: int) -> Iterator[str]:
    everywhere = rules.rule_set("", at).entries["hotline"]
    for each in everywhere.values():
        yield sentence(each, words, language)
    for code, jurisdiction in sorted(rules.jurisdictions.items()):
        for name, each in rules.rule_set(code, at).entries["hotline"].items():
            if everywhere.get(name) != each:
                yield words["line_of_state"].format(line=sentence(each, words, language), state=jurisdiction.name)


def sentence(hotline: Any, words: Words, language: str) -> str:
    """Return a sentence with a hotline's name and numbers."""
    name = hotline.in_language.get(language, hotline.name)
    form = words["line_text"] if hotline.text_word else words["line"]
    return str(form.format(name=name, phone=hotline.phone, word=hotline.text_word, number=hotline.text_number))
