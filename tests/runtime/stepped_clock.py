"""A monotonic clock for tests."""


class SteppedClock:
    """Seconds that pass when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now
