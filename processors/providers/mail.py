"""
Builds an email from an outbound message.

Text and HTML have the same content; the HTML loads nothing. The reference is the Message-ID and the envelope id (RFC 3461), so
that a bounce leads back to the attempt. One-click unsubscription (RFC 8058) needs both List-Unsubscribe headers and a DKIM
signature over them; they are left out if no URL for it is configured.
"""

import re
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from typing import Final
from urllib.parse import urlencode

from processors.domain.notification import Outbound
from processors.domain.seal import Seal
from processors.domain.unsubscription import unsubscription_token
from processors.providers.html import html_of

POLICY: Final = SMTP.clone(max_line_length=998, cte_type="7bit")  # no folding: the unsubscribe header must be one line
PRINTABLE: Final = re.compile(r"[ -~]*")
MAX_PLAIN_LENGTH: Final = 900
PLAIN_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class MailSender:
    """The sender of emails: the visible address, the one for bounces, the unsubscription URL and the seal that signs its links."""

    address: str
    name: str = ""
    bounces: str = ""
    unsubscribe_url: str = ""
    seal: Seal | None = None

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def email_of(message: Outbound, sender: MailSender) -> bytes:
    """Return the email as bytes; the same message always gives the same bytes."""
    boundary = f"=_{message.reference.rpartition('.')[2]}"
    headers = [
        from_header(sender.name, sender.address),
        header("To", message.to if PLAIN_ADDRESS.fullmatch(message.to) else str(Address(addr_spec=message.to))),
        header("Subject", message.subject or ""),
        header("Date", format_datetime(datetime.fromtimestamp(message.created_at // 1000, UTC))),
        header("Message-ID", message_id(message.reference, sender.domain)),
        header("Auto-Submitted", "auto-generated"),
    ]
    if message.emergency:
        headers.append(header("Importance", "high"))
    if sender.unsubscribe_url and sender.seal is not None:
        headers.append(header("List-Unsubscribe", f"<{unsubscription_url(sender.unsubscribe_url, message.reference, sender.seal)}>"))
        headers.append(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    headers += [
        header("MIME-Version", "1.0"),
        header("Content-Language", message.language),
        header("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    parts = (body_part("plain", message.body), body_part("html", html_of(message)))
    body = "".join(f"--{boundary}\r\n{each}\r\n" for each in parts)
    return f"{''.join(headers)}\r\n{body}--{boundary}--\r\n".encode("ascii")


@cache
def from_header(name: str, address: str) -> str:
    """Return the From header."""
    return header("From", str(Address(name, addr_spec=address)))


def header(name: str, value: str) -> str:
    """Return a header line, encoded if it is not printable ASCII; raises ValueError if the value has several lines."""
    if len(value) < MAX_PLAIN_LENGTH and PRINTABLE.fullmatch(value):
        return f"{name}: {value}\r\n"
    if value.splitlines() != [value]:
        raise ValueError("a header is one line")
    return str(POLICY.header_factory(name, value).fold(policy=POLICY))


def body_part(kind: str, text: str) -> str:
    """Return one part of the multipart/alternative body."""
    lines = "".join(f"{line}\r\n" for line in text.splitlines())
    encoded = b2a_qp(lines.encode()).decode("ascii")
    return f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}'


def unsubscription_url(address: str, reference: str, seal: Seal) -> str:
    """Return the link for the List-Unsubscribe header, to which mail programs send a POST (RFC 8058)."""
    return f"{address}?{urlencode({'reference': reference, 'token': unsubscription_token(reference, seal)})}"


def message_id(reference: str, domain: str) -> str:
    """Return the Message-ID of an attempt."""
    return f"<{reference}@{domain}>"


def reference_of(message_id: str) -> str:
    """Return the reference in a Message-ID or an envelope id, empty if there is none."""
    return message_id.strip().strip("<>").partition("@")[0]
