"""
Hands messages to vendors: a definite answer settles a message; if a vendor is at fault, the next one is tried.

A message with an unknown outcome is not sent again, since a registrant should not be told twice; an emergency is sent once
more, since being told twice is better than not at all. Nothing is sent after its lease has expired (`expires_at`).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from processors.domain.notification import Outbound
from processors.domain.sending import AMBIGUOUS, SENT_AGAIN, SendIntent
from processors.providers.failover import Failover
from processors.providers.outcome import Accepted, Ambiguous, Refused, SendOutcome, Vendor, VendorUnavailable
from processors.runtime import metrics


@dataclass(frozen=True, slots=True)
class VendorLimits:
    """A vendor's limits: calls per second, and concurrent calls."""

    rate: float = 50.0
    connections: int = 10


@dataclass(frozen=True, slots=True)
class SendResult:
    """
    The result for one message: the vendor and its outcome; no outcome if the lease had expired before any vendor was called.

    `again`: it was sent once more because the outcome of an earlier call is unknown.
    """

    vendor: str
    outcome: SendOutcome | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message not settled yet; `in_doubt` names the vendor whose earlier outcome is unknown."""

    message: Outbound
    tried: frozenset[int] = frozenset()
    in_doubt: str = ""


class Dispatcher:
    """Hands messages to the vendors of one channel, which are in order of preference."""

    def __init__(
        self, vendors: Sequence[tuple[Vendor, VendorLimits]], now: Callable[[], int], commit: Callable[[Sequence[SendIntent]], None]
    ) -> None:
        self._vendors = [vendor for vendor, _ in vendors]
        self._limits = [limits for _, limits in vendors]
        self._connections = [asyncio.Semaphore(limits.connections) for limits in self._limits]
        self._next_call = [0.0 for _ in vendors]
        self._now = now
        self._commit = commit
        self.failover = Failover(len(vendors))

    async def deliver(self, messages: Sequence[Outbound], intents: Mapping[str, SendIntent]) -> dict[str, SendResult]:
        """
        Return the result of every message by its reference.

        `intents` holds the intents that an earlier process committed without an outcome. Before each call its intent is committed.
        """
        results: dict[str, SendResult] = {}
        unsent: list[Unsent] = []

        def settle(step: SendResult | Unsent, reference: str) -> None:
            if isinstance(step, SendResult):
                results[reference] = step
            else:
                unsent.append(step)

        for message in messages:
            intent = intents.get(message.reference)
            settle(Unsent(message) if intent is None else await self._recover(message, intent), message.reference)
        while unsent:
            self.failover = self.failover.at(self._now())
            calls = [(each, self._choose(each)) for each in unsent if not self._is_expired(each.message)]
            results |= {each.message.reference: expired_result(each) for each in unsent if self._is_expired(each.message)}
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

    async def _recover(self, message: Outbound, intent: SendIntent) -> SendResult | Unsent:
        """Ask the vendor by reference for the outcome of a message that was being handed over when a process ended."""
        unsent = Unsent(message, in_doubt=intent.vendor if intent.again else "")
        index = next((index for index, vendor in enumerate(self._vendors) if vendor.name == intent.vendor), None)
        if index is None:
            return self._doubt(unsent, intent.vendor, Ambiguous(f"the vendor {intent.vendor} is not configured any more"))
        found = await self._vendors[index].find(message)
        if isinstance(found, VendorUnavailable):
            return unsent
        return self._doubt(unsent, intent.vendor, found) if isinstance(found, Ambiguous) else SendResult(intent.vendor, found, intent.again)

    def _choose(self, each: Unsent) -> int:
        order = self.failover.order()
        return next((vendor for vendor in order if vendor not in each.tried), order[0])

    def _is_expired(self, message: Outbound) -> bool:
        return self._now() >= message.expires_at

    async def _call(self, vendor: int, message: Outbound) -> SendOutcome | None:
        """Call the vendor within its limits; None if the lease expired meanwhile."""
        async with self._connections[vendor]:
            time = asyncio.get_running_loop().time
            begin = max(self._next_call[vendor], time())
            self._next_call[vendor] = begin + 1 / self._limits[vendor].rate
            await asyncio.sleep(begin - time())
            return None if self._is_expired(message) else await self._vendors[vendor].send(message)

    def _after(self, each: Unsent, vendor: int, outcome: SendOutcome | None) -> SendResult | Unsent:
        """Return the result of a message, or the message to try again."""
        name = self._vendors[vendor].name
        if outcome is None:
            return expired_result(each)
        failed = isinstance(outcome, VendorUnavailable | Ambiguous)
        before = self.failover.current
        self.failover = self.failover.after(vendor, failed=failed, now=self._now())
        if self.failover.current != before:
            metrics.PROVIDER_SWITCHES.labels(name).inc()
        if isinstance(outcome, Ambiguous):
            return self._doubt(replace(each, tried=each.tried | {vendor}), name, outcome)
        if isinstance(outcome, VendorUnavailable):
            tried = each.tried | {vendor}
            return SendResult(name, outcome, bool(each.in_doubt)) if len(tried) == len(self._vendors) else replace(each, tried=tried)
        return SendResult(name, outcome, bool(each.in_doubt))

    def _doubt(self, each: Unsent, vendor: str, outcome: Ambiguous) -> SendResult | Unsent:
        """Count an unknown outcome; an emergency is sent once more."""
        metrics.AMBIGUOUS_SENDS.labels(each.message.channel, vendor).inc()
        if each.message.emergency and not each.in_doubt:
            return replace(each, in_doubt=vendor)
        return SendResult(vendor, outcome, bool(each.in_doubt))


def expired_result(each: Unsent) -> SendResult:
    """Return the result of a message whose lease has expired; says so if an earlier outcome is unknown."""
    if not each.in_doubt:
        return SendResult("", None)
    return SendResult(each.in_doubt, VendorUnavailable("its lease ended before it was sent once more"), again=True)


def receipt_status(outcome: SendOutcome) -> str:
    """Return the receipt status of an outcome; an unknown one counts as accepted, so that the message is not sent again."""
    match outcome:
        case Accepted(status) | Refused(status):
            return status
        case VendorUnavailable():
            return "temporary_failure"
        case Ambiguous():
            return "accepted"


def receipt_detail(outcome: SendOutcome, *, again: bool = False) -> str:
    """Return a receipt's detail for an outcome; says if the outcome is unknown and if the message was sent again."""
    return f"{SENT_AGAIN if again else ''}{AMBIGUOUS if isinstance(outcome, Ambiguous) else ''}{outcome.detail}"
