"""Sends the outbox to Kafka, in order; what cannot be sent stays and is tried again. Sending a record twice is harmless."""

from collections.abc import Mapping
from itertools import groupby
from threading import Event, Thread
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from processors.runtime.clock import wall_time
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import UserClient
from processors.site.outbox import Outbox
from processors.topics import RECEIPTS, REGISTRATIONS, VERIFICATIONS, Topic

TOPICS: Final[Mapping[str, Topic]] = {"registrations": REGISTRATIONS, "verifications": VERIFICATIONS, "receipts": RECEIPTS}
MAX_RECORDS: Final = 500
SEND_INTERVAL: Final = 0.2
RETRY_SECONDS: Final = 2.0


class OutboxSender:
    """Sends the outbox's records, in a thread."""

    def __init__(self, outbox: Outbox, client: UserClient) -> None:
        self._outbox = outbox
        self._client = client
        self._stopped = Event()
        self._log = structlog.get_logger()

    def start(self) -> None:
        Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def send(self) -> int:
        """Send the oldest unsent records, in order; return their number."""
        records = self._outbox.to_send(MAX_RECORDS)
        for kind, group in groupby(records, key=lambda each: each.kind):
            same = list(group)
            self._client.send(TOPICS[kind], [(each.key, each.value) for each in same])
            self._outbox.mark_sent([each.id for each in same], wall_time())
        return len(records)

    def _run(self) -> None:
        pause = SEND_INTERVAL
        while not self._stopped.wait(pause):
            try:
                pause = 0.0 if self.send() == MAX_RECORDS else SEND_INTERVAL
            except (UserError, SQLAlchemyError) as error:
                self._log.warning("outbox_waits", error=type(error).__name__)  # never the text: it may quote data
                pause = RETRY_SECONDS
