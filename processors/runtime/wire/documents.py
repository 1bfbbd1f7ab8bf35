"""
Wire format of the records that stages pass each other: a JSON document, and separately the bytes that no stage on the way reads.

Every stage reads such a record and uses only a few of its fields. msgspec reads a document in a tenth of the time that Avro
takes field by field in Python (docs/performance.md).
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr, replace

from processors.domain.event import Event
from processors.domain.intake import Intake
from processors.domain.tally import PartEnded, PartMatched, PartRepeated, RegistrantTold
from processors.runtime.wire.avro import NUMBERS, Read, Write, read_long

DOCUMENT: Final = "document"
SEPARATE_FIELDS: Final[Mapping[type[Struct], str | None]] = {
    Event: "submission",
    Intake: "body",
    PartEnded: None,
    PartMatched: None,
    PartRepeated: None,
    RegistrantTold: None,
}
FIELDS: Final = {kind.__name__: {DOCUMENT, beside} - {None} for kind, beside in SEPARATE_FIELDS.items()}  # of each Avro record

_encode: Final = msgspec.json.Encoder().encode


def document_codec(kind: type[Struct], beside: str | None) -> tuple[Write, Read]:
    """Return the functions that write and read records of a type; `beside` names the field that is not part of the document."""
    decode = msgspec.json.Decoder(kind).decode
    without = {beside or "": b""}

    def write(record: Struct) -> bytes:
        head = _encode(record)
        return NUMBERS[len(head)] + head

    def read(raw: bytes, at: int) -> tuple[Struct, int]:
        length, at = read_long(raw, at)
        return decode(raw[at : at + length]), at + length

    def write_with(record: Struct) -> bytes:
        body = getattr(record, beside or "")
        head = _encode(replace(record, **without) if body else record)
        return b"".join((NUMBERS[len(head)], head, NUMBERS[len(body)], body))

    def read_with(raw: bytes, at: int) -> tuple[Struct, int]:
        length, at = read_long(raw, at)
        record, at = decode(raw[at : at + length]), at + length
        length, at = read_long(raw, at)
        force_setattr(record, beside or "", raw[at : at + length])  # frozen, but nobody else has a reference yet
        return record, at + length

    return (write, read) if beside is None else (write_with, read_with)


DOCUMENT_CODECS: Final[dict[str, tuple[Write, Read]]] = {
    kind.__name__: document_codec(kind, beside) for kind, beside in SEPARATE_FIELDS.items()
}


def is_document(name: str, datum: Any) -> bool:
    """Whether a datum of this schema is a document, and not of an earlier version with a field for each of its parts."""
    return name in FIELDS and isinstance(datum, dict) and datum.keys() == FIELDS[name]


def expand_documents(datum: Any) -> Any:
    """Return a datum from fastavro with every document expanded into fields."""
    if isinstance(datum, dict):
        if DOCUMENT in datum and datum.keys() in FIELDS.values():
            return msgspec.json.decode(datum[DOCUMENT]) | {name: value for name, value in datum.items() if name != DOCUMENT}
        return {key: expand_documents(part) for key, part in datum.items()}
    return [expand_documents(part) for part in datum] if isinstance(datum, list) else datum
