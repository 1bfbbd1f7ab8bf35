"""Checks a request to erase a registrant: who is to be erased, why, and who requests it."""

from collections.abc import Mapping
from typing import Any, Final

from processors.domain.erasure import Erasure, ErasureRequest
from processors.ingest.read.acceptance import AcceptedRecord, OpenedRecord, encode
from processors.ingest.read.document import convert, describe_unknown, fields_of, tidy
from processors.ingest.read.formats import json_document
from processors.ingest.read.ids import check_private_id
from processors.ingest.read.journal_ids import JournalIds, private_id
from processors.stage import Context, Record

SHAPE: Final = fields_of(ErasureRequest)


def check(document: Mapping[str, Any], received_at: int) -> Erasure:
    """Return the erasure; raises Rejection if it does not say whom."""
    form = convert(document, ErasureRequest, {})
    for field in ("registrant_id", "reason", "requested_by"):
        check_private_id(field, getattr(form, field))
    return Erasure(registrant_id=form.registrant_id, reason=form.reason, requested_by=form.requested_by, received_at=received_at)


def open_record(record: Record, _context: Context) -> OpenedRecord:
    fields, unknown = tidy(json_document(record), SHAPE)
    ids = JournalIds(private_id(fields.get("registrant_id")))

    def check_record() -> AcceptedRecord:
        return AcceptedRecord("erasure", ids, encode(check(fields, record.timestamp)), describe_unknown(unknown))

    return OpenedRecord(ids, check_record)
