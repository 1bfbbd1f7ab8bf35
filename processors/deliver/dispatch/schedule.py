"""When an attempt ends, when the next one is made, and when a contact is given up (contract §5, §6)."""

from collections.abc import Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from processors.deliver.dispatch.ids import digest
from processors.deliver.moment import Moment
from processors.deliver.quiet import quiet_end_in_any, quiet_start
from processors.deliver.state import Attempt, ContactProgress, Content, Delivery
from processors.deliver.verification import VALID
from processors.domain.registration import Channel

# Answers to what a registrant has just said: within five minutes at any hour, later like everything else. That of an opt-out is
# not given later: one confirmation within five minutes is all that may be sent after it (47 CFR 64.1200(a)(12)).
ANSWERS: Final[frozenset[Content]] = frozenset({"opted_out", "opted_in", "help"})
AT_ONCE: Final = 5 * 60_000
JITTER: Final = 0.2  # of the delay, at most
RETRY: Final[Mapping[Channel, str]] = {"sms": "sms.retry", "email": "email.retry", "voice": "voice.retry"}


def is_answer(delivery: Delivery, moment: Moment) -> bool:
    """Whether the message answers what the registrant has just said."""
    return delivery.content in ANSWERS and moment.begins_at < delivery.created_at + AT_ONCE


def after_quiet_hours(delivery: Delivery, at: int, zones: Sequence[ZoneInfo], moment: Moment) -> int:
    """Return when an attempt that is due at `at` may be made."""
    return (
        at if delivery.emergency or is_answer(delivery, moment) else quiet_end_in_any(at, moment.rules.quiet_hours(delivery.scope), zones)
    )


def lease_end(delivery: Delivery, zones: Sequence[ZoneInfo], moment: Moment) -> int:
    """
    Return when an attempt made now expires: unless it is an emergency, before quiet hours begin.

    An answer expires after its five minutes, a verification code when it is no longer valid.
    """
    end = moment.begins_at + moment.rules.duration("attempt.lease", delivery.scope, emergency=delivery.emergency)
    if delivery.emergency:
        return end
    end = while_valid(end, delivery)
    if is_answer(delivery, moment):
        return min(end, delivery.created_at + AT_ONCE)
    if (hours := moment.rules.quiet_hours(delivery.scope)) is None:
        return end
    starts = (quiet_start(moment.begins_at, hours, zone) for zone in zones)
    return min([end, *(start for start in starts if start is not None)])


def receipt_deadline(delivery: Delivery, channel: Channel, moment: Moment) -> int:
    """Return until when an attempt accepted now may be without a final receipt."""
    return moment.at + moment.rules.duration("receipt.wait", delivery.scope, channel=channel)


def give_up_at(delivery: Delivery, progress: ContactProgress, moment: Moment) -> int:
    """Return the time from which no more attempts are made to a contact, counted from when its turn came."""
    if delivery.content == "opted_out":
        return delivery.created_at + AT_ONCE
    key = "voice.give_up" if progress.channel == "voice" and delivery.emergency else "delivery.give_up"
    begun = delivery.created_at if progress.since is None else progress.since
    return while_valid(begun + moment.rules.duration(key, delivery.scope), delivery)


def while_valid(at: int, delivery: Delivery) -> int:
    """Return the time, of a verification code at most until it is no longer valid."""
    return min(at, delivery.created_at + VALID) if delivery.content == "verification" else at


def retry_at(delivery: Delivery, attempt: Attempt, moment: Moment) -> int:
    """
    Return when the attempt after this one is due.

    Calls repeat every `voice.retry`, counted from the call. Retries of texts and emails double from `sms.retry` or
    `email.retry`, each with a jitter derived from its reference, so that what failed together is not retried together.
    """
    if attempt.channel == "voice":
        return max(attempt.sent_at + moment.rules.duration(RETRY["voice"], delivery.scope), moment.at)
    delay = moment.rules.duration(RETRY[attempt.channel], delivery.scope) << min(attempt.number - 1, 16)
    share = int(digest(4, attempt.reference), 16) / 0xFFFFFFFF
    return moment.at + delay + int(delay * JITTER * share)
