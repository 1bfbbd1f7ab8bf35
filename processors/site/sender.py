"""Sends what the site keeps to Kafka, in order; what cannot be sent stays and is tried again. Sent twice after a crash is harmless."""

from collections.abc import Mapping
from itertools import groupby
from threading import Event, Thread
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from processors.runtime.clock import wall
from processors.runtime.errors import UserError
from processors.runtime.kafka.user_client import Client
from processors.site.outbox import Outbox
from processors.topics import RECEIPTS, REGISTRATIONS, VERIFICATIONS, Topic

TOPICS: Final[Mapping[str, Topic]] = {"registrations": REGISTRATIONS, "verifications": VERIFICATIONS, "receipts": RECEIPTS}
MANY: Final = 500
EVERY_SECONDS: Final = 0.2
AGAIN_SECONDS: Final = 2.0


class Sender:
    """Sends in a thread of its own."""

    def __init__(self, outbox: Outbox, client: Client) -> None:
        self._outbox = outbox
        self._client = client
        self._stopped = Event()
        self._log = structlog.get_logger()

    def start(self) -> None:
        Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def send(self) -> int:
        """Send what is kept, in its order, and return how many records that were."""
        records = self._outbox.to_send(MANY)
        for kind, group in groupby(records, key=lambda each: each.kind):
            same = list(group)
            self._client.send(TOPICS[kind], [(each.key, each.value) for each in same])
            self._outbox.mark_sent([each.id for each in same], wall())
        return len(records)

    def _run(self) -> None:
        pause = EVERY_SECONDS
        while not self._stopped.wait(pause):
            try:
                pause = 0.0 if self.send() == MANY else EVERY_SECONDS
            except (UserError, SQLAlchemyError) as error:
                self._log.warning("outbox_waits", error=type(error).__name__)  # never the text: it may quote what is kept
                pause = AGAIN_SECONDS
