"""A feed is read step by step."""

import base64
import json
from pathlib import Path

from processors.rehearsal.feed import FeedRecord, read_feed
from processors.rehearsal.player import rehearse
from processors.rules.load import load_rules
from processors.topics import REGISTRATIONS, SUBMISSIONS

EXAMPLES = Path(__file__).parents[2] / "examples"
AT = "2026-11-02T09:00:00-05:00"
LATER = "2026-11-02T10:00:00-05:00"


def test_every_kind_of_line(tmp_path: Path) -> None:
    (tmp_path / "xml").mkdir()
    departure = (EXAMPLES / "xml" / "icots-departure.xml").read_bytes()
    (tmp_path / "xml" / "departure.xml").write_bytes(departure)
    submission = {"message_id": "M-1", "agency": {"ori": "VA0430000"}}
    lines = [
        {"at": AT, "submission": submission},
        {"at": AT, "xml": "departure.xml"},
        {"at": AT, "registration": {"registration_id": "V-1"}},
        {"at": AT, "unregister": "V-1"},
        {"at": AT, "raw": "abc", "pad": 5},
        {"at": AT, "base64": base64.b64encode(b"\xff").decode()},
        {"at": LATER},
    ]
    feed = tmp_path / "feed.jsonl"
    feed.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    first, last = read_feed(feed)
    assert first.records == (
        FeedRecord(SUBMISSIONS, "VA0430000", json.dumps(submission).encode()),
        FeedRecord(SUBMISSIONS, "VAICOTS01", departure),
        FeedRecord(REGISTRATIONS, "V-1", b'{"registration_id": "V-1"}'),
        FeedRecord(REGISTRATIONS, "V-1", None),
        FeedRecord(SUBMISSIONS, None, b"abc  "),
        FeedRecord(SUBMISSIONS, None, b"\xff"),
    )
    assert last.records == ()
    assert last.at - first.at == 3_600_000


def test_a_rehearsal_adds_the_moments_at_which_a_timer_comes_due() -> None:
    steps = list(read_feed(EXAMPLES / "feed.jsonl"))
    rehearsal = rehearse(steps, load_rules(), bytes(64))
    moments = rehearsal.moments
    assert [step for step in moments if step in steps] == steps
    assert [step.at for step in moments] == sorted(step.at for step in moments)
    assert any(step not in steps for step in moments)
    assert rehearsal.driver.outbound()
    due = rehearsal.driver.next_due()
    assert due is None or due >= moments[-1].at, "every timer up to the end has fired"
