"""
The messages that a provider has read and not yet settled; emergencies are taken first.

The committed position of a partition stays before its first unsettled message. An emergency that was settled ahead of that
message would be read again after a crash, so the ledger records it as settled until the position has passed it.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from processors.domain.notification import Outbound
from processors.runtime.kafka.clients import TopicAndPartition


@dataclass(slots=True)
class BacklogEntry:
    """One record, or the end of a partition: the position after it, the message to send (None if none), and its trace context."""

    topic_partition: TopicAndPartition
    after: int
    message: Outbound | None = None
    context: str = ""
    settled: bool = False
    reference: str = ""

    @classmethod
    def of(cls, topic_partition: TopicAndPartition, after: int, message: Outbound, context: str) -> "BacklogEntry":
        """Return the entry of a message to send."""
        return cls(topic_partition, after, message, context, reference=message.reference)


class Backlog:
    """The entries of all partitions; `ahead` holds the references of messages settled ahead of their partition's position."""

    def __init__(self) -> None:
        self.ahead: set[str] = set()
        self._by_partition: dict[TopicAndPartition, deque[BacklogEntry]] = {}
        self._urgent: deque[BacklogEntry] = deque()
        self._others: deque[BacklogEntry] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._by_partition.values()))

    def add(self, entry: BacklogEntry) -> None:
        """Add the next entry of a partition; one without a message counts as settled."""
        self._by_partition.setdefault(entry.topic_partition, deque()).append(entry)
        if entry.message is None:
            entry.settled = True
            self.ahead |= {entry.reference} if entry.reference else set()
        else:
            (self._urgent if entry.message.emergency else self._others).append(entry)

    def take(self, most: int, now: int) -> list[BacklogEntry]:
        """
        Remove and return the messages to send next, emergencies first; one is another message if any waits.

        Messages whose lease has expired are returned too but do not count towards `most`.
        """
        taken: list[BacklogEntry] = []
        sent = _take(self._urgent, max(1, most - bool(self._others)), now, taken)
        _take(self._others, most - sent, now, taken)
        return taken

    def settle(self, entries: Iterable[BacklogEntry]) -> tuple[dict[TopicAndPartition, int], list[BacklogEntry]]:
        """Settle entries; return the positions that moved, and the entries that they passed."""
        for entry in entries:
            entry.settled = True
            self.ahead.add(entry.reference)
        positions: dict[TopicAndPartition, int] = {}
        passed: list[BacklogEntry] = []
        for topic_partition, waiting in self._by_partition.items():
            while waiting and waiting[0].settled:
                entry = waiting.popleft()
                positions[topic_partition] = entry.after
                if entry.reference:
                    passed.append(entry)
        self.ahead.difference_update(each.reference for each in passed)
        return positions, passed


def _take(waiting: "deque[BacklogEntry]", most: int, now: int, taken: list[BacklogEntry]) -> int:
    """Move entries from the queue to `taken` until `most` of them can be sent; return how many can be sent."""
    sent = 0
    while waiting and sent < most:
        entry = waiting.popleft()
        taken.append(entry)
        sent += entry.message is not None and now < entry.message.expires_at
    return sent
