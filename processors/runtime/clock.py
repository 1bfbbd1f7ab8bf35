"""The clock: wall time, or under `VN_CLOCK=topic` the time of the last record of `vn.clock`."""

import time
from typing import Final, Protocol

from processors.domain.tick import Tick


class Clock(Protocol):
    """A clock in milliseconds; None until it has been set."""

    def now(self) -> int | None: ...


class WallClock:
    """The time of day."""

    def now(self) -> int | None:
        return wall()


class TopicClock:
    """The time that a demonstration or a simulation sets; it never runs backwards."""

    def __init__(self) -> None:
        self._now: int | None = None

    def now(self) -> int | None:
        return self._now

    def tick(self, tick: Tick) -> None:
        self._now = max(tick.now, self._now or 0)


AHEAD: Final = 60_000  # milliseconds that a time may be ahead of our clock; one further ahead counts as now


def wall() -> int:
    """Return the time of day in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
