"""The queries of the pages; each is a function of a read-only connection."""

import json
from collections.abc import Iterator
from sqlite3 import Connection
from typing import Any, Final

from processors.rules.identity import comparable_number
from processors.views.public import surname_key

MAX_ROWS: Final = 500


def open_reviews(database: Connection, *, reason: str | None = None, jurisdiction: str | None = None) -> list[dict[str, Any]]:
    """Return the open reviews, oldest first."""
    return _documents(
        database.execute(
            "SELECT document FROM reviews WHERE state = 'open' AND (?1 IS NULL OR reason = ?1) AND (?2 IS NULL OR jurisdiction = ?2)"
            " ORDER BY since, review_id",
            (reason, jurisdiction),
        )
    )


def review(database: Connection, review_id: str) -> dict[str, Any] | None:
    return _first(database.execute("SELECT document FROM reviews WHERE review_id = ?", (review_id,)))


def grouped_reviews(database: Connection, group: str) -> list[dict[str, Any]]:
    return _documents(database.execute("SELECT document FROM reviews WHERE grouped = ? AND state = 'open' ORDER BY review_id", (group,)))


def claims(database: Connection, since: int) -> dict[str, tuple[str, int]]:
    """Return who has claimed which review since a time (milliseconds), and when, by review id."""
    rows = database.execute("SELECT review_id, person, at FROM claims WHERE at >= ?", (since,))
    return {review_id: (person, at) for review_id, person, at in rows}


def first_decision(database: Connection, group: str) -> str | None:
    """Return a sentence that says what the first of two reviewers has decided on a group; None if there is none."""
    row = database.execute("SELECT detail FROM first_decisions WHERE grouped = ?", (group,)).fetchone()
    return None if row is None else str(row[0])


def review_outcomes(database: Connection, reason: str, most: int = 20) -> dict[str, int]:
    """Return how the latest reviews with this reason ended: their number by state."""
    rows = database.execute(
        "SELECT state, count(*) FROM (SELECT state FROM reviews WHERE reason = ? AND state <> 'open' ORDER BY since DESC LIMIT ?)"
        " GROUP BY state ORDER BY state",
        (reason, most),
    )
    return dict(rows)


def expectations(database: Connection, *, states: tuple[str, ...] = ("open", "overdue")) -> list[dict[str, Any]]:
    """Return expected events, earliest deadline first; those without one last."""
    return _documents(
        database.execute(
            "SELECT document FROM expectations WHERE state IN (SELECT value FROM json_each(?)) ORDER BY deadline IS NULL, deadline LIMIT ?",
            (json.dumps(states), MAX_ROWS),
        )
    )


def expectations_of(database: Connection, offender: str) -> list[dict[str, Any]]:
    return _documents(database.execute("SELECT document FROM expectations WHERE offender = ? ORDER BY deadline", (offender,)))


def reviews_of(database: Connection, offender: str) -> list[dict[str, Any]]:
    return _documents(database.execute("SELECT document FROM reviews WHERE offender = ? ORDER BY since", (offender,)))


def dead_letters(database: Connection) -> list[dict[str, Any]]:
    """Return the newest dead letters, open ones first; `settled` says how each ended, None while it is open."""
    rows = database.execute(
        "SELECT each.document, settled.document FROM dead_letters AS each LEFT JOIN dead_letters_settled AS settled"
        " USING (dead_letter_id) ORDER BY settled.document IS NOT NULL, each.received_at DESC LIMIT ?",
        (MAX_ROWS,),
    )
    return [{**json.loads(letter), "settled": json.loads(settled) if settled else None} for letter, settled in rows]


def policies(database: Connection) -> list[dict[str, Any]]:
    return _documents(database.execute("SELECT document FROM policies ORDER BY policy_key"))


def policy_history(database: Connection) -> list[dict[str, Any]]:
    """Return the newest changes of settings; `policy` is None if a setting was unset."""
    rows = database.execute("SELECT at, policy_key, document FROM policy_history ORDER BY rowid DESC LIMIT ?", (MAX_ROWS,))
    return [{"at": at, "policy_key": key, "policy": json.loads(document) if document else None} for at, key, document in rows]


def agencies(database: Connection) -> list[dict[str, Any]]:
    """Return every agency that has sent messages; the one that has been silent longest comes first."""
    return [dict(row) for row in database.execute("SELECT * FROM agencies ORDER BY heard_at")]


def review_documents(database: Connection) -> dict[str, str]:
    """Return every review as JSON, by its id."""
    return dict(database.execute("SELECT review_id, document FROM reviews").fetchall())


def expectation_documents(database: Connection) -> dict[str, str]:
    """Return every expected event as JSON, by its id."""
    return dict(database.execute("SELECT expectation_id, document FROM expectations").fetchall())


def journal_offsets(database: Connection, message_id: str) -> list[tuple[int, int]]:
    """Return the partition and offset of the records in `vn.decisions` with verdicts on a message."""
    rows = database.execute("SELECT partition, place FROM journal WHERE message_id = ? ORDER BY partition, place", (message_id,))
    return [(partition, place) for partition, place in rows]


def response_offsets(database: Connection, message_id: str) -> list[tuple[int, int]]:
    """Return the partition and offset of the records in `vn.responses` that respond to a message."""
    rows = database.execute("SELECT partition, place FROM responses WHERE message_id = ? ORDER BY partition, place", (message_id,))
    return [(partition, place) for partition, place in rows]


def messages_of(database: Connection, offender: str) -> list[dict[str, Any]]:
    """Return the messages about an offender, newest first."""
    rows = database.execute(
        "SELECT message_id, ori, at FROM journal_offenders WHERE offender = ? ORDER BY at DESC LIMIT ?",
        (offender, MAX_ROWS),
    )
    return [dict(row) for row in rows]


def decisions_for(database: Connection, registrant: str) -> list[dict[str, Any]]:
    """Return the decisions about notifications of one registrant, newest first."""
    rows = database.execute(
        "SELECT ori, message_id, outcome, at, channel FROM journal_registrants WHERE registrant = ? ORDER BY at DESC LIMIT ?",
        (registrant, MAX_ROWS),
    )
    return [dict(row) for row in rows]


def person_of(database: Connection, offender: str) -> dict[str, Any] | None:
    """Return an offender's names as agencies wrote them, numbers and years of birth; None if unknown."""
    return _first(database.execute("SELECT document FROM people WHERE offender = ?", (offender,)))


def standing_of(database: Connection, offender: str) -> dict[str, Any] | None:
    """Return an offender's status and kind of place, each with its time; None if unknown."""
    return _first(database.execute("SELECT document FROM standings WHERE offender = ?", (offender,)))


def merged_into(database: Connection, offender: str) -> str | None:
    """Return the offender key that this one was merged into; None if it was not merged."""
    row = database.execute("SELECT into_offender FROM merged WHERE offender = ?", (offender,)).fetchone()
    return None if row is None else str(row[0])


def merged_from(database: Connection, offender: str) -> list[str]:
    """Return the offender keys that were merged into this one."""
    return [row[0] for row in database.execute("SELECT offender FROM merged WHERE into_offender = ? ORDER BY offender", (offender,))]


def search(database: Connection, text: str, most: int = 20) -> list[dict[str, str]]:
    """Return offenders with this surname or number, and messages, agencies, offenders and reviews whose id begins with the text."""
    low, high = text, text + "\U0010ffff"
    found: list[dict[str, str]] = []
    for query, key in (
        ("SELECT DISTINCT offender FROM numbers WHERE value = ? LIMIT ?", comparable_number(text)),
        ("SELECT DISTINCT offender FROM names WHERE sur = ? LIMIT ?", surname_key(text)),
    ):
        found += ({"kind": "offender", "id": row[0]} for row in (database.execute(query, (key, most)) if key else ()))
    for kind, query in (
        ("message", "SELECT DISTINCT message_id FROM journal WHERE message_id >= ? AND message_id < ? LIMIT ?"),
        ("offender", "SELECT offender FROM people WHERE offender >= ? AND offender < ? LIMIT ?"),
        ("offender", "SELECT DISTINCT offender FROM journal_offenders WHERE offender >= ? AND offender < ? LIMIT ?"),
        ("agency", "SELECT ori FROM agencies WHERE ori >= ? AND ori < ? LIMIT ?"),
        ("review", "SELECT review_id FROM reviews WHERE review_id >= ? AND review_id < ? LIMIT ?"),
    ):
        found += ({"kind": kind, "id": row[0]} for row in database.execute(query, (low, high, most)))
    return [dict(each) for each in dict.fromkeys(tuple(each.items()) for each in found)][:most]


def _documents(rows: Iterator[Any]) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in rows]


def _first(rows: Iterator[Any]) -> dict[str, Any] | None:
    return next(iter(_documents(rows)), None)
