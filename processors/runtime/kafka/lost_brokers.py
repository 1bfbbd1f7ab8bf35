"""
Detects a client that has forgotten all brokers and must be replaced.

A broker whose session has expired, for example after its machine was suspended, answers for a moment that the cluster has no
brokers. librdkafka 2.16 then forgets the brokers it knows and bootstraps again; but a second such answer right after the first
stops that timer (rd_kafka_rebootstrap_tmr_stop), and the client never bootstraps again.
"""

from time import monotonic
from typing import Final

from confluent_kafka import Consumer

from processors.runtime.kafka.clients import REQUEST_TIMEOUT, translated_errors

MAX_ABSENCE: Final = 15.0  # seconds; a member that merely waits for others in a rebalance has an id already
PROBE_INTERVAL: Final = 30.0  # seconds


class GroupAbsence:
    """Measures for how long a member has been outside its group."""

    def __init__(self) -> None:
        self._since: float | None = None

    def is_long(self, member: Consumer) -> bool:
        """Whether the member has had no member id for so long that it may have forgotten the brokers."""
        if member.memberid():
            self._since = None
            return False
        self._since = monotonic() if self._since is None else self._since
        return monotonic() - self._since > MAX_ABSENCE


class BrokerProbe:
    """Checks now and then that a topic's reader still reaches a broker: with no new records it would not notice."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._asked = monotonic()

    def check(self, reader: Consumer) -> None:
        """Ask the broker if PROBE_INTERVAL has passed; raises Restart if there is no answer."""
        if monotonic() - self._asked < PROBE_INTERVAL:
            return
        self._asked = monotonic()
        with translated_errors(f"{self._topic} was not reached"):
            reader.list_topics(self._topic, timeout=REQUEST_TIMEOUT)
