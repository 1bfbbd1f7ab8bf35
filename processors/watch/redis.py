"""Measures the store: up, memory, persistence, eviction."""

from collections.abc import Iterator
from typing import Final

from processors.runtime.errors import Retry
from processors.runtime.run.store import Store
from processors.watch import metrics
from processors.watch.metrics import Sample

FAMILIES: Final = frozenset({metrics.STORE_UP, metrics.STORE_MEMORY, metrics.STORE_MAXMEMORY, metrics.STORE_AOF, metrics.STORE_NOEVICTION})


def measure(store: Store) -> Iterator[Sample]:
    """Yield the store's samples; only that it is down if it does not answer."""
    try:
        found = store.info()
    except Retry:
        yield metrics.STORE_UP, (), 0
        return
    yield metrics.STORE_UP, (), 1
    yield metrics.STORE_MEMORY, (), float(found.get("used_memory", 0))
    if maximum := float(found.get("maxmemory", 0)):
        yield metrics.STORE_MAXMEMORY, (), maximum
    yield metrics.STORE_AOF, (), float(found.get("aof_enabled", 0))
    if policy := found.get("maxmemory_policy"):
        yield metrics.STORE_NOEVICTION, (), float(policy == "noeviction")
