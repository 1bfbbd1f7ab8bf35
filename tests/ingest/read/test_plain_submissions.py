"""A submission that skips the field-by-field check is read the same as with it; one that needs the check does not skip it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.domain.submission import Submission
from processors.ingest.read import submission, submission_formats
from processors.ingest.read.document import tidy
from processors.ingest.read.formats import parse_json

PLAIN: dict[str, Any] = {
    "message_id": "M-1",
    "agency": {"ori": "VA0430000", "name": "Riverside Jail"},
    "event_type": "Jail",
    "event_subtype": "Escape",
    "notification_type": "Status Update",
    "notification_subtypes": [{"subtype": "Validate", "validations": ["Date"]}],
    "action_at": "2026-11-02T11:00:00-05:00",
    "offenders": [{"identifiers": [{"scheme": "SID", "value": "VA7700123"}], "birth_date": "1979-02-11"}],
    "location": {"kind": "Local Jail"},
    "details": {"reason": "roof"},
}


def field_by_field(raw: bytes) -> tuple[Submission, tuple[str, ...]]:
    fields, unknown = tidy(parse_json(raw.decode()), submission.SHAPE)
    return submission_formats.from_document(fields), unknown


@pytest.mark.parametrize(
    "raw", [json.dumps(PLAIN), json.dumps(PLAIN, indent=2), json.dumps(PLAIN | {"offenders": PLAIN["offenders"] * 40})]
)
def test_a_plain_message_is_read_at_once(raw: str) -> None:
    found = submission_formats.decode_plain(raw.encode())
    assert found is not None
    assert (found[0], ()) == field_by_field(raw.encode())
    assert msgspec.json.decode(found[1], type=submission.Submission) == found[0]


UNTIDY = {
    "a blank before": json.dumps(PLAIN | {"message_id": " M-1"}),
    "a blank behind": json.dumps(PLAIN | {"agency": {"ori": "VA0430000 "}}),
    "a tabulator": json.dumps(PLAIN | {"message_id": "M-1\t"}),
    "an empty text": json.dumps(PLAIN | {"status": ""}),
    "a null": json.dumps(PLAIN | {"status": None}),
    "an unknown field": json.dumps(PLAIN | {"color": 3}),
    "an unknown field within": json.dumps(PLAIN | {"location": {"kind": "Local Jail", "cell": [1]}}),
    "a name given twice": json.dumps(PLAIN)[:-1] + ', "message_id": "M-2"}',
    "a name of a map given twice": json.dumps(PLAIN).replace('"reason": "roof"', '"reason": "roof", "reason": "gate"'),
    "no ASCII": json.dumps(PLAIN | {"remarks": "\u00a0José"}, ensure_ascii=False),
    "an escaped sign": json.dumps(PLAIN | {"remarks": "José"}),
    "a field missing": json.dumps({name: value for name, value in PLAIN.items() if name != "action_at"}),
    "two event types": json.dumps(PLAIN | {"event_type": ["Jail", "Court"]}),
    "a byte order mark": "\ufeff" + json.dumps(PLAIN),
    "blanks around": " " + json.dumps(PLAIN),
    "no JSON": json.dumps(PLAIN)[:-1],
    "more after it": json.dumps(PLAIN) + "{}",
    "a bottomless field": json.dumps(PLAIN)[:-1] + ', "x": ' + "[" * 100_000,
    "two blanks in a row": json.dumps(PLAIN | {"remarks": "a  b"}),
}


@pytest.mark.parametrize("raw", UNTIDY.values(), ids=UNTIDY)
def test_what_must_be_looked_at_is_not_read_at_once(raw: str) -> None:
    assert submission_formats.decode_plain(raw.encode()) is None


TEXTS = st.text(' ab"\\\t:,{}[]é', max_size=4)
VALUES = TEXTS | st.none() | st.integers(0, 2) | st.lists(TEXTS, max_size=2) | st.dictionaries(TEXTS, TEXTS, max_size=2)


@given(st.dictionaries(st.sampled_from([*submission.SHAPE, "x", " status"]), VALUES, max_size=3))
def test_both_ways_read_the_same(changes: dict[str, Any]) -> None:
    raw = msgspec.json.encode(PLAIN | changes)
    found = submission_formats.decode_plain(raw)
    assert found is None or (found[0], ()) == field_by_field(raw)
