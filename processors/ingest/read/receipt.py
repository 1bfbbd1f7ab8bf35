"""Checks a provider's delivery receipt (contract §5): it must refer to one of our attempts; keyed digits stay secret."""

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final, get_args

import msgspec

from processors.domain.notification import Receipt, ReceiptStatus
from processors.domain.seal import Seal
from processors.domain.unsubscription import SITE, is_unsubscription
from processors.ingest.read.acceptance import AcceptedRecord, OpenedRecord, encode
from processors.ingest.read.document import convert, describe_unknown, fields_of, tidy
from processors.ingest.read.formats import json_document
from processors.ingest.read.ids import check_id
from processors.ingest.read.instants import SentTime, parse_instant
from processors.ingest.read.journal_ids import JournalIds, private_id, readable_id
from processors.ingest.read.registration import pin_digest
from processors.ingest.read.rejection import Rejection, quote
from processors.ingest.read.submission import MAX_TEXT
from processors.stage import Context, Record

STATUSES: Final[dict[str, ReceiptStatus]] = {each: each for each in get_args(ReceiptStatus)}
MISSING: Final = {"occurred_at": "unreadable_date"}
_REFERENCE: Final = re.compile(r"(?P<registrant>.+)\.[0-9a-f]{20}", re.DOTALL)
_AROUND_DIGITS: Final = re.compile(r"[\s#*,.-]+")
_CONTACT: Final = re.compile(r"\S+@\S+|\+?\d[\d ().-]{5,}\d")


class SentReceipt(msgspec.Struct, frozen=True, gc=False):
    """A receipt as it was sent."""

    reference: str
    status: str
    occurred_at: SentTime
    provider: str
    detail: str | None = None
    digits: str | None = None


SHAPE: Final = fields_of(SentReceipt)


def check(document: Mapping[str, Any], received_at: int, seal: Seal) -> Receipt:
    """Return the receipt, digits as an HMAC and addresses removed from the provider's text."""
    form = convert(document, SentReceipt, MISSING)
    check_id("reference", form.reference[-MAX_TEXT:])
    check_id("provider", form.provider)
    status = STATUSES.get(form.status)
    if status is None:
        raise Rejection("unknown_receipt_status", f"The status {quote(form.status)} is none that a receipt can have.")
    reference = _REFERENCE.fullmatch(form.reference)
    if reference is None:
        raise Rejection("unknown_receipt", "The reference is of no form that an attempt of ours has.")
    detail = form.detail
    if form.provider == SITE:
        if not is_unsubscription(form.reference, form.detail or "", seal):
            raise Rejection("unknown_receipt", "The link to unsubscribe that was followed is none of ours.")
        detail = None
    return Receipt(
        reference=form.reference,
        status=status,
        occurred_at=parse_instant("occurred_at", form.occurred_at, UTC),
        provider=form.provider,
        detail=detail and _CONTACT.sub("…", detail)[:MAX_TEXT],
        digits=pin_digest(digits_only(form.digits), reference["registrant"], seal),
        received_at=received_at,
    )


def digits_only(digits: str | None) -> str | None:
    """Return only the digits; telephone systems add the key that ended the input, or spaces."""
    return digits and _AROUND_DIGITS.sub("", digits)


def open_record(record: Record, context: Context) -> OpenedRecord:
    fields, unknown = tidy(json_document(record), SHAPE)
    reference = readable_id(fields.get("reference"))
    ids = JournalIds(reference, registrant_id=private_id(reference.rpartition(".")[0] or None))

    def check_record() -> AcceptedRecord:
        found = check(fields, record.timestamp, context.seal)
        return AcceptedRecord("receipt", ids, encode(found), describe_unknown(unknown))

    return OpenedRecord(ids, check_record)
