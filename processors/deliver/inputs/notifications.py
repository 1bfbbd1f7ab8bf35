"""Gathers a notification with others of its event, and replaces earlier ones that were not sent yet."""

from collections.abc import Iterable

from msgspec.structs import replace

from processors.deliver import gathering
from processors.deliver.dispatch.attempts import end_contact
from processors.deliver.dispatch.deliveries import advance_delivery
from processors.deliver.due import drop_notices, review_of_pending
from processors.deliver.gathering import replaces
from processors.deliver.outcome import end_notice
from processors.deliver.situation import Situation, registrant_after
from processors.deliver.state import Delivery, Notice, Registrant, State
from processors.domain.notification import Notification
from processors.domain.time import iso
from processors.stage import Decision, combine


def receive_notification(
    registrant: Registrant, notification: Notification, deliveries: Iterable[Delivery], situation: Situation
) -> Decision[State]:
    """Add a notification to what waits, and remove what it replaces."""
    event = notification.event
    code = situation.rules.rule_set(event.jurisdiction, event.received_at).code(event.event_type, event.event_subtype)
    notice = gathering.notice_of(notification, emergency=code is not None and code.emergency)
    pending, gone, left = gathering.replace_unsent(registrant.pending, notice)
    replaced = supersede_pending(registrant, gone, notice, situation)
    if left is None:
        decision = drop_notices((notice,), "superseded", "what it takes back had not left yet", situation)
    else:
        window = situation.rules.duration("merge.window", left.scope, emergency=left.emergency)
        pending, joined = gathering.add_notice(pending, left, situation.at, window)
        waits = situation.notice_verdict(left, "gathered", joined.why, f"waits until {iso(joined.due_at)}")
        decision = Decision(verdicts=(waits,)) if joined.due_at > situation.at else Decision()
    after = replace(registrant, pending=pending)
    decision = combine((replaced, decision, Decision(states={registrant.registrant_id: after})))
    return decision if notice.telling == "news" else stop_replaced(decision, after, deliveries, notice, situation)


def supersede_pending(registrant: Registrant, gone: tuple[Notice, ...], by: Notice, situation: Situation) -> Decision[State]:
    """Write the verdicts on what was replaced before it was sent, and close reviews that became empty."""
    if not gone:
        return Decision()
    dropped = drop_notices(gone, "superseded", f"message {by.message_id} came before it left", situation)
    reviews = (
        review_of_pending(each, "superseded", f"message {by.message_id} replaced it", situation)
        for each in registrant.pending
        if each.review_id is not None and set(each.notices) <= set(gone)
    )
    return combine((dropped, *reviews))


def stop_replaced(
    decision: Decision[State], registrant: Registrant, deliveries: Iterable[Delivery], by: Notice, situation: Situation
) -> Decision[State]:
    """Stop delivering what a later message changes or cancels; the rest of each delivery continues."""
    for delivery in deliveries:
        gone = tuple(each for each in delivery.notices if replaces(each, by))
        if not gone:
            continue
        detail = f"message {by.message_id} came while it was being told; no further attempt is made"
        verdicts = [situation.notice_verdict(each, "noted", "superseded", detail) for each in gone]
        ended = combine(end_notice(each, "nobody", verdict) for each, verdict in zip(gone, verdicts, strict=True))
        decision = decision.then(ended if delivery.result is None else Decision(verdicts=tuple(verdicts)))
        left = replace(delivery, notices=tuple(each for each in delivery.notices if each not in gone))
        if not left.notices:
            left = replace(cancel_contacts(delivery), notices=(), result=delivery.result or "nobody")
        decision = decision.then(advance_delivery(registrant_after(decision, registrant), left, situation))
    return decision


def cancel_contacts(delivery: Delivery) -> Delivery:
    """Return the delivery with no contact under way."""
    for name in delivery.contacts:
        delivery = end_contact(delivery, name, "cancel")
    return delivery
