"""
Replies from an address: no more messages, messages again, help, or something else.

An opt-out applies to an address on a channel, or by `opt_out.scope` to the whole telephone, in every registration that has it
(contract §5); identify routes it to every registrant who has the address. A reply is answered once, at any hour.
"""

from typing import Final

import msgspec
from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, contact_name, find_contact
from processors.deliver.dispatch.deliveries import advance_delivery
from processors.deliver.dispatch.ids import digest
from processors.deliver.situation import STAGE_NAME, Situation, VerdictSubject, registrant_after
from processors.deliver.state import NOTIFICATION_DIGITS, Attempt, ContactProgress, Content, Delivery, Registrant, Reply, State
from processors.domain.event import EVERYWHERE
from processors.domain.inbound import PURPOSE, Inbound, Keyword
from processors.domain.intake import Intake
from processors.domain.journal import Verdict
from processors.domain.notification import Receipt
from processors.domain.offender import OffenderStanding
from processors.domain.registration import Channel
from processors.domain.review import Review, ReviewAction, ReviewState, review_id, sealed_subject
from processors.rules.calendar import business_days_after, day_of
from processors.stage import Decision, Output
from processors.topics import INTAKE, REVIEWS

PHONE_CHANNELS: Final[tuple[Channel, ...]] = ("sms", "voice")
ANSWERS: Final[dict[Keyword, Content]] = {"stop": "opted_out", "start": "opted_in", "help": "help"}
MAX_UNREAD: Final = 50  # replies of one registrant that wait for a reviewer; the oldest are dropped
BUSINESS_DAYS: Final = 10  # until a revocation of consent in other words must be honored (47 CFR 64.1200(a)(10))


def apply_reply(registrant: Registrant, inbound: Inbound, situation: Situation) -> Decision[State]:
    """Return the decision on a message from one of the registrant's addresses."""
    if inbound.keyword == "other":
        return ask_reviewer(registrant, inbound, situation)
    if inbound.keyword == "help":
        changed = Decision[State](verdicts=(reply_verdict(registrant, "help", f"asked for help by {inbound.channel}", situation),))
        return changed if inbound.answered else changed.then(send_answer(registrant, inbound.channel, inbound.address, "help", situation))
    silent = inbound.keyword == "stop"
    before = registrant.contacts.get(contact_name(inbound.channel, inbound.address), UNKNOWN)
    started_at = None if silent else min(inbound.occurred_at, inbound.received_at)
    changed = set_opted_out(registrant, inbound.channel, inbound.address, situation, started_at)
    if inbound.answered or before.silent == silent:
        return changed
    return changed.then(
        send_answer(registrant_after(changed, registrant), inbound.channel, inbound.address, ANSWERS[inbound.keyword], situation)
    )


def opt_out_by_receipt(registrant: Registrant, attempt: Attempt, receipt: Receipt, situation: Situation) -> Decision[State]:
    """
    Opt out the address of an attempt, and tell identify, which routes the opt-out to every other registrant who has it.

    For a text message the carrier has replied already; an opt-out by email or in a call is confirmed by us.
    """
    channel, _, address = attempt.contact.partition(":")
    before = registrant.contacts.get(attempt.contact, UNKNOWN)
    if before.silent:
        return Decision()
    changed = set_opted_out(registrant, attempt.channel, address, situation, None)
    told = Inbound(
        provider=receipt.provider,
        channel=attempt.channel,
        address=address,
        keyword="stop",
        occurred_at=receipt.occurred_at,
        received_at=situation.at,
        answered=True,
    )
    intake = Intake(kind="inbound", message_id="-", received_at=situation.at, body=msgspec.json.encode(told))
    changed = changed.then(Decision(outputs=(Output(INTAKE, None, intake),)))
    if channel == "sms":
        return changed
    return changed.then(send_answer(registrant_after(changed, registrant), attempt.channel, address, "opted_out", situation))


def set_opted_out(registrant: Registrant, channel: Channel, address: str, situation: Situation, started_at: int | None) -> Decision[State]:
    """Opt an address out, or in again if `started_at` (the time of a START) is given, on the channels of `opt_out.scope`."""
    silent = started_at is None
    whole_phone = channel in PHONE_CHANNELS and situation.rules.text("opt_out.scope", EVERYWHERE) == "phone"
    channels = PHONE_CHANNELS if whole_phone else (channel,)
    names = [contact_name(each, address) for each in channels]
    known = {name: registrant.contacts.get(name, UNKNOWN) for name in names}
    contacts = {name: replace(each, silent=silent, started_at=started_at or each.started_at) for name, each in known.items()}
    reason = "opted_out" if silent else "opted_in"
    detail = f"{'nothing more' if silent else 'messages'} by {' and '.join(channels)} to that address"
    after = replace(registrant, contacts={**registrant.contacts, **contacts})
    return Decision(states={registrant.registrant_id: after}, verdicts=(reply_verdict(registrant, reason, detail, situation, channel),))


def send_answer(registrant: Registrant, channel: Channel, address: str, content: Content, situation: Situation) -> Decision[State]:
    """Send a reply, once, to the address from which the registrant wrote."""
    name = contact_name(channel, address)
    to = find_contact(registrant, name, situation)
    if to is None:
        return Decision()
    return start_message(registrant, content, name, to.registration.registration_id, situation)


def start_message(  # noqa: PLR0913, PLR0917  what a delivery is made of
    registrant: Registrant,
    content: Content,
    name: str,
    registration_id: str,
    situation: Situation,
    standing: OffenderStanding | None = None,
) -> Decision[State]:
    """Start a delivery without an event to one contact, unless the same one was started at the same time."""
    channel = name.partition(":")[0]
    notification = digest(16, registrant.registrant_id, content, registration_id, name, situation.at)
    if notification[:NOTIFICATION_DIGITS] in registrant.under_way:
        return Decision()
    delivery = Delivery(
        attempts={},
        forget_at=situation.at,
        notification_id=notification,
        content=content,
        registration_id=registration_id,
        created_at=situation.at,
        contacts={name: ContactProgress(channel=channel, next_at=situation.at)},  # type: ignore[arg-type]
        standing=standing,
    )
    return advance_delivery(registrant, delivery, situation)


# --- replies without a keyword ---------------------------------------------------------------------------------------


def ask_reviewer(registrant: Registrant, inbound: Inbound, situation: Situation) -> Decision[State]:
    """Flag a reply without a keyword for a reviewer, who decides whether it revokes consent (in any reasonable manner)."""
    if inbound.answered:
        return Decision(
            verdicts=(reply_verdict(registrant, "unclear_reply", "another registrant with that address has the review", situation),)
        )
    subject = sealed_subject(registrant.registrant_id, situation.seal)
    reply = Reply(
        review_id=review_id(STAGE_NAME, subject, "unclear_reply", inbound.address, str(inbound.seq)),
        channel=inbound.channel,
        address=inbound.address,
        since=situation.at,
        sealed=situation.contact_seal.close(situation.seal.open(inbound.sealed, PURPOSE), PURPOSE) if inbound.sealed else b"",
    )
    replies = (*registrant.replies, reply)
    gone, detail = replies[:-MAX_UNREAD], f"the registrant wrote {MAX_UNREAD} more times before it was read"
    return Decision(
        (*(review_of_reply(each, "superseded", situation) for each in gone), review_of_reply(reply, "open", situation)),
        {registrant.registrant_id: replace(registrant, replies=replies[-MAX_UNREAD:])},
        (
            *(situation.verdict(each.review_id, "noted", "superseded", detail) for each in gone),
            reply_verdict(registrant, "unclear_reply", f"other words by {inbound.channel}: a reviewer reads them", situation),
        ),
    )


def decide_reply(registrant: Registrant, reply: Reply, action: ReviewAction, situation: Situation) -> Decision[State]:
    """Carry out a reviewer's decision on a reply: if released, it is an opt-out for everybody who has the address."""
    after = replace(registrant, replies=tuple(each for each in registrant.replies if each is not reply))
    state: ReviewState = "released" if action.action == "release" else "discarded"
    detail = f"{action.reviewer} {state} it: {action.reason}"
    closed = Decision[State](
        (review_of_reply(reply, state, situation, action),),
        {registrant.registrant_id: after},
        (situation.verdict(reply.review_id, "noted", state, detail),),
    )
    if action.action == "discard":
        return closed
    stop = Inbound(
        provider="reviewer",
        channel=reply.channel,
        address=reply.address,
        keyword="stop",
        occurred_at=situation.at,
        received_at=situation.at,
    )
    intake = Intake(kind="inbound", message_id="-", received_at=situation.at, body=msgspec.json.encode(stop))
    return closed.then(Decision(outputs=(Output(INTAKE, None, intake),)))


def review_of_reply(reply: Reply, state: ReviewState, situation: Situation, action: ReviewAction | None = None) -> Output:
    """Return the review record of a reply; it names neither the registrant nor the address."""
    rule_set = situation.rules.rule_set("", reply.since)
    due = business_days_after(rule_set.calendar, day_of(reply.since, rule_set.zone), BUSINESS_DAYS)
    record = Review(
        review_id=reply.review_id,
        message_id="-",
        ori="",
        stage=STAGE_NAME,
        offender="",
        state=state,
        reason="unclear_reply",
        detail=f"somebody answered by {reply.channel} in words of their own: release it if they want no more messages, until {due}",
        since=situation.at,
        jurisdiction="",
        event_type="",
        event_subtype="",
        reviewer=None if action is None else action.reviewer,
        comment=None if action is None else action.reason,
    )
    return Output(REVIEWS, reply.review_id, record)


def reply_verdict(registrant: Registrant, reason: str, detail: str, situation: Situation, channel: Channel | None = None) -> Verdict:
    """Return the verdict on a reply, under one of the registrant's registrations."""
    registration_id = next(iter(registrant.registrations), "-")
    return situation.verdict(registration_id, "noted", reason, detail, VerdictSubject(channel=channel))
