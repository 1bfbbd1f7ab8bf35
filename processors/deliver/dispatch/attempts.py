"""Attempts: their outbound records, and the effect of events on an attempt and its contact."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from processors.deliver.contacts import Destination
from processors.deliver.dispatch.headers import headers_of
from processors.deliver.dispatch.ids import reference
from processors.deliver.dispatch.schedule import give_up_at, lease_end, receipt_deadline, retry_at
from processors.deliver.lifecycle import (
    ATTEMPT_TRANSITIONS,
    CONTACT_TRANSITIONS,
    OUTCOMES,
    AttemptEvent,
    ContactEvent,
    MessageKind,
    next_state,
)
from processors.deliver.situation import Situation, VerdictSubject
from processors.deliver.state import Attempt, ContactProgress, Delivery, Notice
from processors.deliver.wording.clean import clean
from processors.deliver.wording.facts import full_name, number_of
from processors.deliver.wording.templates import Message
from processors.domain.notification import Outbound, OutboundAgency, OutboundEvent, OutboundKind, OutboundOffender
from processors.domain.registration import CANARY
from processors.stage import Output
from processors.topics import DAY, OUTBOUND, OUTBOUND_CANARY

RECEIPTS_AFTER = 30 * DAY  # how long after an attempt expired its receipts are accepted


class NewAttempt(Struct, frozen=True, gc=False):
    """A new attempt: the delivery that includes it, and its outbound record."""

    delivery: Delivery
    outbound: Outbound
    source: str

    @property
    def output(self) -> Output:
        topic = OUTBOUND_CANARY if self.source == CANARY else OUTBOUND[self.outbound.channel]
        return Output(topic, self.outbound.registrant_id, self.outbound, headers=headers_of(self.outbound, self.delivery.traces))

    @property
    def about(self) -> VerdictSubject:
        """Return what a verdict on the attempt refers to."""
        outbound = self.outbound
        return VerdictSubject(
            notification_id=outbound.notification_id, reference=outbound.reference, channel=outbound.channel, status="sent"
        )


def make_attempt(delivery: Delivery, to: Destination, message: Message, zones: Sequence[ZoneInfo], situation: Situation) -> NewAttempt:
    """Return the next attempt to reach a contact."""
    progress = delivery.contacts[to.name]
    number = progress.attempts + 1
    first = delivery.notices[0] if delivery.notices else None
    message_ids = delivery.message_ids
    outbound = Outbound(
        reference=reference(situation.registrant_id, delivery.notification_id, to.name, number),
        notification_id=delivery.notification_id,
        attempt=number,
        registrant_id=situation.registrant_id,
        kind=kind_of(delivery),
        channel=to.channel,
        to=to.contact.address,
        language=message.language,
        subject=message.subject,
        body=message.body,
        emergency=delivery.emergency,
        event=None if first is None else OutboundEvent(first.event_type, first.event_subtype, first.action_at),
        offenders=None if first is None else offenders_of(delivery.notices),
        agency=None if first is None else OutboundAgency(clean(first.agency or ""), first.ori),
        message_ids=message_ids if delivery.notices else (),
        created_at=situation.begins_at,
        not_before=None,
        expires_at=lease_end(delivery, zones, situation),
        confirm=delivery.emergency and to.channel == "voice" and to.pin is not None,
    )
    attempt = Attempt(
        reference=outbound.reference,
        notification_id=outbound.notification_id,
        channel=outbound.channel,
        message_ids=message_ids,
        sent_at=situation.begins_at,
        expires_at=outbound.expires_at,
        contact=to.name,
        number=number,
        confirm=outbound.confirm,
    )
    trying = replace(
        progress,
        state=next_state(CONTACT_TRANSITIONS, progress.state, "attempt") or progress.state,
        next_at=attempt.expires_at,
        attempts=number,
        reference=attempt.reference,
    )
    after = replace(
        delivery,
        attempts={**delivery.attempts, attempt.reference: attempt},
        contacts={**delivery.contacts, to.name: trying},
        forget_at=max(delivery.forget_at, attempt.expires_at + RECEIPTS_AFTER),
    )
    return NewAttempt(after, outbound, to.registration.source)


def kind_of(delivery: Delivery) -> OutboundKind:
    """Return the `kind` of the outbound record."""
    if delivery.content == "news":
        return "notification" if delivery.notices[0].telling == "news" else "correction"
    return "verification" if delivery.content == "verification" else "confirmation"


def settle_attempt(delivery: Delivery, attempt: Attempt, event: AttemptEvent, situation: Situation) -> Delivery | None:
    """Return the delivery after an event of one of its attempts; None if the event changes nothing."""
    status = next_state(ATTEMPT_TRANSITIONS, attempt.status, event)
    if status is None:
        return None
    settled = replace(attempt, status=status, status_at=situation.at)
    after = replace(delivery, attempts={**delivery.attempts, attempt.reference: settled})
    outcome = OUTCOMES[message_kind(delivery, attempt)][status]
    return settle_contact(after, settled, outcome, situation)


def message_kind(delivery: Delivery, attempt: Attempt) -> MessageKind:
    """Return the row of OUTCOMES that applies to an attempt."""
    if attempt.channel == "sms":
        return "text"
    if attempt.channel == "email":
        return "email_in_doubt" if attempt.in_doubt else "email"
    if attempt.confirm:
        return "pin_call"
    return "emergency_call" if delivery.emergency else "call"


def settle_contact(delivery: Delivery, attempt: Attempt, event: ContactEvent, situation: Situation) -> Delivery:
    """
    Return the delivery with the attempt's contact after an event.

    For an earlier attempt, only an event that ends the contact counts; that the attempt failed is known already.
    """
    progress = delivery.contacts.get(attempt.contact)
    if progress is None or (event in {"accepted", "again", "silence"} and attempt.reference != progress.reference):
        return delivery
    state = next_state(CONTACT_TRANSITIONS, progress.state, event)
    if state is None:
        return delivery
    next_at: int | None = None
    if state == "trying":
        next_at = receipt_deadline(delivery, attempt.channel, situation)
    elif state == "due":
        next_at = retry_at(delivery, attempt, situation)
        if next_at >= give_up_at(delivery, progress, situation):
            state, next_at = next_state(CONTACT_TRANSITIONS, state, "give_up") or state, None
    return with_progress(delivery, attempt.contact, replace(progress, state=state, next_at=next_at))


def end_contact(delivery: Delivery, name: str, event: ContactEvent) -> Delivery:
    """Return the delivery with one contact ended, even if an attempt is under way there."""
    progress = delivery.contacts[name]
    state = next_state(CONTACT_TRANSITIONS, progress.state, event)
    return delivery if state is None else with_progress(delivery, name, replace(progress, state=state, next_at=None))


def with_progress(delivery: Delivery, name: str, progress: ContactProgress) -> Delivery:
    """Return the delivery with one contact's progress replaced."""
    return replace(delivery, contacts={**delivery.contacts, name: progress})


def offenders_of(notices: tuple[Notice, ...]) -> tuple[OutboundOffender, ...]:
    """Return every offender once, by name, with all identifiers."""
    found: dict[str, OutboundOffender] = {}
    for notice in notices:
        name = full_name(notice.name) or number_of(notice.identifiers)
        before = found.get(name.casefold(), OutboundOffender(name, ()))
        found[name.casefold()] = OutboundOffender(before.name, tuple(dict.fromkeys((*before.identifiers, *notice.identifiers))))
    return tuple(found.values())
