"""
The fuzz targets: the function under test, its seed inputs, and what must hold for every input.

Whatever comes, `read` answers with one verdict and one record, gives a reason of the list, and what it lets in is encoded
and read again. A spreadsheet is read or refused with its line and column; a setting is in force, or refused with a
sentence. Nothing else may be raised.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from processors.cli.documents import BrokenFile, documents
from processors.cli.register import registrations
from processors.domain.erasure import ErasureRequest
from processors.domain.event import EVERYWHERE
from processors.domain.external import InboundForm, ReceiptForm, RegistrationForm, VerificationForm
from processors.domain.intake import Intake
from processors.domain.journal import DeadLetter
from processors.domain.person import Identifier, Name, Person
from processors.domain.policy import Policy
from processors.domain.reasons import REASONS
from processors.domain.registration import Contact
from processors.domain.review import OffenderAction, ReviewAction
from processors.domain.seal import Seal
from processors.domain.submission import Submission
from processors.ingest.read.decide import READ
from processors.rules.load import load_rules
from processors.rules.setting_table import SETTINGS
from processors.runtime.decide.driver import repeatable_bytes
from processors.runtime.wire.codec import Codec, Undecodable
from processors.runtime.wire.registry import self_contained
from processors.runtime.wire.schemas import Version, current, schema_name
from processors.stage import Context, Record
from processors.topics import (
    DEAD_LETTERS,
    ERASURES,
    INBOUND,
    INTAKE,
    RECEIPTS,
    REGISTRATIONS,
    REVIEW_ACTIONS,
    SUBMISSIONS,
    VERIFICATIONS,
    Topic,
)

ROOT: Final = Path(__file__).parents[2]
CORPUS: Final = Path(__file__).parent / "corpus"
NOW: Final = 1_793_646_251_000
CODEC: Final = Codec()


class Registry:
    """A schema registry that has every schema of ours under ids of its own, as the ones of outsiders."""

    def __init__(self) -> None:
        self.versions: dict[int, Version] = {}

    def register(self, version: Version) -> int:
        self.versions[len(self.versions) + 1] = version
        return len(self.versions)

    def schema(self, identity: int) -> Version | None:
        return self.versions.get(identity)


FRAMED: Final = Codec(registry=Registry())


@cache
def context() -> Context:
    return Context(load_rules(), Seal(bytes(range(64))), draw=repeatable_bytes)


def answer(topic: Topic, raw: bytes | None, value: Any, key: str | None = None) -> None:
    """The record is answered with one verdict and one record, the same each time."""
    record = Record(topic.name, 0, 0, key, NOW, value, raw)
    decision = READ.decide(record, {}, context())
    (verdict,) = decision.verdicts
    (output,) = (each for each in decision.outputs if each.topic in {INTAKE, DEAD_LETTERS})  # beside it a key, or a tally of its end
    if verdict.reason not in REASONS or len(verdict.detail) > 600:
        raise AssertionError(verdict)
    if (verdict.outcome == "rejected") is not isinstance(output.value, DeadLetter):
        raise AssertionError(verdict)
    if not isinstance(output.value, DeadLetter | Intake) or CODEC.decode(CODEC.encode(output.value)) != output.value:
        raise AssertionError(output)


def text(topic: Topic) -> Callable[[bytes], None]:
    """Return the target of a topic for what does not claim to be Avro."""

    def target(raw: bytes) -> None:
        answer(topic, raw, CODEC.decode_external(raw))

    return target


def avro(codec: Codec, header: int) -> Callable[[bytes], None]:
    """Return the target of what is sent in Avro: the first byte says which record, and its header is a good one, which nobody guesses."""

    def target(raw: bytes) -> None:
        topic, sample = SENT[raw[0] % len(SENT)] if raw else SENT[0]
        sent = codec.encode(sample)[:header] + raw[1:]
        answer(topic, sent, codec.decode_external(sent))

    return target


def avro_seeds(codec: Codec, header: int) -> Callable[[], list[bytes]]:
    return lambda: [bytes([index]) + codec.encode(sample)[header:] for index, (_, sample) in enumerate(SENT)]


class AgencysRegistry(Registry):
    """A registry that has one schema of an agency's own, another one each time."""

    agencys: Version | None = None

    def schema(self, identity: int) -> Version | None:
        return self.agencys if identity == 0 else super().schema(identity)


AGENCYS: Final = AgencysRegistry()
WITH_AGENCYS: Final = Codec(registry=AGENCYS)
AGENCYS_HEADER: Final = bytes(5)


def own_schema(raw: bytes) -> None:
    """A submission by a schema of the agency's own: the schema's text in the first line, then the datum."""
    text, _, datum = raw.partition(b"\n")
    AGENCYS.agencys = self_contained(text.decode(errors="replace"))
    WITH_AGENCYS._versions.pop(AGENCYS_HEADER, None)  # a registry's schemas never change, this one does
    answer(SUBMISSIONS, AGENCYS_HEADER + datum, WITH_AGENCYS.decode_external(AGENCYS_HEADER + datum))


def own_schema_seeds() -> list[bytes]:
    submission = msgspec.convert(SUBMISSION, Submission)
    fields = [{"name": "message_id", "type": "string"}, {"name": "action_at", "type": {"type": "long", "logicalType": "timestamp-micros"}}]
    small = {"type": "record", "name": "Sent", "fields": fields}
    return [
        json.dumps(current(schema_name(Submission)).source).encode() + b"\n" + CODEC.encode(submission)[10:],
        json.dumps(small).encode() + b"\n\x06M-1\x80\x80\x80\x80\x80\x80\x06",
    ]


def removal(raw: bytes) -> None:
    """A registration is removed by its key."""
    answer(REGISTRATIONS, None, None, raw.decode(errors="replace"))


def policy(raw: bytes) -> None:
    """A setting is in force, or refused with a sentence; whatever is set, every setting has a value."""
    try:
        found = CODEC.decode(CODEC.encode(POLICY)[:10] + raw)
    except Undecodable:
        return
    rules = context().rules.with_policies([found])
    if len(rules.refused) + len(rules.settings.values) != 1:
        raise AssertionError(found)
    for key in SETTINGS:
        rules.settings.value(key, EVERYWHERE)


def spreadsheet(raw: bytes) -> None:
    """A file of registrations is read, or refused with its line and column."""
    try:
        found = list(registrations(raw))
    except BrokenFile as error:
        if not str(error).startswith("line "):
            raise AssertionError(error) from None
        return
    for each in found:
        if raw[:1] not in {b"\xc3", b"\0"} and not isinstance(json.loads(each), dict):
            raise AssertionError(each)
        answer(REGISTRATIONS, each, CODEC.decode_external(each))


def several(raw: bytes) -> None:
    """A file of submissions is told apart, or refused with its line and column."""
    try:
        found = documents(raw)
    except BrokenFile as error:
        if not str(error).startswith("line "):
            raise AssertionError(error) from None
        return
    for each in found:
        answer(SUBMISSIONS, each, CODEC.decode_external(each))


WALKER: Final = Person((Identifier("SID", "VA7700123"),), Name(given="Thomas", sur="Walker"), (), "1979-02-11")
SUBMISSION: Final[dict[str, Any]] = {
    "message_id": "M-1",
    "agency": {"ori": "VA0430000", "name": "Riverside Jail", "state": "VA"},
    "event_type": "Jail",
    "event_subtype": "Escape",
    "notification_type": "Status Update",
    "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}],
    "action_at": "2026-11-02T11:00:00-05:00",
    "offenders": [msgspec.to_builtins(WALKER)],
}
REGISTRATION: Final = RegistrationForm(
    registration_id="V-1", registrant_id="R-1", source="VINE", offender=WALKER, contacts=(Contact("sms", "8045551007", verified=True),)
)
RECEIPT: Final = ReceiptForm(reference=f"R-1.{'0' * 20}", status="delivered", occurred_at=NOW, provider="example")
ACTION: Final = {"action": "release", "reason": "x", "reviewer": "ann", "review_id": f"validate-o{'0' * 16}-{'0' * 12}"}
VERIFICATION: Final = {"registration_id": "V-1", "code": "048210", "at": "2026-11-02T18:05:02Z"}
MESSAGE: Final = {
    "provider": "example",
    "channel": "sms",
    "from": "8045551007",
    "to": "8045550000",
    "body": "STOP",
    "occurred_at": "2026-11-02T18:05:02Z",
}
ERASURE: Final = ErasureRequest(registrant_id="R-1", reason="asked for", requested_by="ann")
OFFENDER: Final = OffenderAction(action="split", offenders=(f"o{'0' * 16}",), identifiers=("SID:VA7700123",), reason="x", reviewer="ann")
POLICY: Final = Policy(key="cancel.hold", value="20m", jurisdiction="VA", set_by="ann", set_at=NOW)
SENT: Final[Sequence[tuple[Topic, msgspec.Struct]]] = (
    (SUBMISSIONS, msgspec.convert(SUBMISSION, Submission)),
    (REGISTRATIONS, REGISTRATION),
    (RECEIPTS, RECEIPT),
    (VERIFICATIONS, VerificationForm(registration_id="V-1", code="048210", at=NOW)),
    (INBOUND, msgspec.convert(MESSAGE | {"occurred_at": NOW}, InboundForm)),
    (ERASURES, ERASURE),
    (REVIEW_ACTIONS, msgspec.convert(ACTION, ReviewAction)),
    (REVIEW_ACTIONS, OFFENDER),
)
TABLE: Final = "registration_id;registrant_id;source;sid;given;sms;verified\nV-1;R-1;VINE;VA7700123;José;8045551007;Y\n"


def xml_seeds() -> list[bytes]:
    return [path.read_bytes() for folder in ("examples/xml", "tests/cases/niem") for path in sorted((ROOT / folder).glob("*.xml"))]


def json_seeds(*documents: Any) -> list[bytes]:
    return [msgspec.json.encode(each) for each in documents]


# Each target with what it begins with.
TARGETS: Final[dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]]] = {
    "xml": (text(SUBMISSIONS), xml_seeds),
    "json": (text(SUBMISSIONS), lambda: json_seeds(SUBMISSION, SUBMISSION | {"compact": {"sending_state": "VA"}, "operation": "Cancel"})),
    "avro-single-object": (avro(CODEC, 10), avro_seeds(CODEC, 10)),
    "avro-confluent": (avro(FRAMED, 5), avro_seeds(FRAMED, 5)),
    "own-schemas": (own_schema, own_schema_seeds),
    "registrations": (text(REGISTRATIONS), lambda: [*json_seeds(REGISTRATION), CODEC.encode(REGISTRATION)]),
    "spreadsheets": (spreadsheet, lambda: [TABLE.encode(), f"sep=,\n{TABLE.replace(';', ',')}".encode("utf-16"), TABLE.encode("cp1252")]),
    "files": (several, lambda: [b"\n".join(json_seeds(SUBMISSION, SUBMISSION)), *xml_seeds()[:1]]),
    "removals": (removal, lambda: [b"V-1", "V-ä 1\u200b".encode(), b"reg7@example.org"]),
    "receipts": (text(RECEIPTS), lambda: [*json_seeds(RECEIPT), CODEC.encode(RECEIPT)]),
    "review-actions": (text(REVIEW_ACTIONS), lambda: json_seeds(ACTION)),
    "verifications": (text(VERIFICATIONS), lambda: json_seeds(VERIFICATION)),
    "inbound": (text(INBOUND), lambda: json_seeds(MESSAGE)),
    "erasures": (text(ERASURES), lambda: json_seeds(ERASURE)),
    "policies": (policy, lambda: [CODEC.encode(POLICY)[10:]]),
}
