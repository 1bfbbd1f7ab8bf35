"""
The changes that pages can make: records on the pipeline's topics, with the user's name.

A decision on a review can be undone for eight seconds: until then it is stored in the console's own file, so that a restart
does not lose it. Decisions on emergencies are sent at once.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, Literal

import structlog

from processors.domain.offender import StaffAction
from processors.domain.policy import Policy, policy_key
from processors.domain.review import ReviewAction
from processors.domain.seal import Seal
from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka import dead_letters
from processors.runtime.kafka.user_client import UserClient
from processors.topics import CONSOLE_LOG, POLICIES, REGISTRATIONS, REVIEW_ACTIONS

UNDO_MILLISECONDS: Final = 8_000
TICK_SECONDS: Final = 0.5
Decision = Literal["release", "discard"]


class Actions:
    """Sends users' decisions; those that can still be undone wait in a file."""

    def __init__(self, client: UserClient, path: Path, seal: Seal) -> None:
        self._client = client
        self._path = path
        self._seal = seal
        self._stopped = Event()
        self._log = structlog.get_logger()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with self._database() as database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS pending (review_id TEXT PRIMARY KEY, due INTEGER NOT NULL, action TEXT NOT NULL)"
                )
                database.execute("DELETE FROM pending WHERE FALSE")  # fails if the file cannot be written
        except sqlite3.DatabaseError as error:
            raise UserError(
                f"decisions cannot be stored in {path} ({error}): remove the file, or name another folder in VN_VIEWS_DIR"
            ) from None

    # -- reviews

    def decide(self, review_id: str, decision: Decision, reason: str, reviewer: str, *, at_once: bool) -> None:
        """Send the decision, at once or once it can no longer be undone."""
        action = {"action": decision, "reason": reason, "reviewer": reviewer, "review_id": review_id}
        with self._database() as database:
            due = wall_time() + (0 if at_once else UNDO_MILLISECONDS)
            database.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?)", (review_id, due, json.dumps(action)))
        if at_once:
            self.send_due()

    def undo(self, review_id: str) -> bool:
        """Undo the decision if it has not been sent yet; return whether it was undone."""
        with self._database() as database:
            return database.execute("DELETE FROM pending WHERE review_id = ?", (review_id,)).rowcount > 0

    def pending(self, review_id: str) -> Mapping[str, Any] | None:
        """Return the waiting decision with its due time; None if there is none."""
        with self._database() as database:
            row = database.execute("SELECT due, action FROM pending WHERE review_id = ?", (review_id,)).fetchone()
        return None if row is None else {"due": row[0], **json.loads(row[1])}

    def decide_group(self, group: str, decision: Decision, reason: str, reviewer: str) -> None:
        """Send the decision on every open review of the group at once."""
        self._send_action(ReviewAction(action=decision, reason=reason, reviewer=reviewer, group=group), group)

    def send_due(self) -> None:
        """Send every decision that can no longer be undone; one that cannot be sent stays and is tried again."""
        with self._database() as database:
            due = database.execute("SELECT review_id, action FROM pending WHERE due <= ? ORDER BY due", (wall_time(),)).fetchall()
        for review_id, action in due:
            self._send_action(ReviewAction(**json.loads(action)), review_id)
            with self._database() as database:  # sent twice after a crash in between: the second finds no open review
                database.execute("DELETE FROM pending WHERE review_id = ? AND action = ?", (review_id, action))

    def start(self) -> None:
        """Start a thread that sends decisions when they become due, until `stop`."""
        Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(TICK_SECONDS):
            try:
                self.send_due()
            except UserError as error:
                self._log.warning("decisions_wait", why=str(error))

    def _send_action(self, action: ReviewAction, key: str) -> None:
        self._client.send(REVIEW_ACTIONS, [(key, self._client.codec.encode(action))])

    # -- dead letters, settings, registrations

    def log(self, person: str, action: str, subject: str, reason: str = "") -> None:
        """Record in `vn.console.log` what a user is about to do or see."""
        record = StaffAction(person=person, action=action, subject=subject, reason=reason, at=wall_time())
        self._client.send(CONSOLE_LOG, [(None, self._client.codec.encode(record))])

    def settle(self, dead_letter_id: str, reason: str, person: str) -> None:
        """Record that a dead letter needs nothing more, so that it no longer counts as open."""
        (letter,) = dead_letters.find_dead_letters(self._client, [dead_letter_id])
        dead_letters.settle(self._client, letter, reason, person)

    def replay(self, dead_letter_id: str, person: str) -> None:
        """Send the original again, byte for byte, to the topic it came from."""
        (letter,) = dead_letters.find_dead_letters(self._client, [dead_letter_id])
        dead_letters.replay(self._client, letter, self._seal, person)

    def set_policy(self, policy: Policy) -> None:
        """Set a setting; it takes effect within five seconds."""
        self._client.send(POLICIES, [(policy_key(policy), self._client.codec.encode(policy))])

    def unset_policy(self, policy: Policy) -> None:
        self._client.send(POLICIES, [(policy_key(policy), None)])

    def register(self, registration_id: str, document: Mapping[str, Any]) -> None:
        """Send the registration; the pipeline decides whether it is accepted."""
        self._client.send(REGISTRATIONS, [(registration_id, json.dumps(document).encode())])

    def unregister(self, registration_id: str) -> None:
        self._client.send(REGISTRATIONS, [(registration_id, None)])

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=5)) as database, database:
            yield database
