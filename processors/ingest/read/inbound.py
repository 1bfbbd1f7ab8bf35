"""
Checks a message sent from an address that the pipeline writes to (contract §5).

A keyword counts only as the whole message, ignoring case, spaces, punctuation and accents: "Stop." and "OPT-OUT" are keywords, "stop
calling my mother" goes to a reviewer. In an email only the first line counts, since the rest may quote ours.
"""

import unicodedata
from collections.abc import Mapping
from datetime import UTC
from hashlib import sha256
from typing import Any, Final

import msgspec

from processors.domain.addresses import normalize
from processors.domain.inbound import PURPOSE, Inbound, InboundText, Keyword
from processors.domain.normalize import without_invisible
from processors.domain.registration import address_digest
from processors.domain.seal import Seal
from processors.ingest.read.acceptance import AcceptedRecord, OpenedRecord, encode
from processors.ingest.read.contacts import CHANNELS
from processors.ingest.read.document import convert, describe_unknown, fields_of, tidy
from processors.ingest.read.formats import json_document
from processors.ingest.read.ids import check_id
from processors.ingest.read.instants import SentTime, parse_instant
from processors.ingest.read.journal_ids import JournalIds
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.submission import unknown_code
from processors.stage import Context, Record

# Contract §5; the words that 47 CFR 64.1200(a)(10) and the carriers name, and their Spanish.
KEYWORDS: Final[Mapping[str, tuple[Keyword, str]]] = {
    "STOP": ("stop", "en"),
    "STOPALL": ("stop", "en"),
    "UNSUBSCRIBE": ("stop", "en"),
    "CANCEL": ("stop", "en"),
    "END": ("stop", "en"),
    "QUIT": ("stop", "en"),
    "REVOKE": ("stop", "en"),
    "OPTOUT": ("stop", "en"),
    "ALTO": ("stop", "es"),
    "PARAR": ("stop", "es"),
    "BAJA": ("stop", "es"),
    "START": ("start", "en"),
    "UNSTOP": ("start", "en"),
    "SI": ("start", "es"),
    "HELP": ("help", "en"),
    "INFO": ("help", "en"),
    "AYUDA": ("help", "es"),
}
MAX_KEPT: Final = 2_000  # characters of a message that a reviewer sees
ID_DIGITS: Final = 16
MISSING: Final = {"occurred_at": "unreadable_date"}


class SentInbound(msgspec.Struct, frozen=True, gc=False, rename={"sender": "from"}):
    """An inbound message as it was sent."""

    provider: str
    channel: str
    sender: str
    to: str
    occurred_at: SentTime
    body: str = ""
    id: str | None = None


SHAPE: Final = fields_of(SentInbound)


def check(document: Mapping[str, Any], received_at: int, seal: Seal) -> Inbound:
    """Return the message with its address as a keyed digest and its text sealed; raises Rejection if the sender is not an address."""
    form = convert(document, SentInbound, MISSING)
    check_id("provider", form.provider)
    check_id("id", form.id or "")
    channel = CHANNELS.get(form.channel)
    if channel is None:
        raise unknown_code("channel", form.channel)
    address = normalize(channel, form.sender)
    if address is None:
        raise Rejection("bad_inbound", f"The field from is no address of the channel {channel}.")
    written = without_invisible(form.body)
    keyword, language = keyword_of(written if channel == "sms" else first_line(written))
    text = InboundText(address=address, body=form.body[:MAX_KEPT])
    return Inbound(
        provider=form.provider,
        channel=channel,
        address=address_digest(address, seal),
        keyword=keyword,
        language=language,
        occurred_at=parse_instant("occurred_at", form.occurred_at, UTC),
        received_at=received_at,
        sealed=seal.close(msgspec.json.encode(text), PURPOSE),
        id=digest_of_id(form.provider, form.id),
    )


def digest_of_id(provider: str, given: str | None) -> str:
    """Return the digest by which a repeated message is recognized; empty if its provider gives no id."""
    return sha256(f"{provider}\0{given}".encode()).hexdigest()[:ID_DIGITS] if given else ""


def keyword_of(body: str) -> tuple[Keyword, str | None]:
    """Return what the whole message asks for, and in which language; "other" if it is not a keyword."""
    plain = unicodedata.normalize("NFKD", body).upper()
    return KEYWORDS.get("".join(letter for letter in plain if letter.isalnum()), ("other", None))


def first_line(body: str) -> str:
    """Return the first line that is not blank."""
    return next((line for line in body.splitlines() if line.strip()), "")


def open_record(record: Record, context: Context) -> OpenedRecord:
    fields, unknown = tidy(json_document(record), SHAPE)

    def check_record() -> AcceptedRecord:
        found = check(fields, record.timestamp, context.seal)
        return AcceptedRecord("inbound", JournalIds(), encode(found), describe_unknown(unknown))

    return OpenedRecord(JournalIds(), check_record)
