"""
Nothing that `read` accepts is larger than a later stage's schema can hold.

Every field of every external record is sent with values at and beyond the edges of what it may hold. Whatever is let in
goes through the whole pipeline without a dead letter of another stage, and every number of every record is an Avro long.
"""

import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from processors.ingest.read.decide import OPEN
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import ERASURES, INBOUND, RECEIPTS, REGISTRATIONS, REVIEW_ACTIONS, SUBMISSIONS, TOPICS, VERIFICATIONS, Topic
from tests.examples import fourth
from tests.ingest.records import read, with_changes
from tests.stories.builders import registration, submission

LONG = 1 << 63
EDGES: list[Any] = [
    "",
    "x" * 256,
    "x" * 257,
    "x" * 1_025,
    "🚨" * 90,
    "a\u0000b",
    "\u202e\ufffe\U0010ffff",
    "\ud83d",
    "9999-12-31",
    "9998-12-31",
    "1900-01-01",
    "0001-01-01T00:00:00Z",
    -1,
    2**31,
    2**53 + 1,
    LONG - 1,
    LONG,
    0.1,
    True,
    10**25,
    253_402_300_799_999,
    None,
    [],
]
BASES: dict[Topic, dict[str, Any]] = {
    SUBMISSIONS: submission(
        operation="Update",
        refers_to="M-0",
        sent_at="2026-11-02T11:00:00-05:00",
        event_id="E-1",
        case={"number": "CR-1", "court": "Henrico"},
        status="Escapee",
        location={"kind": "Local Jail", "name": "Henrico"},
        from_location={"kind": "Local Jail", "name": "Henrico"},
        compact={"sending_state": "VA", "receiving_state": "NC", "case_number": "1", "report_by": "2026-11-09"},
        remarks="x",
        details={"a": "b"},
        offenders=[
            {
                "identifiers": [{"scheme": "SID", "value": "VA7700123"}],
                "name": {"given": "Thomas", "middle": "Q", "sur": "Walker", "full": "Thomas Q Walker"},
                "aliases": [{"full": "Tom Walker"}],
                "birth_date": "1979-02-11",
            }
        ],
    ),
    REGISTRATIONS: registration("R-1", expires_at="2027-01-01T00:00:00Z", case_numbers=["CR-1"], event_subtypes=["Escape"]),
    RECEIPTS: {
        "reference": f"R-1.{'0' * 20}",
        "status": "delivered",
        "occurred_at": "2026-11-02T18:05:02Z",
        "provider": "example",
        "detail": "x",
        "digits": "1234",
    },
    VERIFICATIONS: {"registration_id": "V-1", "code": "048210", "at": "2026-11-02T18:05:02Z"},
    INBOUND: {
        "provider": "example",
        "channel": "sms",
        "from": "8045551007",
        "to": "8045550000",
        "body": "STOP",
        "occurred_at": "2026-11-02T18:05:02Z",
    },
    ERASURES: {"registrant_id": "R-1", "reason": "asked by letter", "requested_by": "clerk"},
    REVIEW_ACTIONS: {"action": "release", "reason": "x", "reviewer": "ann", "review_id": f"validate-o{'0' * 16}-{'0' * 12}"},
}


def paths(value: Any, so_far: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every field of a document, those that hold others included."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield (*so_far, name)
        yield from paths(part, (*so_far, name))


def with_value(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The document with one field replaced."""
    found = copy.deepcopy(document)
    holder: Any = found
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    return found


def numbers(value: Any) -> Iterator[int]:
    """Every number within a record."""
    if isinstance(value, msgspec.Struct):
        value = [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from numbers(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from numbers(part)


@pytest.mark.parametrize("topic", BASES, ids=lambda topic: topic.name)
def test_what_is_let_in_can_be_held_by_every_later_stage(topic: Topic, driver: PipelineDriver) -> None:
    driver.register(registration("R-1"))
    let_in = 0
    for count, path in enumerate(paths(BASES[topic])):
        for edge, value in enumerate(fourth(EDGES, count)):
            document = with_value(BASES[topic], path, value)
            for name in ("message_id", "registration_id"):
                if name in document and path != (name,):
                    document[name] = f"{name}-{count}-{edge}"
            driver.send(
                topic,
                json.dumps(document).encode(),
                document["registration_id"] if topic is REGISTRATIONS and path != ("registration_id",) else None,
            )
            let_in += read(document, topic).verdicts[0].outcome == "accepted"
    driver.advance(timedelta(days=400))
    assert let_in > 0
    later = [(each.stage, each.reason, each.detail) for each in driver.records("dead-letters") if each.stage != "read"]
    assert [each for each in later if each[1] != "unknown_receipt"] == []  # a receipt may name an attempt that there never was
    for each in TOPICS:
        if each.stamped:  # what others write
            continue
        for record in driver.records(each):
            assert all(-LONG <= number < LONG for number in numbers(record)), record
            assert record is None or driver.codec.decode(driver.codec.encode(record)) == record


def test_every_topic_that_read_reads_is_tried() -> None:
    assert {topic.name for topic in BASES} == set(OPEN)
    for topic, base in BASES.items():
        (verdict,) = read(with_changes(base), topic).verdicts
        assert verdict.outcome == "accepted", (topic.name, verdict.detail)
