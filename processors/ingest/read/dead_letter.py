"""Dead letters of rejected records: the original bytes, sealed if they may hold contact data, and the reason."""

import re
from collections.abc import Mapping
from typing import Any, Final

from processors.dead_letter_seal import new_dead_letter_seal
from processors.domain.addresses import address_digests
from processors.domain.erasure import registrant_digest
from processors.domain.journal import DeadLetter, Original, Verdict
from processors.domain.quarantine import record_id
from processors.domain.trace import trace_in
from processors.ingest.read.acceptance import NAME
from processors.ingest.read.formats import MAX_BYTES, raw_bytes
from processors.ingest.read.ids import looks_like_address
from processors.ingest.read.journal_ids import NO_ID, JournalIds
from processors.ingest.read.rejection import Rejection
from processors.stage import Context, Decision, Output, Record
from processors.tally import MESSAGE_RESPONSE, submission_refused
from processors.topics import DEAD_LETTERS, INBOUND, RECEIPTS, REGISTRATIONS, SUBMISSIONS, VERIFICATIONS

ALWAYS_SEALED: Final = frozenset({REGISTRATIONS.name, RECEIPTS.name, VERIFICATIONS.name, INBOUND.name})
# Signs of contact data in bytes that should hold none: a registration sent to the wrong topic, an address in remarks.
CONTACT_FIELDS: Final = (b"contacts", b"registrant", b"contactemail", b"contacttelephone", b"telephonenumber")
ADDRESSES: Final = tuple(map(re.compile, (rb"@[\w-]+\.\w", rb"\+1?\d{10}", rb"\d{3}[) .-]{1,2}\d{3}[ .-]\d{4}")))


def reject(record: Record, ids: JournalIds, why: Rejection, context: Context) -> Decision[Any]:
    """Return the dead letter with the original bytes (sealed if they may hold contact data) and the verdict."""
    raw = raw_bytes(record)
    encrypted = record.topic in ALWAYS_SEALED or may_hold_contact_data(raw)
    kept = Original.of(raw, record.key)
    letter_id = record_id(record.topic, record.partition, record.offset)
    registrant = None if ids.registrant_id == NO_ID or not encrypted else registrant_digest(ids.registrant_id, context.seal)
    addresses = address_digests(record.value if isinstance(record.value, Mapping) else kept.value, context.seal) if encrypted else ()
    seal, keys = context.seal, tuple[Output, ...]()
    if registrant or addresses:
        seal, key = new_dead_letter_seal(letter_id, context)
        keys = (key,)
    letter = DeadLetter(
        dead_letter_id=letter_id,
        reason=why.reason,
        detail=why.detail,
        stage=NAME,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        received_at=record.timestamp,
        sha256=kept.sha256,
        encrypted=encrypted,
        original=seal.close(kept.value, "dead-letter") if encrypted else kept.value,
        key=None if kept.key is not None and looks_like_address(kept.key) else kept.key,
        length=kept.length,
        owner=registrant,
        addresses=addresses,
    )
    verdict = Verdict(
        stage=NAME,
        message_id=ids.message_id,
        outcome="rejected",
        reason=why.reason,
        detail=why.detail,
        at=record.timestamp,
        ori=ids.ori,
        rules=context.rules.version,
        trace=trace_in(record.traceparent),
    )
    outputs = (Output(DEAD_LETTERS, letter_id, letter), *keys, *answer_to(record, ids, raw))
    return Decision(outputs, verdicts=(verdict,))


def answer_to(record: Record, ids: JournalIds, raw: bytes) -> tuple[Output, ...]:
    """Return the tally record that leads to the response to a rejected submission, if its sender is known (contract §5, Responses)."""
    readable = record.topic == SUBMISSIONS.name and ids.ori not in {None, NO_ID} and ids.message_id != NO_ID
    if not readable or ids.ori is None or MESSAGE_RESPONSE.encode() in raw:
        return ()
    return submission_refused(
        f"{record.topic}-{record.partition}-{record.offset}", ids.message_id, ids.ori, record.timestamp, trace_in(record.traceparent)
    )


def may_hold_contact_data(raw: bytes) -> bool:
    """Whether rejected bytes may contain contact data; bytes that are too large to search always may."""
    if len(raw) > MAX_BYTES:
        return True
    text = raw.replace(b"\0", b"").lower()
    return any(word in text for word in CONTACT_FIELDS) or any(address.search(text) for address in ADDRESSES)
