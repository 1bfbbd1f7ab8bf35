"""
Wire form of an Event: its JSON document, and the submission's bytes beside it.

Four stages read every Event and use a handful of its fields. States hold events as JSON anyway, and msgspec decodes
the document in a tenth of the time that Avro takes field by field in Python (docs/performance.md).
"""

from typing import Any, Final

import msgspec
from msgspec.structs import force_setattr, replace

from processors.domain.event import Event
from processors.runtime.wire.avro import Read, Write, read_long, write_long

FIELDS: Final = {"document", "submission"}  # of the Avro record

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Event).decode


def document(event: Event) -> bytes:
    """Return the event as JSON, without its submission."""
    return _encode(replace(event, submission=b"") if event.submission else event)


def write_event(event: Event) -> bytes:
    """Return the Avro datum of an event."""
    head, submission = document(event), event.submission
    return b"".join((write_long(len(head)), head, write_long(len(submission)), submission))


def read_event(raw: bytes, at: int) -> tuple[Event, int]:
    """Return the event at `at` and the offset of the next datum."""
    length, at = read_long(raw, at)
    event = _decode(raw[at : at + length])
    at += length
    length, at = read_long(raw, at)
    force_setattr(event, "submission", raw[at : at + length])  # nobody else holds a reference yet
    return event, at + length


FORMS: Final[dict[str, tuple[Write, Read]]] = {"Event": (write_event, read_event)}


def expand_events(datum: Any) -> Any:
    """Return a datum from fastavro with the document of every event expanded into fields."""
    if isinstance(datum, dict):
        if datum.keys() == FIELDS:
            return msgspec.json.decode(datum["document"]) | {"submission": datum["submission"]}
        return {key: expand_events(part) for key, part in datum.items()}
    return [expand_events(part) for part in datum] if isinstance(datum, list) else datum
