"""
Read: whatever comes in at the front door is let in or refused with its reason.

Reads     submissions, registrations, receipts, review.actions    as outsiders wrote them
Writes    intake          what was let in, checked, contacts sealed
          dead-letters    what was not, with the bytes as they came; sealed where they hold contact data
Keeps     nothing
Rejects   everything that contract §3, §4 and §5 say, each with its own reason code
Replayed  the same record gives the same intake or the same dead letter
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

import msgspec

from processors.domain.intake import Intake, Kind
from processors.domain.journal import DeadLetter, Unreadable, Verdict
from processors.domain.submission import Submission
from processors.ingest.read import action, receipt, registration, submission
from processors.ingest.read.dates import When
from processors.ingest.read.document import noted, tidy
from processors.ingest.read.formats import MAX_BYTES, json_document, sized, told_apart
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.xml import submission_document
from processors.stage import Context, Decision, Input, Output, Record, Stage, Wake
from processors.topics import DEAD_LETTERS, INTAKE, RECEIPTS, REGISTRATIONS, REVIEW_ACTIONS, SUBMISSIONS, Topic

NAME: Final = "read"
NO_ID: Final = "-"
ALWAYS_SEALED: Final = frozenset({REGISTRATIONS.name, RECEIPTS.name})
# What looks like contact data in bytes that were to hold none: a registration sent to the wrong topic, an address in remarks.
TELLING_WORDS: Final = (b"contacts", b"registrant", b"contactemail", b"contacttelephone", b"telephonenumber")
ADDRESSES: Final = tuple(map(re.compile, (rb"@[\w-]+\.\w", rb"\+1?\d{10}", rb"\d{3}[) .-]{1,2}\d{3}[ .-]\d{4}")))

TAKEN: Final[Mapping[Kind, str]] = {kind: f"Taken as {kind.replace('_', ' ')}." for kind in get_args(Kind)}
NO_DATE: Final = When(0, 0, date_only=False)

encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Reading:
    """What has been read of one record so far; a rejection reports with it."""

    record: Record
    context: Context
    message_id: str = NO_ID
    ori: str | None = None
    unknown: list[str] | None = None

    def document(self, known: Mapping[str, Any], id_field: str) -> Mapping[str, Any]:
        """Return the record as a tidy document, its id remembered."""
        value = self.record.value
        if isinstance(value, Unreadable):
            raise Rejection(value.reason, value.detail)
        sized(raw_bytes(self.record))
        if isinstance(value, dict):
            return self.tidied(value, known, id_field)
        form, text = told_apart(value or b"")
        if form == "json":
            return self.tidied(json_document(text), known, id_field)
        if self.record.topic != SUBMISSIONS.name:
            raise Rejection("unknown_format", "Only submissions may be XML.")
        return self.from_xml(text)

    def submission(self) -> tuple[Submission, bytes | None]:
        """Return the record as a submission, its id and agency remembered, with its JSON where it could be read at once."""
        value = self.record.value
        found = submission.at_once(value) if isinstance(value, bytes) and len(value) <= MAX_BYTES else None
        if found is None:
            return submission.from_document(self.document(submission.SHAPE, "message_id")), None
        self.message_id, self.ori = readable_id(found[0].message_id), readable_id(found[0].agency.ori)
        return found

    def tidied(self, document: Mapping[str, Any], known: Mapping[str, Any], id_field: str) -> Mapping[str, Any]:
        self.unknown = []
        found = tidy(document, known, self.unknown)
        self.remember(found, id_field)
        return found

    def from_xml(self, text: str) -> Mapping[str, Any]:
        at, rules = self.record.timestamp, self.context.rules
        self.unknown = []
        head: dict[str, Any] = {}
        try:
            return submission_document(text, lambda found: submission.action_dates(found, at, rules), self.unknown, head)
        finally:
            self.remember(head, "message_id")

    def remember(self, document: Mapping[str, Any], id_field: str) -> None:
        """Keep the id and the agency for the journal, where they are such as an agency issues."""
        identity, agency = document.get(id_field), document.get("agency")
        self.message_id = readable_id(identity)
        if self.record.topic == SUBMISSIONS.name:
            self.ori = readable_id(agency.get("ori") if isinstance(agency, dict) else None)

    def let_in(self, kind: Kind, body: bytes, note: str = "", at: When = NO_DATE) -> Decision[Any]:
        """Return the decision that lets the record in."""
        intake = Intake(
            kind=kind,
            message_id=self.message_id,
            received_at=self.record.timestamp,
            body=body,
            action_at=at.action_at,
            past_from=at.past_from,
            date_only=at.date_only,
        )
        verdict = Verdict(
            stage=NAME,
            message_id=intake.message_id,
            outcome="accepted",
            reason="accepted",
            detail=f"{TAKEN[kind]}{note}{noted(self.unknown) if self.unknown else ''}",
            at=intake.received_at,
            ori=self.ori,
            rules=self.context.rules.version,
        )
        return Decision(outputs=(Output(INTAKE, None, intake),), verdicts=(verdict,))


def readable_id(value: Any) -> str:
    """Return an id as the journal may show it."""
    return value if isinstance(value, str) and 0 < len(value) <= submission.MAX_ID and value.isprintable() else NO_ID


def raw_bytes(record: Record) -> bytes:
    """Return the record's value as it came; of a tombstone nothing."""
    return record.raw if record.raw is not None else record.value if isinstance(record.value, bytes) else b""


def read_submission(reading: Reading) -> Decision[Any]:
    sent, body = reading.submission()
    found, at = submission.accepted(sent, reading.record.timestamp, reading.context.rules)
    reading.ori = found.agency.ori
    return reading.let_in("submission", body if body is not None and found is sent else encode(found), at=at)


def read_registration(reading: Reading) -> Decision[Any]:
    if reading.record.value is None:
        return read_removal(reading)
    document = reading.document(registration.SHAPE, "registration_id")
    found, note = registration.accepted(document, reading.record.key, reading.context.seal)
    return reading.let_in("registration", encode(found), note)


def read_removal(reading: Reading) -> Decision[Any]:
    """Let a removal in; its id is the record's key."""
    reading.message_id = (reading.record.key or "").strip()
    if not reading.message_id:
        reading.message_id = NO_ID
        raise Rejection("bad_registration", "A removal names its registration as the record's key; this one has none.")
    submission.check_id("key", reading.message_id)
    return reading.let_in("removal", b"")


def read_receipt(reading: Reading) -> Decision[Any]:
    document = reading.document(receipt.SHAPE, "reference")
    return reading.let_in("receipt", encode(receipt.accepted(document, reading.record.timestamp, reading.context.seal)))


def read_action(reading: Reading) -> Decision[Any]:
    document = reading.document(action.SHAPE, "review_id")
    found = action.accepted(document, reading.record.timestamp)
    reading.message_id = found.review_id or found.group or NO_ID
    return reading.let_in("review_action", encode(found))


READERS: Final[Mapping[str, Callable[[Reading], Decision[Any]]]] = {
    SUBMISSIONS.name: read_submission,
    REGISTRATIONS.name: read_registration,
    RECEIPTS.name: read_receipt,
    REVIEW_ACTIONS.name: read_action,
}


def decide(record: Input, _states: Mapping[str, Any], context: Context) -> Decision[Any]:
    """Return the record let in, or the dead letter that says why not."""
    if isinstance(record, Wake):
        raise TypeError("read sets no timers")
    reading = Reading(record, context, ori=NO_ID if record.topic == SUBMISSIONS.name else None)
    try:
        return READERS[record.topic](reading)
    except Rejection as why:
        return refused(reading, why)


def refused(reading: Reading, why: Rejection) -> Decision[Any]:
    """Return the dead letter, with the bytes as they came (sealed where they hold contact data), and the verdict."""
    record, raw = reading.record, raw_bytes(reading.record)
    encrypted = record.topic in ALWAYS_SEALED or may_hold_contact_data(raw)
    letter = DeadLetter(
        dead_letter_id=f"{record.topic}-{record.partition}-{record.offset}",
        reason=why.reason,
        detail=why.detail,
        stage=NAME,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        received_at=record.timestamp,
        sha256=hashlib.sha256(raw).hexdigest(),
        encrypted=encrypted,
        original=reading.context.seal.close(raw, "dead-letter") if encrypted else raw,
        key=record.key,
    )
    verdict = Verdict(
        stage=NAME,
        message_id=reading.message_id,
        outcome="rejected",
        reason=why.reason,
        detail=why.detail,
        at=record.timestamp,
        ori=reading.ori,
        rules=reading.context.rules.version,
    )
    return Decision(outputs=(Output(DEAD_LETTERS, letter.dead_letter_id, letter),), verdicts=(verdict,))


def may_hold_contact_data(raw: bytes) -> bool:
    """Whether bytes that could not be taken look as if they said where somebody can be reached; those too large to look at do."""
    if len(raw) > MAX_BYTES:
        return True
    text = raw.replace(b"\0", b"").lower()
    return any(word in text for word in TELLING_WORDS) or any(address.search(text) for address in ADDRESSES)


def no_keys(_input: Input, _states: Mapping[str, Any]) -> Iterable[str]:
    """Return nothing: read keeps no state."""
    return ()


INPUTS: Final[tuple[Topic, ...]] = (SUBMISSIONS, REGISTRATIONS, RECEIPTS, REVIEW_ACTIONS)

READ: Final[Stage[Any]] = Stage(
    name=NAME,
    inputs=INPUTS,
    outputs=(INTAKE, DEAD_LETTERS),
    changelog=None,
    state=None,
    keys=no_keys,
    decide=decide,
)
