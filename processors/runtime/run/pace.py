"""How many records a batch takes, and how long the runner waits for records."""

from collections.abc import Iterable
from typing import Final

from processors.runtime.clock import wall_time

FIRST_BATCH: Final = 500
MAX_BATCH: Final = 5_000  # records in one transaction
MIN_BATCH: Final = 250  # slow batches shrink no further; failed ones do
SHRINK_FACTOR: Final = 4  # a batch that could not be committed is tried again at a quarter of the size
FAST_SECONDS, SLOW_SECONDS = 0.5, 1.5  # seconds that a batch should take, so that a backlog does not cost latency
LOADED_INPUTS: Final = 100  # a batch with this many records and timers means that the stage is under load
LOADED_LINGER: Final = 0.2  # seconds that the next batch then waits for more: a transaction costs the broker as much as many records
POLL_TIMEOUT: Final = 0.2  # seconds without a record until timers, settings and signals are checked
DUE_TIMEOUT: Final = 0.02  # the same while a timer that is due waits for the watermark
ORDER_TIMEOUT: Final = 0.01  # the same while queued records wait for others that were received before them
TICK_TIMEOUT: Final = POLL_TIMEOUT / 20  # the same with the topic clock, whose ticks have a reader of their own


def next_batch_size(size: int, records: int, seconds: float) -> int:
    """Return the next batch's size: smaller if this one was slow, larger if it was full and fast."""
    if seconds > SLOW_SECONDS:
        return max(min(size, MIN_BATCH), size // 2)
    return min(MAX_BATCH, 2 * size) if records >= size and seconds < FAST_SECONDS else size


def linger_time(stage: int, inputs: int) -> float:
    """Return how many seconds a batch waits for more records, given the stage's linger (ms) and the inputs of the previous batch."""
    return max(stage / 1000, LOADED_LINGER if inputs >= LOADED_INPUTS else 0.0)


def poll_timeout(timers: Iterable[int | None]) -> float:
    """Return how many seconds to wait for the first record, given when the partitions' next timers are due."""
    now = wall_time()
    return min([POLL_TIMEOUT, *(max(DUE_TIMEOUT, (at - now) / 1000) for at in timers if at is not None)])
