"""A provider's receipt takes its attempt further; one for no attempt of ours is a dead letter."""

import hashlib

import msgspec
from msgspec.structs import replace

from processors.deliver.contacts import destinations
from processors.deliver.dispatch.attempts import STATUSES, after_receipt, status_of
from processors.deliver.moment import STAGE_NAME, About, Moment
from processors.deliver.state import Attempt, Delivery, Registrant, State, delivery_key
from processors.domain.journal import DeadLetter
from processors.domain.notification import Receipt
from processors.stage import Decision, Output, Record
from processors.topics import DEAD_LETTERS


def settle(registrant: Registrant, receipt: Receipt, record: Record, found: State | None, moment: Moment) -> Decision[State]:
    """Return the attempt as it is after the receipt."""
    attempt = found.attempts.get(receipt.reference) if isinstance(found, Delivery) else None
    if not isinstance(found, Delivery) or attempt is None or receipt.status not in STATUSES:
        return refuse(receipt, record, moment)
    status = status_of(receipt, pin_of(attempt, registrant, moment))
    after = after_receipt(attempt, status, receipt.occurred_at)
    if after is None:
        states: dict[str, State | None] = {}
        reason, detail = "late_receipt", f"the provider says {receipt.status}; the attempt stays {attempt.status}"
    else:
        key = delivery_key(registrant.registrant_id, attempt.reference)
        states = {key: replace(found, attempts={**found.attempts, attempt.reference: after})}
        differs = "" if status == receipt.status else f": the provider says {receipt.status}"
        reason, detail = "receipt", f"attempt {attempt.number} is {status}{differs}"
    about = About(notification_id=attempt.notification_id, reference=attempt.reference, channel=attempt.channel)
    verdicts = tuple(moment.verdict(message_id, "receipt", reason, detail, about) for message_id in attempt.message_ids)
    return Decision(states=states, verdicts=verdicts)


def pin_of(attempt: Attempt, registrant: Registrant, moment: Moment) -> str | None:
    """Return what a confirmation of this attempt must show, None where nothing is asked for."""
    registration = registrant.registrations.get(attempt.registration_id)
    if registration is None or not registration.sealed or not attempt.confirm:
        return None
    return next((each.pin for each in destinations([registration], moment.registrant_id, moment.seal)), None)


def refuse(receipt: Receipt, record: Record, moment: Moment) -> Decision[State]:
    """Dead-letter a receipt that refers to nothing; sealed, since a provider's words may hold an address."""
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
        original=moment.seal.close(original, "dead-letter"),
        key=record.key,
    )
    refused = moment.verdict(receipt.reference, "rejected", "unknown_receipt", detail, About(reference=receipt.reference))
    return Decision(outputs=(Output(DEAD_LETTERS, dead_letter_id, letter),), verdicts=(refused,))
