"""What one can ask to be told of: event subtypes by the notification types of the code lists, so that a new code has its place."""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.rules.book import Rules

ABOUT: Final = ("Movement", "Status Update", "Hearing Notice", "Information")


def subtypes_by_choice(rules: Rules) -> Mapping[str, tuple[str, ...]]:
    """Return the event subtypes of each choice, in all jurisdictions; an emergency is in every one."""
    found: dict[str, dict[str, None]] = {choice: {} for choice in ABOUT}
    for book in rules.books():
        for code in book.codes.values():
            for choice in ABOUT:
                if choice in code.notification_types or code.emergency:
                    found[choice][code.subtype] = None
    return {choice: tuple(sorted(subtypes)) for choice, subtypes in found.items()}


def chosen_subtypes(choices: Iterable[str], rules: Rules) -> tuple[str, ...]:
    """Return the event subtypes of the choices; nothing, which means all, if everything is chosen."""
    named = set(choices)
    if named >= set(ABOUT):
        return ()
    by_choice = subtypes_by_choice(rules)
    return tuple(sorted({subtype for choice in ABOUT if choice in named for subtype in by_choice[choice]}))
