"""The timers of one partition, in memory; the changelog holds them like any state."""

from heapq import heapify, heappop, heappush
from typing import Final

SPARE: Final = 1_000  # superseded entries that the heap may hold beyond one for each timer


class Timers:
    """At most one timer per key, in the order of due time, then key."""

    def __init__(self, due: dict[str, int] | None = None) -> None:
        self._due = due or {}
        self._heap = [(at, key) for key, at in self._due.items()]
        heapify(self._heap)

    def __len__(self) -> int:
        return len(self._due)

    def keys(self) -> list[str]:
        """Return every key that has a timer, the first due last."""
        return sorted(self._due, key=lambda key: (self._due[key], key), reverse=True)

    def at(self, key: str) -> int | None:
        """Return when the key's timer is due; None if it has none."""
        return self._due.get(key)

    def set(self, key: str, at: int | None) -> None:
        """Set the key's timer; None clears it."""
        if at is None:
            self._due.pop(key, None)
            return
        self._due[key] = at
        heappush(self._heap, (at, key))
        if len(self._heap) > 2 * len(self._due) + SPARE:  # a timer that is always put off would fill the memory
            self._heap = [(due, each) for each, due in self._due.items()]
            heapify(self._heap)

    def next(self) -> int | None:
        """Return when the first timer is due."""
        while self._heap:
            at, key = self._heap[0]
            if self._due.get(key) == at:
                return at
            heappop(self._heap)  # superseded or cleared
        return None

    def take(self, until: int) -> tuple[str, int] | None:
        """Remove and return the first timer that is due by `until`, with its due time."""
        at = self.next()
        if at is None or at > until:
            return None
        _, key = heappop(self._heap)
        del self._due[key]
        return key, at

    def due(self, until: int, limit: int) -> list[tuple[str, int]]:
        """Return the first timers that are due by `until`, at most `limit`, and leave them."""
        found: dict[str, int] = {}
        while len(found) < limit and (at := self.next()) is not None and at <= until:
            key = heappop(self._heap)[1]
            found[key] = at
        for key, at in found.items():
            heappush(self._heap, (at, key))
        return list(found.items())
