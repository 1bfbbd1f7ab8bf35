"""
The administrative settings in force (contract §6): parsing, checking, and lookup by scope.

A value that was set takes precedence over every default. Among set values the most specific wins, by subtype, then
notification type, then jurisdiction: a value for a subtype in one jurisdiction beats one for the subtype alone, which
beats any without a subtype.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, Protocol

from processors.domain.event import Scope
from processors.domain.policy import Policy
from processors.rules.setting_table import ALL_SCOPES, SCOPE_NAMES, SETTINGS, Kind, Setting
from processors.rules.setting_values import BadSetting, parse_duration, parse_flag, parse_number, parse_quiet_hours, parse_rate, parse_word

PARSERS: Final[Mapping[Kind, Callable[[Setting, str], Any]]] = {
    "duration": parse_duration,
    "flag": parse_flag,
    "rate": parse_rate,
    "hours": parse_quiet_hours,
    "word": parse_word,
    "number": parse_number,
}


def parse(key: str, text: str) -> Any:
    """Return the parsed value of a setting; raises BadSetting."""
    setting = setting_called(key)
    return PARSERS[setting.kind](setting, text)


def setting_called(key: str) -> Setting:
    """Return the setting of that name; raises BadSetting if there is none."""
    if (setting := SETTINGS.get(key)) is None:
        raise BadSetting(f"there is no setting {key!r}: the settings are {', '.join(sorted(SETTINGS))}.")
    return setting


def parse_policy(policy: Policy) -> Any:
    """Return the parsed value of a policy; raises BadSetting if key, value or scope cannot be used."""
    value = parse(policy.key, policy.value)
    check_allowed(policy.key, Scope(policy.jurisdiction, policy.notification_type, policy.event_subtype))
    return value


def check_allowed(key: str, scope: Scope) -> None:
    """Raise BadSetting if there is no such setting, or if it cannot be set for such a scope."""
    allowed = setting_called(key).where
    for name in ALL_SCOPES:
        if getattr(scope, name) is not None and name not in allowed:
            can = f"only for each {' and '.join(SCOPE_NAMES[each] for each in allowed)}" if allowed else "only for everything at once"
            raise BadSetting(f"{key} cannot be set for one {SCOPE_NAMES[name]}: it can be set {can}.")
    if scope.jurisdiction is not None and not re.fullmatch(r"[A-Z]{2}", scope.jurisdiction):
        raise BadSetting(f"{scope.jurisdiction!r} is no jurisdiction: write the two capital letters of a state, such as VA.")


def check_setting(key: str, text: str, scope: Scope, known: "KnownCodes") -> None:
    """Raise BadSetting if `text` cannot be set for `scope`; `known` has the codes that rules know."""
    parse(key, text)
    check_scope(key, scope, known)


def check_scope(key: str, scope: Scope, known: "KnownCodes") -> None:
    """Raise BadSetting if the setting cannot be set for `scope`; `known` has the codes that rules know."""
    check_allowed(key, scope)
    if scope.jurisdiction is not None and scope.jurisdiction not in known.jurisdictions:
        raise BadSetting(f"no rule file is for {scope.jurisdiction!r}: write one of {', '.join(sorted(known.jurisdictions))}.")
    for name, codes in (("notification_type", known.notification_types), ("event_subtype", known.subtypes)):
        given = getattr(scope, name)
        if given is not None and given not in codes:
            like = get_close_matches(given, codes, 1) or sorted(codes)[:1]
            raise BadSetting(f"no rule file knows the {SCOPE_NAMES[name]} {given!r}: write it as the code lists do, such as {like[0]!r}.")


class KnownCodes(Protocol):
    """The codes of all rules, whatever the jurisdiction."""

    @property
    def jurisdictions(self) -> Collection[str]:
        """The jurisdictions that have a rule file."""

    @property
    def notification_types(self) -> frozenset[str]:
        """The notification types of all code lists."""

    @property
    def subtypes(self) -> frozenset[str]:
        """The event subtypes of all code lists."""


ScopedKey = tuple[str, str | None, str | None, str | None]  # key, event subtype, notification type, jurisdiction

DEFAULTS: Final = {key: parse(key, setting.default) for key, setting in SETTINGS.items()}
SPECIAL: Final = {(key, name): parse(key, text) for key, setting in SETTINGS.items() for name, text in setting.special.items()}
CHANNELS: Final = {(key, name): parse(key, text) for key, setting in SETTINGS.items() for name, text in setting.channels.items()}
EMERGENCY: Final = {key: parse(key, setting.emergency) for key, setting in SETTINGS.items() if setting.emergency is not None}
UNIFORM: Final = {key: DEFAULTS[key] for key, each in SETTINGS.items() if not each.special and not each.channels and each.emergency is None}


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The settings in force. `refused` has a sentence for each policy that cannot be used and was left out.

    Values are parsed once: `values` by key and scope, `keys_set` the keys with any value, `global_values` the values of keys
    that have the same one everywhere, `texts` the values as the administrator wrote them.
    """

    values: Mapping[ScopedKey, Any] = field(default_factory=dict)
    keys_set: frozenset[str] = frozenset()
    global_values: Mapping[str, Any] = field(default_factory=lambda: UNIFORM)
    version: str = "0"
    refused: tuple[str, ...] = ()
    texts: Mapping[ScopedKey, str] = field(default_factory=dict)

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> "Settings":
        """Return the settings of these policies; of two for the same scope the later one counts."""
        values: dict[ScopedKey, Any] = {}
        texts: dict[ScopedKey, str] = {}
        refused = []
        for policy in policies:
            scoped_key = (policy.key, policy.event_subtype, policy.notification_type, policy.jurisdiction)
            try:
                values[scoped_key] = parse_policy(policy)
            except BadSetting as sentence:
                refused.append(str(sentence))
                continue
            texts[scoped_key] = policy.value
        particular = {scoped_key[0] for scoped_key in values if scoped_key[1:] != (None, None, None)}
        keys_set = frozenset(scoped_key[0] for scoped_key in values)
        global_values = {key: value for key, value in UNIFORM.items() if key not in keys_set}
        global_values |= {scoped_key[0]: value for scoped_key, value in values.items() if scoped_key[0] not in particular}
        return cls(values, keys_set, global_values, digest(texts), tuple(refused), texts)

    def value(self, key: str, scope: Scope, *, emergency: bool = False, channel: str = "") -> Any:
        """Return the value in force for `scope`."""
        if key in self.global_values:
            return self.global_values[key]
        if key in self.keys_set:
            for scoped_key in scoped_keys(key, scope):
                if scoped_key in self.values:
                    return self.values[scoped_key]
        return default(key, scope.notification_type or "", channel, emergency)

    def set_for(self, key: str, scope: Scope) -> ScopedKey | None:
        """Return the key and scope at which the value in force was set, None if it is the default."""
        return next((scoped_key for scoped_key in scoped_keys(key, scope) if scoped_key in self.values), None)


@lru_cache(maxsize=4_096)
def default(key: str, notification_type: str, channel: str, emergency: bool) -> Any:  # noqa: FBT001  positional arguments make the cache cheaper
    """Return the default value for a notification type, channel and emergency."""
    if emergency and key in EMERGENCY:
        return EMERGENCY[key]
    special = SPECIAL.get((key, notification_type), CHANNELS.get((key, channel)))
    return DEFAULTS[key] if special is None else special


def scoped_keys(key: str, scope: Scope) -> tuple[ScopedKey, ...]:
    """Return the keys and scopes that apply to `scope`, most specific first."""
    subtype, kind, state = scope.event_subtype, scope.notification_type, scope.jurisdiction
    return (
        (key, subtype, kind, state),
        (key, subtype, kind, None),
        (key, subtype, None, state),
        (key, subtype, None, None),
        (key, None, kind, state),
        (key, None, kind, None),
        (key, None, None, state),
        (key, None, None, None),
    )


def digest(texts: Mapping[ScopedKey, str]) -> str:
    """Return a digest that is equal for equal settings, regardless of the order in which they were set."""
    if not texts:
        return "0"
    lines = sorted("\x1f".join((*(part or "" for part in scoped_key), text)) for scoped_key, text in texts.items())
    return blake2b("\n".join(lines).encode(), digest_size=4).hexdigest()
