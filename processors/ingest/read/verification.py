"""Checks a verification code that a registration site sends (contract §4); the digits stay secret."""

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Final

import msgspec

from processors.domain.registration import Verification, verification_digest
from processors.domain.seal import Seal
from processors.ingest.read.acceptance import AcceptedRecord, OpenedRecord, encode
from processors.ingest.read.document import convert, describe_unknown, fields_of, tidy
from processors.ingest.read.formats import json_document
from processors.ingest.read.ids import check_id
from processors.ingest.read.instants import SentTime, parse_instant
from processors.ingest.read.journal_ids import JournalIds, private_id
from processors.ingest.read.rejection import Rejection
from processors.stage import Context, Record

MISSING: Final = {"at": "unreadable_date"}
_CODE: Final = re.compile(r"[0-9]{6}")


class SentVerification(msgspec.Struct, frozen=True, gc=False):
    """A verification as it was sent."""

    registration_id: str
    code: str
    at: SentTime


SHAPE: Final = fields_of(SentVerification)


def check(document: Mapping[str, Any], received_at: int, seal: Seal) -> Verification:
    """Return the verification with its code as an HMAC; raises Rejection if it is not six digits."""
    form = convert(document, SentVerification, MISSING)
    check_id("registration_id", form.registration_id)
    code = form.code.replace(" ", "").replace("-", "")
    if not _CODE.fullmatch(code):
        raise Rejection("bad_verification", "The field code is not six digits.")
    return Verification(
        registration_id=form.registration_id,
        code=verification_digest(code, form.registration_id, seal),
        at=parse_instant("at", form.at, UTC),
        received_at=received_at,
    )


def open_record(record: Record, context: Context) -> OpenedRecord:
    fields, unknown = tidy(json_document(record), SHAPE)
    ids = JournalIds(private_id(fields.get("registration_id")))

    def check_record() -> AcceptedRecord:
        found = check(fields, record.timestamp, context.seal)
        return AcceptedRecord("verification", ids, encode(found), describe_unknown(unknown))

    return OpenedRecord(ids, check_record)
