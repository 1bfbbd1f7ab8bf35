"""Records as `vn tail` shows them (contract §1)."""

import base64
import json

import pytest

from processors.cli.tail import lines, topic_named
from processors.domain.journal import Verdicts
from processors.domain.tick import Tick
from processors.runtime.errors import UsageError
from processors.runtime.kafka.user_client import TopicRecord
from processors.runtime.wire.codec import Codec
from processors.topics import CLOCK, DECISIONS, SUBMISSIONS, Topic
from tests.cli.given import AT, outbound, verdict

CODEC = Codec()


def show(value: bytes | None, topic: Topic = SUBMISSIONS) -> list[object]:
    return [each["value"] for each in lines(TopicRecord("vn.x", 1, 7, AT, "k", {"h": "v"}, value), CODEC, topic)]


def test_a_line_has_these_fields_in_this_order() -> None:
    (line,) = lines(TopicRecord("vn.clock", 1, 7, AT, None, {"h": "v"}, CODEC.encode(Tick(AT))), CODEC, CLOCK)
    assert list(line.items())[:6] == [
        ("topic", "vn.clock"),
        ("partition", 1),
        ("offset", 7),
        ("timestamp", AT),
        ("key", None),
        ("headers", {"h": "v"}),
    ]
    assert list(line)[6:] == ["value"]


def test_avro_is_decoded_and_its_times_are_iso() -> None:
    (value,) = show(CODEC.encode(outbound("sms")))
    assert isinstance(value, dict)
    assert value["channel"] == "sms"
    assert value["created_at"] == "2026-11-02T14:00:00.000Z"
    assert json.loads(json.dumps(value)) == value


def test_a_tombstone_is_null() -> None:
    assert show(None) == [None]


def test_what_outsiders_send_is_shown_as_it_is() -> None:
    assert show(b' {"a": 1}') == [{"a": 1}]
    assert show("<a>ñ</a>".encode()) == ["<a>ñ</a>"]
    for odd in (b"\x00\x01", b"{not json", b"<\xff", b"\xc3\x01nonsense"):
        assert show(odd) == [base64.b64encode(odd).decode()]


def test_the_journal_is_shown_a_decision_at_a_time() -> None:
    batch = CODEC.encode(Verdicts((verdict("read", "accepted"), verdict("read", "rejected"))))
    assert [value["outcome"] for value in show(batch, DECISIONS) if isinstance(value, dict)] == ["accepted", "rejected"]


def test_a_topic_is_named_with_or_without_the_prefix() -> None:
    assert topic_named("vn.submissions", "vn.") is topic_named("submissions", "vn.") is SUBMISSIONS
    for wrong in ("nonsense", "xx.submissions", ""):
        with pytest.raises(UsageError, match="vn topics list"):
            topic_named(wrong, "vn.")
