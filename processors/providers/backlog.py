"""
What a provider has read and not yet settled, in the order of its partitions; emergencies are taken first.

The read position of a partition stays before its first message that is not settled. So an emergency that is settled ahead of
it would be read once more after a crash: until the position has passed it, the ledger says that it is settled.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from processors.domain.notification import Outbound
from processors.runtime.kafka.clients import Place


@dataclass(slots=True)
class Entry:
    """One record, or the end of a partition: the position after it, its message if there is one to send, and its trace context."""

    place: Place
    after: int
    message: Outbound | None = None
    context: str = ""
    settled: bool = False
    reference: str = ""

    @classmethod
    def of(cls, place: Place, after: int, message: Outbound, context: str) -> "Entry":
        """Return the entry of a message that is to be sent."""
        return cls(place, after, message, context, reference=message.reference)


class Backlog:
    """The entries of all partitions; `ahead` are the references that are settled and not passed by their partition's position."""

    def __init__(self) -> None:
        self.ahead: set[str] = set()
        self._by_place: dict[Place, deque[Entry]] = {}
        self._urgent: deque[Entry] = deque()
        self._others: deque[Entry] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._by_place.values()))

    def add(self, entry: Entry) -> None:
        """Add the next entry of a partition; one without a message is settled at once."""
        self._by_place.setdefault(entry.place, deque()).append(entry)
        if entry.message is None:
            entry.settled = True
            self.ahead |= {entry.reference} if entry.reference else set()
        else:
            (self._urgent if entry.message.emergency else self._others).append(entry)

    def take(self, most: int, now: int) -> list[Entry]:
        """
        Return what is sent next, emergencies first; while other messages wait, one place is theirs.

        Those whose lease has ended do not count.
        """
        taken: list[Entry] = []
        sent = _take(self._urgent, max(1, most - bool(self._others)), now, taken)
        _take(self._others, most - sent, now, taken)
        return taken

    def settle(self, entries: Iterable[Entry]) -> tuple[dict[Place, int], list[Entry]]:
        """Settle entries; return the positions that moved, and the messages that they passed."""
        for entry in entries:
            entry.settled = True
            self.ahead.add(entry.reference)
        positions: dict[Place, int] = {}
        passed: list[Entry] = []
        for place, waiting in self._by_place.items():
            while waiting and waiting[0].settled:
                entry = waiting.popleft()
                positions[place] = entry.after
                if entry.reference:
                    passed.append(entry)
        self.ahead.difference_update(each.reference for each in passed)
        return positions, passed


def _take(waiting: "deque[Entry]", most: int, now: int, taken: list[Entry]) -> int:
    """Move entries from the queue to `taken` until so many of them can be sent; return how many can be."""
    sent = 0
    while waiting and sent < most:
        entry = waiting.popleft()
        taken.append(entry)
        sent += entry.message is not None and now < entry.message.expires_at
    return sent
