"""Every administrative setting (contract §6): its key, meaning and defaults, and what it can be set for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["duration", "flag", "rate", "hours", "word", "number"]
ScopeField = Literal["jurisdiction", "notification_type", "event_subtype"]

ALL_SCOPES: Final[tuple[ScopeField, ...]] = ("event_subtype", "notification_type", "jurisdiction")
HEARING: Final = "Hearing Notice"
SCOPE_NAMES: Final[Mapping[str, str]] = {
    "jurisdiction": "jurisdiction",
    "notification_type": "notification type",
    "event_subtype": "event subtype",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """
    One setting of contract §6.

    `default` is written as an administrator would write it. `special` are defaults that differ by notification type, `channels` by
    channel; `emergency` is the default for emergencies. `where` is what it can be set for (empty: only for everything at once).
    `shortest` and `longest` bound a duration or the time of a rate, `most` a number or the number of a rate. Where 0s is allowed it
    means at once, or not at all.
    """

    key: str
    kind: Kind
    default: str
    meaning: str
    where: tuple[ScopeField, ...] = ALL_SCOPES
    special: Mapping[str, str] = field(default_factory=dict)
    emergency: str | None = None
    words: tuple[str, ...] = ()
    channels: Mapping[str, str] = field(default_factory=dict)
    shortest: str = "0s"
    longest: str = "36500d"
    most: int = 1_000_000
    counted: str = ""  # what the number of a rate counts

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
            "How long an attempt may be handed over to a provider. An attempt that is not an emergency is not handed over in quiet hours.",
            emergency="2m",
            shortest="1s",
            longest="1d",
        ),
        Setting(
            "cancel.hold",
            "duration",
            "15m",
            "How long a Cancel waits for the same event to be sent again before registrants are told of the cancellation.",
            longest="30d",
        ),
        Setting(
            "contact.reverify",
            "duration",
            "365d",
            "How long after a contact was verified it is asked to verify itself again, since telephone numbers are reassigned.",
            where=(),
            shortest="1s",
        ),
        Setting(
            "date.future",
            "duration",
            "365d",
            "An action date further ahead than this is flagged for review. The message is released automatically once the date comes "
            "within range, unless a later message replaced or cancelled it.",
            special={HEARING: "60d"},
        ),
        Setting(
            "date.past",
            "duration",
            "24h",
            "An action date that was longer ago than this when the message was received notifies nobody.",
            special={HEARING: "0s"},
            longest="3650d",
        ),
        Setting(
            "delivery.give_up",
            "duration",
            "24h",
            "How long after the first attempt a message other than an emergency call is retried before the contact is given up.",
            shortest="1s",
            longest="30d",
        ),
        Setting(
            "delivery.order",
            "word",
            "all",
            "`all`: every verified contact of a registrant is told at once. `escalate`: the next contact only once the one "
            "before it has ended without success.",
            words=("all", "escalate"),
        ),
        Setting(
            "duplicate.window",
            "duration",
            "90d",
            "How long the same event is recognized and not told again.",
            shortest="1s",
            longest="3650d",
        ),
        Setting(
            "email.retry",
            "duration",
            "5m",
            "How long after a temporary failure an email is sent again; each time twice as long.",
            shortest="1s",
            longest="1d",
        ),
        Setting(
            "feed.silence",
            "duration",
            "24h",
            "An agency that has sent nothing for longer than this raises an alert.",
            where=("jurisdiction",),
            shortest="1s",
            longest="3650d",
        ),
        Setting("internal.forward", "flag", "false", "Whether Internal messages go to registrants."),
        Setting(
            "merge.window",
            "duration",
            "30s",
            "How long one registrant's notifications of the same agency event (agency, event subtype, action time) are gathered "
            "into one that names every offender; a hundred at most.",
            emergency="5s",
            longest="1d",
        ),
        Setting(
            "notify.within",
            "duration",
            "15m",
            "How soon after a message was received, holds apart, its first attempt should leave; later than that counts as late.",
            emergency="60s",
            shortest="1s",
            longest="30d",
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
            longest="30d",
        ),
        Setting(
            "quiet.hours",
            "hours",
            "21:00-07:00",
            "When notifications that are not emergencies wait, in the registrant's own time zone; `none` means never.",
        ),
        Setting(
            "receipt.wait",
            "duration",
            "15m",
            "How long an attempt that a provider accepted may stay without a final receipt. After that an email counts as "
            "reached, a text message as not reached, and a call is made again.",
            channels={"sms": "72h", "email": "24h"},
            shortest="1s",
            longest="30d",
        ),
        Setting(
            "response.hold",
            "duration",
            "0s",
            "How long every response to an agency is delayed, so that its time reveals less.",
            longest="30d",
        ),
        Setting("responses", "flag", "true", "Whether the agency gets Message Response events."),
        Setting(
            "retention.contacts",
            "duration",
            "30d",
            "How long after a registration ended every trace of its contact data is gone.",
            where=(),
            longest="3650d",
        ),
        Setting(
            "review.four_eyes",
            "number",
            "25",
            "A group of more reviews than this is released or discarded by two reviewers, not by one.",
            where=(),
            most=10_000,
        ),
        Setting(
            "sms.retry",
            "duration",
            "5m",
            "How long after a temporary failure a text message is sent again; each time twice as long.",
            shortest="1s",
            longest="1d",
        ),
        Setting(
            "surge.limit",
            "rate",
            "500/10m",
            "How many messages of one event subtype one agency may send within the time named (sliding, by receive time); each "
            "message beyond that is held for review. `none` turns it off.",
            shortest="1s",
            longest="30d",
            most=100_000,
            counted="messages",
        ),
        Setting(
            "transfer.hold",
            "duration",
            "8h",
            "How long a release to another facility waits for the intake of that facility, which is told in its place.",
            longest="30d",
        ),
        Setting(
            "verify.attempts",
            "rate",
            "5/1h",
            "How many wrong verification codes one registration may be given within the time named; after that, codes are refused for "
            "the same time again. `none` turns it off.",
            where=(),
            shortest="1s",
            longest="30d",
            most=100,
            counted="wrong codes",
        ),
        Setting(
            "voice.give_up",
            "duration",
            "24h",
            "How long an emergency call is repeated before it is given up.",
            shortest="1s",
            longest="30d",
        ),
        Setting(
            "voice.retry",
            "duration",
            "2h",
            "How long after an unconfirmed emergency call the next one is made.",
            shortest="1s",
            longest="1d",
        ),
    )
}
