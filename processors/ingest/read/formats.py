"""
Detects the format of a record by its first character (contract §2), and parses JSON strictly.

Avro never arrives here as bytes: the runtime passes the decoded record, or the reason why it cannot be decoded.
"""

import codecs
import json
import re
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from processors.domain.journal import Unreadable
from processors.ingest.read.rejection import Rejection, quote
from processors.stage import Record

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64
WHITE: Final = " \t\r\n"

Format = Literal["xml", "json"]

_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def open_document(record: Record) -> Mapping[str, Any] | str:
    """Return the record as a document of plain values, or as the text of an XML document."""
    value = record.value
    if isinstance(value, Unreadable):
        raise Rejection(value.reason, value.detail)
    check_size(raw_bytes(record))
    if isinstance(value, dict):
        return value
    form, text = detect_format(value or b"")
    return parse_json(text) if form == "json" else text


def json_document(record: Record) -> Mapping[str, Any]:
    """Return a record of a topic that takes no XML as a document of plain values."""
    document = open_document(record)
    if isinstance(document, str):
        raise Rejection("unknown_format", "Only submissions may be XML.")
    return document


def raw_bytes(record: Record) -> bytes:
    """Return the record's value as received; empty for a tombstone."""
    return record.raw if record.raw is not None else record.value if isinstance(record.value, bytes) else b""


def check_size(raw: bytes) -> None:
    """Reject a record larger than 1 MiB before anything parses it."""
    if len(raw) > MAX_BYTES:
        raise Rejection("too_large", f"The record has {len(raw)} bytes; at most {MAX_BYTES} are accepted.")


def detect_format(raw: bytes) -> tuple[Format, str]:
    """Return the format and the text without byte order mark and surrounding white space."""
    text = decode_text(raw).strip(WHITE)
    if text.startswith("<"):
        return "xml", text
    if text.startswith("{"):
        return "json", text
    raise Rejection("unknown_format", "The record is empty." if not text else "The record begins neither as XML, nor as JSON, nor as Avro.")


def decode_text(raw: bytes) -> str:
    """Return the text of UTF-8, or of UTF-16 if a byte order mark announces it."""
    try:
        return raw.decode("utf-16" if raw.startswith(_UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        if raw.lstrip()[:1] in (b"<", b"{") or raw.startswith((*_UTF16, codecs.BOM_UTF8)):
            raise Rejection("bad_encoding", "The text is not UTF-8, nor UTF-16 with a byte order mark.") from None
        raise Rejection("unknown_format", "The record begins neither as XML, nor as JSON, nor as Avro.") from None


def parse_json(text: str) -> Mapping[str, Any]:
    """Return the JSON object; a name given twice in one object is rejected, since readers differ on which one counts."""
    if nesting_depth(text) > MAX_DEPTH:
        raise Rejection("too_complex", f"The JSON nests deeper than {MAX_DEPTH} levels.")
    try:
        document: dict[str, Any] = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Rejection("malformed", "The JSON is not well-formed.") from None
    if count_quotes(text) != count_quotes(_encode(document).decode()):
        reject_doubled_names(text)
    return document


def nesting_depth(text: str) -> int:
    """Return how deep objects and arrays nest; an upper bound if there are few of them."""
    openings = text.count("{") + text.count("[")
    if openings <= MAX_DEPTH:
        return openings
    depth = deepest = 0
    for token in _BRACKETS.finditer(text):
        if token[0] in "{[":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in "}]":
            depth -= 1
    return deepest


_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[{}\[\]]', re.DOTALL)


def count_quotes(text: str) -> int:
    """
    Return the number of quotation marks that are not preceded by a backslash.

    A name given twice is read once, so that what is read has fewer of them than what was written. Other differences
    (a backslash written by its number) only cause the exact check of `reject_doubled_names`.
    """
    return text.count('"') - text.count('\\"')


def reject_doubled_names(text: str) -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                reason = "event_type_count" if name == "event_type" else "doubled_field"
                raise Rejection(reason, f"A JSON object names {quote(name)} twice.")
            found[name] = value
        return found

    json.loads(text, object_pairs_hook=once)
