"""
Converts Avro records in an outsider's own schema to JSON documents.

Values are converted by their logical types, in whichever branch of a union: an instant becomes ISO 8601 in UTC, a local time
ISO 8601 without offset, a day its date, a decimal and a UUID their text. Values of other logical types stay as they are on the wire.
"""

import base64
import io
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from fastavro import parse_schema, schemaless_reader
from fastavro.read import LOGICAL_READERS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND, MICROSECOND = timedelta(milliseconds=1), timedelta(microseconds=1)
LONGEST: Final = (1 << 63) - 1
MOST_DECIMALS: Final = 100
OWN: Final = "vn-"  # prefix of our own readers of logical types; the library's return Python objects


def instant(unit: timedelta, count: int) -> str | int:
    """
    Return a count of units since 1970 as ISO 8601 in UTC with milliseconds.

    Outside the calendar's range it is the number of milliseconds; the largest long, which means never, stays itself.
    """
    try:
        moment = EPOCH + unit * count
    except OverflowError:
        return count if count == LONGEST else count * (unit // MICROSECOND) // 1_000
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(unit: timedelta, count: int) -> str | int:
    """Return a count of units since 1970 as ISO 8601 without offset: the sender's local time."""
    found = instant(unit, count)
    return found.removesuffix("Z") if isinstance(found, str) else found


def day(days: int) -> str | int:
    """Return a count of days since 1970 as YYYY-MM-DD."""
    found = instant(timedelta(days=1), days)
    return found[:10] if isinstance(found, str) else found


def decimal(raw: bytes, scale: Any) -> str:
    """Return a decimal as text: databases without whole numbers send ids and telephone numbers so."""
    number = int.from_bytes(raw, "big", signed=True)
    if not isinstance(scale, int) or not 0 <= scale <= MOST_DECIMALS:
        raise ValueError("no decimal has such a scale")
    digits = str(abs(number)).zfill(scale + 1)
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :]
    return f"{'-' if number < 0 else ''}{whole}{'.' if fraction else ''}{fraction}"


def nanoseconds(read: Callable[[timedelta, int], str | int]) -> Callable[[int], str | int]:
    return lambda count: read(timedelta(microseconds=1), count // 1_000)


TIMES: Final[Mapping[str, Callable[[int], str | int]]] = {
    "long-timestamp-millis": lambda count: instant(MILLISECOND, count),
    "long-timestamp-micros": lambda count: instant(MICROSECOND, count),
    "long-timestamp-nanos": nanoseconds(instant),
    "long-local-timestamp-millis": lambda count: local_time(MILLISECOND, count),
    "long-local-timestamp-micros": lambda count: local_time(MICROSECOND, count),
    "long-local-timestamp-nanos": nanoseconds(local_time),
    "int-date": day,
}
TEXTS: Final[Mapping[str, Callable[[bytes, Mapping[str, Any]], str]]] = {
    "bytes-decimal": lambda raw, schema: decimal(raw, schema.get("scale", 0)),
    "fixed-decimal": lambda raw, schema: decimal(raw, schema.get("scale", 0)),
    "fixed-uuid": lambda raw, _: str(UUID(bytes=raw)),
}
# The times of databases that Debezium sends without a logical type; they have no time zone.
DEBEZIUM: Final = {
    "io.debezium.time.Timestamp": "local-timestamp-millis",
    "io.debezium.time.MicroTimestamp": "local-timestamp-micros",
    "io.debezium.time.NanoTimestamp": "local-timestamp-nanos",
    "io.debezium.time.Date": "date",
}


def _reader(read: Callable[[int], str | int]) -> Callable[..., str | int]:
    return lambda count, *_: read(count)


def _text_reader(read: Callable[[bytes, Mapping[str, Any]], str]) -> Callable[..., str]:
    return lambda raw, schema, *_: read(raw, schema)


for _name, _own in (
    {each: _reader(read) for each, read in TIMES.items()} | {each: _text_reader(read) for each, read in TEXTS.items()}
).items():
    _primitive, _, _logical = _name.partition("-")
    LOGICAL_READERS[f"{_primitive}-{OWN}{_logical}"] = _own


def parse(source: Mapping[str, Any]) -> Any:
    """Return an outsider's schema ready for `document`."""
    return parse_schema(with_own_readers(source))


def document(schema: Any, raw: bytes, start: int) -> tuple[Any, int]:
    """Return the datum that begins at offset `start` as plain JSON, and the offset of its end."""
    stream = io.BytesIO(raw)
    stream.seek(start)
    return plain(schemaless_reader(stream, schema, None)), stream.tell()


def with_own_readers(schema: Any) -> Any:
    """Return the schema with its times, decimals and UUIDs read by this module, and no other logical type."""
    if isinstance(schema, list):
        return [with_own_readers(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: with_own_readers(part) for key, part in schema.items() if key not in {"logicalType", "doc", "default"}}
    logical = schema.get("logicalType") or DEBEZIUM.get(str(schema.get("connect.name")))
    if f"{schema.get('type')}-{logical}" in {*TIMES, *TEXTS}:
        kept["logicalType"] = f"{OWN}{logical}"
    return kept


def plain(value: Any) -> Any:
    """Return a datum as plain JSON: without nulls in records and maps, bytes as base64, numbers that JSON cannot express as text."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
