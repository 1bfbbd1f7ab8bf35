"""Generates docs/settings.md from the table of settings."""

from typing import Final

from processors.rules.document.parts import join
from processors.rules.setting_table import SCOPE_NAMES, SETTINGS, Setting

SETTINGS_PAGE: Final = """# Administrative settings

Changed while the pipeline runs, in force in every stage within five seconds:

```sh
vn policy show                                                  # what is set and what the defaults are
vn policy set date.future 90d --jurisdiction VA --notification-type "Hearing Notice"
vn policy unset date.future --jurisdiction VA --notification-type "Hearing Notice"
```

Changing a setting immediately re-evaluates what is waiting: a date too far ahead, a release that waits for an intake, an event
that waits for an earlier one, the end of quiet hours, an agency's silence. Notifications merged within `merge.window`, and a Cancel
or Update that waits for `cancel.hold` or `out_of_order.hold` in dedupe, keep the time they were given.

A setting marked **coming** can be set, but nothing reads it yet.

A duration is a whole number and `s`, `m`, `h` or `d`: `30s`, `15m`, `8h`, `60d`. Where `0s` is allowed, nothing waits or the time
is over at once.

| setting | default | value | may be set for one | meaning |
|---|---|---|---|---|
{rows}

## Which value counts

A value that was set beats every default, also a default that differs by notification type or for emergencies. Among
values that were set the most specific wins: first those for the event subtype, then those for the notification type, then
those for the jurisdiction, then the one for everything.

| set for | comes before one set for |
|---|---|
| subtype, notification type and jurisdiction | subtype and notification type |
| subtype and notification type | subtype and jurisdiction |
| subtype and jurisdiction | subtype |
| subtype | notification type and jurisdiction |
| notification type and jurisdiction | notification type |
| notification type | jurisdiction |
| jurisdiction | everything |

The jurisdiction is that of the agency that reported the event. A value that cannot be used is refused with a sentence that
says what would do; one that reached the topic `vn.policies` all the same is left out, and the default holds.

The settings of a process (brokers, store, key file and so on) are environment variables and are not these.
"""


def settings_markdown() -> str:
    """Return docs/settings.md."""
    rows = (
        f"| `{setting.key}` | {setting.default_text.replace('|', '/')} | {form(setting)} | {scopes(setting)} | {setting.meaning} |"
        for setting in SETTINGS.values()
    )
    return SETTINGS_PAGE.format(rows="\n".join(rows))


def form(setting: Setting) -> str:
    """Return what a value of the setting looks like."""
    return {
        "duration": f"duration from {setting.shortest} to {setting.longest}",
        "flag": "`true` or `false`",
        "rate": f"`number/time` or `none`; the number at most {setting.most}, the time from {setting.shortest} to {setting.longest}",
        "number": f"a whole number from 1 to {setting.most}",
        "hours": "`hh:mm-hh:mm` or `none`",
        "word": " or ".join(f"`{each}`" for each in setting.words),
    }[setting.kind]


def scopes(setting: Setting) -> str:
    """Return what a setting can be set for."""
    return join(SCOPE_NAMES[each] for each in reversed(setting.where)) or "everything at once only"
