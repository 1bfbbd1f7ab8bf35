"""A provider's receipt updates its attempt; one for no attempt of ours is a dead letter."""

import hashlib
from typing import Final, NamedTuple, get_args

import msgspec
from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, pins
from processors.deliver.dispatch.attempts import settle_attempt
from processors.deliver.dispatch.deliveries import advance
from processors.deliver.inbox.replies import opt_out_by_receipt
from processors.deliver.moment import STAGE_NAME, About, Moment, registrant_after
from processors.deliver.state import Attempt, Delivery, Registrant, State, delivery_key
from processors.domain.erasure import registrant_digest
from processors.domain.journal import DeadLetter, Verdict
from processors.domain.notification import Receipt, ReceiptStatus
from processors.domain.sending import AMBIGUOUS, SENT_AGAIN, is_in_doubt
from processors.stage import Decision, Output, Record
from processors.topics import DEAD_LETTERS

PINS_A_CALL: Final = 3
BEFORE_ACCEPTED: Final = frozenset({"sent", "expired"})
IN_DOUBT: Final = {SENT_AGAIN: "sent_again", AMBIGUOUS: "ambiguous_send"}
ARRIVED: Final = frozenset({"delivered", "confirmed"})
KNOWN: Final = frozenset(get_args(ReceiptStatus))
TO_VERIFIED: Final = frozenset({"news", "registered"})  # what only a verified contact gets: if that fails, it is to be verified again


class Meaning(NamedTuple):
    """The status that a receipt means, and whether the PIN was wrong."""

    status: ReceiptStatus
    wrong_pin: bool = False


def settle(registrant: Registrant, receipt: Receipt, record: Record, found: State | None, moment: Moment) -> Decision[State]:
    """Return the attempt as it is after the receipt, and what follows."""
    attempt = found.attempts.get(receipt.reference) if isinstance(found, Delivery) else None
    if not isinstance(found, Delivery) or attempt is None or receipt.status not in KNOWN:
        return refuse(receipt, record, moment)
    understood = understand(receipt, attempt, registrant, moment)
    before, attempt = attempt, with_marks(attempt, receipt, understood)
    if attempt != before:
        found = replace(found, attempts={**found.attempts, attempt.reference: attempt})
    delivery = settle_attempt(found, attempt, understood.status, moment)
    if delivery is None and understood.status == "opted_out" and attempt.status != "opted_out" and not attempt.opted_out:
        return opt_out_afterwards(registrant, found, attempt, receipt, moment)
    if delivery is None and attempt == before:
        detail = f"the provider says {receipt.status}; the attempt stays {attempt.status}"
        return Decision(verdicts=verdicts_on(found, attempt, "late_receipt", detail, moment))
    delivery = delivery or found
    differs = "" if understood.status == receipt.status else f": the provider says {receipt.status}"
    reason = "wrong_pin" if understood.wrong_pin else reason_of(receipt)
    detail = f"attempt {attempt.number} is {understood.status}{differs}"
    noted = Decision[State](verdicts=verdicts_on(delivery, delivery.attempts[attempt.reference], reason, detail, moment, receipt.provider))
    if not delivery.contacts:  # left before contacts were followed: nothing follows from it
        return noted.then(Decision(states={delivery_key(moment.registrant_id, attempt.reference): delivery}))
    noted = noted.then(contact_after(registrant, attempt, understood.status, delivery, moment))
    noted = noted.then(advance(registrant_after(noted, registrant), delivery, moment))
    if understood.status == "opted_out":
        return noted.then(opt_out_by_receipt(registrant_after(noted, registrant), attempt, receipt, moment))
    return noted


def opt_out_afterwards(registrant: Registrant, delivery: Delivery, attempt: Attempt, receipt: Receipt, moment: Moment) -> Decision[State]:
    """
    Silence the address of an attempt that has ended: whoever reads a message opts out after it was delivered.

    The attempt stays what it is, but for a mark: the same receipt, sent again, must not undo a later START.
    """
    marked = replace(delivery, attempts={**delivery.attempts, attempt.reference: replace(attempt, opted_out=True)})
    noted = verdicts_on(marked, attempt, "late_receipt", f"the address opted out; the attempt stays {attempt.status}", moment)
    key = delivery_key(moment.registrant_id, attempt.notification_id if delivery.contacts else attempt.reference)
    kept = Decision[State](states={key: marked}, verdicts=noted)
    return kept.then(opt_out_by_receipt(registrant, attempt, receipt, moment))


def reason_of(receipt: Receipt) -> str:
    """Return the reason code of a receipt: whether its provider was in doubt, and sent an emergency again."""
    said = receipt.detail or ""
    return next((reason for begin, reason in IN_DOUBT.items() if said.startswith(begin)), "receipt")


def understand(receipt: Receipt, attempt: Attempt, registrant: Registrant, moment: Moment) -> Meaning:
    """
    Return what a receipt means: a call that asks for a PIN is confirmed only by the right one, within three tries.

    That such a call was delivered means that somebody, or a machine, answered it (contract §5). An opt-out that a later START
    has undone only kept this attempt from arriving.
    """
    if receipt.status == "opted_out" and receipt.occurred_at < registrant.contacts.get(attempt.contact, UNKNOWN).started_at:
        return Meaning("temporary_failure")
    if not attempt.confirm:
        return Meaning(receipt.status)
    if receipt.status == "delivered":
        return Meaning("unconfirmed")
    if receipt.status != "confirmed":
        return Meaning(receipt.status)
    if receipt.digits in pins(registrant, moment) and attempt.wrong_pins < PINS_A_CALL:
        return Meaning("confirmed")
    return Meaning("unconfirmed", wrong_pin=True)


def with_marks(attempt: Attempt, receipt: Receipt, understood: Meaning) -> Attempt:
    """Return the attempt with what a receipt says beside its state: that the PIN was wrong, whether it is in doubt that it was accepted."""
    if understood.wrong_pin:
        return replace(attempt, wrong_pins=attempt.wrong_pins + 1)
    if understood.status != "accepted":
        return attempt
    nobody_knew = attempt.in_doubt or attempt.status in BEFORE_ACCEPTED
    return replace(attempt, in_doubt=nobody_knew and is_in_doubt(receipt.detail))


def contact_after(registrant: Registrant, attempt: Attempt, status: ReceiptStatus, delivery: Delivery, moment: Moment) -> Decision[State]:
    """
    Remember that a contact failed, which is then asked to verify itself again, or that it was reached.

    It has not failed if another attempt to tell it the same arrived, before or after.
    """
    known = registrant.contacts.get(attempt.contact, UNKNOWN)
    after = known
    if status == "permanent_failure" and delivery.content in TO_VERIFIED and not known.failed:
        if not any(each.contact == attempt.contact and each.status in ARRIVED for each in delivery.attempts.values()):
            after = replace(known, failed=True, ask_at=moment.at)
    elif status in ARRIVED and known.failed:
        after = replace(known, failed=False)
    if after == known:
        return Decision()
    return Decision(states={registrant.registrant_id: replace(registrant, contacts={**registrant.contacts, attempt.contact: after})})


def verdicts_on(  # noqa: PLR0913, PLR0917  a verdict's own fields
    delivery: Delivery, attempt: Attempt, reason: str, detail: str, moment: Moment, provider: str | None = None
) -> tuple[Verdict, ...]:
    """Return the verdict on a receipt for every message that the attempt told of."""
    about = About(
        notification_id=attempt.notification_id,
        reference=attempt.reference,
        channel=attempt.channel,
        status=attempt.status,
        ori=delivery.ori,
        provider=provider,
    )
    traces = delivery.traces
    return tuple(
        moment.verdict(message_id, "receipt", reason, detail, replace(about, trace=traces.get(message_id)) if traces else about)
        for message_id in attempt.message_ids
    )


def refuse(receipt: Receipt, record: Record, moment: Moment) -> Decision[State]:
    """Dead-letter a receipt that refers to nothing; sealed, since a provider's text may hold an address."""
    original = record.raw if record.raw is not None else msgspec.json.encode(receipt)
    dead_letter_id = f"{record.topic}-{record.partition}-{record.offset}"
    detail = f"no attempt of ours is known under this reference; the provider says {receipt.status}"
    letter = DeadLetter(
        dead_letter_id=dead_letter_id,
        reason="unknown_receipt",
        detail=detail,
        stage=STAGE_NAME,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        received_at=record.timestamp,
        sha256=hashlib.sha256(original).hexdigest(),
        encrypted=True,
        original=moment.contact_seal.close(original, "dead-letter"),
        key=record.key,
        owner=registrant_digest(moment.registrant_id, moment.seal) if moment.key is not None else None,
    )
    refused = moment.verdict(receipt.reference, "rejected", "unknown_receipt", detail, About(reference=receipt.reference))
    return Decision(outputs=(Output(DEAD_LETTERS, dead_letter_id, letter),), verdicts=(refused,))
