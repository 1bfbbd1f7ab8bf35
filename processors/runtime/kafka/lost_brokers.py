"""
Notices that a client has forgotten every broker, and must be made anew.

A broker whose session has ended, as after its machine was suspended, answers for a moment that the cluster has no brokers.
librdkafka 2.16 then forgets those it knows, and begins anew with those of the settings; but if a second such answer follows at once
it stops that beginning (rd_kafka_rebootstrap_tmr_stop), and never begins again.
"""

from time import monotonic
from typing import Final

from confluent_kafka import Consumer

from processors.runtime.kafka.clients import REQUEST_TIMEOUT, translated_errors

LONGEST_ABSENCE: Final = 15.0  # seconds; whoever waits for other members has an id already
ASK_EVERY: Final = 30.0  # seconds


class Absence:
    """For how long a member has been outside its group."""

    def __init__(self) -> None:
        self._since: float | None = None

    def is_long(self, member: Consumer) -> bool:
        """Whether the member has had no id for so long that it may have forgotten the brokers."""
        if member.memberid():
            self._since = None
            return False
        self._since = monotonic() if self._since is None else self._since
        return monotonic() - self._since > LONGEST_ABSENCE


class Reach:
    """Whether the reader of a topic still reaches a broker, which it need not ask for as long as nothing is written."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._asked = monotonic()

    def check(self, reader: Consumer) -> None:
        """Ask every thirty seconds; raises Restart if there is no answer."""
        if monotonic() - self._asked < ASK_EVERY:
            return
        self._asked = monotonic()
        with translated_errors(f"{self._topic} was not reached"):
            reader.list_topics(self._topic, timeout=REQUEST_TIMEOUT)
