"""Whether two ways of asking take the same time: the rank-sum test of Mann and Whitney over interleaved requests."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby


def interleaved(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return how long each way took each time, one after the other in turns that change, so that both meet the same noise."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds):
        for name in sorted(ways, reverse=turn % 2 == 1):
            began = time.perf_counter()
            ways[name]()
            took[name].append(time.perf_counter() - began)
    return took


def likelihood(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how likely ranks at least so far apart are if both are of one distribution: two-sided, by the normal approximation."""
    pooled = sorted([(each, 0) for each in one] + [(each, 1) for each in other])
    ranks, at = 0.0, 0
    for _, group in groupby(pooled, key=lambda each: each[0]):
        same = list(group)
        rank = at + (len(same) + 1) / 2
        ranks += rank * sum(which == 0 for _, which in same)
        at += len(same)
    count, others = len(one), len(other)
    mean = count * (count + others + 1) / 2
    spread = math.sqrt(count * others * (count + others + 1) / 12)
    return math.erfc(abs(ranks - mean) / spread / math.sqrt(2))
