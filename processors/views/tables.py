"""
The tables of the staff's view and what each record changes in them.

A row has columns for what pages search by, and the whole record as JSON. Of the journal and the responses only an index is
kept: which records of `vn.decisions` and `vn.responses` are about which message.
"""

from sqlite3 import Connection
from typing import Final

import msgspec

from processors.domain.expectation import Expectation
from processors.domain.journal import DeadLetter, DeadLetterSettled, Verdicts
from processors.domain.notification import Response
from processors.domain.offender import CLAIMED, UNCLAIMED, KnownPerson, StaffAction
from processors.domain.policy import Policy
from processors.domain.review import Review
from processors.topics import (
    CONSOLE_LOG,
    DEAD_LETTERS,
    DEAD_LETTERS_SETTLED,
    DECISIONS,
    EXPECTATIONS,
    PEOPLE,
    POLICIES,
    RESPONSES,
    REVIEWS,
    STANDINGS,
)
from processors.views.model import ReadModel, Row, json_document
from processors.views.public import PEOPLE_TABLES, apply_person, apply_standing

TABLES: Final = """
CREATE TABLE reviews (
    review_id TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL, jurisdiction TEXT NOT NULL, since INTEGER NOT NULL,
    grouped TEXT, offender TEXT NOT NULL, message_id TEXT NOT NULL, event_type TEXT NOT NULL, event_subtype TEXT NOT NULL,
    document TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX reviews_by_state ON reviews (state, since);
CREATE INDEX reviews_by_group ON reviews (grouped) WHERE grouped IS NOT NULL;
CREATE INDEX reviews_by_reason ON reviews (reason, state);

CREATE TABLE expectations (
    expectation_id TEXT PRIMARY KEY, state TEXT NOT NULL, deadline INTEGER, ori TEXT NOT NULL, offender TEXT NOT NULL,
    jurisdiction TEXT NOT NULL, document TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX expectations_by_state ON expectations (state, deadline);
CREATE INDEX expectations_by_offender ON expectations (offender);

CREATE TABLE dead_letters (
    dead_letter_id TEXT PRIMARY KEY, stage TEXT NOT NULL, reason TEXT NOT NULL, received_at INTEGER NOT NULL, document TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE dead_letters_settled (dead_letter_id TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE merged (offender TEXT PRIMARY KEY, into_offender TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX merged_by_into ON merged (into_offender);

CREATE TABLE policies (policy_key TEXT PRIMARY KEY, document TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE policy_history (at INTEGER NOT NULL, policy_key TEXT NOT NULL, document TEXT);

CREATE TABLE journal (
    message_id TEXT NOT NULL, partition INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (message_id, partition, place)
) WITHOUT ROWID;
CREATE TABLE responses (
    message_id TEXT NOT NULL, partition INTEGER NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (message_id, partition, place)
) WITHOUT ROWID;
CREATE TABLE journal_offenders (
    offender TEXT NOT NULL, message_id TEXT NOT NULL, ori TEXT, at INTEGER NOT NULL, PRIMARY KEY (offender, message_id)
) WITHOUT ROWID;
CREATE TABLE journal_registrants (
    registrant TEXT NOT NULL, ori TEXT NOT NULL, message_id TEXT NOT NULL, outcome TEXT NOT NULL, at INTEGER NOT NULL, channel TEXT,
    PRIMARY KEY (registrant, ori, message_id, outcome, at)
) WITHOUT ROWID;
CREATE TABLE claims (review_id TEXT PRIMARY KEY, person TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE first_decisions (grouped TEXT PRIMARY KEY, detail TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE agencies (
    ori TEXT PRIMARY KEY, heard_at INTEGER NOT NULL, message_id TEXT NOT NULL, messages INTEGER NOT NULL, rejected INTEGER NOT NULL
) WITHOUT ROWID;
"""


def apply_review(database: Connection, row: Row) -> None:
    value = row.value
    if not isinstance(value, Review):
        database.execute("DELETE FROM reviews WHERE review_id = ?", (row.key,))
        return
    database.execute(
        "INSERT OR REPLACE INTO reviews VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            value.review_id,
            value.state,
            value.reason,
            value.jurisdiction,
            value.since,
            value.group,
            value.offender,
            value.message_id,
            value.event_type,
            value.event_subtype,
            json_document(value),
        ),
    )


def apply_expectation(database: Connection, row: Row) -> None:
    value = row.value
    if not isinstance(value, Expectation):
        database.execute("DELETE FROM expectations WHERE expectation_id = ?", (row.key,))
        return
    database.execute(
        "INSERT OR REPLACE INTO expectations VALUES (?, ?, ?, ?, ?, ?, ?)",
        (value.expectation_id, value.state, value.deadline, value.ori, value.offender, value.jurisdiction, json_document(value)),
    )


def apply_dead_letter(database: Connection, row: Row) -> None:
    value = row.value
    if isinstance(value, DeadLetter):
        shown = msgspec.structs.replace(value, original=None)  # the bytes may hold contact data: they stay in Kafka
        database.execute(
            "INSERT OR REPLACE INTO dead_letters VALUES (?, ?, ?, ?, ?)",
            (value.dead_letter_id, value.stage, value.reason, value.received_at, json_document(shown)),
        )


def apply_settlement(database: Connection, row: Row) -> None:
    value = row.value
    if isinstance(value, DeadLetterSettled):
        database.execute("INSERT OR REPLACE INTO dead_letters_settled VALUES (?, ?)", (value.dead_letter_id, json_document(value)))


def apply_policy(database: Connection, row: Row) -> None:
    value = row.value if isinstance(row.value, Policy) else None
    document = None if value is None else json_document(value)
    database.execute("INSERT INTO policy_history VALUES (?, ?, ?)", (row.timestamp, row.key, document))
    if document is None:
        database.execute("DELETE FROM policies WHERE policy_key = ?", (row.key,))
    else:
        database.execute("INSERT OR REPLACE INTO policies VALUES (?, ?)", (row.key, document))


def apply_verdicts(database: Connection, row: Row) -> None:
    """
    Index the verdicts by message, offender and registrant; count the messages of each agency.

    A verdict without an agency is about a registration, an erasure or a receipt, not about a message.
    """
    if not isinstance(row.value, Verdicts):
        return
    verdicts = row.value.verdicts
    database.executemany(
        "INSERT OR IGNORE INTO journal VALUES (?, ?, ?)", {(each.message_id, row.partition, row.offset) for each in verdicts}
    )
    database.executemany(
        "INSERT OR IGNORE INTO journal_offenders VALUES (?, ?, ?, ?)",
        [(each.offender, each.message_id, each.ori, each.at) for each in verdicts if each.offender and each.ori],
    )
    database.executemany(
        "INSERT OR IGNORE INTO journal_registrants VALUES (?, ?, ?, ?, ?, ?)",
        [
            (each.registrant_id, each.ori, each.message_id, each.outcome, each.at, each.channel)
            for each in verdicts
            if each.registrant_id and each.ori
        ],
    )
    database.executemany(
        "INSERT OR REPLACE INTO first_decisions VALUES (?, ?, ?)",
        [(each.message_id, each.detail, each.at) for each in verdicts if each.reason == "second_reviewer_needed"],
    )
    for each in verdicts:
        if each.stage == "read" and each.ori is not None:
            database.execute(
                "INSERT INTO agencies VALUES (?, ?, ?, 1, ?) ON CONFLICT (ori) DO UPDATE SET heard_at = max(heard_at, excluded.heard_at),"
                " message_id = excluded.message_id, messages = messages + 1, rejected = rejected + excluded.rejected",
                (each.ori, each.at, each.message_id, each.outcome == "rejected"),
            )


def apply_response(database: Connection, row: Row) -> None:
    """Index which record is the response to which message."""
    if isinstance(row.value, Response):
        database.execute("INSERT OR IGNORE INTO responses VALUES (?, ?, ?)", (row.value.message_id, row.partition, row.offset))


def apply_staff_action(database: Connection, row: Row) -> None:
    """Store who has claimed a review, until they give it back."""
    value = row.value
    if not isinstance(value, StaffAction):
        return
    if value.action == CLAIMED:
        database.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (value.subject, value.person, value.at))
    elif value.action == UNCLAIMED:
        database.execute("DELETE FROM claims WHERE review_id = ? AND person = ?", (value.subject, value.person))


def apply_known_person(database: Connection, row: Row) -> None:
    """Store who an offender is, or which key they were merged into."""
    apply_person(database, row)
    into = row.value.into if isinstance(row.value, KnownPerson) else None
    if into is None:
        database.execute("DELETE FROM merged WHERE offender = ?", (row.key,))
    else:
        database.execute("INSERT OR REPLACE INTO merged VALUES (?, ?)", (row.key, into))


STAFF_MODEL: Final = ReadModel(
    PEOPLE_TABLES + TABLES,
    {
        PEOPLE: apply_known_person,
        STANDINGS: apply_standing,
        REVIEWS: apply_review,
        EXPECTATIONS: apply_expectation,
        DEAD_LETTERS: apply_dead_letter,
        DEAD_LETTERS_SETTLED: apply_settlement,
        POLICIES: apply_policy,
        DECISIONS: apply_verdicts,
        RESPONSES: apply_response,
        CONSOLE_LOG: apply_staff_action,
    },
)
