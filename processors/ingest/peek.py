"""What can be told of a submission without deciding anything: for commands that send or route messages."""

from processors.ingest.read.formats import json_document, told_apart
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.xml import Message, parsed


def message_labels(message: bytes) -> tuple[str | None, str | None]:
    """Return a submission's message id and its agency's ORI, each None where it cannot be read."""
    try:
        form, text = told_apart(message)
        head = Message(parsed(text)).head() if form == "xml" else json_document(text)
    except Rejection:
        return None, None
    agency = head.get("agency")
    return _text(head.get("message_id")), _text(agency.get("ori") if isinstance(agency, dict) else None)


def _text(value: object) -> str | None:
    return value.strip() if isinstance(value, str) and value.strip() else None
