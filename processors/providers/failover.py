"""
Which of several vendors gets the next message.

The order of the vendors is their order of preference. A vendor is left when, of its last calls, too many failed for
technical reasons; only calls since the last switch count, so that an old outage does not condemn a vendor that was
returned to. After a rest the preferred vendor gets traffic again; each time it fails at once, the rest doubles.
"""

from dataclasses import dataclass, replace
from typing import Final

WINDOW: Final = 20  # calls that are judged
LEAST: Final = 5  # calls before a vendor is judged
SHARE: Final = 0.3  # of technical failures that makes a vendor be left
REST: Final = 60_000  # milliseconds until the preferred vendor is tried again
LONGEST_REST: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Failover:
    """The vendor in use, by its place in the order, and the calls since it came into use; `True` is a technical failure."""

    vendors: int
    current: int = 0
    since: int = 0
    calls: tuple[bool, ...] = ()
    rest: int = REST

    def at(self, now: int) -> "Failover":
        """Return the choice at `now`: back at the preferred vendor once the rest is over."""
        if self.current == 0 or now < self.since + self.rest:
            return self
        return replace(self, current=0, since=now, calls=())

    def after(self, vendor: int, *, failed: bool, now: int) -> "Failover":
        """Return the choice after a call to a vendor; calls to one that is not in use do not count."""
        if vendor != self.current:
            return self
        calls = (*self.calls, failed)[-WINDOW:]
        if len(calls) < LEAST or sum(calls) / len(calls) < SHARE or self.vendors == 1:
            recovered = vendor == 0 and len(calls) == WINDOW and not any(calls)
            return replace(self, calls=calls, rest=REST if recovered else self.rest)
        returned_in_vain = vendor == 0 and self.since > 0
        rest = min(2 * self.rest, LONGEST_REST) if returned_in_vain else self.rest
        return replace(self, current=(vendor + 1) % self.vendors, since=now, calls=(), rest=rest)

    def order(self) -> tuple[int, ...]:
        """Return the vendors in the order in which one message is offered to them."""
        return tuple((self.current + step) % self.vendors for step in range(self.vendors))
