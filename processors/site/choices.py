"""The kinds of news to choose from: event subtypes grouped by notification type, so that a new code has its place."""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.rules.rule_set import Rules

CHOICES: Final = ("Movement", "Status Update", "Hearing Notice", "Information")


def subtypes_by_choice(rules: Rules) -> Mapping[str, tuple[str, ...]]:
    """Return the event subtypes of each choice in all jurisdictions; emergencies belong to every choice."""
    found: dict[str, dict[str, None]] = {choice: {} for choice in CHOICES}
    for rule_set in rules.rule_sets():
        for code in rule_set.codes.values():
            for choice in CHOICES:
                if choice in code.notification_types or code.emergency:
                    found[choice][code.subtype] = None
    return {choice: tuple(sorted(subtypes)) for choice, subtypes in found.items()}


def chosen_subtypes(choices: Iterable[str], rules: Rules) -> tuple[str, ...]:
    """Return the event subtypes of the choices: emergencies alone if nothing is chosen; empty, which means all, if everything is."""
    named = set(choices)
    if named >= set(CHOICES):
        return ()
    by_choice = subtypes_by_choice(rules)
    chosen = {subtype for choice in CHOICES if choice in named for subtype in by_choice[choice]}
    return tuple(sorted(chosen | emergencies(rules)))


def emergencies(rules: Rules) -> set[str]:
    """Return the event subtypes that are an emergency in some jurisdiction."""
    return {code.subtype for rule_set in rules.rule_sets() for code in rule_set.codes.values() if code.emergency}
