"""
Runs steps of work as a member of a consumer group.

Assigned partitions are not fetched until the caller has restored them, nor after an error; the group is still polled, so that
we keep the partitions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from processors.runtime.errors import Restart, Retry
from processors.runtime.kafka.clients import Broker, TopicAndPartition, message_kind
from processors.runtime.kafka.lost_brokers import GroupAbsence

POLL_TIMEOUT: Final = 0.2  # seconds, while nothing is assigned
FIRST_WAIT, LONGEST_WAIT = 0.02, 1.0  # seconds after an error; doubled until something is fetched again


@dataclass(frozen=True, slots=True)
class MemberWork:
    """The callbacks of a group member. `on_assigned` and `on_revoked` run inside `poll` and must discard uncommitted work."""

    step: Callable[[Consumer], None]
    start_over: Callable[[Retry | Restart], None]  # after an error in a step: discard uncommitted work
    on_assigned: Callable[[], None]
    on_revoked: Callable[[], None]
    on_leave: Callable[[], None]  # before the consumer is closed
    beat: Callable[[], None] = lambda: None  # called while only staying in the group


class GroupMember:
    """This process as a member of a group; replaces a consumer that has forgotten the brokers (lost_brokers.py)."""

    def __init__(self, broker: Broker, group: str, topics: Iterable[str], work: MemberWork, log: Any) -> None:
        self.assigned: list[TopicPartition] = []
        self.generation = 0  # counts assignments and revocations
        self._broker = broker
        self._group = group
        self._topics = [*topics]
        self._work = work
        self._log = log
        self._consumer: Consumer
        self._wait = 0.0
        self._stopping = False

    def stop(self) -> None:
        """Finish the current step, then stop."""
        self._stopping = True

    def run(self) -> None:
        """Run steps until `stop`; then leave the group, so that other members take over at once."""
        while not self._stopping:
            self._consumer = self._broker.group_consumer(self._group, self._topics, self._on_assigned, self._on_revoked)
            try:
                self._take_steps(self._consumer)
            finally:
                self._on_revoked()
                self._work.on_leave()
                self._consumer.close()

    def _take_steps(self, consumer: Consumer) -> None:
        """Run steps until `stop`, or until the consumer has been outside the group for so long that it must be replaced."""
        absence = GroupAbsence()
        while not self._stopping:
            if absence.is_long(consumer):
                self._log.warning("consumer_replaced")
                return
            try:
                if self._wait:
                    self.heartbeat(self._wait)
                self._work.step(consumer)
            except (Retry, Restart) as error:
                self._work.start_over(error)
                consumer.assign([])
                self._wait = min(max(FIRST_WAIT, 2 * self._wait), LONGEST_WAIT)

    def is_assigned(self) -> bool:
        """Poll the group briefly; return whether it has assigned us any partitions."""
        self.heartbeat(0 if self.assigned else POLL_TIMEOUT)
        return bool(self.assigned)

    def fetch_from(self, positions: Mapping[TopicAndPartition, int]) -> None:
        """Begin to fetch the assigned partitions, now that they are restored."""
        self._consumer.assign([TopicPartition(*topic_partition, offset) for topic_partition, offset in positions.items()])
        self._wait = 0.0

    def heartbeat(self, seconds: float) -> None:
        """Poll the group for this long, to stay a member; since nothing is fetched, only a rebalance ends it early."""
        until, generation = monotonic() + seconds, self.generation
        while True:
            self._work.beat()
            message = self._consumer.poll(max(0.0, until - monotonic()))
            if message is not None:
                message_kind(message)  # raises fatal errors
            if monotonic() >= until or self._stopping or generation != self.generation:
                return

    def keep_alive(self) -> Callable[[], None]:
        """Return a function to call during long work for the current assignment; it raises Restart once that is revoked."""
        generation = self.generation

        def stay() -> None:
            self.heartbeat(0)
            if generation != self.generation or self._stopping:
                raise Restart("the partitions were reassigned meanwhile")

        return stay

    def _on_assigned(self, partitions: list[TopicPartition]) -> None:
        self.assigned = partitions
        self.generation += 1
        self._consumer.assign([])
        self._work.on_assigned()

    def _on_revoked(self) -> None:
        self.assigned = []
        self.generation += 1
        self._work.on_revoked()
