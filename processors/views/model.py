"""The definition of a view: its tables, and what each record of each topic changes in them."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

import msgspec

from processors.topics import Topic

POSITION_TABLES: Final = """
CREATE TABLE positions (topic TEXT, partition INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)) WITHOUT ROWID;
CREATE TABLE logs (topic TEXT PRIMARY KEY, identity TEXT NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a topic, decoded, for a view; `timestamp` in milliseconds."""

    partition: int
    offset: int
    timestamp: int
    key: str
    value: Any


def json_document(value: Any) -> str:
    """Return a record as the JSON document that a row holds in addition to its columns."""
    return msgspec.json.encode(value).decode()


@dataclass(frozen=True, slots=True)
class ReadModel:
    """The tables of a view, and by topic the function that applies a record. A file with other tables is rebuilt, never migrated."""

    tables: str
    apply: Mapping[Topic, Callable[[Connection, Row], None]]

    @property
    def schema(self) -> str:
        return POSITION_TABLES + self.tables

    @property
    def shape(self) -> int:
        """Return the digest of the schema as SQLite's user_version, which has 31 bits."""
        return int(hashlib.sha256(self.schema.encode()).hexdigest()[:8], 16) & 0x7FFF_FFFF
