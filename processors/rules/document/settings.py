"""The administrative settings in force."""

from processors.domain.event import Scope
from processors.rules.document.parts import Part, join
from processors.rules.rule_set import Rules
from processors.rules.setting_table import SCOPE_NAMES, SETTINGS
from processors.rules.settings import ScopedKey


def settings_part(rules: Rules, jurisdiction: str) -> Part:
    """Return the part with every setting: its value, whether it was set, and its meaning."""
    scope = Scope(jurisdiction or None)
    rows: list[tuple[str, ...]] = []
    for key, setting in SETTINGS.items():
        here = [
            (scoped_key, text)
            for scoped_key, text in rules.settings.texts.items()
            if scoped_key[0] == key and scoped_key[3] in {None, jurisdiction or None}
        ]
        scoped_key = rules.settings.set_for(key, scope)
        value = rules.settings.texts[scoped_key] if scoped_key is not None else setting.default_text
        rows.append((key, value, "set" if scoped_key is not None else "default", setting.meaning))
        rows.extend((key, text, scope_in_words(each), "") for each, text in here if each[1] is not None or each[2] is not None)
    return Part(
        "Administrative settings in force",
        (
            "A value that was set beats every default.",
            "Among set values one for the event subtype goes before one for the notification type, that before one for the jurisdiction.",
        ),
        ("Setting", "Value", "Where from", "Meaning"),
        tuple(rows),
    )


def scope_in_words(scoped_key: ScopedKey) -> str:
    """Return the scope of a setting in words."""
    _, subtype, kind, state = scoped_key
    named = ((SCOPE_NAMES["event_subtype"], subtype), (SCOPE_NAMES["notification_type"], kind), (SCOPE_NAMES["jurisdiction"], state))
    return "set for " + join(f"{word} {value}" for word, value in named if value is not None)
