"""
Read: accepts or rejects every record that enters the pipeline.

Reads     submissions, registrations, receipts, verifications, inbound, erasures, review.actions    as written by outsiders
Writes    intake          accepted records, checked, with contact data sealed
          tally           submissions that were rejected, for the response to the agency
          dead-letters    rejected records with their original bytes, sealed if they may hold contact data
          dead-letters.keys   the key of a dead letter that may hold a registrant's data
Keeps     nothing
Rejects   everything that contract §3, §4 and §5 name, each with its own reason code
Replayed  the same record gives the same intake record (except for the random key of a registration), or the same dead letter
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from processors.ingest.read import action, erasure, inbound, receipt, registration, submission_formats, verification
from processors.ingest.read.acceptance import NAME, OpenedRecord, accept
from processors.ingest.read.dead_letter import reject
from processors.ingest.read.formats import json_document
from processors.ingest.read.journal_ids import NO_AGENCY, NO_ID, JournalIds, private_id
from processors.ingest.read.rejection import Rejection
from processors.stage import Context, Decision, Input, Record, Stage
from processors.topics import (
    DEAD_LETTER_KEYS,
    DEAD_LETTERS,
    ERASURES,
    INBOUND,
    INTAKE,
    RECEIPTS,
    REGISTRATIONS,
    REVIEW_ACTIONS,
    SUBMISSIONS,
    TALLY,
    VERIFICATIONS,
    Topic,
)


def decide(record: Input, _states: Mapping[str, Any], context: Context) -> Decision[Any]:
    """Return the intake record, or the dead letter that says why there is none."""
    if not isinstance(record, Record):
        raise TypeError("read sets no timers")
    ids = NO_AGENCY if record.topic == SUBMISSIONS.name else JournalIds()
    try:
        opened = OPEN[record.topic](record, context)
        ids = opened.ids
        return accept(record, opened.check(), context)
    except Rejection as why:
        return reject(record, ids, why, context)


OPEN: Final[Mapping[str, Callable[[Record, Context], OpenedRecord]]] = {
    SUBMISSIONS.name: submission_formats.open_record,
    REGISTRATIONS.name: registration.open_record,
    RECEIPTS.name: receipt.open_record,
    VERIFICATIONS.name: verification.open_record,
    INBOUND.name: inbound.open_record,
    ERASURES.name: erasure.open_record,
    REVIEW_ACTIONS.name: action.open_record,
}


def registrant_of(record: Record) -> str | None:
    """Return the registrant whose data a record may hold; None if it does not say."""
    try:
        fields = json_document(record)
    except Rejection:
        return None
    found = fields.get("registrant_id") or str(fields.get("reference", "")).rpartition(".")[0]
    return None if private_id(found) == NO_ID else found


def no_keys(_input: Input, _states: Mapping[str, Any]) -> Iterable[str]:
    """Return nothing: read keeps no state."""
    return ()


INPUTS: Final[tuple[Topic, ...]] = (SUBMISSIONS, REGISTRATIONS, RECEIPTS, VERIFICATIONS, INBOUND, ERASURES, REVIEW_ACTIONS)

READ: Final[Stage[Any]] = Stage(
    name=NAME,
    inputs=INPUTS,
    outputs=(INTAKE, DEAD_LETTERS, DEAD_LETTER_KEYS, TALLY),
    changelog=None,
    state=None,
    keys=no_keys,
    decide=decide,
    registrant=registrant_of,
    main_input=SUBMISSIONS,
)
