"""When an attempt expires, when the next one is made, and when a contact is given up (contract §5, §6)."""

from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from processors.deliver.dispatch.ids import digest
from processors.deliver.quiet import quiet_end_in_any, quiet_start
from processors.deliver.situation import Situation
from processors.deliver.state import Attempt, ContactProgress, Content, Delivery
from processors.deliver.verification import VALID
from processors.domain.registration import Channel

# Replies to what a registrant has just written: sent at any hour within five minutes, later like everything else. After an opt-out,
# only one confirmation within five minutes may be sent (47 CFR 64.1200(a)(12)).
ANSWERS: Final[frozenset[Content]] = frozenset({"opted_out", "opted_in", "help"})
AT_ONCE: Final = 5 * 60_000
JITTER: Final = 0.2  # of the delay, at most
RETRY: Final[Mapping[Channel, str]] = {"sms": "sms.retry", "email": "email.retry", "voice": "voice.retry"}


def is_answer(delivery: Delivery, situation: Situation) -> bool:
    """Whether the message is a reply to what the registrant has just written."""
    return delivery.content in ANSWERS and situation.begins_at < delivery.created_at + AT_ONCE


def after_quiet_hours(delivery: Delivery, at: int, zones: Sequence[ZoneInfo], situation: Situation) -> int:
    """Return when an attempt that is due at `at` may be made."""
    return (
        at
        if delivery.emergency or is_answer(delivery, situation)
        else quiet_end_in_any(at, situation.rules.quiet_hours(delivery.scope), zones)
    )


def lease_end(delivery: Delivery, zones: Sequence[ZoneInfo], situation: Situation) -> int:
    """
    Return when an attempt made now expires: before quiet hours begin, unless it is an emergency.

    A reply expires after its five minutes, a verification code when it is no longer valid.
    """
    end = situation.begins_at + situation.rules.duration("attempt.lease", delivery.scope, emergency=delivery.emergency)
    if delivery.emergency:
        return end
    end = while_valid(end, delivery)
    if is_answer(delivery, situation):
        return min(end, delivery.created_at + AT_ONCE)
    if (hours := situation.rules.quiet_hours(delivery.scope)) is None:
        return end
    starts = (quiet_start(situation.begins_at, hours, zone) for zone in zones)
    return min([end, *(start for start in starts if start is not None)])


def receipt_deadline(delivery: Delivery, channel: Channel, situation: Situation) -> int:
    """Return until when an attempt that is accepted now waits for a final receipt."""
    return situation.at + situation.rules.duration("receipt.wait", delivery.scope, channel=channel)


def give_up_at(delivery: Delivery, progress: ContactProgress, situation: Situation) -> int:
    """Return the time from which no more attempts are made to a contact, counted from when its turn came."""
    if delivery.content == "opted_out":
        return delivery.created_at + AT_ONCE
    key = "voice.give_up" if progress.channel == "voice" and delivery.emergency else "delivery.give_up"
    begun = delivery.created_at if progress.since is None else progress.since
    return while_valid(begun + situation.rules.duration(key, delivery.scope), delivery)


def while_valid(at: int, delivery: Delivery) -> int:
    """Return `at`; for a verification code at most the time at which it is no longer valid."""
    return min(at, delivery.created_at + VALID) if delivery.content == "verification" else at


def retry_at(delivery: Delivery, attempt: Attempt, situation: Situation) -> int:
    """
    Return when the attempt after this one is due.

    Calls repeat every `voice.retry`, counted from the call. For texts and emails the delay starts at `sms.retry` or `email.retry` and
    doubles, with a jitter derived from the reference, so that messages that failed together are not retried together.
    """
    if attempt.channel == "voice":
        return max(attempt.sent_at + situation.rules.duration(RETRY["voice"], delivery.scope), situation.at)
    delay = situation.rules.duration(RETRY[attempt.channel], delivery.scope) << min(attempt.number - 1, 16)
    share = int(digest(4, attempt.reference), 16) / 0xFFFFFFFF
    return situation.at + delay + int(delay * JITTER * share)
