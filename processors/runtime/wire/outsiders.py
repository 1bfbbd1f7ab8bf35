"""
Converts Avro records in an outsider's own schema to JSON documents.

Times are converted by their logical types, in whichever branch of a union: an instant becomes ISO 8601 in UTC, a local time
ISO 8601 without offset, a day its date. Values of other logical types stay as they are on the wire.
"""

import base64
import io
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from fastavro import parse_schema, schemaless_reader
from fastavro.read import LOGICAL_READERS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND, MICROSECOND = timedelta(milliseconds=1), timedelta(microseconds=1)
LONGEST: Final = (1 << 63) - 1
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


def _reader(read: Callable[[int], str | int]) -> Callable[..., str | int]:
    return lambda count, *_: read(count)


for _name, _read in TIMES.items():
    _primitive, _, _logical = _name.partition("-")
    LOGICAL_READERS[f"{_primitive}-{OWN}{_logical}"] = _reader(_read)


def parse(source: Mapping[str, Any]) -> Any:
    """Return an outsider's schema ready for `document`."""
    return parse_schema(with_own_readers(source))


def document(schema: Any, raw: bytes, start: int) -> tuple[Any, int]:
    """Return the datum that begins at offset `start` as plain JSON, and the offset of its end."""
    stream = io.BytesIO(raw)
    stream.seek(start)
    return plain(schemaless_reader(stream, schema, None)), stream.tell()


def with_own_readers(schema: Any) -> Any:
    """Return the schema with its times read by this module, and no other logical type."""
    if isinstance(schema, list):
        return [with_own_readers(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: with_own_readers(part) for key, part in schema.items() if key not in {"logicalType", "doc", "default"}}
    if f"{schema.get('type')}-{schema.get('logicalType')}" in TIMES:
        kept["logicalType"] = f"{OWN}{schema['logicalType']}"
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
