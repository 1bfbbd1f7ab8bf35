"""
Converts delivery status notifications (RFC 3464) to receipts.

A bounce identifies the attempt by the envelope id, or by the Message-ID of the returned message.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from email.policy import default
from email.utils import parsedate_to_datetime
from typing import Final

from processors.domain.external import ReceiptForm
from processors.providers.mail import reference_of

DELAYED: Final = "delayed"
STATUSES: Final = {"delivered": "delivered", "relayed": "accepted", "expanded": "accepted", DELAYED: "accepted"}
MAILBOX_FULL: Final = "5.2.2"  # "permanent" according to RFC 3463, but only temporary


def receipts(content: bytes, provider: str, received_at: int) -> tuple[ReceiptForm, ...]:
    """Return a receipt for each recipient that a notification reports on; none for any other email."""
    email = message_from_bytes(content, policy=default)
    parts = [part for part in email.walk() if part.get_content_type() == "message/delivery-status"]
    found = []
    for part in parts:
        groups = [each for each in part.get_payload() if isinstance(each, Message)] if part.is_multipart() else []
        envelope = decode_xtext(str(groups[0].get("Original-Envelope-Id", ""))) if groups else ""
        reference = reference_of(envelope) or returned_reference(email)
        found += [receipt(each, reference, provider, received_at) for each in groups[1:] if reference and each.get("Action")]
    return tuple(found)


def receipt(group: Message, reference: str, provider: str, received_at: int) -> ReceiptForm:
    """Return the receipt of one recipient's group of fields."""
    action, code = str(group["Action"]).strip().lower(), str(group.get("Status", "")).strip().split(" ")[0]
    failed = "temporary_failure" if code.startswith("4") or code == MAILBOX_FULL else "permanent_failure"
    return ReceiptForm(
        reference=reference,
        status=failed if action == "failed" else STATUSES.get(action, "temporary_failure"),
        occurred_at=occurred_at(group, received_at),
        provider=provider,
        detail=f"{action} {code}".strip(),
    )


def returned_reference(email: Message) -> str:
    """Return the reference of the returned message, of which a notification holds everything or only the headers."""
    return next(_references(email), "")


def _references(email: Message) -> Iterator[str]:
    for part in email.walk():
        if part.get_content_type() == "message/rfc822" and isinstance(payload := part.get_payload(), list) and payload:
            returned = payload[0]
            if isinstance(returned, Message) and (reference := reference_of(str(returned.get("Message-ID", "")))):
                yield reference
        elif part.get_content_type() == "text/rfc822-headers" and (
            match := re.search(r"(?im)^Message-ID:\s*(<[^>]*>)", str(part.get_payload()))
        ):
            yield reference_of(match[1])


def occurred_at(group: Message, received_at: int) -> int:
    """Return the time of the last attempt in milliseconds; if unknown, when the notification arrived."""
    try:
        return int(parsedate_to_datetime(str(group["Last-Attempt-Date"])).timestamp() * 1000)
    except (TypeError, ValueError):
        return received_at


def decode_xtext(text: str) -> str:
    """Return text decoded from xtext (RFC 3461, section 4)."""
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), text.strip())
