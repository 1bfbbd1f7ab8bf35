"""Outbound records: one attempt a contact, remembered for its receipts."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from processors.deliver.contacts import Destination
from processors.deliver.dispatch.attempts import digest, notification_id, reference
from processors.deliver.dispatch.headers import headers_of
from processors.deliver.moment import About, Moment
from processors.deliver.state import Attempt, Delivery, Notice, Pending, State, delivery_key
from processors.deliver.wording.clean import clean
from processors.deliver.wording.facts import full_name, number_of
from processors.deliver.wording.templates import Message, verification_request
from processors.domain.event import Scope
from processors.domain.journal import Verdict
from processors.domain.notification import Outbound, OutboundAgency, OutboundEvent, OutboundOffender
from processors.domain.registration import Channel
from processors.stage import Decision, Output, Timing
from processors.topics import DAY, OUTBOUND

RECEIPTS_AFTER: Final = 30 * DAY  # how long after an attempt expired its receipts are still understood
EVERYWHERE: Final = Scope()

Messages = Mapping[tuple[str, Channel], Message]  # by language and channel


def send(pending: Pending, destinations: tuple[Destination, ...], messages: Messages, moment: Moment) -> Decision[State]:
    """Return one attempt a contact, and what is remembered of them."""
    notices, first = pending.notices, pending.notices[0]
    identity = notification_id(moment.registrant_id, notices)
    message_ids = tuple(dict.fromkeys(notice.message_id for notice in notices))
    offenders = offenders_of(notices)
    leaving = []
    verdicts: list[Verdict] = []
    for destination in destinations:
        message = messages[destination.language, destination.channel]
        outbound = Outbound(
            reference=reference(moment.registrant_id, identity, destination, 1),
            notification_id=identity,
            attempt=1,
            registrant_id=moment.registrant_id,
            kind="notification" if first.telling == "news" else "correction",
            channel=destination.channel,
            to=destination.contact.address,
            language=message.language,
            subject=message.subject,
            body=message.body,
            emergency=pending.emergency,
            event=OutboundEvent(first.event_type, first.event_subtype, first.action_at),
            offenders=offenders,
            agency=OutboundAgency(clean(first.agency or ""), first.ori),
            message_ids=message_ids,
            created_at=moment.at,
            not_before=None,
            expires_at=moment.at + moment.rules.duration("delivery.give_up", first.scope),
            confirm=pending.emergency and destination.channel == "voice" and destination.pin is not None,
        )
        leaving.append((outbound, destination))
        untold = "" if destination.language.startswith(message.language) else f" (there is no text in {destination.language!r})"
        detail = f"attempt 1 by {destination.channel} in {message.language}{untold}, {len(notices)} told together"
        about = About(notification_id=identity, reference=outbound.reference, channel=destination.channel)
        verdicts += [moment.notice_verdict(notice, "sent", "attempted", detail, about) for notice in notices]
    decision = attempted(leaving, message_ids, verdicts, moment)
    return replace(
        decision,
        outputs=tuple(
            replace(each, timing=timing(pending, each.value.channel, moment))
            for each in decision.outputs
            if isinstance(each.value, Outbound)
        ),
    )


def timing(pending: Pending, channel: Channel, moment: Moment) -> Timing:
    """
    Return what the metrics say of a first attempt.

    Quiet hours end when they end, however late the notification came to wait for them; any other hold of deliver's own
    is counted from when the submission was received or, where an earlier stage held it on purpose, passed on.
    """
    held = moment.at - pending.since
    passed_on = max(notice.held_until or notice.received_at for notice in pending.notices)
    return Timing(
        channel=channel,
        emergency=pending.emergency,
        received_at=min(notice.received_at for notice in pending.notices),
        free_at=moment.at if pending.why == "quiet_hours" else passed_on + held,
        within=moment.rules.duration("notify.within", pending.notices[0].scope, emergency=pending.emergency),
        hold=pending.why,
        held=held,
    )


def request_verification(destination: Destination, moment: Moment) -> Decision[State]:
    """Ask a contact that is not verified to verify itself, and tell it nothing else."""
    registration = destination.registration
    message = verification_request(moment.rules.book("", moment.at), destination.language, destination.channel)
    identity = digest(16, moment.registrant_id, "verification", registration.registration_id, registration.seq, destination.place)
    outbound = Outbound(
        reference=reference(moment.registrant_id, identity, destination, 1),
        notification_id=identity,
        attempt=1,
        registrant_id=moment.registrant_id,
        kind="verification",
        channel=destination.channel,
        to=destination.contact.address,
        language=message.language,
        subject=message.subject,
        body=message.body,
        emergency=False,
        event=None,
        offenders=None,
        agency=None,
        message_ids=(),
        created_at=moment.at,
        not_before=None,
        expires_at=moment.at + moment.rules.duration("delivery.give_up", EVERYWHERE),
        confirm=False,
    )
    verdict = moment.verdict(
        registration.registration_id,
        "sent",
        "verification_sent",
        f"asked by {destination.channel}",
        About(notification_id=identity, reference=outbound.reference, channel=destination.channel),
    )
    return attempted([(outbound, destination)], (registration.registration_id,), [verdict], moment)


def attempted(
    leaving: list[tuple[Outbound, Destination]], message_ids: tuple[str, ...], verdicts: list[Verdict], moment: Moment
) -> Decision[State]:
    """Return the attempts of one notification as they leave, and the document that their receipts will be settled on."""
    attempts = {outbound.reference: attempt_of(outbound, destination, message_ids) for outbound, destination in leaving}
    first = leaving[0][0]
    delivery = Delivery(attempts=attempts, forget_at=first.expires_at + RECEIPTS_AFTER)
    return Decision(
        tuple(Output(OUTBOUND[outbound.channel], moment.registrant_id, outbound, headers=headers_of(outbound)) for outbound, _ in leaving),
        {delivery_key(moment.registrant_id, first.reference): delivery},
        tuple(verdicts),
    )


def attempt_of(outbound: Outbound, destination: Destination, message_ids: tuple[str, ...]) -> Attempt:
    """Return what is remembered of an attempt."""
    return Attempt(
        reference=outbound.reference,
        notification_id=outbound.notification_id,
        channel=outbound.channel,
        registration_id=destination.registration.registration_id,
        contact=destination.place,
        message_ids=message_ids,
        sent_at=outbound.created_at,
        expires_at=outbound.expires_at,
        confirm=outbound.confirm,
    )


def offenders_of(notices: tuple[Notice, ...]) -> tuple[OutboundOffender, ...]:
    """Return every offender once, by name, with all identifiers."""
    found: dict[str, OutboundOffender] = {}
    for notice in notices:
        name = full_name(notice.name) or number_of(notice.identifiers)
        before = found.get(name.casefold(), OutboundOffender(name, ()))
        found[name.casefold()] = OutboundOffender(before.name, tuple(dict.fromkeys((*before.identifiers, *notice.identifiers))))
    return tuple(found.values())
