"""
Encodes and decodes every record: Avro single-object encoding and Confluent framing (contract §2).

Without a schema registry, records are written in single-object encoding (C3 01, fingerprint, datum); with one, in Confluent
framing (00, schema id, datum). Both are read. The current schema of a record type is compiled at its first use, since a
command uses few of them; data written with an earlier schema is resolved by fastavro, which is slower.
"""

import base64
import io
import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastavro import schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType
from msgspec import Struct

from processors.domain.journal import Unreadable
from processors.runtime.errors import Stop
from processors.runtime.wire import outsiders
from processors.runtime.wire.avro import NUMBERS, Compiler, MalformedAvro, Read, Write, read_long
from processors.runtime.wire.changelog import State
from processors.runtime.wire.compatibility import hazards
from processors.runtime.wire.documents import DOCUMENT, DOCUMENT_CODECS, expand_documents, is_document
from processors.runtime.wire.schemas import INTERNAL, RECORDS, TIMES, Version, current, history, schema_name, short_name, structs_of
from processors.runtime.wire.states import StateFormat

if TYPE_CHECKING:
    from processors.runtime.wire.registry import Registry

SINGLE_OBJECT: Final = b"\xc3\x01"
CONFLUENT: Final = b"\0"
CONTAINER: Final = b"Obj\x01"
SINGLE_OBJECT_HEADER: Final = 10
CONFLUENT_HEADER: Final = 5
TOO_LARGE: Final = 1 << 20  # contract §3

# What our reader and fastavro raise for malformed bytes.
BROKEN: Final = (MalformedAvro, IndexError, KeyError, ValueError, EOFError, StopIteration, TypeError, OverflowError, msgspec.DecodeError)
_json_encode: Final = msgspec.json.Encoder().encode
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Undecodable(Stop):
    """The bytes are not a record of the pipeline; `unreadable` holds a reason code of `domain.reasons` and a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.unreadable = Unreadable(reason, detail)


class Codec:
    """
    Encodes and decodes every record of `processors.topics` and of the changelogs.

    `url` is the schema registry's; its subjects are the record names with `prefix`. `registry` is used if there is no `url`.
    """

    def __init__(self, url: str | None = None, prefix: str = "vn.", *, registry: "Registry | None" = None) -> None:
        self._registry = registry if url is None else _registry_at(url, prefix)
        self._headers: dict[type[Struct], bytes] = {record: current(schema_name(record)).header for record in RECORDS}
        self._versions: dict[bytes, Version] = {header: current(schema_name(record)) for record, header in self._headers.items()}
        self._readers: dict[bytes, Read] = {}
        self._writers: dict[type, tuple[bytes, Write]] = {}
        if self._registry is not None:
            self._frame(self._registry)

    def encode(self, record: Struct) -> bytes:
        """Return the record's wire bytes."""
        try:
            header, write = self._writers[type(record)]
        except KeyError:
            header, write = self._writers[type(record)] = self._headers[type(record)], _compile(type(record))[0]
        return header + write(record)

    def decode(self, raw: bytes) -> Any:
        """Return the record that `encode` encoded; raises Undecodable for anything else."""
        header = raw[:SINGLE_OBJECT_HEADER] if raw[:1] != CONFLUENT else raw[:CONFLUENT_HEADER]
        read = self._readers.get(header) or self._resolving(raw)
        try:
            value, end = read(raw, len(header))
            if end != len(raw):
                raise MalformedAvro
        except BROKEN:
            raise Undecodable("malformed", "the record is not a datum of the schema it names") from None
        return value

    def encode_state(self, state: Any, number: int = 1) -> bytes:
        """Return a state as it is written to the changelog, in format `number`."""
        document = _json_encode(state)
        return b"".join((self._headers[State], NUMBERS[len(document)], document, NUMBERS[number]))

    def states(self, wanted: StateFormat) -> Callable[[bytes], Any]:
        """Return a decoder of states in this format or an earlier one; it raises Stop for anything else."""
        read, present = _json_decoder(wanted.type).decode, wanted.number
        header, end = self._headers[State], NUMBERS[wanted.number]
        start = len(header)

        def decode(raw: bytes) -> Any:
            try:
                if raw.startswith(header):  # the current schema: skip decoding the record around the state
                    length, at = read_long(raw, start)
                    if raw[at + length :] == end:
                        return read(raw[at : at + length])
                record = self.decode(raw)
                if record.format == present:
                    return read(record.state)
                wanted.check(record.format)
                return read(wanted.migrate(record.state, record.format))
            except (MalformedAvro, IndexError, msgspec.DecodeError, Undecodable, AttributeError) as error:
                raise Stop(f"a state in the changelog cannot be read by this version ({type(error).__name__}): run what wrote it") from None

        return decode

    def decode_external(self, raw: bytes) -> bytes | dict[str, Any] | Unreadable:
        """
        Return what an outsider sent.

        Avro is returned as a JSON document, without nulls and with the fields of the sender's own schema; anything else is
        returned unchanged.
        """
        if raw[:1] != CONFLUENT and raw[:2] != SINGLE_OBJECT:
            return Unreadable("unknown_schema", "Avro container files are not accepted: send one record") if raw[:4] == CONTAINER else raw
        if len(raw) > TOO_LARGE:
            return Unreadable("too_large", f"the record has {len(raw)} bytes")
        try:
            version, start = self._version(raw)
            found = _outsiders_document(version, raw, start)
        except Undecodable as error:
            return error.unreadable
        if version.record in _INTERNAL or not isinstance(found, dict):
            return Unreadable("unknown_schema", f"outsiders do not send {version.record} records")
        return found

    def describe(self, raw: bytes | None) -> Any:
        """Return any record's value as plain JSON: times as ISO 8601, bytes as base64, XML as text. Never raises."""
        if raw is None:
            return None
        if raw[:1] == CONFLUENT or raw[:2] == SINGLE_OBJECT:
            try:
                version, start = self._version(raw)
                return _plain_value(version, _datum(version, raw, start))
            except Undecodable:
                return base64.b64encode(raw).decode()
        return _text(raw)

    @cached_property
    def _earlier(self) -> dict[bytes, Version]:
        """Every version of every schema ever used, by its single-object header; loaded when an earlier version is met."""
        return {version.header: version for record in RECORDS for version in history(schema_name(record))}

    def _frame(self, registry: "Registry") -> None:
        """Register every schema, and use Confluent framing for writing from now on."""
        for record in RECORDS:
            version = current(schema_name(record))
            header = CONFLUENT + registry.register(version).to_bytes(4, "big")
            self._headers[record], self._versions[header] = header, version

    def _version(self, raw: bytes) -> tuple[Version, int]:
        """Return the schema that a record names and the offset of its datum."""
        start = SINGLE_OBJECT_HEADER if raw[:2] == SINGLE_OBJECT else CONFLUENT_HEADER
        if len(raw) < start:
            raise Undecodable("malformed", "the record ends within its header")
        header = raw[:start]
        if (version := self._versions.get(header)) is not None:
            return version, start
        if start == SINGLE_OBJECT_HEADER:
            if (earlier := self._earlier.get(header)) is not None:
                return earlier, start
            raise Undecodable("unknown_schema", f"no schema has the fingerprint {header[2:].hex()}")
        if self._registry is None:
            raise Undecodable("no_registry", "the record is in Confluent framing and no schema registry is configured")
        identity = int.from_bytes(header[1:], "big")
        found = self._registry.schema(identity)
        if found is None or not _usable(found):
            raise Undecodable("unknown_schema", f"the schema registry has no usable schema {identity}")
        self._versions[header] = found
        return found, start

    def _resolving(self, raw: bytes) -> Read:
        """Return a decoder for a header that is met for the first time: of any version, or with another id of the registry."""
        version, start = self._version(raw)
        record = _BY_NAME.get(version.record)
        if record is None:
            raise Undecodable("unknown_schema", f"no record of the pipeline is called {version.record}")
        is_current = version.canonical == current(schema_name(record)).canonical
        self._readers[raw[:start]] = _compile(record)[1] if is_current else _resolver(version, record)
        return self._readers[raw[:start]]


_BY_NAME: Final[dict[str, type[Struct]]] = {schema_name(record): record for record in RECORDS}
_INTERNAL: Final = frozenset(schema_name(record) for record in INTERNAL)


@cache
def _compile(record: type[Struct]) -> tuple[Write, Read]:
    compiler = Compiler(current(schema_name(record)).plain, structs_of(record), DOCUMENT_CODECS)
    return compiler.write(), compiler.read()


@cache
def _json_decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _resolver(version: Version, record: type[Struct]) -> Read:
    """Return a decoder for an earlier schema: new fields get their defaults, removed fields are dropped."""
    reader = None if schema_name(record) in DOCUMENT_CODECS else current(schema_name(record)).plain

    def read(raw: bytes, start: int) -> tuple[Any, int]:
        return msgspec.convert(expand_documents(_datum(version, raw, start, reader)), record), len(raw)

    return read


def _usable(version: Version) -> bool:
    """Whether an outsider's schema is valid Avro and safe to use."""
    try:
        return version.plain["type"] == "record" and not hazards(version.source)
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError, RecursionError):
        return False


def _datum(version: Version, raw: bytes, start: int, reader: Any = None) -> Any:
    """Return the datum as plain values; raises Undecodable if it is malformed or followed by more bytes."""
    stream = io.BytesIO(raw)
    stream.seek(start)
    try:
        value = schemaless_reader(stream, version.plain, reader)
    except BROKEN:
        raise Undecodable("malformed", f"the record is not a datum of {version.record}") from None
    if stream.tell() != len(raw):
        raise Undecodable("malformed", f"bytes follow the datum of {version.record}")
    return value


def _outsiders_document(version: Version, raw: bytes, start: int) -> Any:
    """Return an outsider's record as a JSON document; raises Undecodable if it is malformed."""
    try:
        value, end = outsiders.document(version.as_sent, raw, start)
    except BROKEN:
        raise Undecodable("malformed", f"the record is not a datum of {version.record}") from None
    if end != len(raw):
        raise Undecodable("malformed", f"bytes follow the datum of {version.record}")
    return value


def _plain_value(version: Version, value: Any) -> Any:
    """Return a datum as plain JSON; a state as its document."""
    if version.record == schema_name(State):
        return {"state": _text(value["state"])}
    return _as_json(version.source, value, version.names)


def _as_json(schema: Any, value: Any, names: Mapping[str, Any]) -> Any:
    """Return `value` of the given schema as plain JSON."""
    if isinstance(schema, str):
        schema = names.get(short_name(schema), schema)
    if isinstance(schema, list):
        schema = _branch(schema, value)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "record":
        if is_document(short_name(schema["name"]), value):
            return _described_document(value)
        return {field["name"]: _as_json(field["type"], value[field["name"]], names) for field in schema["fields"]}
    if kind == "array":
        return [_as_json(schema["items"], item, names) for item in value]
    if kind == "map":
        return {key: _as_json(schema["values"], item, names) for key, item in value.items()}
    if isinstance(kind, dict | list) or kind in names:
        return _as_json(kind, value, names)
    return _scalar(schema, value)


def _described_document(value: Mapping[str, Any]) -> Any:
    """Return a document's fields, with times as ISO 8601, and the separate field."""
    parts = {name: _text(part) if isinstance(part, bytes) else part for name, part in value.items()}
    document = parts.get(DOCUMENT)
    if not isinstance(document, dict):
        return parts
    shown = {name: iso(part) if name in TIMES and isinstance(part, int) else part for name, part in document.items()}
    return {**shown, **{name: part for name, part in parts.items() if name != DOCUMENT}}


def _branch(union: list[Any], value: Any) -> Any:
    """Return the union's only branch that is not null; `null` (no conversion) if there are several."""
    others = [branch for branch in union if branch != "null"]
    return others[0] if value is not None and len(others) == 1 else "null"


def _scalar(schema: Any, value: Any) -> Any:
    if isinstance(schema, dict) and schema.get("logicalType") == "timestamp-millis":
        return iso(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _registry_at(url: str, prefix: str) -> "Registry":
    """Return the registry at `url`; imported lazily, since its client doubles a command's startup time and few need it."""
    from processors.runtime.wire.registry import ConfluentRegistry  # noqa: PLC0415

    return ConfluentRegistry(url, prefix)


def iso(milliseconds: int) -> str | int:
    """Return a time as ISO 8601 UTC with milliseconds; the number itself if it is outside the calendar's range."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return milliseconds
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _text(raw: bytes) -> Any:
    """Return bytes that are not Avro as a JSON document if they are one, else as text, else as base64."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
