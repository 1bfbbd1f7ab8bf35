"""Reproducible random numbers: every draw is a digest of a seed, a path and a count."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

Item = TypeVar("Item")

SPAN: Final = 1 << 64


class RandomStream:
    """
    A stream of draws, the same on every platform and Python version.

    Every part of the simulation draws from a `child` of its own, so that a change in one part leaves the others as they are.
    """

    def __init__(self, *path: object) -> None:
        self._path = "/".join(map(str, path))
        self._drawn = 0

    def child(self, *path: object) -> "RandomStream":
        """Return an independent stream; the path is part of the seed."""
        return RandomStream(self._path, *path)

    def below(self, end: int) -> int:
        """Return a number from 0 up to but without `end`."""
        self._drawn += 1
        drawn = blake2b(f"{self._path}#{self._drawn}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn, "big") * end // SPAN

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def happens(self, share: float) -> bool:
        """Return True with this probability."""
        return self.below(1_000_000) < share * 1_000_000

    def choice(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]

    def weighted_choice(self, options: Sequence[tuple[int, Item]]) -> Item:
        """Return one of the options, with the probability of its weight."""
        index = self.below(sum(weight for weight, _ in options))
        for weight, item in options:
            if index < weight:
                return item
            index -= weight
        raise ValueError("there is nothing to choose from")

    def sample(self, items: Sequence[Item], count: int) -> tuple[Item, ...]:
        """Return `count` of the items, in their original order."""
        left = list(range(len(items)))
        chosen = sorted(left.pop(self.below(len(left))) for _ in range(min(count, len(items))))
        return tuple(items[each] for each in chosen)
