"""Checks a reviewer's decision on one review, on a group, or on identities; it needs the reviewer's name and a reason."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from processors.domain.review import OffenderAction, OffenderDecision, ReviewAction
from processors.ingest.read.acceptance import AcceptedRecord, OpenedRecord, encode
from processors.ingest.read.document import convert, describe_unknown, fields_of, tidy
from processors.ingest.read.formats import json_document
from processors.ingest.read.ids import check_id
from processors.ingest.read.journal_ids import NO_ID, JournalIds, readable_id
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.submission import unknown_code
from processors.stage import Context, Record

ACTIONS: Final = frozenset({"release", "discard"})
MOST_PUBLISHED: Final = 200
OFFENDERS: Final[Mapping[str, tuple[OffenderDecision, range]]] = {  # how many each names
    "merge": ("merge", range(2, 3)),
    "split": ("split", range(1, 2)),
    "publish": ("publish", range(1, MOST_PUBLISHED + 1)),
}


class SentAction(msgspec.Struct, frozen=True, gc=False):
    """An action as it was sent."""

    action: str
    reason: str
    reviewer: str
    review_id: str | None = None
    group: str | None = None
    offenders: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()


SHAPE: Final = fields_of(SentAction)


def check(document: Mapping[str, Any], received_at: int) -> ReviewAction | OffenderAction:
    """Return the action with its receive time; raises Rejection if it does not name its review, group or offenders."""
    form = convert(document, SentAction, {})
    if form.action in OFFENDERS:
        return check_offenders(form)
    if form.action not in ACTIONS:
        raise unknown_code("review action", form.action)
    if (form.review_id is None) == (form.group is None):
        raise Rejection("bad_review_action", "A review action names either one review or one group.")
    check_id("review_id", form.review_id or "-")
    check_id("group", form.group or "-")
    return ReviewAction(
        action="release" if form.action == "release" else "discard",
        reason=form.reason,
        reviewer=form.reviewer,
        review_id=form.review_id,
        group=form.group,
        received_at=received_at,
    )


def check_offenders(form: SentAction) -> OffenderAction:
    """Return a decision on identities; raises Rejection if it does not name the offenders."""
    action, counts = OFFENDERS[form.action]
    if len(set(form.offenders)) not in counts:
        raise Rejection("bad_review_action", f"To {action}, name {range_in_words(counts)} offender key(s), as `vn explain` shows them.")
    if (form.action == "split") != bool(form.identifiers):
        raise Rejection("bad_review_action", "A split, and nothing else, names the identifiers that are another person's.")
    for each in (*form.offenders, *form.identifiers):
        check_id("offenders, identifiers", each)
    return OffenderAction(
        action=action,
        offenders=form.offenders,
        identifiers=form.identifiers,
        reason=form.reason,
        reviewer=form.reviewer,
    )


def range_in_words(counts: range) -> str:
    """Return how many a range allows: one number, or the smallest and the largest."""
    return f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"


def open_record(record: Record, _context: Context) -> OpenedRecord:
    fields, unknown = tidy(json_document(record), SHAPE)

    def check_record() -> AcceptedRecord:
        found = check(fields, record.timestamp)
        if isinstance(found, OffenderAction):
            return AcceptedRecord("offender_action", JournalIds(found.offenders[0]), encode(found), describe_unknown(unknown))
        return AcceptedRecord(
            "review_action", JournalIds(found.review_id or found.group or NO_ID), encode(found), describe_unknown(unknown)
        )

    return OpenedRecord(JournalIds(readable_id(fields.get("review_id"))), check_record)
