"""Acceptance: a record that was opened, its checks, and the intake record that goes to identify."""

from collections.abc import Callable, Mapping
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from processors.domain.intake import Intake, Kind
from processors.domain.journal import Verdict
from processors.domain.origin import Origin
from processors.domain.person import ComparedPerson
from processors.domain.trace import HEADER, Headers, message_headers, trace_in, trace_of
from processors.ingest.read.dates import ActionTime
from processors.ingest.read.formats import MAX_BYTES, raw_bytes
from processors.ingest.read.journal_ids import JournalIds
from processors.ingest.read.rejection import Rejection
from processors.stage import Context, Decision, Output, Record
from processors.topics import INTAKE, SUBMISSIONS

NAME: Final = "read"
LARGEST_BODY: Final = 2 * MAX_BYTES  # of an accepted record: dense Avro may become larger as JSON than a record can be
ACCEPTED_AS: Final[Mapping[Kind, str]] = {kind: f"Taken as {kind.replace('_', ' ')}." for kind in get_args(Kind)}
REFUSED_LATER: Final[frozenset[Kind]] = frozenset({"registration", "receipt"})  # kinds that a later stage may refuse
NO_DATE: Final = ActionTime(0, 0, date_only=False)

encode = msgspec.json.Encoder().encode


class AcceptedRecord(Struct, frozen=True, gc=False):
    """A record that passed every check: its body as intake carries it, and a sentence for the journal."""

    kind: Kind
    ids: JournalIds
    body: bytes
    note: str = ""
    at: ActionTime = NO_DATE
    people: tuple[ComparedPerson, ...] = ()


class OpenedRecord(Struct, frozen=True, gc=False):
    """A record whose ids could be read; `check` accepts it or raises Rejection."""

    ids: JournalIds
    check: Callable[[], AcceptedRecord]


def accept(record: Record, accepted: AcceptedRecord, context: Context) -> Decision[Any]:
    """Return the decision that passes the record on to identify."""
    body, at, message_id, ori = accepted.body, accepted.at, accepted.ids.message_id, accepted.ids.ori
    if len(body) > LARGEST_BODY:
        raise Rejection("too_large", f"Decoded, the record has {len(body)} bytes; at most {LARGEST_BODY} are accepted.")
    intake = Intake(
        kind=accepted.kind,
        message_id=message_id,
        received_at=record.timestamp,
        body=body,
        action_at=at.action_at,
        past_from=at.past_from,
        date_only=at.date_only,
        people=accepted.people,
        origin=origin_of(record, context) if accepted.kind in REFUSED_LATER else b"",
    )
    verdict = Verdict(
        stage=NAME,
        message_id=message_id,
        outcome="accepted",
        reason="accepted",
        detail=ACCEPTED_AS[accepted.kind] + accepted.note,
        at=record.timestamp,
        ori=ori,
        rules=context.rules.version,
        trace=trace_in(record.traceparent),
    )
    return Decision(outputs=(Output(INTAKE, None, intake, headers=headers_of(record, message_id, ori)),), verdicts=(verdict,))


def origin_of(record: Record, context: Context) -> bytes:
    """Return the record's sealed origin."""
    return Origin.of(record.topic, record.partition, record.offset, raw_bytes(record)).sealed(context.seal)


def headers_of(record: Record, message_id: str, ori: str | None) -> Headers:
    """Return the headers of the intake record; for a submission those of our first span, in a new trace if the header is malformed."""
    sent = record.traceparent
    if record.topic == SUBMISSIONS.name and sent is not None:
        return message_headers(ori, message_id, trace_of(ori, message_id, trace_in(sent)))
    return ((HEADER, sent),) if sent else ()
