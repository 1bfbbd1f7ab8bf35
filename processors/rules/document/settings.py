"""The administrative settings in force."""

from processors.domain.event import Scope
from processors.rules.document.parts import Part, join
from processors.rules.rule_set import Rules
from processors.rules.setting_table import SCOPE_NAMES, SETTINGS
from processors.rules.settings import ScopedKey


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


def where(place: ScopedKey) -> str:
    """Return what a setting was set for, in words."""
    _, subtype, kind, state = place
    named = ((SCOPE_NAMES["event_subtype"], subtype), (SCOPE_NAMES["notification_type"], kind), (SCOPE_NAMES["jurisdiction"], state))
    return "set for " + join(f"{word} {value}" for word, value in named if value is not None)
