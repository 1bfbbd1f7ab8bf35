"""
An outbound message as an email.

Text and HTML say the same; the HTML loads nothing from elsewhere. The reference is the Message-ID and the envelope id
(RFC 3461), so that a bounce leads back to the attempt. One-click unsubscription (RFC 8058) needs both headers below and a
DKIM signature over them; they are left out if no address for it is configured.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlencode

from processors.domain.notification import Outbound
from processors.domain.seal import Seal
from processors.domain.unsubscription import unsubscription_token
from processors.providers.html import html_of

POLICY = SMTP.clone(max_line_length=998, cte_type="7bit")  # no folding: the unsubscribe header must be one line


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of an email: the address people see, the one for bounces, the URL for unsubscriptions and the key that signs its link."""

    address: str
    name: str = ""
    bounces: str = ""
    unsubscribe_url: str = ""
    seal: Seal | None = None

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


def email_of(message: Outbound, sender: Sender) -> EmailMessage:
    """Return the email; the same message gives the same bytes."""
    email = EmailMessage(POLICY)
    email["From"] = Address(sender.name, addr_spec=sender.address)
    email["To"] = Address(addr_spec=message.to)
    email["Subject"] = message.subject or ""
    email["Date"] = format_datetime(datetime.fromtimestamp(message.created_at // 1000, UTC))
    email["Message-ID"] = message_id(message.reference, sender.domain)
    email["Auto-Submitted"] = "auto-generated"
    if message.emergency:
        email["Importance"] = "high"
    if sender.unsubscribe_url and sender.seal is not None:
        email["List-Unsubscribe"] = f"<{unsubscription_url(sender.unsubscribe_url, message.reference, sender.seal)}>"
        email["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    email.set_content(message.body, cte="quoted-printable")
    email.add_alternative(html_of(message), subtype="html", cte="quoted-printable")
    email.set_boundary(f"=_{message.reference.rpartition('.')[2]}")
    email["Content-Language"] = message.language  # last: headers of the content move into the first part
    return email


def unsubscription_url(address: str, reference: str, seal: Seal) -> str:
    """Return the link for the List-Unsubscribe header, to which mail programs send a POST (RFC 8058)."""
    return f"{address}?{urlencode({'reference': reference, 'token': unsubscription_token(reference, seal)})}"


def message_id(reference: str, domain: str) -> str:
    """Return the Message-ID of an attempt."""
    return f"<{reference}@{domain}>"


def reference_of(message_id: str) -> str:
    """Return the reference in a Message-ID or an envelope id, empty if there is none."""
    return message_id.strip().strip("<>").partition("@")[0]
