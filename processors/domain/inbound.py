"""Messages from registrants' addresses (contract §5)."""

from typing import Literal

from msgspec import Struct

from processors.domain.registration import Channel

Keyword = Literal["stop", "start", "help", "other"]


class Inbound(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    One message from a registrant's address.

    `address` is the keyed digest of the sender's address, `keyword` what the whole message asks for, `language` the keyword's
    language. `sealed` is the encrypted `InboundText`, for the reviewer of a message that is not a keyword. `answered` is true if no
    reply is needed: the carrier has replied, or another registrant with the address gets the reply. `seq` is filled in by
    identify. `id` is a digest of the provider's own id, which identifies repeated messages; empty if the provider gives none.
    """

    provider: str
    channel: Channel
    address: str
    keyword: Keyword
    occurred_at: int
    language: str | None = None
    received_at: int = 0
    seq: int = 0
    sealed: bytes = b""
    answered: bool = False
    id: str = ""


class InboundText(Struct, frozen=True, gc=False, kw_only=True):
    """The sealed content of an inbound message: the sender's address and the text, shortened."""

    address: str
    body: str


PURPOSE = "inbound"  # the seal's purpose
