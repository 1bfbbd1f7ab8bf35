"""Reads a submission's ids, and locates XML errors, for commands that only send messages."""

import re
from collections.abc import Mapping
from typing import Any, Final

from processors.domain.journal import Unreadable
from processors.ingest.read.formats import detect_format, parse_json
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.xml import XmlMessage, parse_xml


def submission_ids(message: bytes | Mapping[str, Any] | Unreadable) -> tuple[str | None, str | None]:
    """Return the message id and the agency's ORI of a submission, of Avro as the codec decoded it; each None if it cannot be read."""
    if isinstance(message, Unreadable):
        return None, None
    if isinstance(message, Mapping):
        return _ids(message)
    try:
        form, text = detect_format(message)
        head = XmlMessage.parse(text).head() if form == "xml" else parse_json(text)
    except Rejection:
        return None, None
    return _ids(head)


def _ids(head: Mapping[str, Any]) -> tuple[str | None, str | None]:
    agency = head.get("agency")
    return _text(head.get("message_id")), _text(agency.get("ori") if isinstance(agency, Mapping) else None)


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None


def broken_xml(message: bytes) -> tuple[str, int, int] | None:
    """Return the error, line and column of an XML document that is not well-formed; None for any other document."""
    try:
        parse_xml(detect_format(message)[1])
    except Rejection as why:
        found = _POSITION.search(why.detail) if why.reason == "malformed" else None
        return ("the XML is not well-formed", int(found[1]), int(found[2])) if found else None
    return None


_POSITION: Final = re.compile(r"line (\d+), column (\d+)")
