"""
Follows the topics of a view, read-committed and without a group, and applies their records in batches.

A batch's rows and offsets are one SQLite transaction, so a process that was killed continues where the file is. After an error
of the broker it tries again with new clients; meanwhile the pages show what the file holds and as of what time.
"""

import sqlite3
import time
from collections import defaultdict
from threading import Event, Thread
from typing import Final

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from processors.runtime.clock import wall_time
from processors.runtime.errors import Restart, Retry, UserError
from processors.runtime.kafka.clients import Broker, message_kind, poll_batch
from processors.runtime.kafka.lost_brokers import BrokerProbe
from processors.runtime.wire.codec import Codec, Undecodable
from processors.views.database import TopicAndPartition, View
from processors.views.model import Row

MAX_RECORDS: Final = 5_000
RETRY_SECONDS: Final = 2.0


class Follower:
    """Keeps a view up to date; `as_of` is when it last was, in milliseconds, None if it never was. `applied` of `total` records."""

    def __init__(self, broker: Broker, codec: Codec, prefix: str, view: View) -> None:
        self.view = view
        self.as_of: int | None = None
        self.applied = 0
        self.total = 0
        self._broker = broker
        self._codec = codec
        self._apply = {prefix + topic.name: (topic.name, apply) for topic, apply in view.model.apply.items()}
        self._reader: Consumer | None = None
        self._probe = BrokerProbe(next(iter(self._apply)))
        self._unread: set[TopicAndPartition] = set()
        self._stopped = Event()
        self._log = structlog.get_logger()

    def start(self) -> None:
        """Follow in a thread of its own until `stop`."""
        Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.step()
            except (Restart, Retry, UserError, OSError, sqlite3.OperationalError) as error:  # such as a full disk
                self._log.warning("view_waits", error=type(error).__name__)
                self._close()
                self._stopped.wait(RETRY_SECONDS)

    def catch_up(self, seconds: float) -> None:
        """Apply everything up to the current ends; raises Restart if that takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        while self.step() or self._unread:
            if time.monotonic() > deadline:
                raise Restart("the view has not been read to its ends")

    def step(self) -> bool:
        """Apply one batch; return whether there was anything to apply."""
        if self._reader is None:
            self._reader = self._open()
        self._probe.check(self._reader)
        messages = poll_batch(self._reader, MAX_RECORDS, 0.2)
        rows: dict[str, list[Message]] = defaultdict(list)
        for message in messages:
            topic, topic_partition = message.topic() or "", (message.topic() or "", message.partition() or 0)
            what = message_kind(message)
            if what == "end":
                self._unread.discard(topic_partition)
            elif what == "record":
                self._unread.add(topic_partition)
                rows[topic].append(message)
        if rows:
            self._write(rows)
        if not self._unread:
            self.as_of = wall_time()
        return bool(rows)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _open(self) -> Consumer:
        identities = {name: self._broker.topic_identity(topic) for topic, (name, _) in self._apply.items()}
        counts = self._broker.partition_counts(self._apply)
        positions = self.view.open(identities)
        reader = self._broker.partition_consumer()
        partitions = [(topic, name, each) for topic, (name, _) in self._apply.items() for each in range(counts[topic])]
        self._unread = {(topic, each) for topic, _, each in partitions}
        self.total = sum(self._broker.end_offsets(self._unread).values())
        self.applied = sum(positions.values())
        reader.assign([TopicPartition(topic, each, positions.get((name, each), OFFSET_BEGINNING)) for topic, name, each in partitions])
        return reader

    def _write(self, rows: dict[str, list[Message]]) -> None:
        with self.view.writing() as database:
            for topic, messages in rows.items():
                name, apply = self._apply[topic]
                after: dict[int, int] = {}
                for message in messages:
                    row = self._row(message)
                    after[row.partition] = row.offset + 1
                    apply(database, row)
                    self.applied += 1
                database.executemany(
                    "INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", [(name, each, next_) for each, next_ in after.items()]
                )

    def _row(self, message: Message) -> Row:
        key, raw = message.key() or b"", message.value()
        try:
            value = None if raw is None else self._codec.decode(raw)
        except Undecodable:
            value = None  # not written by the pipeline: no page shows it
        return Row(message.partition() or 0, message.offset() or 0, message.timestamp()[1], key.decode(errors="replace"), value)
