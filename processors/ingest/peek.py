"""The labels of a submission, for commands that send or route messages without deciding anything."""

from processors.ingest.read.formats import detect_format, parse_json
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.xml import XmlMessage


def message_labels(message: bytes) -> tuple[str | None, str | None]:
    """Return a submission's message id and its agency's ORI, each None where it cannot be read."""
    try:
        form, text = detect_format(message)
        head = XmlMessage.parse(text).head() if form == "xml" else parse_json(text)
    except Rejection:
        return None, None
    agency = head.get("agency")
    return _text(head.get("message_id")), _text(agency.get("ori") if isinstance(agency, dict) else None)


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None
