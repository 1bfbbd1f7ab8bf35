"""The wire formats: our codec against fastavro's, and hostile bytes."""

import io
import json
import typing
from typing import Any

import msgspec
import pytest
from fastavro import parse_schema, schemaless_reader, schemaless_writer, writer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct, structs

from processors.domain.event import Change, Event
from processors.domain.external import ReceiptForm, RegistrationForm
from processors.domain.journal import DeadLetter, Unreadable, Verdict, Verdicts
from processors.domain.notification import Notification
from processors.domain.person import Identifier, Person
from processors.domain.registration import Contact, Enrolment
from processors.domain.review import OffenderAction, ReviewAction
from processors.domain.submission import Submission
from processors.runtime.errors import Stop
from processors.runtime.wire import codec as codec_module
from processors.runtime.wire.avro import MalformedAvro, read_array, read_long, write_long
from processors.runtime.wire.changelog import State
from processors.runtime.wire.codec import Codec, Undecodable, iso
from processors.runtime.wire.documents import SEPARATE_FIELDS, expand_documents
from processors.runtime.wire.schemas import EXTERNAL, INTERNAL, RECORDS, Version, current, schema_name
from processors.runtime.wire.states import StateFormat
from processors.topics import TOPICS
from tests.examples import examples
from tests.runtime.records import records

EVENT = Event(
    offender="o0123456789abcdef",
    seq=7,
    received_at=1_762_099_451_000,
    message_id="ICOTS-NOD-991",
    ori="VAICOTS01",
    jurisdiction="VA",
    part=0,
    parts=1,
    operation="Update",
    event_type="Interstate Compact",
    event_subtype="Departure",
    notification_type="Movement",
    action_at=1_762_056_000_000,
    past_from=1_762_142_400_000,
    changes=(Change("location", "Raleigh", "Peñuelas"),),
    submission=b"{}",
)
REGISTRATION = RegistrationForm(
    registration_id="IVINS-1",
    registrant_id="R-1",
    source="IVINS",
    offender=Person(identifiers=(Identifier("SID", "VA1"),), birth_date="1981-05-17"),
    contacts=(Contact("sms", "+18045551007", verified=True),),
    pin="4821",
    created_at=1_759_320_000_000,
)


_CODEC = Codec()


ENROLMENT = Enrolment(
    offender="o1", seq=7, received_at=1_762_099_451_000, registration_id="r1", registrant_id="R-1", event_subtypes=("Escape",)
)
LETTER = DeadLetter(
    dead_letter_id="d",
    reason="doctype",
    detail="A document type.",
    stage="ingest",
    topic="submissions",
    partition=0,
    offset=1,
    received_at=1,
    sha256="00",
    encrypted=False,
    original=b"<a/>",
)


class RuleLibrary:
    """A registry in memory."""

    def __init__(self, *versions: Version) -> None:
        self.versions = dict(enumerate(versions, start=1000))
        self.asked: list[int] = []

    def register(self, version: Version) -> int:
        self.versions[len(self.versions) + 1] = version
        return len(self.versions)

    def schema(self, identity: int) -> Version | None:
        self.asked.append(identity)
        return self.versions.get(identity)


@pytest.fixture
def codec() -> Codec:
    return _CODEC


def single(version: Version, datum: Any) -> bytes:
    """A datum as another writer would send it."""
    out = io.BytesIO()
    schemaless_writer(out, parse_schema(version.plain), datum)
    return version.header + out.getvalue()


def builtins(value: Any) -> Any:
    """A record as fastavro takes it, with nothing left to defaults."""
    if type(value) in SEPARATE_FIELDS:
        beside = SEPARATE_FIELDS[type(value)]
        return (
            {"document": msgspec.json.encode(value)}
            if beside is None
            else {"document": msgspec.json.encode(structs.replace(value, **{beside: b""})), beside: getattr(value, beside)}
        )
    if isinstance(value, Struct):
        return {field.encode_name: builtins(getattr(value, field.name)) for field in structs.fields(value)}
    return [builtins(item) for item in value] if isinstance(value, tuple) else value


def framed(identity: int, version: Version, datum: Any) -> bytes:
    return b"\0" + identity.to_bytes(4, "big") + single(version, datum)[10:]


def schema(name: str, **fields: Any) -> Version:
    return Version(name, {"type": "record", "name": f"vn.{name}", "fields": [{"name": key, "type": kind} for key, kind in fields.items()]})


def without(name: str, field: str) -> Version:
    """The schema in force as it was before it had a field."""
    source = current(name).source
    return Version(name, {**source, "fields": [each for each in source["fields"] if each["name"] != field]})


# Whatever is written is read again


@pytest.mark.parametrize("record", RECORDS, ids=schema_name)
def test_every_record_comes_back_as_it_went_and_is_what_another_library_writes_and_reads(codec: Codec, record: type[Struct]) -> None:
    version = current(schema_name(record))

    @settings(max_examples=examples(30), suppress_health_check=[HealthCheck.too_slow])
    @given(records(record))
    def holds(value: Struct) -> None:
        raw = codec.encode(value)
        assert codec.decode(raw) == value
        assert raw == single(version, builtins(value))
        stream = io.BytesIO(raw[10:])
        assert msgspec.convert(expand_documents(schemaless_reader(stream, version.plain, None)), record) == value
        assert stream.read() == b""

    holds()


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_number_comes_back(number: int) -> None:
    raw = write_long(number)
    assert read_long(raw, 0) == (number, len(raw))
    assert read_long(raw + bytes(8), 0) == (number, len(raw))


@pytest.mark.parametrize(
    ("number", "raw"), [(0, "00"), (-1, "01"), (1, "02"), (-64, "7f"), (64, "8001"), (2**63 - 1, "feffffffffffffffff01")]
)
def test_numbers_are_written_as_the_specification_shows(number: int, raw: str) -> None:
    assert write_long(number) == bytes.fromhex(raw)


def test_a_number_longer_than_any_is_malformed() -> None:
    with pytest.raises(MalformedAvro):
        read_long(b"\xff" * 11, 0)


def test_a_block_that_says_its_size_in_bytes_is_read() -> None:
    raw = write_long(-2) + write_long(2) + write_long(5) + write_long(6) + write_long(1) + write_long(7) + b"\0"
    assert read_array(raw, 0, read_long) == ((5, 6, 7), len(raw))


# The header


@pytest.mark.parametrize(
    ("primitive", "fingerprint"), [("int", 0x7275D51A3F395C8F), ("null", 0x63DD24E7CC258F8A), ("string", 0x8F014872634503C7)]
)
def test_fingerprints_are_the_specifications(primitive: str, fingerprint: int) -> None:
    version = Version(primitive, typing.cast("dict[str, Any]", primitive))
    assert version.header == b"\xc3\x01" + fingerprint.to_bytes(8, "little")


def test_a_record_begins_with_its_schemas_fingerprint(codec: Codec) -> None:
    assert codec.encode(EVENT)[:10] == current("Event").header


def test_words_and_times_do_not_change_the_bytes() -> None:
    assert Version("Event", current("Event").plain).header == current("Event").header


# Bytes that nobody sent


def test_what_follows_a_datum_is_not_overlooked(codec: Codec) -> None:
    for raw in (codec.encode(EVENT), codec.encode(ReceiptForm(reference="a", status="b", occurred_at=1, provider="c"))):
        with pytest.raises(Undecodable) as caught:
            codec.decode(raw + b"\0")
        assert caught.value.unreadable.reason == "malformed"
        assert codec.decode_external(raw + b"\0") == Unreadable(
            "malformed", f"bytes follow the datum of {'Event' if raw[2:10] == current('Event').header[2:] else 'Receipt'}"
        )


def test_no_part_of_a_record_is_one(codec: Codec) -> None:
    raw = codec.encode(Notification(registrant_id="R", registration_ids=("a", "b"), event=EVENT))
    for end in range(len(raw)):
        with pytest.raises(Undecodable):
            codec.decode(raw[:end])


@settings(max_examples=examples(300))
@given(st.binary(max_size=120), st.sampled_from(RECORDS))
def test_any_bytes_are_a_record_or_undecodable(tail: bytes, record: type[Struct]) -> None:
    raw = current(schema_name(record)).header + tail
    reason = None
    try:
        assert isinstance(_CODEC.decode(raw), record)
    except Undecodable as error:
        reason = error.unreadable.reason
    assert reason in {None, "malformed"}
    assert isinstance(_CODEC.decode_external(raw), dict | Unreadable)
    _CODEC.describe(raw)


@given(st.binary(max_size=60))
def test_any_bytes_at_all_are_read_without_raising(raw: bytes) -> None:
    for each in (raw, b"\0" + raw, b"\xc3\x01" + raw, b"{" + raw, b"Obj\x01" + raw):
        assert isinstance(_CODEC.decode_external(each), bytes | dict | Unreadable)
        json.dumps(_CODEC.describe(each))


def test_numbers_that_lie_about_what_follows_take_no_memory(codec: Codec) -> None:
    header = current("Registration").header
    for length in (2**30, 2**62, -5):
        assert codec.decode_external(header + write_long(length)) == Unreadable("malformed", "the record is not a datum of Registration")
    items = current("Verdicts").header + write_long(2**60)
    with pytest.raises(Undecodable):
        codec.decode(items)


def test_errors_show_nothing_of_the_record(codec: Codec) -> None:
    raw = codec.encode(REGISTRATION)
    found = codec.decode_external(raw[:-3])
    assert isinstance(found, Unreadable)
    assert "5551007" not in found.detail
    assert found.reason == "malformed"
    with pytest.raises(Undecodable) as caught:
        codec.decode(raw[:-3])
    assert "5551007" not in repr(caught.value)
    assert caught.value.__suppress_context__


# What outsiders send


def test_avro_from_outside_is_the_document_its_json_form_would_be(codec: Codec) -> None:
    assert codec.decode_external(codec.encode(REGISTRATION)) == {
        "registration_id": "IVINS-1",
        "registrant_id": "R-1",
        "source": "IVINS",
        "offender": {"identifiers": [{"scheme": "SID", "value": "VA1"}], "aliases": [], "birth_date": "1981-05-17"},
        "case_numbers": [],
        "event_subtypes": [],
        "language": "en",
        "time_zone": "America/New_York",
        "contacts": [{"channel": "sms", "address": "+18045551007", "verified": True}],
        "pin": "4821",
        "created_at": "2025-10-01T12:00:00.000Z",
    }


def test_what_does_not_claim_to_be_avro_is_left_to_read(codec: Codec) -> None:
    for raw in (b"", b"{}", b"<a/>", b"\xef\xbb\xbf {}", b"\xc3", b"hello"):
        assert codec.decode_external(raw) == raw


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\0\0\0\0\1abc", "no_registry"),
        (b"\0\0", "malformed"),
        (b"\xc3\x01abc", "malformed"),
        (b"\xc3\x01" + b"12345678abc", "unknown_schema"),
        (b"\xc3\x01" + bytes(2 << 20), "too_large"),
        (current("Receipt").header, "malformed"),
    ],
)
def test_avro_that_cannot_be_read_says_why(codec: Codec, raw: bytes, reason: str) -> None:
    found = codec.decode_external(raw)
    assert isinstance(found, Unreadable)
    assert found.reason == reason


def test_container_files_are_not_expand_events(codec: Codec) -> None:
    out = io.BytesIO()
    writer(out, parse_schema(current("Submission").plain), [], codec="deflate")
    found = codec.decode_external(out.getvalue())
    assert isinstance(found, Unreadable)
    assert found.reason == "unknown_schema"


def test_outsiders_cannot_pass_off_the_pipelines_own_records(codec: Codec) -> None:
    for record in INTERNAL:
        found = codec.decode_external(current(schema_name(record)).header + bytes(400))
        assert isinstance(found, Unreadable)
        assert found.reason in {"unknown_schema", "malformed"}


def test_whatever_the_front_door_reads_may_be_sent() -> None:
    assert {record for topic in TOPICS if topic.external and topic.stamped for record in topic.records} == set(EXTERNAL)


def test_a_decision_on_identities_is_read(codec: Codec) -> None:
    merge = OffenderAction(action="merge", offenders=("o1", "o2"), reason="one person", reviewer="jd")
    found = codec.decode_external(codec.encode(merge))
    assert found == {"action": "merge", "offenders": ["o1", "o2"], "identifiers": [], "reason": "one person", "reviewer": "jd"}


def test_an_event_is_no_submission(codec: Codec) -> None:
    assert codec.decode_external(codec.encode(EVENT)) == Unreadable("unknown_schema", "outsiders do not send Event records")


def test_every_outsiders_record_is_read(codec: Codec) -> None:
    action = ReviewAction(action="release", reason="checked", reviewer="jd", review_id="validate-o1-2")
    assert codec.decode_external(codec.encode(action)) == {
        "action": "release",
        "reason": "checked",
        "reviewer": "jd",
        "review_id": "validate-o1-2",
        "received_at": "1970-01-01T00:00:00.000Z",
        "seq": 0,
    }
    receipt = codec.decode_external(codec.encode(ReceiptForm(reference="R.1", status="delivered", occurred_at=1, provider="p")))
    assert receipt == {"reference": "R.1", "status": "delivered", "occurred_at": "1970-01-01T00:00:00.001Z", "provider": "p"}


# Earlier versions


def test_an_earlier_version_is_read_as_the_present_one(monkeypatch: pytest.MonkeyPatch) -> None:
    older = without("Enrolment", "expires_at")
    known = codec_module.history
    monkeypatch.setattr(codec_module, "history", lambda name: (older, *known(name)) if name == "Enrolment" else known(name))
    codec = Codec()
    raw = single(older, builtins(ENROLMENT))
    assert raw[:10] != current("Enrolment").header
    assert codec.decode(raw) == ENROLMENT
    with pytest.raises(Undecodable, match="not a datum"):
        codec.decode(raw[:-1])


def test_an_event_within_an_earlier_version_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    source = current("Notification").source
    older = Version("Notification", {**source, "fields": [*source["fields"], {"name": "mood", "type": "string"}]})
    known = codec_module.history
    monkeypatch.setattr(codec_module, "history", lambda name: (older, *known(name)) if name == "Notification" else known(name))
    notification = Notification(registrant_id="R", registration_ids=("a",), event=EVENT)
    assert Codec().decode(single(older, builtins(notification) | {"mood": "fair"})) == notification


def test_an_event_of_an_earlier_or_later_version_is_read_as_the_present_one(codec: Codec) -> None:
    document = msgspec.json.decode(msgspec.json.encode(structs.replace(EVENT, submission=b"")))
    del document["changes"]
    raw = single(current("Event"), {"document": msgspec.json.encode({**document, "mood": "fair"}), "submission": b"{}"})
    assert codec.decode(raw) == structs.replace(EVENT, changes=())


def test_an_earlier_version_from_outside_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    older = schema(
        "Receipt", reference="string", status="string", occurred_at={"type": "long", "logicalType": "timestamp-millis"}, provider="string"
    )
    raw = single(older, {"reference": "R.1", "status": "busy", "occurred_at": 0, "provider": "p"})
    assert isinstance(Codec().decode_external(raw), Unreadable)
    known = codec_module.history
    monkeypatch.setattr(codec_module, "history", lambda name: (older, *known(name)) if name == "Receipt" else known(name))
    expected = {"reference": "R.1", "status": "busy", "occurred_at": "1970-01-01T00:00:00.000Z", "provider": "p"}
    assert Codec().decode_external(raw) == expected


# With a schema registry


def test_with_a_registry_records_are_framed_with_their_ids() -> None:
    shelf = RuleLibrary()
    codec = Codec(registry=shelf)
    raw = codec.encode(EVENT)
    identity = int.from_bytes(raw[1:5], "big")
    assert raw[:1] == b"\0"
    assert shelf.versions[identity] is current("Event")
    assert raw[5:] == _CODEC.encode(EVENT)[10:]
    assert codec.decode(raw) == EVENT
    assert codec.describe(raw) == _CODEC.describe(_CODEC.encode(EVENT))
    assert shelf.asked == []


def test_what_was_written_before_there_was_a_registry_is_still_read() -> None:
    assert Codec(registry=RuleLibrary()).decode(_CODEC.encode(EVENT)) == EVENT


def test_an_agencys_own_schema_is_read_with_the_fields_it_has() -> None:
    theirs = schema(
        "Message",
        message_id="string",
        shoe_size="long",
        note=["null", "string"],
        sent=["null", {"type": "long", "logicalType": "timestamp-millis"}],
    )
    codec = Codec(registry=RuleLibrary(theirs))
    raw = framed(1000, theirs, {"message_id": "M-1", "shoe_size": 44, "note": None, "sent": 1000})
    assert codec.decode_external(raw) == {"message_id": "M-1", "shoe_size": 44, "sent": "1970-01-01T00:00:01.000Z"}


@pytest.mark.parametrize(
    "theirs",
    [
        schema("Message", a={"type": "array", "items": "null"}),
        schema("Message", a=["null", "vn.Message"]),
        Version("Message", {"type": "record", "name": "vn.Message", "fields": [{"name": "a", "type": "vn.Nowhere"}]}),
    ],
)
def test_an_agencys_schema_that_could_do_harm_is_not_used(theirs: Version) -> None:
    found = Codec(registry=RuleLibrary(theirs)).decode_external(b"\0\0\0\3\xe8" + bytes(20))
    assert isinstance(found, Unreadable)
    assert found.reason == "unknown_schema"


def test_an_agencys_own_schema_with_the_field_names_of_an_event_is_read_as_it_is() -> None:
    theirs = schema("Message", document="string", submission="string")
    raw = framed(1000, theirs, {"document": "{}", "submission": "x"})
    assert Codec(registry=RuleLibrary(theirs)).decode_external(raw) == {"document": "{}", "submission": "x"}


def test_an_id_the_registry_does_not_know_is_an_unknown_schema() -> None:
    found = Codec(registry=RuleLibrary()).decode_external(b"\0\0\0\3\xe8abc")
    assert isinstance(found, Unreadable)
    assert found.reason == "unknown_schema"


def test_a_record_under_an_id_of_before_is_asked_for_once() -> None:
    older = without("Enrolment", "expires_at")
    shelf = RuleLibrary(older)
    codec = Codec(registry=shelf)
    raw = framed(1000, older, builtins(ENROLMENT))
    assert codec.decode(raw) == ENROLMENT
    assert codec.decode(raw) == ENROLMENT
    assert shelf.asked == [1000]


def test_a_record_that_is_not_ours_is_not_decoded() -> None:
    theirs = schema("Message", message_id="string")
    with pytest.raises(Undecodable, match="no record of the pipeline is called Message"):
        Codec(registry=RuleLibrary(theirs)).decode(framed(1000, theirs, {"message_id": "M-1"}))


# For people


def test_times_are_shown_as_iso_and_bytes_as_base64(codec: Codec) -> None:
    shown = codec.describe(codec.encode(EVENT))
    assert shown["received_at"] == "2025-11-02T16:04:11.000Z"
    assert shown["operation"] == "Update"
    assert shown["changes"] == [{"field": "location", "old": "Raleigh", "new": "Peñuelas"}]
    letter = codec.describe(codec.encode(LETTER))
    assert letter["original"] == "PGEvPg=="
    assert list(letter) == list(DeadLetter.__struct_fields__)


def test_an_event_is_shown_as_its_fields_with_the_submission_as_it_came(codec: Codec) -> None:
    shown = codec.describe(codec.encode(structs.replace(EVENT, submission=b'{"message_id":"M"}')))
    assert shown["submission"] == {"message_id": "M"}
    assert set(shown) < set(Event.__struct_fields__)
    assert codec.describe(codec.encode(Notification(registrant_id="R", registration_ids=(), event=EVENT)))["event"] == {
        **shown,
        "submission": {},
    }
    assert codec.describe(single(current("Event"), {"document": b"no json", "submission": b"<a/>"})) == {
        "document": "no json",
        "submission": "<a/>",
    }


def test_a_tombstone_a_state_and_other_formats_are_shown_as_they_are(codec: Codec) -> None:
    assert codec.describe(None) is None
    assert codec.describe(codec.encode_state({"a": [1]})) == {"state": {"a": [1]}}
    assert codec.describe(codec.encode(State(b"no json"))) == {"state": "no json"}
    assert codec.describe(b'\xef\xbb\xbf {"a": 1}') == {"a": 1}
    assert codec.describe(b"<a/>") == "<a/>"
    assert codec.describe(b"\xff\xfe") == "//4="
    assert codec.describe(b"\xc3\x01abc") == "wwFhYmM="


def test_a_time_no_calendar_has_is_shown_as_its_number() -> None:
    assert iso(2**62) == 2**62
    assert iso(-1) == "1969-12-31T23:59:59.999Z"


def test_the_journals_batches_are_shown_whole(codec: Codec) -> None:
    verdict = Verdict(stage="validate", message_id="M", outcome="passed", reason="confirmed", detail="All.", at=1)
    assert [each["at"] for each in codec.describe(codec.encode(Verdicts((verdict, verdict))))["verdicts"]] == [
        "1970-01-01T00:00:00.001Z"
    ] * 2


# States


class Seen(Struct, frozen=True, tag="seen"):
    at: int
    sealed: bytes = b""


class Held(Struct, frozen=True, tag="held"):
    names: tuple[str, ...]


def test_a_state_comes_back_as_it_was_kept(codec: Codec) -> None:
    for state in (Seen(5, b"\xff"), Held(("a",))):
        assert codec.states(StateFormat(Seen | Held))(codec.encode_state(state)) == state


@pytest.mark.parametrize("raw", [b"", b"\xc3\x01broken", _CODEC.encode(State(b"{")), _CODEC.encode(EVENT)])
def test_a_state_that_cannot_be_read_stops_the_stage(codec: Codec, raw: bytes) -> None:
    with pytest.raises(Stop, match="cannot be read by this version"):
        codec.states(StateFormat(Seen | Held))(raw)


def test_submissions_are_read_by_their_own_type(codec: Codec) -> None:
    document = {
        "message_id": "M-1",
        "agency": {"ori": "VA0430000"},
        "event_type": "Jail",
        "event_subtype": "Recapture",
        "notification_type": "Status Update",
        "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}],
        "action_at": "2026-11-02",
        "offenders": [{"identifiers": [{"scheme": "SID", "value": "VA1"}]}],
        "details": {"Bail": "none"},
    }
    submission = msgspec.convert(document, Submission)
    assert msgspec.convert(codec.decode_external(codec.encode(submission)), Submission) == submission
