"""
Reads a view for a command: what the file holds, and from Kafka what was written since.

The file is the one that `vn console` keeps in `VN_VIEWS_DIR`. Commands only read it, so they do not conflict with the console;
however far behind the file is, the answer is current. Without a matching file everything is read from Kafka.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import msgspec

from processors.domain.expectation import Expectation
from processors.domain.journal import Verdict
from processors.domain.notification import Response
from processors.domain.review import Review
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.user_client import UserClient
from processors.topics import DECISIONS, EXPECTATIONS, RESPONSES, REVIEWS, Topic
from processors.views import queries
from processors.views.database import TopicAndPartition, View
from processors.views.tables import STAFF_MODEL

R = TypeVar("R", Review, Expectation)

CONSOLE_VIEW: Final = "console.sqlite"


class ViewReader:
    """Reads journal, responses, reviews and expected events, from a view if there is one; `source` says in words from where."""

    def __init__(self, client: UserClient, snapshot: tuple[sqlite3.Connection, dict[TopicAndPartition, int]] | None, source: str) -> None:
        self.source = source
        self._client = client
        self._database: sqlite3.Connection | None = None
        self._positions: dict[TopicAndPartition, int] = {}
        if snapshot is not None:
            self._database, self._positions = snapshot

    def journal(self, message_id: str) -> Iterator[tuple[int, Verdict]]:
        """Yield at least every verdict on a message, each with the time it was written."""
        if self._database is not None:
            offsets = queries.journal_offsets(self._database, message_id)
            yield from self._client.verdicts_in(self._client.read_at(DECISIONS, offsets))
        yield from self._client.journal(DECISIONS, self._starts(DECISIONS))

    def responses(self, message_id: str) -> Iterator[Response]:
        """Yield at least every response to a message."""
        offsets = [] if self._database is None else queries.response_offsets(self._database, message_id)
        yield from self._client.values_in(self._client.read_at(RESPONSES, offsets))
        yield from self._client.values_in(self._client.read(RESPONSES, starts=self._starts(RESPONSES)))

    def reviews(self) -> dict[str, Review]:
        """Return every review by its id."""
        return self._table(REVIEWS, queries.review_documents, Review)

    def expectations(self) -> dict[str, Expectation]:
        """Return every expected event by its id."""
        return self._table(EXPECTATIONS, queries.expectation_documents, Expectation)

    def _table(self, topic: Topic, documents: Callable[[sqlite3.Connection], dict[str, str]], record: type[R]) -> dict[str, R]:
        found: dict[str, R] = {}
        if self._database is not None:
            decode = msgspec.json.Decoder(record).decode
            found = {key: decode(document) for key, document in documents(self._database).items()}
        for key, value in self._client.latest(topic, self._starts(topic)).items():
            if value is None:
                found.pop(key, None)
            else:
                found[key] = self._client.codec.decode(value)
        return found

    def _starts(self, topic: Topic) -> dict[int, int]:
        return {partition: after for (name, partition), after in self._positions.items() if name == topic.name}


@contextmanager
def open_view(client: UserClient) -> Iterator[ViewReader]:
    """Yield a reader of what the pipeline has written, which uses the console's view if there is one."""
    settings = client.settings
    path = settings.views_dir / CONSOLE_VIEW
    if not os.access(path, os.R_OK):
        yield ViewReader(client, None, "the whole topic: `vn console` keeps an index that makes this faster")
        return
    logs = Broker(settings).topic_identities(settings.topic_prefix + topic.name for topic in STAFF_MODEL.apply)
    identities = {name.removeprefix(settings.topic_prefix): log for name, log in logs.items()}
    with View(path, STAFF_MODEL).snapshot(identities) as snapshot:
        source = f"{path} and what was written since" if snapshot else f"the whole topic: {path} is of other topics, or cannot be read"
        yield ViewReader(client, snapshot, source)
