"""The outcomes of a call to a vendor, and the interface of a vendor."""

from dataclasses import dataclass
from typing import Literal, Protocol

from processors.domain.notification import Outbound


@dataclass(frozen=True, slots=True)
class Accepted:
    """The vendor accepted the message, or has delivered it."""

    status: Literal["accepted", "delivered"]
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor refused this recipient or message; other vendors would too."""

    status: Literal["temporary_failure", "permanent_failure", "opted_out"]
    detail: str


@dataclass(frozen=True, slots=True)
class VendorUnavailable:
    """The vendor did not take the message and is itself at fault: another vendor may be tried."""

    detail: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The outcome is unknown: the connection broke after the message was handed over."""

    detail: str


SendOutcome = Accepted | Refused | VendorUnavailable | Ambiguous


class Vendor(Protocol):
    """A service that delivers messages of one channel."""

    @property
    def name(self) -> str:
        """The vendor's name, for receipts, metrics and the ledger."""

    async def send(self, message: Outbound) -> SendOutcome:
        """Hand over the message; errors of the vendor are outcomes, not exceptions."""

    async def find(self, message: Outbound) -> SendOutcome:
        """Return the outcome of an earlier call by the message's reference: VendorUnavailable if not taken, Ambiguous if unknown."""

    async def close(self) -> None:
        """Release connections."""
