"""What holds for every input: dead letters, wire formats, and a verdict on every record."""

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.domain.erasure import RegistrantKey, registrant_digest
from processors.domain.external import ReceiptForm, RegistrationForm
from processors.domain.intake import Intake
from processors.domain.journal import BEGINNING_BYTES, MAX_ORIGINAL_BYTES, DeadLetter, Unreadable
from processors.domain.person import Identifier, Person
from processors.domain.reasons import REASONS
from processors.domain.registration import Contact, address_digest
from processors.domain.seal import Seal, SealBroken
from processors.domain.submission import Submission
from processors.domain.tally import PartEnded
from processors.ingest.read.decide import READ
from processors.ingest.read.formats import MAX_BYTES
from processors.runtime.kafka.clients import MAX_RECORD_BYTES
from processors.runtime.wire.codec import Codec
from processors.stage import Record, TimerFired
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
    Topic,
)
from tests.ingest.records import (
    CONTEXT,
    NOW,
    RECAPTURE,
    RECEIPT,
    REGISTRATION,
    SCHEMAS,
    SEAL,
    accepted_record,
    read,
    submission,
    with_changes,
)

XML = next(SCHEMAS.glob("xml/specification-2-*")).read_bytes()
TOPICS = (SUBMISSIONS, REGISTRATIONS, RECEIPTS, REVIEW_ACTIONS)


def dead(value: Any, topic: Any = SUBMISSIONS, **more: Any) -> DeadLetter:
    output, *_ = read(value, topic, **more).outputs
    assert (output.topic, output.key) == (DEAD_LETTERS, output.value.dead_letter_id)  # type: ignore[union-attr]
    assert isinstance(output.value, DeadLetter)
    return output.value


def test_a_dead_letter_has_the_exact_bytes_and_their_place() -> None:
    raw = b'\xef\xbb\xbf {"message_id": "JAIL-1", "agency": {"ori": "VA1"}, "event_subtype": "x", "notification_type": "y"}\r\n'
    assert dead(raw, key="VA0430000", offset=7) == DeadLetter(
        dead_letter_id="submissions-0-7",
        reason="event_type_count",
        detail=dead(raw).detail,
        stage="read",
        topic="submissions",
        partition=0,
        offset=7,
        received_at=NOW,
        sha256=hashlib.sha256(raw).hexdigest(),
        encrypted=False,
        original=raw,
        key="VA0430000",
    )


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        (REGISTRATIONS, with_changes(REGISTRATION, source="FACEBOOK")),
        (REGISTRATIONS, b"\x00\x01"),
        (RECEIPTS, with_changes(RECEIPT, status="eaten", digits="4821")),
        (SUBMISSIONS, REGISTRATION),
        (SUBMISSIONS, with_changes(RECAPTURE, event_type="Zoo", remarks="call (804) 555-1007")),
        (SUBMISSIONS, with_changes(RECAPTURE, event_type="Zoo", remarks="ann@example.org")),
        (SUBMISSIONS, "<ContactEmailID/>".encode("utf-16")),
        (SUBMISSIONS, b"{" * (MAX_BYTES + 1)),
    ],
)
def test_a_dead_letter_with_contact_data_is_sealed(topic: Any, value: Any) -> None:
    raw = json.dumps(value).encode() if isinstance(value, dict) else value
    letter = dead(raw, topic)
    assert letter.encrypted
    assert letter.sha256 == hashlib.sha256(raw).hexdigest()
    assert seal_of(letter).open(letter.original or b"", "dead-letter") == raw


def seal_of(letter: DeadLetter) -> Seal:
    """Return the seal of a dead letter, which is its own where it says a registrant or an address."""
    if letter.owner is None and not letter.addresses:
        return SEAL
    own = Seal(CONTEXT.draw(letter.dead_letter_id))
    with pytest.raises(SealBroken):
        SEAL.open(letter.original or b"", "dead-letter")
    return own


@pytest.mark.parametrize(("topic", "value"), [(REGISTRATIONS, REGISTRATION | {"source": "X"}), (RECEIPTS, RECEIPT | {"status": "eaten"})])
def test_a_dead_letter_of_a_registrant_has_a_key_of_its_own_which_can_be_destroyed(topic: Topic, value: dict[str, Any]) -> None:
    decision = read(value, topic)
    letter, key = decision.outputs[0].value, decision.outputs[1]
    assert isinstance(letter, DeadLetter)
    assert isinstance(key.value, RegistrantKey)
    assert (key.topic, key.key) == (DEAD_LETTER_KEYS, letter.dead_letter_id)
    assert key.value.seal_for(letter.dead_letter_id, SEAL) == seal_of(letter)
    assert letter.owner == registrant_digest("R-1", SEAL)


STRANGE = {"provider": "t", "channel": "fax", "from": "+18045551007", "to": "12345", "occurred_at": "2026-11-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        (INBOUND, STRANGE | {"body": "STOP"}),
        (INBOUND, STRANGE | {"from": 5, "body": "my number is (804) 555-1007 now"}),
        (REGISTRATIONS, {**{key: each for key, each in REGISTRATION.items() if key != "registrant_id"}}),
        (REGISTRATIONS, b'{"registrant_id": "R-1", "contacts": [{"address": "+18045551007"'),
        (SUBMISSIONS, RECAPTURE | {"event_type": "Party", "remarks": "call 804.555.1007"}),
    ],
)
def test_a_dead_letter_that_names_nobody_is_found_by_the_addresses_in_it(topic: Topic, value: Any) -> None:
    decision = read(value, topic)
    letter, key = decision.outputs[0].value, decision.outputs[1]
    assert isinstance(letter, DeadLetter)
    assert letter.concerns("", {address_digest("+18045551007", SEAL)})
    assert not letter.concerns("", {address_digest("+18045551008", SEAL)})
    assert (key.topic, key.key) == (DEAD_LETTER_KEYS, letter.dead_letter_id)
    assert seal_of(letter).open(letter.original or b"", "dead-letter")


def test_an_empty_submission_is_a_dead_letter() -> None:
    letter = dead(None)
    assert (letter.reason, letter.original, letter.sha256) == ("unknown_format", b"", hashlib.sha256(b"").hexdigest())


def test_avro_that_cannot_be_read_keeps_the_reason_and_its_bytes() -> None:
    raw = b"\x00\x00\x00\x00\x07abc"
    found = Record(SUBMISSIONS.name, 0, 0, None, NOW, Unreadable("no_registry", "No registry is configured."), raw)
    decision = READ.decide(found, {}, CONTEXT)
    (output,) = decision.outputs
    assert isinstance(output.value, DeadLetter)
    assert (output.value.reason, output.value.detail, output.value.original) == ("no_registry", "No registry is configured.", raw)


def test_xml_json_and_avro_say_the_same() -> None:
    as_xml = submission(XML)
    as_json = msgspec.json.encode(as_xml)
    as_avro = Codec().encode(as_xml)
    document = Codec().decode_external(as_avro)
    found = READ.decide(Record(SUBMISSIONS.name, 0, 0, None, NOW, document, as_avro), {}, CONTEXT).outputs[0].value
    assert isinstance(found, Intake)
    assert msgspec.json.decode(found.body, type=Submission) == submission(as_json) == as_xml
    dates = {
        (each.action_at, each.past_from, each.date_only, each.message_id)
        for each in (found, accepted_record(XML), accepted_record(as_json))
    }
    assert len(dates) == 1


def test_registrations_and_receipts_may_be_avro() -> None:
    person = Person((Identifier("SID", "VA1"),))
    sent = RegistrationForm(
        registration_id="V", registrant_id="R", source="VINE", offender=person, contacts=(Contact("sms", "8045551007"),)
    )
    receipt = ReceiptForm(reference=f"R.{'0' * 20}", status="busy", occurred_at=NOW, provider="example")
    for topic, form in ((REGISTRATIONS, sent), (RECEIPTS, receipt)):
        raw = Codec().encode(form)
        decision = READ.decide(Record(topic.name, 0, 0, None, NOW, Codec().decode_external(raw), raw), {}, CONTEXT)
        assert decision.verdicts[0].outcome == "accepted", decision.verdicts


def test_a_record_of_avro_too_is_measured_as_it_came() -> None:
    found = Record(SUBMISSIONS.name, 0, 0, None, NOW, dict(RECAPTURE), bytes(1 << 21))
    assert READ.decide(found, {}, CONTEXT).verdicts[0].reason == "too_large"


def test_what_is_let_in_goes_to_intake_in_one_order() -> None:
    (output,) = read(RECAPTURE).outputs
    assert (output.topic, output.key) == (INTAKE, None)
    assert set(READ.outputs) == {INTAKE, DEAD_LETTERS, DEAD_LETTER_KEYS, TALLY}


def test_read_keeps_nothing_and_sets_no_timers() -> None:
    assert list(READ.keys(TimerFired("x", NOW), {})) == []
    with pytest.raises(TypeError):
        READ.decide(TimerFired("x", NOW), {}, CONTEXT)


# --- nothing is silent, nothing stops the pipeline -----------------------------------------------------------------------


def check_spoken(value: Any, topic: Any) -> None:
    """One verdict, one record, a reason of the list, and twice the same."""
    decision = read(value, topic, key="K")
    (verdict,), (output, *_) = decision.verdicts, decision.outputs
    assert verdict.reason in REASONS
    assert (verdict.outcome == "rejected") is isinstance(output.value, DeadLetter)
    assert read(value, topic, key="K") == decision
    assert len(verdict.detail) < 600


texts = st.text(alphabet='aZ0 -/"\\{}[]<>&\n\t\0éß漢ﬀ🚨\u0301\u202e\ufeff', max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
paths = st.sampled_from(
    [*RECAPTURE, "case", "compact", "location", "details", "operation", "sent_at", "contacts", "pin", "status", "offender"]
)


@given(value=st.binary(max_size=64), topic=st.sampled_from(TOPICS))
def test_any_bytes_are_answered(value: bytes, topic: Any) -> None:
    check_spoken(value, topic)


@given(changes=st.dictionaries(paths, json_values, max_size=4), topic=st.sampled_from(TOPICS))
def test_any_document_is_answered(changes: dict[str, Any], topic: Any) -> None:
    base = {SUBMISSIONS: RECAPTURE, REGISTRATIONS: REGISTRATION, RECEIPTS: RECEIPT}.get(topic, {})
    check_spoken(base | changes, topic)


@given(at=st.integers(0, len(XML) - 1), addition=st.binary(max_size=6) | st.sampled_from([b"<", b"</", b"&", b"<a>", b"]]>", b"\xff"]))
def test_any_change_of_an_xml_message_is_answered(at: int, addition: bytes) -> None:
    check_spoken(XML[:at] + addition + XML[at:], SUBMISSIONS)
    check_spoken(XML[:at] + XML[at + len(addition) + 1 :], SUBMISSIONS)


@given(text=texts)
def test_any_name_is_kept_as_written(text: str) -> None:
    person = {"identifiers": [{"scheme": "SID", "value": "VA1"}], "name": {"full": text}}
    decision = read(with_changes(RECAPTURE, offenders=[person]))
    if isinstance(decision.outputs[0].value, Intake):
        (found,) = msgspec.json.decode(decision.outputs[0].value.body, type=Submission).offenders
        assert (found.name.full if found.name else None) == (text.strip() or None)
    else:
        assert decision.verdicts[0].reason == "too_long"


@pytest.mark.parametrize("topic", TOPICS)
def test_a_record_larger_than_the_pipeline_can_write_is_kept_as_digest_length_and_beginning(topic: Any) -> None:
    """A broker limits the compressed size: an outsider's record of any size may arrive."""
    raw = b"{" + b" " * 50_000_000
    letter = dead(raw, topic, key="k" * 5_000_000)
    assert (letter.reason, letter.sha256, letter.length) == ("too_large", hashlib.sha256(raw).hexdigest(), 50_000_001)
    assert SEAL.open(letter.original or b"", "dead-letter") == raw[:BEGINNING_BYTES]
    assert letter.key is None
    assert len(Codec().encode(letter)) < MAX_RECORD_BYTES


@pytest.mark.parametrize("topic", [*TOPICS, ERASURES], ids=lambda each: each.name)
def test_a_key_that_looks_like_an_address_is_not_kept_readable(topic: Topic) -> None:
    assert dead(b"{}", topic, key="ann@example.org").key is None
    assert dead(b"{}", topic, key="VA0430000").key == "VA0430000"


def test_a_record_that_can_be_written_is_kept_whole() -> None:
    raw = b"{" * MAX_ORIGINAL_BYTES
    letter = dead(raw)
    assert letter.length is None
    assert SEAL.open(letter.original or b"", "dead-letter") == raw
    assert len(Codec().encode(letter)) < MAX_RECORD_BYTES


def test_avro_that_grows_beyond_what_can_be_written_when_decoded_is_rejected() -> None:
    """An array of empty records takes a few bytes each in Avro and fifty in JSON."""
    body = msgspec.json.decode(msgspec.json.encode(submission(XML)))
    body["details"] = {f"field {number}": "x" * 40 for number in range(50_000)}
    found = Record(SUBMISSIONS.name, 0, 0, None, NOW, body, b"\xc3\x01" + bytes(1_000))
    output, *_ = READ.decide(found, {}, CONTEXT).outputs
    assert isinstance(output.value, DeadLetter)
    assert output.value.reason == "too_large"


def test_a_refused_submission_is_answered_if_it_can_be_read_whose_it_is() -> None:
    named = b'{"message_id": "M-1", "agency": {"ori": "VA0430000"}}'
    ((_, answer), nameless, response) = (
        read(value).outputs for value in (named, b'{"message_id": "M-1"}', named.replace(b"}}", b'}, "event_type": "Message Response"}'))
    )
    assert answer.topic is TALLY
    assert answer.value == PartEnded(
        submission="submissions-0-0", message_id="M-1", ori="VA0430000", leaves=1, received_at=answer.value.received_at, result="failed"
    )
    assert [len(nameless), len(response)] == [1, 1], "a Message Response is never answered"
