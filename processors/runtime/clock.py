"""The clock: the system's, or with `VN_CLOCK=topic` the time in the last record of `vn.clock`."""

import time
from typing import Final, Protocol

from processors.domain.tick import Tick


class Clock(Protocol):
    """A clock in milliseconds since the epoch; None until it has been set."""

    def now(self) -> int | None: ...


class WallClock:
    """The system clock."""

    def now(self) -> int | None:
        return wall_time()


class TopicClock:
    """The time that a demo or a simulation sets; it never goes back."""

    def __init__(self) -> None:
        self._now: int | None = None

    def now(self) -> int | None:
        return self._now

    def tick(self, tick: Tick) -> None:
        self._now = max(tick.now, self._now or 0)


MAX_AHEAD: Final = 60_000  # milliseconds that a timestamp may be ahead of our clock; one further ahead counts as now


def wall_time() -> int:
    """Return the system time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
