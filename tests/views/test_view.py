"""A view holds what the topics say, continues where it was, and is rebuilt if it cannot."""

import sqlite3
from pathlib import Path

import pytest

from processors.domain.journal import DeadLetter, DeadLetterSettled
from processors.domain.notification import Response
from processors.domain.policy import Policy, policy_key
from processors.topics import DEAD_LETTERS, DEAD_LETTERS_SETTLED, DECISIONS, POLICIES, RESPONSES, REVIEWS
from processors.views import queries
from processors.views.database import View
from tests.views.given import AT, LOGS, made_view, put, review, verdicts


@pytest.fixture
def view(tmp_path: Path) -> View:
    return made_view(tmp_path)


def test_open_reviews_are_the_oldest_first_and_closed_ones_are_counted(view: View) -> None:
    put(view, REVIEWS, "b", review("b", since=AT + 1))
    put(view, REVIEWS, "a", review("a", since=AT + 2))
    put(view, REVIEWS, "c", review("c", state="released"))
    put(view, REVIEWS, "d", review("d"))
    put(view, REVIEWS, "d", None)
    with view.reading() as database:
        assert [each["review_id"] for each in queries.open_reviews(database)] == ["b", "a"]
        assert queries.open_reviews(database, jurisdiction="NC") == []
        assert queries.review_outcomes(database, "workflow") == {"released": 1}


def test_a_dead_letter_is_shown_without_its_bytes_and_with_how_it_was_settled(view: View) -> None:
    letter = DeadLetter(
        dead_letter_id="submissions-0-1",
        reason="malformed",
        detail="",
        stage="read",
        topic="submissions",
        partition=0,
        offset=1,
        received_at=AT,
        sha256="00",
        encrypted=False,
        original=b"canary@example.org",
    )
    put(view, DEAD_LETTERS, "submissions-0-1", letter)
    assert b"canary@example.org" not in view.path.read_bytes()
    with view.reading() as database:
        assert [each["settled"] for each in queries.dead_letters(database)] == [None]
    settled = DeadLetterSettled(dead_letter_id="submissions-0-1", how="settled", settled_by="ops", reason="a test", settled_at=AT)
    put(view, DEAD_LETTERS_SETTLED, "submissions-0-1", settled)
    with view.reading() as database:
        assert [each["settled"]["reason"] for each in queries.dead_letters(database)] == ["a test"]


def test_settings_keep_their_history(view: View) -> None:
    policy = Policy(key="cancel.hold", value="20m", set_by="ops", set_at=AT)
    put(view, POLICIES, policy_key(policy), policy)
    put(view, POLICIES, policy_key(policy), None)
    with view.reading() as database:
        assert queries.policies(database) == []
        assert [each["policy"] and each["policy"]["value"] for each in queries.policy_history(database)] == [None, "20m"]


def test_the_journal_is_indexed_by_message_offender_registrant_and_agency(view: View) -> None:
    put(view, DECISIONS, "", verdicts("M-1", "read", "accepted", offender=None), 3)
    put(view, DECISIONS, "", verdicts("M-2", "read", "rejected", offender=None), 4)
    put(view, DECISIONS, "", verdicts("M-1", "deliver", "sent", registrant_id="R-1", channel="sms"), 7)
    answer = Response(
        message_id="M-1", ori="VA0430000", event_type="Message Response", event_subtype="", notification_type="Internal", responded_at=AT
    )
    put(view, RESPONSES, "VA0430000", answer, 5)
    with view.reading() as database:
        assert queries.journal_offsets(database, "M-1") == [(0, 3), (0, 7)]
        assert queries.messages_of(database, "o1") == [{"message_id": "M-1", "ori": "VA0430000", "at": AT}]
        assert queries.decisions_for(database, "R-1") == [
            {"ori": "VA0430000", "message_id": "M-1", "outcome": "sent", "at": AT, "channel": "sms"}
        ]
        assert [(each["messages"], each["rejected"]) for each in queries.agencies(database)] == [(2, 1)]
        assert queries.response_offsets(database, "M-1") == [(0, 5)]
        assert queries.search(database, "M-") == [{"kind": "message", "id": "M-1"}, {"kind": "message", "id": "M-2"}]
        assert queries.search(database, "VA0") == [{"kind": "agency", "id": "VA0430000"}]


def test_a_view_goes_on_where_it_was(view: View) -> None:
    put(view, REVIEWS, "a", review("a"), 41)
    assert view.open(LOGS) == {("reviews", 0): 42}


@pytest.mark.parametrize("damage", ["another log", "another shape", "cut short", "no database", "gone"])
def test_a_view_that_cannot_continue_is_rebuilt(view: View, damage: str) -> None:
    put(view, REVIEWS, "a", review("a"), 41)
    logs = LOGS
    if damage == "another log":
        logs = {**LOGS, "reviews": "recreated"}
    elif damage == "another shape":
        with sqlite3.connect(view.path) as database:
            database.execute("PRAGMA user_version = 7")
        database.close()
    else:
        view.path.with_name(view.path.name + "-wal").unlink(missing_ok=True)
        if damage == "cut short":
            view.path.write_bytes(view.path.read_bytes()[:5000])
        elif damage == "no database":
            view.path.write_bytes(b"not a database at all")
        else:
            view.path.unlink()
    assert view.open(logs) == {}
    with view.reading() as database:
        assert queries.open_reviews(database) == []


def test_a_batch_is_applied_whole_or_not_at_all(view: View) -> None:
    def interrupted() -> None:
        with view.writing() as database:
            database.execute("INSERT INTO policies VALUES ('a', '{}')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    with view.reading() as database:
        assert queries.policies(database) == []


def test_only_the_owner_reads_the_file(view: View) -> None:
    assert view.path.stat().st_mode & 0o077 == 0
