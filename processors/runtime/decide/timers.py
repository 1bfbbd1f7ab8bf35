"""The timers of one partition, in memory; the changelog stores them like states."""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Final

SPARE_ENTRIES: Final = 1_000  # superseded heap entries allowed in addition to one per timer
NOT_URGENT_EVERY: Final = 8  # while both kinds are due, every eighth timer that fires is not urgent


class Timers:
    """
    At most one timer per key. Of those that are due, urgent ones come first; each kind in the order of due time, then key.

    While both kinds are due, every eighth is not urgent, so nothing waits forever. No timer is due before `earliest`. It is a
    lower bound: after a timer was postponed or cleared it is only updated when `next` is called.
    """

    def __init__(self, due: dict[str, int] | None = None, urgent: Iterable[str] = ()) -> None:
        self._due = due or {}
        self._urgent = set(urgent)
        self._heaps: tuple[list[tuple[int, str]], list[tuple[int, str]]] = ([], [])  # not urgent, urgent
        self._turn = 0
        self.earliest: float = inf
        # Called for every state that changes, so these avoid the cost of a Python function.
        self.at: Final[Callable[[str], int | None]] = self._due.get  # when the key's timer is due; None if it has none
        self.is_urgent: Final[Callable[[str], bool]] = self._urgent.__contains__  # whether the key has an urgent timer
        self._rebuild()

    def __len__(self) -> int:
        return len(self._due)

    def keys(self) -> list[str]:
        """Return every key that has a timer, in reverse order of due time."""
        return sorted(self._due, key=lambda key: (self._due[key], key), reverse=True)

    def set(self, key: str, at: int | None, *, urgent: bool = False) -> None:
        """Set the key's timer; None clears it."""
        self._urgent.discard(key)
        if at is None:
            self._due.pop(key, None)
            return
        self._due[key] = at
        self.earliest = min(self.earliest, at)
        if urgent:
            self._urgent.add(key)
        heappush(self._heaps[urgent], (at, key))
        if (
            len(self._heaps[0]) + len(self._heaps[1]) > 2 * len(self._due) + SPARE_ENTRIES
        ):  # a timer that is postponed again and again would fill the memory
            self._rebuild()

    def next(self) -> int | None:
        """Return when the first timer is due, urgent or not."""
        other, urgent = self._head(urgent=False), self._head(urgent=True)
        first = other if urgent is None or (other is not None and other < urgent) else urgent
        if first is None:
            self.earliest = inf
            return None
        self.earliest = first[0]
        return first[0]

    def is_due(self, until: int) -> bool:
        """Whether a timer is due by `until`."""
        if self.earliest > until:
            return False
        first = self.next()
        return first is not None and first <= until

    def first(self, until: int) -> tuple[str, int] | None:
        """Return the timer that fires next, with its due time; None if none is due by `until`."""
        found = self._first_heap(until)
        if found is None:
            return None
        at, key = self._heaps[found][0]
        return key, at

    def take(self, until: int) -> tuple[str, int] | None:
        """Remove and return the timer that fires next, with its due time; None if none is due by `until`."""
        found = self._first_heap(until)
        if found is None:
            return None
        self._turn = self._turn + 1 if found else 0
        at, key = heappop(self._heaps[found])
        del self._due[key]
        self._urgent.discard(key)
        return key, at

    def due(self, until: int, limit: int) -> list[tuple[str, int]]:
        """Return the timers that fire next of those that are due by `until`, at most `limit`, without removing them."""
        turn, found = self._turn, list[tuple[str, int, bool]]()
        while len(found) < limit and (first := self.first(until)) is not None:
            found.append((*first, first[0] in self._urgent))
            self.take(until)
        for key, at, urgent in found:
            self.set(key, at, urgent=urgent)
        self._turn = turn
        return [(key, at) for key, at, _ in found]

    def _first_heap(self, until: int) -> bool | None:
        """Return whether the timer that fires next is urgent; None if none is due."""
        if self.earliest > until:
            return None
        other, urgent = ((head := self._head(urgent=kind)) is not None and head[0] <= until for kind in (False, True))
        if urgent and not (other and self._turn >= NOT_URGENT_EVERY - 1):
            return True
        return False if other else None

    def _head(self, *, urgent: bool) -> tuple[int, str] | None:
        """Return the first timer of one kind."""
        heap = self._heaps[urgent]
        while heap:
            at, key = heap[0]
            if self._due.get(key) == at and (key in self._urgent) == urgent:
                return heap[0]
            heappop(heap)  # superseded or cleared
        return None

    def _rebuild(self) -> None:
        """Rebuild the heaps."""
        self._heaps = ([], [])
        for key, at in self._due.items():
            self._heaps[key in self._urgent].append((at, key))
        for heap in self._heaps:
            heapify(heap)
        self.earliest = min(self._due.values(), default=inf)
