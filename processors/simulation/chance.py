"""Chance that comes out the same everywhere and always: every draw is a digest of a seed, a path and a count."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, TypeVar

Item = TypeVar("Item")

SPAN: Final = 1 << 64


class Chance:
    """
    A stream of draws.

    `of` gives a stream of its own to every part of the world, so that what one part draws changes nothing in another.
    """

    def __init__(self, *path: object) -> None:
        self._path = "/".join(map(str, path))
        self._drawn = 0

    def of(self, *path: object) -> "Chance":
        """Return the stream of a part."""
        return Chance(self._path, *path)

    def below(self, end: int) -> int:
        """Return a number from 0 on, smaller than `end`."""
        self._drawn += 1
        drawn = blake2b(f"{self._path}#{self._drawn}".encode(), digest_size=8).digest()
        return int.from_bytes(drawn, "big") * end // SPAN

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def happens(self, share: float) -> bool:
        """Whether something happens that happens in this share of all cases."""
        return self.below(1_000_000) < share * 1_000_000

    def one_of(self, items: Sequence[Item]) -> Item:
        return items[self.below(len(items))]

    def weighed(self, options: Sequence[tuple[int, Item]]) -> Item:
        """Return one of the options, each as often as its weight says."""
        place = self.below(sum(weight for weight, _ in options))
        for weight, item in options:
            if place < weight:
                return item
            place -= weight
        raise ValueError("there is nothing to choose from")

    def some_of(self, items: Sequence[Item], count: int) -> tuple[Item, ...]:
        """Return `count` of the items, in their order."""
        left = list(range(len(items)))
        chosen = sorted(left.pop(self.below(len(left))) for _ in range(min(count, len(items))))
        return tuple(items[each] for each in chosen)
