"""
Hands messages to vendors: a definite answer ends a message, a vendor at fault lets the next one try.

A message whose outcome cannot be known is not sent again, since a registrant should not be told twice; an emergency is
sent once more, since being told twice is better than not at all. Nothing is sent after the end of its lease
(`expires_at`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from processors.domain.notification import Outbound
from processors.domain.sending import AMBIGUOUS, SENT_AGAIN, SendIntent
from processors.providers.failover import Failover
from processors.providers.outcome import Ambiguous, Outcome, Refused, Taken, Unavailable, Vendor
from processors.runtime import metrics


@dataclass(frozen=True, slots=True)
class Limits:
    """What a vendor is asked for at most: calls a second, calls at the same time."""

    rate: float = 50.0
    connections: int = 10


@dataclass(frozen=True, slots=True)
class Result:
    """
    The end of one message: which vendor answered, and what; no outcome if its lease had ended before any was asked.

    `again` if it was sent once more since the outcome of an earlier call cannot be known.
    """

    vendor: str
    outcome: Outcome | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that some vendor is still to be asked about; `in_doubt` is the vendor of which an earlier outcome is not known."""

    message: Outbound
    tried: frozenset[int] = frozenset()
    in_doubt: str = ""


class Dispatcher:
    """Offers messages to the vendors of one channel, which are in order of preference."""

    def __init__(
        self, vendors: Sequence[tuple[Vendor, Limits]], now: Callable[[], int], commit: Callable[[Sequence[SendIntent]], None]
    ) -> None:
        self._vendors = [vendor for vendor, _ in vendors]
        self._limits = [limits for _, limits in vendors]
        self._connections = [asyncio.Semaphore(limits.connections) for limits in self._limits]
        self._next_call = [0.0 for _ in vendors]
        self._now = now
        self._commit = commit
        self.failover = Failover(len(vendors))

    async def deliver(self, messages: Sequence[Outbound], intents: Mapping[str, SendIntent]) -> dict[str, Result]:
        """
        Return the result of every message by its reference.

        `intents` are those that an earlier process committed without an outcome. Before each call the intent is committed.
        """
        results: dict[str, Result] = {}
        unsent: list[Unsent] = []

        def settle(step: Result | Unsent, reference: str) -> None:
            if isinstance(step, Result):
                results[reference] = step
            else:
                unsent.append(step)

        for message in messages:
            intent = intents.get(message.reference)
            settle(Unsent(message) if intent is None else await self._recover(message, intent), message.reference)
        while unsent:
            self.failover = self.failover.at(self._now())
            calls = [(each, self._choose(each)) for each in unsent if not self._is_expired(each.message)]
            results |= {each.message.reference: over(each) for each in unsent if self._is_expired(each.message)}
            self._commit(
                [SendIntent(each.message.reference, self._vendors[vendor].name, self._now(), bool(each.in_doubt)) for each, vendor in calls]
            )
            outcomes = await asyncio.gather(*(self._call(vendor, each.message) for each, vendor in calls))
            unsent.clear()
            for (each, vendor), outcome in zip(calls, outcomes, strict=True):
                settle(self._after(each, vendor, outcome), each.message.reference)
        return results

    async def close(self) -> None:
        """Close the vendors' connections."""
        for vendor in self._vendors:
            await vendor.close()

    async def _recover(self, message: Outbound, intent: SendIntent) -> Result | Unsent:
        """Ask the vendor by reference what became of a message that was being handed over when a process ended."""
        unsent = Unsent(message, in_doubt=intent.vendor if intent.again else "")
        place = next((place for place, vendor in enumerate(self._vendors) if vendor.name == intent.vendor), None)
        if place is None:
            return self._doubt(unsent, intent.vendor, Ambiguous(f"the vendor {intent.vendor} is not configured any more"))
        found = await self._vendors[place].find(message)
        if isinstance(found, Unavailable):
            return unsent
        return self._doubt(unsent, intent.vendor, found) if isinstance(found, Ambiguous) else Result(intent.vendor, found, intent.again)

    def _choose(self, each: Unsent) -> int:
        order = self.failover.order()
        return next((vendor for vendor in order if vendor not in each.tried), order[0])

    def _is_expired(self, message: Outbound) -> bool:
        return self._now() >= message.expires_at

    async def _call(self, vendor: int, message: Outbound) -> Outcome | None:
        """Call the vendor within its limits; None if the lease ended meanwhile."""
        async with self._connections[vendor]:
            time = asyncio.get_running_loop().time
            begin = max(self._next_call[vendor], time())
            self._next_call[vendor] = begin + 1 / self._limits[vendor].rate
            await asyncio.sleep(begin - time())
            return None if self._is_expired(message) else await self._vendors[vendor].send(message)

    def _after(self, each: Unsent, vendor: int, outcome: Outcome | None) -> Result | Unsent:
        """Return the result of a message, or how it goes on."""
        name = self._vendors[vendor].name
        if outcome is None:
            return over(each)
        failed = isinstance(outcome, Unavailable | Ambiguous)
        before = self.failover.current
        self.failover = self.failover.after(vendor, failed=failed, now=self._now())
        if self.failover.current != before:
            metrics.PROVIDER_SWITCHES.labels(name).inc()
        if isinstance(outcome, Ambiguous):
            return self._doubt(replace(each, tried=each.tried | {vendor}), name, outcome)
        if isinstance(outcome, Unavailable):
            tried = each.tried | {vendor}
            return Result(name, outcome, bool(each.in_doubt)) if len(tried) == len(self._vendors) else replace(each, tried=tried)
        return Result(name, outcome, bool(each.in_doubt))

    def _doubt(self, each: Unsent, vendor: str, outcome: Ambiguous) -> Result | Unsent:
        """Count what cannot be known; send an emergency once more."""
        metrics.AMBIGUOUS_SENDS.labels(each.message.channel, vendor).inc()
        if each.message.emergency and not each.in_doubt:
            return replace(each, in_doubt=vendor)
        return Result(vendor, outcome, bool(each.in_doubt))


def over(each: Unsent) -> Result:
    """Return the result of a message whose lease has ended; if it is in doubt, that is said."""
    if not each.in_doubt:
        return Result("", None)
    return Result(each.in_doubt, Unavailable("its lease ended before it was sent once more"), again=True)


def receipt_status(outcome: Outcome) -> str:
    """Return the receipt status of an outcome: one that cannot be known counts as accepted, so that nobody sends it again."""
    match outcome:
        case Taken(status) | Refused(status):
            return status
        case Unavailable():
            return "temporary_failure"
        case Ambiguous():
            return "accepted"


def receipt_detail(outcome: Outcome, *, again: bool = False) -> str:
    """Return the detail of a receipt for an outcome; it says if that cannot be known, and if the message was sent again."""
    return f"{SENT_AGAIN if again else ''}{AMBIGUOUS if isinstance(outcome, Ambiguous) else ''}{outcome.detail}"
