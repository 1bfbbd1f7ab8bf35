"""
Decides which of several vendors gets the next message.

The vendors are in order of preference. A vendor is left when too many of its last calls failed for technical reasons; only
calls since the last switch count, so that an old outage does not count against a vendor after a return. After a cool-down
the preferred vendor is tried again; each time it fails right away, the cool-down doubles.
"""

from dataclasses import dataclass, replace
from typing import Final

WINDOW: Final = 20  # last calls that count
MIN_CALLS: Final = 5  # calls before a vendor may be left
MAX_FAILURE_SHARE: Final = 0.3  # share of technical failures at which a vendor is left
COOL_DOWN: Final = 60_000  # milliseconds until the preferred vendor is tried again
MAX_COOL_DOWN: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Failover:
    """The index of the `current` vendor, since when it is in use, and its calls since then; `True` is a technical failure."""

    vendors: int
    current: int = 0
    since: int = 0
    calls: tuple[bool, ...] = ()
    cool_down: int = COOL_DOWN

    def at(self, now: int) -> "Failover":
        """Return the state at `now`: back to the preferred vendor once the cool-down is over."""
        if self.current == 0 or now < self.since + self.cool_down:
            return self
        return replace(self, current=0, since=now, calls=())

    def after(self, vendor: int, *, failed: bool, now: int) -> "Failover":
        """Return the state after a call to a vendor; calls to another than the current one do not count."""
        if vendor != self.current:
            return self
        calls = (*self.calls, failed)[-WINDOW:]
        if len(calls) < MIN_CALLS or sum(calls) / len(calls) < MAX_FAILURE_SHARE or self.vendors == 1:
            recovered = vendor == 0 and len(calls) == WINDOW and not any(calls)
            return replace(self, calls=calls, cool_down=COOL_DOWN if recovered else self.cool_down)
        failed_again = vendor == 0 and self.since > 0
        cool_down = min(2 * self.cool_down, MAX_COOL_DOWN) if failed_again else self.cool_down
        return replace(self, current=(vendor + 1) % self.vendors, since=now, calls=(), cool_down=cool_down)

    def order(self) -> tuple[int, ...]:
        """Return the vendors' indexes in the order in which a message is offered to them."""
        return tuple((self.current + step) % self.vendors for step in range(self.vendors))
