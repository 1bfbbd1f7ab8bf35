"""The timers of one partition, in memory; the changelog holds them like any state."""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from math import inf
from typing import Final

SPARE: Final = 1_000  # superseded entries that a heap may hold beyond one for each timer
SHARE: Final = 8  # while urgent timers are due, one of so many that fire is another one


class Timers:
    """
    At most one timer per key. Those that are urgent come first of what is due, each kind in the order of due time, then key.

    While both kinds are due, every eighth is not urgent: nothing waits for ever. No timer is due before `earliest`; the first may be due
    later, since a timer that was put off or cleared leaves it as it was until `next` is called.
    """

    def __init__(self, due: dict[str, int] | None = None, urgent: Iterable[str] = ()) -> None:
        self._due = due or {}
        self._urgent = set(urgent)
        self._heaps: tuple[list[tuple[int, str]], list[tuple[int, str]]] = ([], [])  # not urgent, urgent
        self._turn = 0
        self.earliest: float = inf
        # Asked for every state that changes, hence without a call of Python's.
        self.at: Final[Callable[[str], int | None]] = self._due.get  # when the key's timer is due; None if it has none
        self.is_urgent: Final[Callable[[str], bool]] = self._urgent.__contains__  # whether the key has a timer that is urgent
        self._fill()

    def __len__(self) -> int:
        return len(self._due)

    def keys(self) -> list[str]:
        """Return every key that has a timer, the first due last."""
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
        if len(self._heaps[0]) + len(self._heaps[1]) > 2 * len(self._due) + SPARE:  # a timer that is always put off would fill the memory
            self._fill()

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
        """Return the timer that fires next of those that are due by `until`, with its due time."""
        found = self._first_heap(until)
        if found is None:
            return None
        at, key = self._heaps[found][0]
        return key, at

    def take(self, until: int) -> tuple[str, int] | None:
        """Remove and return the timer that fires next of those that are due by `until`, with its due time."""
        found = self._first_heap(until)
        if found is None:
            return None
        self._turn = self._turn + 1 if found else 0
        at, key = heappop(self._heaps[found])
        del self._due[key]
        self._urgent.discard(key)
        return key, at

    def due(self, until: int, limit: int) -> list[tuple[str, int]]:
        """Return the timers that fire next of those that are due by `until`, at most `limit`, and leave them."""
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
        if urgent and not (other and self._turn >= SHARE - 1):
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

    def _fill(self) -> None:
        """Make the heaps anew."""
        self._heaps = ([], [])
        for key, at in self._due.items():
            self._heaps[key in self._urgent].append((at, key))
        for heap in self._heaps:
            heapify(heap)
        self.earliest = min(self._due.values(), default=inf)
