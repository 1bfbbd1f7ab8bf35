"""Providers' receipts: each updates its attempt; a receipt for an unknown attempt is dead-lettered."""

from typing import Final, NamedTuple, get_args

import msgspec
from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, pins
from processors.deliver.dispatch.attempts import settle_attempt
from processors.deliver.dispatch.deliveries import advance_delivery
from processors.deliver.inputs.replies import opt_out_by_receipt
from processors.deliver.situation import STAGE_NAME, Situation, VerdictSubject, registrant_after
from processors.deliver.state import Attempt, Delivery, Registrant, State, delivery_key
from processors.domain.erasure import registrant_digest
from processors.domain.journal import DeadLetter, Verdict
from processors.domain.notification import Receipt, ReceiptStatus
from processors.domain.origin import Origin, open_origin
from processors.domain.sending import AMBIGUOUS, SENT_AGAIN, is_in_doubt
from processors.stage import Decision, Output, Record
from processors.topics import DEAD_LETTERS

MAX_PINS_PER_CALL: Final = 3
BEFORE_ACCEPTED: Final = frozenset({"sent", "expired"})
IN_DOUBT: Final = {SENT_AGAIN: "sent_again", AMBIGUOUS: "ambiguous_send"}
ARRIVED: Final = frozenset({"delivered", "confirmed"})
KNOWN_STATUSES: Final = frozenset(get_args(ReceiptStatus))
VERIFIED_ONLY: Final = frozenset(
    {"news", "registered"}
)  # contents sent only to verified contacts; if one fails, the contact must be verified again


class ReceiptMeaning(NamedTuple):
    """The attempt status that a receipt means, and whether a wrong PIN was given."""

    status: ReceiptStatus
    wrong_pin: bool = False


def apply_receipt(registrant: Registrant, receipt: Receipt, record: Record, found: State | None, situation: Situation) -> Decision[State]:
    """Apply a receipt to its attempt, and advance the delivery."""
    attempt = found.attempts.get(receipt.reference) if isinstance(found, Delivery) else None
    if not isinstance(found, Delivery) or attempt is None or receipt.status not in KNOWN_STATUSES:
        return reject_receipt(receipt, record, situation)
    meaning = interpret_receipt(receipt, attempt, registrant, situation)
    before, attempt = attempt, with_marks(attempt, receipt, meaning)
    if attempt != before:
        found = replace(found, attempts={**found.attempts, attempt.reference: attempt})
    delivery = settle_attempt(found, attempt, meaning.status, situation)
    if delivery is None and meaning.status == "opted_out" and attempt.status != "opted_out" and not attempt.opted_out:
        return opt_out_afterwards(registrant, found, attempt, receipt, situation)
    if delivery is None and attempt == before:
        detail = f"the provider says {receipt.status}; the attempt stays {attempt.status}"
        return Decision(verdicts=verdicts_on(found, attempt, "late_receipt", detail, situation))
    delivery = delivery or found
    differs = "" if meaning.status == receipt.status else f": the provider says {receipt.status}"
    reason = "wrong_pin" if meaning.wrong_pin else reason_of(receipt)
    detail = f"attempt {attempt.number} is {meaning.status}{differs}"
    decision = Decision[State](
        verdicts=verdicts_on(delivery, delivery.attempts[attempt.reference], reason, detail, situation, receipt.provider)
    )
    if not delivery.contacts:  # from an earlier version without contact progress: nothing to advance
        return decision.then(Decision(states={delivery_key(situation.registrant_id, attempt.reference): delivery}))
    decision = decision.then(update_contact(registrant, attempt, meaning.status, delivery, situation))
    decision = decision.then(advance_delivery(registrant_after(decision, registrant), delivery, situation))
    if meaning.status == "opted_out":
        return decision.then(opt_out_by_receipt(registrant_after(decision, registrant), attempt, receipt, situation))
    return decision


def opt_out_afterwards(
    registrant: Registrant, delivery: Delivery, attempt: Attempt, receipt: Receipt, situation: Situation
) -> Decision[State]:
    """
    Opt out the address of an attempt that has ended: registrants opt out after they have read a message.

    The attempt keeps its status and gets a mark, so that the same receipt, sent again, does not undo a later START.
    """
    marked = replace(delivery, attempts={**delivery.attempts, attempt.reference: replace(attempt, opted_out=True)})
    verdicts = verdicts_on(marked, attempt, "late_receipt", f"the address opted out; the attempt stays {attempt.status}", situation)
    key = delivery_key(situation.registrant_id, attempt.notification_id if delivery.contacts else attempt.reference)
    kept = Decision[State](states={key: marked}, verdicts=verdicts)
    return kept.then(opt_out_by_receipt(registrant, attempt, receipt, situation))


def reason_of(receipt: Receipt) -> str:
    """Return the reason code of a receipt; a provider in doubt has reasons of its own."""
    detail = receipt.detail or ""
    return next((reason for begin, reason in IN_DOUBT.items() if detail.startswith(begin)), "receipt")


def interpret_receipt(receipt: Receipt, attempt: Attempt, registrant: Registrant, situation: Situation) -> ReceiptMeaning:
    """
    Return what a receipt means: a call that asks for a PIN is confirmed only by the right PIN, within three tries.

    "Delivered" for such a call means only that a person or a machine answered it (contract §5). An opt-out that was followed by a
    START only means that this attempt did not arrive.
    """
    if receipt.status == "opted_out" and receipt.occurred_at < registrant.contacts.get(attempt.contact, UNKNOWN).started_at:
        return ReceiptMeaning("temporary_failure")
    if not attempt.confirm:
        return ReceiptMeaning(receipt.status)
    if receipt.status == "delivered":
        return ReceiptMeaning("unconfirmed")
    if receipt.status != "confirmed":
        return ReceiptMeaning(receipt.status)
    if receipt.digits in pins(registrant, situation) and attempt.wrong_pins < MAX_PINS_PER_CALL:
        return ReceiptMeaning("confirmed")
    return ReceiptMeaning("unconfirmed", wrong_pin=True)


def with_marks(attempt: Attempt, receipt: Receipt, meaning: ReceiptMeaning) -> Attempt:
    """Return the attempt with what a receipt says besides its status: a wrong PIN, or doubt whether a vendor accepted it."""
    if meaning.wrong_pin:
        return replace(attempt, wrong_pins=attempt.wrong_pins + 1)
    if meaning.status != "accepted":
        return attempt
    nobody_knew = attempt.in_doubt or attempt.status in BEFORE_ACCEPTED
    return replace(attempt, in_doubt=nobody_knew and is_in_doubt(receipt.detail))


def update_contact(
    registrant: Registrant, attempt: Attempt, status: ReceiptStatus, delivery: Delivery, situation: Situation
) -> Decision[State]:
    """
    Record that a contact failed, and must be verified again, or that it was reached.

    It has not failed if another attempt of the same delivery reached it.
    """
    known = registrant.contacts.get(attempt.contact, UNKNOWN)
    after = known
    if status == "permanent_failure" and delivery.content in VERIFIED_ONLY and not known.failed:
        if not any(each.contact == attempt.contact and each.status in ARRIVED for each in delivery.attempts.values()):
            after = replace(known, failed=True, ask_at=situation.at)
    elif status in ARRIVED and known.failed:
        after = replace(known, failed=False)
    if after == known:
        return Decision()
    return Decision(states={registrant.registrant_id: replace(registrant, contacts={**registrant.contacts, attempt.contact: after})})


def verdicts_on(  # noqa: PLR0913, PLR0917  a verdict's own fields
    delivery: Delivery, attempt: Attempt, reason: str, detail: str, situation: Situation, provider: str | None = None
) -> tuple[Verdict, ...]:
    """Return the verdict on a receipt for every message that the attempt told of."""
    about = VerdictSubject(
        notification_id=attempt.notification_id,
        reference=attempt.reference,
        channel=attempt.channel,
        status=attempt.status,
        ori=delivery.ori,
        provider=provider,
    )
    traces = delivery.traces
    return tuple(
        situation.verdict(message_id, "receipt", reason, detail, replace(about, trace=traces.get(message_id)) if traces else about)
        for message_id in attempt.message_ids
    )


def reject_receipt(receipt: Receipt, record: Record, situation: Situation) -> Decision[State]:
    """
    Dead-letter a receipt for an unknown attempt; sealed, since a provider's text may contain an address.

    It names the provider's own record, and holds the one that `read` made of it, without the digits that were keyed.
    """
    original = record.raw if record.raw is not None else msgspec.json.encode(receipt)
    own = Origin.of(record.topic, record.partition, record.offset, original)
    origin = open_origin(receipt.origin, situation.seal) or own
    dead_letter_id = f"{record.topic}-{record.partition}-{record.offset}"
    detail = f"no attempt of ours is known under this reference; the provider says {receipt.status}"
    letter = DeadLetter(
        dead_letter_id=dead_letter_id,
        reason="unknown_receipt",
        detail=detail,
        stage=STAGE_NAME,
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        received_at=receipt.received_at or record.timestamp,
        sha256=origin.sha256,
        encrypted=True,
        original=situation.contact_seal.close(original, "dead-letter"),
        key=record.key,
        owner=registrant_digest(situation.registrant_id, situation.seal) if situation.key is not None else None,
        replay_topic=None if origin is own else record.topic,
    )
    refused = situation.verdict(receipt.reference, "rejected", "unknown_receipt", detail, VerdictSubject(reference=receipt.reference))
    return Decision(outputs=(Output(DEAD_LETTERS, dead_letter_id, letter),), verdicts=(refused,))
