"""The outcomes of a call to a vendor, and the interface of a vendor."""

from dataclasses import dataclass
from typing import Literal, Protocol

from processors.domain.notification import Outbound


@dataclass(frozen=True, slots=True)
class Taken:
    """The vendor took the message, or has delivered it."""

    status: Literal["accepted", "delivered"]
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor refuses this recipient or message; another vendor would as well."""

    status: Literal["temporary_failure", "permanent_failure", "opted_out"]
    detail: str


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The vendor did not take the message, and is itself at fault: another one may be given it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The connection broke after the message was handed over: it may have been taken or not."""

    detail: str


Outcome = Taken | Refused | Unavailable | Ambiguous


class Vendor(Protocol):
    """A service that delivers messages of one channel."""

    @property
    def name(self) -> str:
        """The vendor's name, for receipts, metrics and the ledger."""

    async def send(self, message: Outbound) -> Outcome:
        """Hand the message over; never raises because of the vendor."""

    async def find(self, message: Outbound) -> Outcome:
        """Return what became of a message by its reference: Unavailable if it was not taken, Ambiguous if that cannot be known."""

    async def close(self) -> None:
        """Release connections."""
