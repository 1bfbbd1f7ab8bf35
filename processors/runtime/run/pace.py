"""How many records a batch takes, and how long the runner waits for the first."""

from collections.abc import Iterable
from typing import Final

from processors.runtime.clock import wall

FIRST_BATCH: Final = 500
MAX_BATCH: Final = 5_000  # records in one transaction
MIN_BATCH: Final = 250  # a slow batch shrinks no further; one that failed does
SHRINK: Final = 4  # a batch that could not be committed is tried again at a quarter of the size
FAST, SLOW = 0.5, 1.5  # seconds that a batch should take, so that a backlog does not cost latency
LOADED: Final = 100  # records and timers of a batch, after which more are on their way
LOADED_LINGER: Final = 0.2  # seconds that the next batch waits for more: a transaction costs the broker as much as many records
POLL_TIMEOUT: Final = 0.2  # seconds without a record until timers, settings and signals are looked at
DUE_TIMEOUT: Final = 0.02  # the same while a timer that is due waits for the watermark
ORDER_TIMEOUT: Final = 0.01  # the same while what is queued waits for what was received before it
TICK_TIMEOUT: Final = POLL_TIMEOUT / 20  # the same under the topic clock, whose ticks come by a reader of their own


def next_batch_size(size: int, records: int, seconds: float) -> int:
    """Return the next batch's size: smaller if this one was slow, larger if it was full and fast."""
    if seconds > SLOW:
        return max(min(size, MIN_BATCH), size // 2)
    return min(MAX_BATCH, 2 * size) if records >= size and seconds < FAST else size


def linger_time(stage: int, inputs: int) -> float:
    """Return for how many seconds a batch waits for more records, given the stage's linger (ms) and the inputs of the batch before."""
    return max(stage / 1000, LOADED_LINGER if inputs >= LOADED else 0.0)


def poll_timeout(timers: Iterable[int | None]) -> float:
    """Return how long to wait for the first record, given when the partitions' first timers are due."""
    now = wall()
    return min([POLL_TIMEOUT, *(max(DUE_TIMEOUT, (at - now) / 1000) for at in timers if at is not None)])
