"""
Read: accept or reject every record that enters the pipeline.

Reads     submissions, registrations, receipts, verifications, inbound, erasures, review.actions    as outsiders wrote them
Writes    intake          accepted records, checked, contact data sealed
          tally           that a submission was refused, for the response to its agency
          dead-letters    rejected records with their original bytes; sealed if they may hold contact data
          dead-letters.keys   the key of a dead letter that may hold a registrant's data
Keeps     nothing
Rejects   everything that contract §3, §4 and §5 name, each with its own reason code
Replayed  the same record gives the same intake record, but for the key drawn for a registration, or the same dead letter
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, get_args

import msgspec

from processors.domain.erasure import RegistrantKey, registrant_digest, seal_key
from processors.domain.intake import Intake, Kind
from processors.domain.journal import DeadLetter, Original, Unreadable, Verdict
from processors.domain.normalize import normalize
from processors.domain.person import ComparedPerson
from processors.domain.quarantine import place_name
from processors.domain.review import OffenderAction
from processors.domain.seal import Seal
from processors.domain.submission import Submission
from processors.domain.trace import HEADER, Headers, message_headers, trace_in, trace_of
from processors.ingest.identify.agency import NATIONAL
from processors.ingest.read import action, erasure, inbound, receipt, registration, submission, verification
from processors.ingest.read.dates import When
from processors.ingest.read.document import clean_id, describe_unknown, tidy
from processors.ingest.read.formats import MAX_BYTES, check_size, detect_format, parse_json
from processors.ingest.read.ids import MAX_ID, check_private_id, looks_like_address
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.xml import XmlMessage
from processors.rules.book import Rules
from processors.stage import Context, Decision, Input, Output, Record, Stage
from processors.tally import MESSAGE_RESPONSE, submission_refused
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

NAME: Final = "read"
NO_ID: Final = "-"
WHOLE_DATE: Final = len("YYYY-MM-DD")
LARGEST_BODY: Final = 2 * MAX_BYTES  # of what is accepted: dense Avro may grow as JSON beyond what can be written
ALWAYS_SEALED: Final = frozenset({REGISTRATIONS.name, RECEIPTS.name, VERIFICATIONS.name, INBOUND.name})
# Signs of contact data in bytes that should hold none: a registration sent to the wrong topic, an address in remarks.
CONTACT_FIELDS: Final = (b"contacts", b"registrant", b"contactemail", b"contacttelephone", b"telephonenumber")
ADDRESSES: Final = tuple(map(re.compile, (rb"@[\w-]+\.\w", rb"\+1?\d{10}", rb"\d{3}[) .-]{1,2}\d{3}[ .-]\d{4}")))

ACCEPTED_AS: Final[Mapping[Kind, str]] = {kind: f"Taken as {kind.replace('_', ' ')}." for kind in get_args(Kind)}
NO_DATE: Final = When(0, 0, date_only=False)

encode = msgspec.json.Encoder().encode


class Labels(NamedTuple):
    """What the journal calls a record: its id, of a submission the agency's ORI; and the registrant whom it is about."""

    message_id: str = NO_ID
    ori: str | None = None
    registrant_id: str = NO_ID


class Accepted(NamedTuple):
    """A record that passed every check: its body as intake carries it, and a sentence for the journal."""

    kind: Kind
    labels: Labels
    body: bytes
    note: str = ""
    at: When = NO_DATE
    people: tuple[ComparedPerson, ...] = ()


class Opened(NamedTuple):
    """A record whose labels could be read; `check` accepts it or raises Rejection."""

    labels: Labels
    check: Callable[[], Accepted]


def decide(record: Input, _states: Mapping[str, Any], context: Context) -> Decision[Any]:
    """Return the intake record, or the dead letter that says why there is none."""
    if not isinstance(record, Record):
        raise TypeError("read sets no timers")
    labels = NO_AGENCY if record.topic == SUBMISSIONS.name else Labels()
    try:
        labels, check = OPEN[record.topic](record, context)
        return accept(record, check(), context)
    except Rejection as why:
        return reject(record, labels, why, context)


NO_AGENCY: Final = Labels(ori=NO_ID)


def accept(record: Record, accepted: Accepted, context: Context) -> Decision[Any]:
    """Return the decision that passes the record on to identify."""
    kind, (message_id, ori, _), body, note, at, people = accepted
    if len(body) > LARGEST_BODY:
        raise Rejection("too_large", f"Decoded, the record has {len(body)} bytes; at most {LARGEST_BODY} are accepted.")
    intake = Intake(
        kind=kind,
        message_id=message_id,
        received_at=record.timestamp,
        body=body,
        action_at=at.action_at,
        past_from=at.past_from,
        date_only=at.date_only,
        people=people,
    )
    verdict = Verdict(
        stage=NAME,
        message_id=message_id,
        outcome="accepted",
        reason="accepted",
        detail=ACCEPTED_AS[kind] + note,
        at=record.timestamp,
        ori=ori,
        rules=context.rules.version,
        trace=trace_in(record.traceparent),
    )
    return Decision(outputs=(Output(INTAKE, None, intake, headers=headers_of(record, message_id, ori)),), verdicts=(verdict,))


def headers_of(record: Record, message_id: str, ori: str | None) -> Headers:
    """Return the headers with which a record goes on: of a submission those of its first span, in a new trace if what came is malformed."""
    sent = record.traceparent
    if record.topic == SUBMISSIONS.name and sent is not None:
        return message_headers(ori, message_id, trace_of(ori, message_id, trace_in(sent)))
    return ((HEADER, sent),) if sent else ()


def reject(record: Record, labels: Labels, why: Rejection, context: Context) -> Decision[Any]:
    """Return the dead letter with the original bytes (sealed if they may hold contact data) and the verdict."""
    raw = raw_bytes(record)
    encrypted = record.topic in ALWAYS_SEALED or may_hold_contact_data(raw)
    kept = Original.of(raw, record.key)
    letter_id = place_name(record.topic, record.partition, record.offset)
    seal, own_key = seal_of_letter(letter_id, labels.registrant_id, context) if encrypted else (context.seal, ())
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
        key=None if record.topic in ALWAYS_SEALED and kept.key is not None and looks_like_address(kept.key) else kept.key,
        length=kept.length,
        owner=registrant_digest(labels.registrant_id, context.seal) if own_key else None,
    )
    verdict = Verdict(
        stage=NAME,
        message_id=labels.message_id,
        outcome="rejected",
        reason=why.reason,
        detail=why.detail,
        at=record.timestamp,
        ori=labels.ori,
        rules=context.rules.version,
        trace=trace_in(record.traceparent),
    )
    outputs = (Output(DEAD_LETTERS, letter_id, letter), *own_key, *answer_to(record, labels, raw))
    return Decision(outputs, verdicts=(verdict,))


def seal_of_letter(letter_id: str, registrant_id: str, context: Context) -> tuple[Seal, tuple[Output, ...]]:
    """
    Return the seal of a dead letter, and the record of its key.

    A dead letter that may hold the data of a known registrant has a key of its own, so that it can be erased with them.
    """
    if registrant_id == NO_ID:
        return context.seal, ()
    key = context.draw(letter_id)
    sealed = RegistrantKey(sealed=seal_key(key, letter_id, context.seal))
    return Seal(key), (Output(DEAD_LETTER_KEYS, letter_id, sealed),)


def answer_to(record: Record, labels: Labels, raw: bytes) -> tuple[Output, ...]:
    """Return the tally record that leads to the response to a refused submission, if its sender can be read (contract §5, Responses)."""
    readable = record.topic == SUBMISSIONS.name and labels.ori not in {None, NO_ID} and labels.message_id != NO_ID
    if not readable or labels.ori is None or MESSAGE_RESPONSE.encode() in raw:
        return ()
    return submission_refused(
        f"{record.topic}-{record.partition}-{record.offset}", labels.message_id, labels.ori, record.timestamp, trace_in(record.traceparent)
    )


def open_submission(record: Record, context: Context) -> Opened:
    value = record.value
    found = submission.decode_plain(value) if isinstance(value, bytes) and len(value) <= MAX_BYTES else None
    if found is not None:
        sent, body = found
        return Opened(submission_labels(sent.message_id, sent.agency.ori), lambda: accept_submission(record, context, sent, body))
    if isinstance(document := open_document(record), str):
        return open_xml(record, context, document)
    fields, unknown = tidy(document, submission.SHAPE)
    agency = fields.get("agency")
    labels = submission_labels(fields.get("message_id"), agency.get("ori") if isinstance(agency, dict) else None)
    return Opened(labels, lambda: accept_submission(record, context, submission.from_document(fields), unknown=unknown))


def open_xml(record: Record, context: Context, text: str) -> Opened:
    message = XmlMessage.parse(text)
    head = message.head()

    def check() -> Accepted:
        fields, ignored = message.document(head, lambda found: submission.action_dates(found, record.timestamp, context.rules))
        return accept_submission(record, context, submission.from_document(fields), unknown=ignored)

    return Opened(submission_labels(head.get("message_id"), head["agency"].get("ori") if "agency" in head else None), check)


def accept_submission(
    record: Record, context: Context, sent: Submission, body: bytes | None = None, unknown: Iterable[str] = ()
) -> Accepted:
    """Return the submission accepted; `body` is its JSON if it need not be encoded again."""
    found, at, people, left_out = submission.check(sent, record.timestamp, context.rules)
    labels = submission_labels(sent.message_id, found.agency.ori)
    note = describe_births(sent, found) + describe_unknown(unknown) + left_out
    return Accepted("submission", labels, body if body is not None and found is sent else encode(found), note, at, people)


def describe_births(sent: Submission, found: Submission) -> str:
    """Return a sentence on the birth dates that are not whole."""
    if found is sent:
        return ""
    partial = [
        str(place)
        for place, (before, after) in enumerate(zip(sent.offenders, found.offenders, strict=True), 1)
        if before.birth_date is not None and len(after.birth_date or "") < WHOLE_DATE
    ]
    return f" Birth dates that are not whole count as far as they go: of offender {', '.join(partial)}." if partial else ""


def open_registration(record: Record, context: Context) -> Opened:
    if record.value is None:
        return open_removal(record)
    fields, unknown = tidy(json_document(record), registration.SHAPE)
    labels = Labels(private_id(fields.get("registration_id")), registrant_id=private_id(fields.get("registrant_id")))

    def check() -> Accepted:
        identity = context.rules.book(NATIONAL, record.timestamp).identity
        drawn = context.draw(place_name(record.topic, record.partition, record.offset))
        found, person, note = registration.check(fields, record.key, context.seal, drawn, identity)
        registration.check_subtypes(found, known_subtypes(context.rules))
        return Accepted("registration", labels, encode(found), note + describe_unknown(unknown), people=(person,))

    return Opened(labels, check)


@lru_cache(4)
def known_subtypes(rules: Rules) -> frozenset[str]:
    """Return all event subtypes, whatever the jurisdiction and the day, as they compare."""
    return frozenset(map(normalize, rules.subtypes))


def open_removal(record: Record) -> Opened:
    """Return a removal; its id is the record's key."""
    registration_id = clean_id(record.key or "")
    if not registration_id:
        raise Rejection("bad_registration", "A removal names its registration as the record's key; this one has none.")
    labels = Labels(private_id(registration_id))

    def check() -> Accepted:
        check_private_id("key", registration_id)
        return Accepted("removal", labels, b"")

    return Opened(labels, check)


def open_receipt(record: Record, context: Context) -> Opened:
    fields, unknown = tidy(json_document(record), receipt.SHAPE)
    reference = readable_id(fields.get("reference"))
    labels = Labels(reference, registrant_id=private_id(reference.rpartition(".")[0] or None))

    def check() -> Accepted:
        found = receipt.check(fields, record.timestamp, context.seal)
        return Accepted("receipt", labels, encode(found), describe_unknown(unknown))

    return Opened(labels, check)


def open_verification(record: Record, context: Context) -> Opened:
    fields, unknown = tidy(json_document(record), verification.SHAPE)
    labels = Labels(private_id(fields.get("registration_id")))

    def check() -> Accepted:
        found = verification.check(fields, record.timestamp, context.seal)
        return Accepted("verification", labels, encode(found), describe_unknown(unknown))

    return Opened(labels, check)


def open_inbound(record: Record, context: Context) -> Opened:
    fields, unknown = tidy(json_document(record), inbound.SHAPE)

    def check() -> Accepted:
        found = inbound.check(fields, record.timestamp, context.seal)
        return Accepted("inbound", Labels(), encode(found), describe_unknown(unknown))

    return Opened(Labels(), check)


def open_erasure(record: Record, _context: Context) -> Opened:
    fields, unknown = tidy(json_document(record), erasure.SHAPE)
    labels = Labels(private_id(fields.get("registrant_id")))

    def check() -> Accepted:
        return Accepted("erasure", labels, encode(erasure.check(fields, record.timestamp)), describe_unknown(unknown))

    return Opened(labels, check)


def open_action(record: Record, _context: Context) -> Opened:
    fields, unknown = tidy(json_document(record), action.SHAPE)

    def check() -> Accepted:
        found = action.check(fields, record.timestamp)
        if isinstance(found, OffenderAction):
            return Accepted("offender_action", Labels(found.offenders[0]), encode(found), describe_unknown(unknown))
        return Accepted("review_action", Labels(found.review_id or found.group or NO_ID), encode(found), describe_unknown(unknown))

    return Opened(Labels(readable_id(fields.get("review_id"))), check)


OPEN: Final[Mapping[str, Callable[[Record, Context], Opened]]] = {
    SUBMISSIONS.name: open_submission,
    REGISTRATIONS.name: open_registration,
    RECEIPTS.name: open_receipt,
    VERIFICATIONS.name: open_verification,
    INBOUND.name: open_inbound,
    ERASURES.name: open_erasure,
    REVIEW_ACTIONS.name: open_action,
}


def open_document(record: Record) -> Mapping[str, Any] | str:
    """Return the record as a document of plain values, or as the text of an XML document."""
    value = record.value
    if isinstance(value, Unreadable):
        raise Rejection(value.reason, value.detail)
    check_size(raw_bytes(record))
    if isinstance(value, dict):
        return value
    form, text = detect_format(value or b"")
    return parse_json(text) if form == "json" else text


def json_document(record: Record) -> Mapping[str, Any]:
    """Return a record of a topic that takes no XML as a document of plain values."""
    document = open_document(record)
    if isinstance(document, str):
        raise Rejection("unknown_format", "Only submissions may be XML.")
    return document


def submission_labels(message_id: Any, ori: Any) -> Labels:
    return Labels(readable_id(message_id), readable_id(ori))


def readable_id(value: Any) -> str:
    """Return an id as the journal may show it."""
    return value if isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable() else NO_ID


def private_id(value: Any) -> str:
    """Return the id of a registration as the journal may show it: nothing that looks like an address."""
    return NO_ID if isinstance(value, str) and looks_like_address(value) else readable_id(value)


def raw_bytes(record: Record) -> bytes:
    """Return the record's value as received; empty for a tombstone."""
    return record.raw if record.raw is not None else record.value if isinstance(record.value, bytes) else b""


def may_hold_contact_data(raw: bytes) -> bool:
    """Whether rejected bytes may say where somebody can be reached; bytes too large to search always may."""
    if len(raw) > MAX_BYTES:
        return True
    text = raw.replace(b"\0", b"").lower()
    return any(word in text for word in CONTACT_FIELDS) or any(address.search(text) for address in ADDRESSES)


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
    main_input=SUBMISSIONS,
)
