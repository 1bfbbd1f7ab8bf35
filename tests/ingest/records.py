"""Documents as outsiders send them, and how `read` decides them."""

import json
from pathlib import Path
from typing import Any

import msgspec

from processors.domain.erasure import RegistrantKey
from processors.domain.intake import Intake
from processors.domain.journal import DeadLetter
from processors.domain.registration import Contact, Contacts, Registration
from processors.domain.seal import Seal
from processors.domain.submission import Submission
from processors.ingest.read.decide import READ
from processors.rules.load import load_rules
from processors.runtime.decide.driver import repeatable_bytes
from processors.stage import Context, Decision, Record
from processors.topics import SUBMISSIONS, Topic

NOW = 1_793_646_251_000  # 2026-11-02T18:24:11Z
MINUTE = 60_000
SEAL = Seal(bytes(range(64)))
RULES = load_rules()
CONTEXT = Context(RULES, SEAL, draw=repeatable_bytes)
SCHEMAS = Path(__file__).parents[2] / "schemas"

JOHN: dict[str, Any] = {
    "identifiers": [{"scheme": "SID", "value": "VA1234567"}],
    "name": {"given": "John", "sur": "Sample"},
    "birth_date": "1981-05-17",
}
RECAPTURE: dict[str, Any] = {
    "message_id": "JAIL-1",
    "agency": {"ori": "VA0430000", "name": "Virginia Jail", "state": "VA"},
    "event_type": "Jail",
    "event_subtype": "Recapture",
    "notification_type": "Status Update",
    "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}],
    "action_at": "2026-11-02T17:40:00Z",
    "offenders": [JOHN],
}
REGISTRATION: dict[str, Any] = {
    "registration_id": "IVINS-1",
    "registrant_id": "R-1",
    "source": "IVINS",
    "offender": JOHN,
    "case_numbers": [],
    "event_subtypes": [],
    "language": "en",
    "time_zone": "America/New_York",
    "pin": "4821",
    "created_at": "2026-10-01T12:00:00Z",
    "contacts": [{"channel": "sms", "address": "(804) 555-1007", "verified": True}],
}
RECEIPT: dict[str, Any] = {
    "reference": "R-1.0123456789abcdef0123",
    "status": "delivered",
    "occurred_at": "2026-11-02T18:05:02Z",
    "provider": "example-sms",
}


def with_changes(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the document with fields changed; None takes one out."""
    merged = document | changes
    return {name: value for name, value in merged.items() if value is not None}


def offender(*identifiers: str, name: str | None = None, born: str | None = None, aliases: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return somebody with identifiers such as "SID:VA1"."""
    person: dict[str, Any] = {"identifiers": [dict(zip(("scheme", "value"), each.split(":"), strict=True)) for each in identifiers]}
    if name:
        person["name"] = {"full": name}
    if born:
        person["birth_date"] = born
    return person | {"aliases": [{"full": alias} for alias in aliases]}


def record(value: Any, topic: Topic = SUBMISSIONS, *, key: str | None = None, offset: int = 0, at: int = NOW) -> Record:
    """Return a record as the runner hands it to `read`; a document is sent as JSON."""
    sent = json.dumps(value).encode() if isinstance(value, dict) else value
    raw = sent if isinstance(sent, bytes) else None
    return Record(topic.name, 0, offset, key, at, sent, raw)


def read(value: Any, topic: Topic = SUBMISSIONS, *, key: str | None = None, offset: int = 0, at: int = NOW) -> Decision[Any]:
    return READ.decide(record(value, topic, key=key, offset=offset, at=at), {}, CONTEXT)


def accepted_record(value: Any, topic: Topic = SUBMISSIONS, *, key: str | None = None, at: int = NOW) -> Intake:
    """Return the intake of a record that must be accepted."""
    decision = read(value, topic, key=key, at=at)
    (verdict,), (output, *_) = decision.verdicts, decision.outputs
    assert verdict.outcome == "accepted", (verdict.reason, verdict.detail)
    assert isinstance(output.value, Intake)
    return output.value


def submission(value: Any) -> Submission:
    """Return the submission of a record that must be accepted."""
    return msgspec.json.decode(accepted_record(value).body, type=Submission)


def opened_contacts(registration: Registration) -> tuple[Contact, ...]:
    """Return the contacts of a registration, which are sealed with the registrant's own key."""
    own = RegistrantKey(sealed=registration.key, seq=0).seal_for(registration.registrant_id, SEAL)
    return msgspec.json.decode(own.open(registration.sealed, f"contacts:{registration.registrant_id}"), type=Contacts).contacts


def rejection(value: Any, topic: Topic = SUBMISSIONS, *, key: str | None = None) -> str:
    """Return the reason code of a record that must be rejected, the same in verdict and dead letter."""
    decision = read(value, topic, key=key)
    (verdict,), (output, *_) = decision.verdicts, decision.outputs
    assert isinstance(output.value, DeadLetter)
    assert verdict.outcome == "rejected"
    assert (verdict.reason, verdict.detail) == (output.value.reason, output.value.detail)
    return verdict.reason
