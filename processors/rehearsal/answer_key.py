"""Compares a pipeline's output with a feed's answer key."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from processors.domain.journal import DeadLetter, Verdict, stage_order
from processors.domain.notification import Outbound

Notification = tuple[str, str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]
NOT_TOLD = frozenset({"suppressed", "flagged", "unmatched"})


def notifications_told(messages: Iterable[Outbound]) -> Counter[Notification]:
    """Count the notifications sent: registrant, kind, subtype, messages, offenders, channels."""
    notifications: dict[tuple[str, str], list[Outbound]] = {}
    for message in messages:
        notifications.setdefault((message.registrant_id, message.notification_id), []).append(message)
    return Counter(
        (
            registrant,
            first.kind,
            first.event.subtype if first.event else "",
            tuple(sorted(first.message_ids)),
            tuple(sorted(offender.name for offender in first.offenders or ())),
            tuple(sorted(channel for channel, _ in {(message.channel, message.to) for message in sent})),
        )
        for (registrant, _), sent in notifications.items()
        for first in sent[:1]
    )


def messages_held(journal: Iterable[Verdict]) -> dict[str, tuple[str, str, str]]:
    """Return stage, outcome and reason of the last decision on each message that nobody was told of."""
    last: dict[str, Verdict] = {}
    for verdict in sorted(journal, key=lambda each: stage_order(each.stage)):
        if verdict.ori is not None and verdict.outcome not in {"noted", "receipt", "rejected"}:
            last[verdict.message_id] = verdict
    return {message_id: (each.stage, each.outcome, each.reason) for message_id, each in last.items() if each.outcome in NOT_TOLD}


def notifications_expected(key: Mapping[str, Any]) -> Counter[Notification]:
    """Count the notifications that the key expects."""
    return Counter(
        (
            registrant,
            each["kind"],
            each["event_subtype"] or "",
            tuple(sorted(each["message_ids"])),
            tuple(sorted(each["offenders"])),
            tuple(sorted(each["channels"])),
        )
        for registrant, notifications in key["told"].items()
        for each in notifications
    )


def differences(key: Mapping[str, Any], outbound: Iterable[Outbound], journal: Iterable[Verdict], dead: Iterable[DeadLetter]) -> list[str]:
    """Return the differences between the output and the key, a sentence each."""
    want, got = notifications_expected(key), notifications_told(outbound)
    lines = [f"missing: {_sentence(each)}" for each in (want - got).elements()]
    lines += [f"too many: {_sentence(each)}" for each in (got - want).elements()]
    want_held = {each["message_id"]: (each["stage"], each["outcome"], each["reason"]) for each in key["held"]}
    got_held = messages_held(journal)
    for message_id in sorted(want_held.keys() | got_held.keys()):
        if want_held.get(message_id) != got_held.get(message_id):
            lines.append(f"{message_id}: held back as {got_held.get(message_id)}, not as {want_held.get(message_id)}")
    want_dead, got_dead = Counter(key["rejected"]), Counter(each.reason for each in dead)
    for reason in sorted((want_dead - got_dead) + (got_dead - want_dead)):
        lines.append(f"rejected as {reason}: {got_dead[reason]}, not {want_dead[reason]}")
    return lines


def _sentence(each: Notification) -> str:
    registrant, kind, subtype, messages, offenders, channels = each
    who, what = ", ".join(offenders) or "nobody", ", ".join(messages) or "no message"
    return f"{registrant} {kind} {subtype or '-'} by {', '.join(channels)} on {who} ({what})"
