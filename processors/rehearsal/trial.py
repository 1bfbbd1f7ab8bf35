"""
A trial run of submissions through the whole pipeline in memory, which shows who would be told what, or why nobody would be.

Nothing leaves the process: every attempt counts as delivered, every call with a PIN as confirmed. If no registrations are given, every
offender who can be identified gets one assumed registrant, with text message, email and telephone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct

from processors.domain.intake import Intake
from processors.domain.journal import Verdict
from processors.domain.notification import Outbound
from processors.domain.person import Person
from processors.domain.seal import Seal
from processors.domain.submission import Submission
from processors.ingest.read.decide import READ
from processors.pipeline import PIPELINE
from processors.rules.rule_set import Rules
from processors.runtime.decide.driver import PipelineDriver, repeatable_bytes
from processors.runtime.wire.codec import Codec
from processors.stage import Context, Record
from processors.topics import REGISTRATIONS, SUBMISSIONS

TRIAL_DURATION: Final = timedelta(days=2)  # quiet hours, transfers and cancellations are over by then
REGISTERED_BEFORE: Final = timedelta(minutes=1)  # a registration takes effect for what is received after it
KEY: Final = bytes(range(64))  # seals contact data that nobody keeps
ASSUMED_REGISTRATION: Final[dict[str, Any]] = {
    "registrant_id": "REGISTRANT",
    "source": "AGENCY",
    "language": "en",
    "contacts": [
        {"channel": "sms", "address": "+12025550100", "verified": True},
        {"channel": "email", "address": "registrant@example.org", "verified": True},
        {"channel": "voice", "address": "+12025550100", "verified": True},
    ],
}


class Message(Struct, frozen=True):
    """One message that would be sent, at its first attempt."""

    registrant_id: str
    channel: str
    to: str
    at: int
    language: str
    emergency: bool
    subject: str | None
    body: str


class Outcome(Struct, frozen=True):
    """The outcome of one submission: the decisions of every stage, and the messages that would be sent."""

    message_id: str
    decisions: tuple[Verdict, ...]
    messages: tuple[Message, ...]


class Trial(Struct, frozen=True):
    """The outcomes of all submissions, and the registrations that would be refused."""

    outcomes: tuple[Outcome, ...]
    refused: tuple[Verdict, ...]


def run_trial(submissions: Sequence[bytes], registrations: Sequence[bytes] | None, at: datetime, rules: Rules) -> Trial:
    """Return the outcomes of the submissions, all received at `at`, in order."""
    driver = PipelineDriver(PIPELINE, rules, KEY, at - REGISTERED_BEFORE)
    for each in assumed_registrations(submissions, at, rules) if registrations is None else registrations:
        driver.send(REGISTRATIONS, each, registration_id(each))
    refused = tuple(each for each in driver.verdicts() if each.outcome == "rejected")
    driver.advance_to(at)
    read = []
    for submission in submissions:
        before = len(driver.verdicts())
        driver.submit(submission)
        read.append(driver.verdicts()[before])
    deliver_until(driver, at + TRIAL_DURATION, dict(filter(None, map(registrant_and_pin, registrations or ()))))
    return Trial(tuple(outcome_of(driver, each) for each in read), refused)


def deliver_until(driver: PipelineDriver, until: datetime, pins: Mapping[str, str]) -> None:
    """Advance the time to `until`, and answer every attempt when it is made."""
    answered: set[str] = set()
    last = int(until.timestamp() * 1000)
    while (due := driver.next_due()) is not None and due <= last:
        driver.advance_to(due)
        for each in driver.outbound():
            if each.reference not in answered:
                answered.add(each.reference)
                confirmed = {"digits": pins[each.registrant_id]} if each.confirm and each.registrant_id in pins else {}
                driver.receipt(each.reference, "confirmed" if confirmed else "delivered", **confirmed)
    driver.advance_to(until)


def registrant_and_pin(registration: bytes) -> tuple[str, str] | None:
    """Return registrant and PIN of a registration in JSON; None if it cannot be read or has none."""
    try:
        found = msgspec.json.decode(registration, type=RegistrationWithPin)
    except msgspec.DecodeError:
        return None
    return (found.registrant_id, found.pin) if found.pin else None


def registration_id(registration: bytes) -> str | None:
    """Return the id of a registration in JSON; None if it cannot be read."""
    try:
        return msgspec.json.decode(registration, type=RegistrationWithId).registration_id
    except msgspec.DecodeError:
        return None


class RegistrationWithPin(Struct):
    """A registration, of which only the registrant and the PIN are read."""

    registrant_id: str
    pin: str | None = None


class RegistrationWithId(Struct):
    """A registration, of which only the id is read."""

    registration_id: str


def outcome_of(driver: PipelineDriver, read: Verdict) -> Outcome:
    """Return the outcome of the submission with this verdict of `read`."""
    if read.outcome == "rejected":
        return Outcome(read.message_id, (read,), ())
    decisions = tuple(each for each in driver.verdicts(read.message_id) if each.ori in {read.ori, None})
    return Outcome(read.message_id, decisions, messages(driver.outbound(), read.message_id))


def messages(outbound: Sequence[Outbound], message_id: str) -> tuple[Message, ...]:
    """Return the messages about a submission, each at its first attempt."""
    first: dict[tuple[str, str, str], Outbound] = {}
    for each in outbound:
        if message_id in each.message_ids:
            first.setdefault((each.notification_id, each.channel, each.to), each)
    return tuple(
        Message(each.registrant_id, each.channel, each.to, each.created_at, each.language, each.emergency, each.subject, each.body)
        for each in first.values()
    )


def assumed_registrations(submissions: Sequence[bytes], at: datetime, rules: Rules) -> list[bytes]:
    """Return a registration for every offender of the submissions that are accepted."""
    offenders = dict.fromkeys(msgspec.json.encode(each) for submission in submissions for each in offenders_of(submission, at, rules))
    return [
        msgspec.json.encode({**ASSUMED_REGISTRATION, "registration_id": f"TRY-{number}", "offender": msgspec.json.decode(each)})
        for number, each in enumerate(offenders, 1)
    ]


def offenders_of(submission: bytes, at: datetime, rules: Rules) -> tuple[Person, ...]:
    """Return the offenders of a submission; none if it is rejected."""
    value = Codec().decode_external(submission)
    record = Record(SUBMISSIONS.name, 0, 0, None, int(at.timestamp() * 1000), value, submission)
    found = READ.decide(record, {}, Context(rules, Seal(KEY), draw=repeatable_bytes)).outputs[0].value
    return msgspec.json.decode(found.body, type=Submission).offenders if isinstance(found, Intake) else ()
