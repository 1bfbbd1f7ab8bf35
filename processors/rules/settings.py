"""
The administrative settings (contract §6): keys, meanings, defaults, lookup.

A value that was set takes precedence over every default. Among set values the most specific wins, by subtype, then
notification type, then jurisdiction: a value for a subtype in one jurisdiction beats one for the subtype alone, which
beats any without a subtype.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, Literal, Protocol

from processors.domain.event import Scope
from processors.domain.policy import Policy

Kind = Literal["duration", "flag", "surge", "hours", "word", "number"]
Where = Literal["jurisdiction", "notification_type", "event_subtype"]

ALL_SCOPES: Final[tuple[Where, ...]] = ("event_subtype", "notification_type", "jurisdiction")
HEARING: Final = "Hearing Notice"
UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST: Final = 36_500 * UNITS["d"]


class BadSetting(ValueError):
    """The setting cannot be used; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Surge:
    """At most `limit` within `window` milliseconds."""

    limit: int
    window: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Start and end in minutes since midnight; only emergencies are sent between them."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Setting:
    """
    One setting of contract §6.

    `default` is as an administrator would write it, `special` the defaults that differ by notification type, `channels` those
    by channel, `emergency` the one for emergencies; `where` is what it can be set for (empty: only everywhere at once).
    """

    key: str
    kind: Kind
    default: str
    meaning: str
    where: tuple[Where, ...] = ALL_SCOPES
    special: Mapping[str, str] = field(default_factory=dict)
    emergency: str | None = None
    words: tuple[str, ...] = ()
    channels: Mapping[str, str] = field(default_factory=dict)

    @property
    def default_text(self) -> str:
        """The defaults in words: "60d (Hearing Notice), 365d otherwise"."""
        differing = [f"{text} ({name})" for name, text in (*self.special.items(), *self.channels.items())]
        if self.emergency is not None:
            differing.append(f"{self.emergency} (emergencies)")
        return ", ".join((*differing, f"{self.default} otherwise")) if differing else self.default


SETTINGS: Final[Mapping[str, Setting]] = {
    setting.key: setting
    for setting in (
        Setting(
            "attempt.lease",
            "duration",
            "15m",
            "How long an attempt may be handed over to a provider. What is no emergency is never handed over in quiet hours.",
            emergency="2m",
        ),
        Setting(
            "cancel.hold",
            "duration",
            "15m",
            "How long a Cancel waits for the same event to be sent again before registrants are told of the cancellation.",
        ),
        Setting(
            "contact.reverify",
            "duration",
            "365d",
            "How long after a contact was verified it is asked to verify itself again, since numbers are given to others.",
            where=(),
        ),
        Setting(
            "date.future",
            "duration",
            "365d",
            "An action date further ahead than this is flagged for review. The message is let go by itself once the date comes "
            "within range, unless a later message replaced or cancelled it.",
            special={HEARING: "60d"},
        ),
        Setting(
            "date.past",
            "duration",
            "24h",
            "An action date that was longer ago than this when the message was received notifies nobody.",
            special={HEARING: "0s"},
        ),
        Setting(
            "delivery.give_up",
            "duration",
            "24h",
            "How long after the first attempt a message that is no emergency call is tried again before that contact is given up.",
        ),
        Setting(
            "delivery.order",
            "word",
            "all",
            "`all`: every verified contact of a registrant is told at once. `escalate`: the next contact only once the one "
            "before it has ended without success.",
            words=("all", "escalate"),
        ),
        Setting("duplicate.window", "duration", "90d", "How long the same event is recognised and not told again."),
        Setting("email.retry", "duration", "5m", "How long after a temporary failure an email is sent again; each time twice as long."),
        Setting(
            "feed.silence",
            "duration",
            "24h",
            "An agency that has sent nothing for longer than this raises an alert.",
            where=("jurisdiction",),
        ),
        Setting("internal.forward", "flag", "false", "Whether Internal messages go to registrants."),
        Setting(
            "merge.window",
            "duration",
            "30s",
            "How long one registrant's notifications of the same agency event (agency, event subtype, action time) are gathered "
            "into one that names every offender.",
            emergency="5s",
        ),
        Setting(
            "notify.within",
            "duration",
            "15m",
            "How soon after a message was received, holds apart, its first attempt should leave; later than that counts as late.",
            emergency="60s",
        ),
        Setting(
            "opt_out.scope",
            "word",
            "channel",
            "What falls silent when somebody opts out: `channel`, that address on that channel; `phone`, text messages and calls "
            "to that number.",
            where=(),
            words=("channel", "phone"),
        ),
        Setting(
            "out_of_order.hold",
            "duration",
            "15m",
            "How long an event waits for the earlier event that it needs before it is flagged for review.",
        ),
        Setting(
            "quiet.hours",
            "hours",
            "21:00-07:00",
            "When notifications that are no emergency wait, in the registrant's own time zone; `none` means never.",
        ),
        Setting(
            "receipt.wait",
            "duration",
            "15m",
            "How long an attempt that a provider accepted may stay without a final receipt. After that an email counts as "
            "reached, a text message as not reached, and a call is made again.",
            channels={"sms": "72h", "email": "24h"},
        ),
        Setting(
            "response.hold",
            "duration",
            "0s",
            "How much later every response to an agency leaves, so that its time says less.",
        ),
        Setting("responses", "flag", "true", "Whether the agency gets Message Response events."),
        Setting(
            "retention.contacts",
            "duration",
            "30d",
            "How long after a registration ended every trace of its contact data is gone.",
            where=(),
        ),
        Setting(
            "review.four_eyes",
            "number",
            "25",
            "A group of more reviews than this is released or discarded by two reviewers, not by one.",
            where=(),
        ),
        Setting("sms.retry", "duration", "5m", "How long after a temporary failure a text message is sent again; each time twice as long."),
        Setting(
            "surge.limit",
            "surge",
            "500/10m",
            "How many messages of one event subtype one agency may send within the time named (sliding, by receive time); each "
            "message beyond that is held for review. `none` turns it off.",
        ),
        Setting(
            "transfer.hold",
            "duration",
            "8h",
            "How long a release to another facility waits for the intake of that facility, which is told in its place.",
        ),
        Setting(
            "verify.attempts",
            "surge",
            "5/1h",
            "How many wrong verification codes one registration may be given within the time named; then no code is taken for as "
            "long again. `none` turns it off.",
            where=(),
        ),
        Setting("voice.give_up", "duration", "24h", "How long an emergency call is repeated before it is given up."),
        Setting("voice.retry", "duration", "2h", "How long after an unconfirmed emergency call the next one is made."),
    )
}


def duration(key: str, text: str) -> int:
    """Return the milliseconds of a duration ("30s", "15m", "8h", "60d")."""
    found = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if found is None:
        raise BadSetting(f"{key} cannot be {text!r}: write a whole number and s, m, h or d, such as 30s, 15m, 8h or 60d.")
    if (length := int(found[1]) * UNITS[found[2]]) > LONGEST:
        raise BadSetting(f"{key} cannot be {text!r}: the longest is {LONGEST // UNITS['d']}d.")
    return length


def flag(key: str, text: str) -> bool:
    """Return the boolean that `text` stands for."""
    if text not in {"true", "false"}:
        raise BadSetting(f"{key} cannot be {text!r}: write true or false.")
    return text == "true"


def surge(key: str, text: str) -> Surge | None:
    """Return the limit that `text` names ("500/10m"), None for "none"."""
    if text == "none":
        return None
    limit, slash, window = text.partition("/")
    if not slash or not re.fullmatch(r"[1-9][0-9]{0,8}", limit):
        raise BadSetting(f"{key} cannot be {text!r}: write messages and time, such as 500/10m, or none.")
    if not (length := duration(key, window)):
        raise BadSetting(f"{key} cannot be {text!r}: the time must be longer than nothing, such as 500/10m.")
    return Surge(int(limit), length)


def hours(key: str, text: str) -> QuietHours | None:
    """Return the hours that `text` names ("21:00-07:00"), None for "none"."""
    if text == "none":
        return None
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", text)
    if found is None:
        raise BadSetting(f"{key} cannot be {text!r}: write two times of day, such as 21:00-07:00, or none.")
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if start == end:
        raise BadSetting(f"{key} cannot be {text!r}: the two times must differ; write none for no quiet hours.")
    return QuietHours(start, end)


def word(key: str, text: str) -> str:
    """Return `text` if it is one of the setting's words."""
    if text not in SETTINGS[key].words:
        raise BadSetting(f"{key} cannot be {text!r}: write {' or '.join(SETTINGS[key].words)}.")
    return text


def number(key: str, text: str) -> int:
    """Return the whole number that `text` names."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise BadSetting(f"{key} cannot be {text!r}: write a whole number of at least 1, such as 25.")
    return int(text)


PARSERS: Final = {"duration": duration, "flag": flag, "surge": surge, "hours": hours, "word": word, "number": number}


def parse(key: str, text: str) -> Any:
    """Return the parsed value of a setting; raises BadSetting."""
    if (setting := SETTINGS.get(key)) is None:
        raise BadSetting(f"there is no setting {key!r}: the settings are {', '.join(sorted(SETTINGS))}.")
    return PARSERS[setting.kind](key, text)


def parse_policy(policy: Policy) -> Any:
    """Return the parsed value of a policy; raises BadSetting if key, value or scope cannot be used."""
    value = parse(policy.key, policy.value)
    allowed = SETTINGS[policy.key].where
    for name in ALL_SCOPES:
        if getattr(policy, name) is not None and name not in allowed:
            can = f"only for each {' and '.join(SCOPE_NAMES[each] for each in allowed)}" if allowed else "only for everything at once"
            raise BadSetting(f"{policy.key} cannot be set for one {SCOPE_NAMES[name]}: it can be set {can}.")
    if policy.jurisdiction is not None and not re.fullmatch(r"[A-Z]{2}", policy.jurisdiction):
        raise BadSetting(f"{policy.jurisdiction!r} is no jurisdiction: write the two capital letters of a state, such as VA.")
    return value


def check_setting(key: str, text: str, scope: Scope, known: "Known") -> None:
    """Raise BadSetting if `text` cannot be set for `scope`; `known` has the codes that rules know."""
    parse_policy(Policy(key=key, value=text, **{name: getattr(scope, name) for name in ALL_SCOPES}))
    if scope.jurisdiction is not None and scope.jurisdiction not in known.jurisdictions:
        raise BadSetting(f"no rule file is for {scope.jurisdiction!r}: write one of {', '.join(sorted(known.jurisdictions))}.")
    for name, codes in (("notification_type", known.notification_types), ("event_subtype", known.subtypes)):
        given = getattr(scope, name)
        if given is not None and given not in codes:
            like = get_close_matches(given, codes, 1) or sorted(codes)[:1]
            raise BadSetting(f"no rule file knows the {SCOPE_NAMES[name]} {given!r}: write it as the code lists do, such as {like[0]!r}.")


class Known(Protocol):
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


SCOPE_NAMES: Final[Mapping[str, str]] = {
    "jurisdiction": "jurisdiction",
    "notification_type": "notification type",
    "event_subtype": "event subtype",
}

Place = tuple[str, str | None, str | None, str | None]  # key, event subtype, notification type, jurisdiction

DEFAULTS: Final = {key: parse(key, setting.default) for key, setting in SETTINGS.items()}
SPECIAL: Final = {(key, name): parse(key, text) for key, setting in SETTINGS.items() for name, text in setting.special.items()}
CHANNELS: Final = {(key, name): parse(key, text) for key, setting in SETTINGS.items() for name, text in setting.channels.items()}
EMERGENCY: Final = {key: parse(key, setting.emergency) for key, setting in SETTINGS.items() if setting.emergency is not None}


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The settings in force. `refused` has a sentence for each policy that cannot be used and was left out.

    Values are parsed once: `values` by key and scope, `keys_set` the keys with any value, `global_values` the values of keys
    that were set without any scope only, `texts` the values as the administrator wrote them.
    """

    values: Mapping[Place, Any] = field(default_factory=dict)
    keys_set: frozenset[str] = frozenset()
    global_values: Mapping[str, Any] = field(default_factory=dict)
    version: str = "0"
    refused: tuple[str, ...] = ()
    texts: Mapping[Place, str] = field(default_factory=dict)

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> "Settings":
        """Return the settings of these policies; of two for the same scope the later one counts."""
        values: dict[Place, Any] = {}
        texts: dict[Place, str] = {}
        refused = []
        for policy in policies:
            place = (policy.key, policy.event_subtype, policy.notification_type, policy.jurisdiction)
            try:
                values[place] = parse_policy(policy)
            except BadSetting as sentence:
                refused.append(str(sentence))
                continue
            texts[place] = policy.value
        particular = {place[0] for place in values if place[1:] != (None, None, None)}
        global_values = {place[0]: value for place, value in values.items() if place[0] not in particular}
        return cls(values, frozenset(place[0] for place in values), global_values, digest(texts), tuple(refused), texts)

    def value(self, key: str, scope: Scope, *, emergency: bool = False, channel: str = "") -> Any:
        """Return the value in force for `scope`."""
        if key in self.global_values:
            return self.global_values[key]
        if key in self.keys_set:
            for place in places(key, scope):
                if place in self.values:
                    return self.values[place]
        return default(key, scope.notification_type or "", emergency=emergency, channel=channel)

    def set_for(self, key: str, scope: Scope) -> Place | None:
        """Return the key and scope at which the value in force was set, None if it is the default."""
        return next((place for place in places(key, scope) if place in self.values), None)


@lru_cache(maxsize=4_096)
def default(key: str, notification_type: str, *, emergency: bool, channel: str) -> Any:
    """Return the value that holds where an administrator set none."""
    if emergency and key in EMERGENCY:
        return EMERGENCY[key]
    special = SPECIAL.get((key, notification_type), CHANNELS.get((key, channel)))
    return DEFAULTS[key] if special is None else special


def places(key: str, scope: Scope) -> tuple[Place, ...]:
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


def digest(texts: Mapping[Place, str]) -> str:
    """Return a digest that is equal for equal settings, in whatever order they were set."""
    if not texts:
        return "0"
    lines = sorted("\x1f".join((*(part or "" for part in place), text)) for place, text in texts.items())
    return blake2b("\n".join(lines).encode(), digest_size=4).hexdigest()
