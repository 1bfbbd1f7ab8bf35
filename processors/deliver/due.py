"""Decides on what is due: sent now, held until the end of quiet hours, flagged for review, or dropped."""

from collections.abc import Iterable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from processors.deliver.contacts import Destination, destinations, usable_contacts
from processors.deliver.dispatch.deliveries import advance_delivery
from processors.deliver.dispatch.ids import notification_id
from processors.deliver.dispatch.timing import with_timing
from processors.deliver.outcome import end_notice
from processors.deliver.quiet import quiet_end_in_any
from processors.deliver.situation import MESSAGE_ONLY, STAGE_NAME, Situation, VerdictSubject, registrant_after
from processors.deliver.state import Delivery, Notice, Pending, Registrant, Result, State
from processors.deliver.wording.templates import Message, message_for
from processors.domain.registration import Channel
from processors.domain.review import Review, ReviewAction, ReviewState, sealed_subject
from processors.domain.review import review_id as name_review
from processors.domain.time import iso
from processors.stage import Decision, Output, combine
from processors.topics import REVIEWS

Messages = Mapping[tuple[str, Channel], Message]  # by language and channel

DETAILS: Final[Mapping[str, str]] = {
    "unknown_registration": "a registration it is for was not seen within out_of_order.hold, and no other is in force",
    "no_text": "the rules have no text for this event subtype",
}


class DueDecision(Struct, frozen=True, gc=False):
    """The decision on a gathering that was due, and what of it still waits."""

    decision: Decision[State]
    left: tuple[Pending, ...] = ()


def send_due(registrant: Registrant, situation: Situation) -> Decision[State]:
    """Decide on everything that is due."""
    if True not in [pending.due_at <= situation.at for pending in registrant.pending]:
        return Decision()
    decisions: list[Decision[State]] = []
    left: list[Pending] = []
    current = registrant
    for pending in registrant.pending:
        if pending.due_at > situation.at:
            left.append(pending)
            continue
        released = send_pending(pending, current, situation)
        decisions.append(released.decision)
        left += released.left
        current = registrant_after(released.decision, current)
    return combine((*decisions, Decision(states={registrant.registrant_id: replace(current, pending=tuple(left))})))


def send_pending(due: Pending, registrant: Registrant, situation: Situation) -> DueDecision:
    """Send what can be sent now; registrations are checked once more immediately before."""
    wanted, unseen, ended = split_by_registration(due, registrant, situation)
    if due.review_id is None and not unseen and not ended:
        return send_or_wait(due, registrant, situation)
    dropped = drop_notices(ended, "registration_ended", "every registration it was for ended before it left", situation)
    if due.review_id is not None and not unseen:
        if wanted and lacks_text(wanted, registrant, situation):
            return DueDecision(dropped, (replace(due, notices=wanted, due_at=next_text_check(wanted[0], situation)),))
        closed = "what it lacked came, or its registration ended, after it was flagged"
        dropped = dropped.then(review_of_pending(due, "superseded", closed, situation))
    sent = send_or_wait(replace(due, notices=wanted, review_id=None), registrant, situation) if wanted else DueDecision(Decision())
    held = await_registration(due, unseen, situation) if unseen else DueDecision(Decision())
    return DueDecision(combine((dropped, sent.decision, held.decision)), (*sent.left, *held.left))


def split_by_registration(
    due: Pending, registrant: Registrant, situation: Situation
) -> tuple[tuple[Notice, ...], tuple[Notice, ...], tuple[Notice, ...]]:
    """Return the notices with a registration in force, those with one not seen yet, and those whose registrations all ended."""
    wanted, unseen, ended = [], [], []
    for notice in due.notices:
        registrations = [registrant.registrations.get(each) for each in notice.registration_ids]
        if True in [each is not None and each.in_force(situation.at) for each in registrations]:
            wanted.append(notice)
        elif None in registrations:
            unseen.append(notice)
        else:
            ended.append(notice)
    return tuple(wanted), tuple(unseen), tuple(ended)


def await_registration(due: Pending, unseen: tuple[Notice, ...], situation: Situation) -> DueDecision:
    """Hold notices whose registration has not been seen for `out_of_order.hold`, then flag them, and finally give them up."""
    first, rules = unseen[0], situation.rules
    until = due.since + rules.duration("out_of_order.hold", first.scope)
    end = until + rules.duration("delivery.give_up", first.scope)
    held = replace(due, notices=unseen)
    if situation.at < until:
        detail = f"its registration has not been seen; waits until {iso(until)}"
        waiting = tuple(situation.notice_verdict(notice, "waiting", "out_of_order_hold", detail) for notice in unseen)
        return DueDecision(Decision(verdicts=waiting), (replace(held, due_at=until, why="out_of_order_hold"),))
    if situation.at >= end:
        detail = "its registration was not seen before delivery.give_up"
        dropped = drop_notices(unseen, "unknown_registration", detail, situation, result="failed")
        return DueDecision(dropped.then(review_of_pending(held, "discarded", detail, situation)))
    if due.review_id is not None:
        return DueDecision(Decision(), (replace(held, due_at=end),))
    return flag_pending(replace(held, due_at=end), "unknown_registration", situation)


def send_or_wait(due: Pending, registrant: Registrant, situation: Situation) -> DueDecision:
    """Send one message to every contact, unless it must wait for the end of quiet hours."""
    first, rules = due.notices[0], situation.rules
    if not due.emergency:
        until = quiet_end_in_any(situation.begins_at, rules.quiet_hours(first.scope), zones_of(due, registrant, situation))
        if until > situation.begins_at:
            gathered = tuple(
                situation.notice_verdict(notice, "gathered", "quiet_hours", f"waits until {iso(until)}") for notice in due.notices
            )
            return DueDecision(Decision(verdicts=gathered), (replace(due, due_at=until, why="quiet_hours"),))
    to = usable_contacts(registrant, situation)
    if not to:
        return DueDecision(drop_notices(due.notices, *why_nobody_left(registrant, situation), situation))
    messages = messages_for(due.notices, to.values(), situation)
    if messages is None:
        return flag_pending(replace(due, due_at=next_text_check(first, situation)), "no_text", situation)
    written = {name: replace(each, message=messages[each.language, each.channel]) for name, each in to.items()}
    return DueDecision(with_timing(advance_delivery(registrant, delivery_of(due, situation), situation, written), due, situation))


def delivery_of(due: Pending, situation: Situation) -> Delivery:
    """Return a new delivery of a gathering."""
    return Delivery(
        attempts={},
        forget_at=situation.at,
        notification_id=notification_id(situation.registrant_id, due.notices),
        notices=due.notices,
        created_at=situation.begins_at,
        emergency=due.emergency,
        ori=due.notices[0].ori,
        traces={each.message_id: each.trace for each in due.notices if each.trace is not None},
    )


def why_nobody_left(registrant: Registrant, situation: Situation) -> tuple[str, str]:
    """Return why no contact can be told: reason code and sentence."""
    silent = any(
        each.name in registrant.contacts and registrant.contacts[each.name].silent
        for each in destinations(registrant.in_force(situation.at), situation)
    )
    if silent:
        return "opted_out", "every contact that could be told has opted out"
    return "no_verified_contact", "no registration in force has a verified contact"


def drop_notices(  # noqa: PLR0913  a verdict's own fields
    notices: Iterable[Notice],
    reason: str,
    detail: str,
    situation: Situation,
    *,
    result: Result = "nobody",
    about: VerdictSubject = MESSAGE_ONLY,
) -> Decision[State]:
    """End notices that are not sent; each one counts for the response to its agency."""
    return combine(end_notice(notice, result, situation.notice_verdict(notice, "dropped", reason, detail, about)) for notice in notices)


def messages_for(notices: tuple[Notice, ...], to: Iterable[Destination], situation: Situation) -> Messages | None:
    """Return the message for each language and channel; None if one of them has no text, since no generic text is sent instead."""
    found: dict[tuple[str, Channel], Message] = {}
    for destination in to:
        key = (destination.language, destination.channel)
        if key not in found:
            message = message_for(notices, situation.rules, situation.begins_at, *key)
            if message is None:
                return None
            found[key] = message
    return found


def lacks_text(notices: tuple[Notice, ...], registrant: Registrant, situation: Situation) -> bool:
    """Whether the rules lack a text for some contact."""
    return messages_for(notices, destinations(registrant.in_force(situation.at), situation), situation) is None


def next_text_check(first: Notice, situation: Situation) -> int:
    """Return when to check again for a missing text, unless a reviewer decides before."""
    return situation.at + situation.rules.duration("delivery.give_up", first.scope)


def zones_of(due: Pending, registrant: Registrant, situation: Situation) -> tuple[ZoneInfo, ...]:
    """Return the time zones in which the registrant may be, by the latest of the registrations concerned."""
    named = {each for notice in due.notices for each in notice.registration_ids}
    latest = max((each for each in registrant.in_force(situation.at) if each.registration_id in named), key=lambda each: each.seq)
    return latest.zones


def reevaluate_due_times(registrant: Registrant, situation: Situation) -> Registrant:
    """Return the registrant with the due times of what waits for quiet hours or a text recomputed under the current settings."""
    pending = tuple(replace(each, due_at=due_now(each, registrant, situation)) for each in registrant.pending)
    return replace(registrant, pending=pending)


def due_now(pending: Pending, registrant: Registrant, situation: Situation) -> int:
    """Return when a gathering is due under the current settings."""
    if pending.why == "quiet_hours":
        hours = situation.rules.quiet_hours(pending.notices[0].scope)
        return quiet_end_in_any(situation.at, hours, zones_of(pending, registrant, situation))
    return situation.at if pending.why == "no_text" and not lacks_text(pending.notices, registrant, situation) else pending.due_at


def flag_pending(due: Pending, reason: str, situation: Situation) -> DueDecision:
    """Flag a gathering for review."""
    first, detail = due.notices[0], DETAILS[reason]
    review_id = name_review(STAGE_NAME, sealed_subject(situation.registrant_id, situation.seal), first.message_id, str(first.part), reason)
    flagged = replace(due, review_id=review_id, why=reason)
    verdicts = tuple(situation.notice_verdict(notice, "flagged", reason, detail, VerdictSubject(review_id)) for notice in due.notices)
    return DueDecision(review_of_pending(flagged, "open", detail, situation).then(Decision(verdicts=verdicts)), (flagged,))


def review_of_pending(
    due: Pending, state: ReviewState, detail: str, situation: Situation, action: ReviewAction | None = None
) -> Decision[State]:
    """Return the review record of a gathering, if it is in review."""
    if due.review_id is None:
        return Decision()
    first = due.notices[0]
    record = Review(
        review_id=due.review_id,
        message_id=first.message_id,
        ori=first.ori,
        stage=STAGE_NAME,
        offender=first.offender,
        state=state,
        reason=due.why,
        detail=detail,
        since=situation.at,
        jurisdiction=first.jurisdiction,
        event_type=first.event_type,
        event_subtype=first.event_subtype,
        reviewer=None if action is None else action.reviewer,
        comment=None if action is None else action.reason,
    )
    return Decision(outputs=(Output(REVIEWS, due.review_id, record),))
