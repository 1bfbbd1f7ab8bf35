"""Reads submissions in each format: plain JSON, any other document, XML."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from processors.domain.submission import Submission
from processors.ingest.read.acceptance import AcceptedRecord, OpenedRecord, encode
from processors.ingest.read.document import convert, describe_unknown, tidy
from processors.ingest.read.formats import MAX_BYTES, open_document
from processors.ingest.read.instants import as_text
from processors.ingest.read.journal_ids import JournalIds, readable_id, submission_journal_ids
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.submission import MISSING, SHAPE, TIMES, action_dates, check
from processors.ingest.read.xml import XmlMessage
from processors.stage import Context, Record

WHOLE_DATE: Final = len("YYYY-MM-DD")

_decode = msgspec.json.Decoder(Submission).decode


def open_record(record: Record, context: Context) -> OpenedRecord:
    value = record.value
    found = decode_plain(value) if isinstance(value, bytes) and len(value) <= MAX_BYTES else None
    if found is not None:
        sent, body = found
        ids = submission_journal_ids(sent.message_id, sent.agency.ori)
        return OpenedRecord(ids, lambda: accept_submission(record, context, sent, ids, body))
    if isinstance(document := open_document(record), str):
        return open_xml(record, context, document)
    fields, unknown = tidy(document, SHAPE)
    agency = fields.get("agency")
    ids = submission_journal_ids(fields.get("message_id"), agency.get("ori") if isinstance(agency, dict) else None)
    return OpenedRecord(ids, lambda: accept_submission(record, context, from_document(fields), ids, unknown=unknown))


def open_xml(record: Record, context: Context, text: str) -> OpenedRecord:
    message = XmlMessage.parse(text)
    head = message.head()
    ids = submission_journal_ids(head.get("message_id"), head["agency"].get("ori") if "agency" in head else None)

    def check_record() -> AcceptedRecord:
        fields, ignored = message.document(head, lambda found: action_dates(found, record.timestamp, context.rules))
        return accept_submission(record, context, from_document(fields), ids, unknown=ignored)

    return OpenedRecord(ids, check_record)


def accept_submission(  # noqa: PLR0913, PLR0917  all that is known of a submission by then
    record: Record, context: Context, sent: Submission, ids: JournalIds, body: bytes | None = None, unknown: Iterable[str] = ()
) -> AcceptedRecord:
    """Return the submission accepted, under the agency's ORI in its normal form; `body` is its JSON if it need not be encoded again."""
    checked = check(sent, record.timestamp, context.rules)
    found = checked.submission
    note = describe_partial_birth_dates(sent, found) + describe_unknown(unknown) + checked.note
    if found is not sent:
        ids, body = replace(ids, ori=readable_id(found.agency.ori)), None
    return AcceptedRecord("submission", ids, encode(found) if body is None else body, note, checked.at, checked.people)


def describe_partial_birth_dates(sent: Submission, found: Submission) -> str:
    """Return a sentence on incomplete birth dates."""
    if found is sent:
        return ""
    partial = [
        str(number)
        for number, (before, after) in enumerate(zip(sent.offenders, found.offenders, strict=True), 1)
        if before.birth_date is not None and len(after.birth_date or "") < WHOLE_DATE
    ]
    return f" Birth dates that are not whole count as far as they go: of offender {', '.join(partial)}." if partial else ""


def decode_plain(raw: bytes) -> tuple[Submission, bytes] | None:
    """
    Return a submission that needs no field-by-field check, as most do not, with its JSON; None if the document needs one.

    If it has as many quotation marks after decoding and encoding as before, no field was unknown, null or given twice. A blank
    beside a quotation mark would have to be trimmed; two blanks in a row also cause the field-by-field check, needlessly.
    """
    if raw[:1] != b"{" or b"\\" in raw or b"\x7f" in raw or not raw.isascii():
        return None
    try:
        submission = _decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    plain = encode(submission)
    if raw.count(b'"') != plain.count(b'"') or b'""' in plain.replace(b" ", b'"'):
        return None
    return submission, plain


def from_document(document: Mapping[str, Any]) -> Submission:
    """Return the tidied document as a submission; raises Rejection if it is not one."""
    if isinstance(document.get("event_type"), list):
        raise Rejection("event_type_count", "The message has a list of event types; it needs one.")
    sent = ((field, document.get(field)) for field in TIMES)
    times = {field: as_text(field, value) for field, value in sent if isinstance(value, int | float) and not isinstance(value, bool)}
    return convert({**document, **times}, Submission, MISSING)
