"""Which changes of a schema are compatible."""

import json
from pathlib import Path
from typing import Any

import pytest

from processors.runtime.wire import compatibility as compat
from processors.runtime.wire import schemas


def record(*fields: Any, name: str = "A", **more: Any) -> Any:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> Any:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str, **more: Any) -> Any:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


NESTED = record(field("x", "long"), name="B")

READABLE = [
    (record(field("a", "string")), record(field("a", "string"), field("b", "long", default=0))),
    (record(field("a", "string"), field("b", "long")), record(field("b", "long"))),
    (record(field("a", "string"), field("b", "long")), record(field("b", "long"), field("a", "string"))),
    (record(field("a", "string")), record(field("a", ["null", "string"]))),
    (record(field("a", "int")), record(field("a", "long"))),
    (record(field("a", enum("x"))), record(field("a", enum("x", "y")))),
    (record(field("a", enum("x", "y"))), record(field("a", enum("x", default="x")))),
    (record(field("a", "string")), record(field("b", "string", aliases=["a"]))),
    (record(name="ns.A"), record(name="other.A")),
    (record(name="Old"), record(name="New", aliases=["Old"])),
    (record(field("a", {"type": "array", "items": NESTED}), field("b", "B")), record(field("b", NESTED))),
    (record(field("a", ["null", NESTED]), field("b", "B")), record(field("a", ["null", NESTED]), field("b", "B"))),
    (record(field("a", {"type": "long", "logicalType": "timestamp-millis"})), record(field("a", "long"))),
]

UNREADABLE = [
    (record(), record(field("a", "string")), "A.a is new and has no default"),
    (record(field("a", "long")), record(field("a", "string")), "A.a was long and is string"),
    (record(field("a", "long")), record(field("a", "int")), "A.a was long and is int"),
    (record(field("a", ["null", "string"])), record(field("a", "string")), "A.a was null and is string"),
    (record(field("a", "long")), record(field("a", ["null", "string"])), "A.a was long, which is not a branch of the union now"),
    (record(field("a", enum("x", "y"))), record(field("a", enum("x"))), "A.a lost the symbols y"),
    (record(name="A"), record(name="B"), "it was called A and is called B"),
    (
        record(field("a", {"type": "array", "items": "long"})),
        record(field("a", {"type": "array", "items": "string"})),
        "an item of A.a was long and is string",
    ),
    (
        record(field("a", {"type": "map", "values": "long"})),
        record(field("a", {"type": "map", "values": "string"})),
        "a value of A.a was long and is string",
    ),
    (record(field("a", NESTED)), record(field("a", record(field("y", "long"), name="B"))), "B.y is new and has no default"),
    (
        record(field("a", {"type": "fixed", "name": "F", "size": 4})),
        record(field("a", {"type": "fixed", "name": "F", "size": 8})),
        "A.a had 4 bytes and has 8",
    ),
]


@pytest.mark.parametrize(("writer", "reader"), READABLE)
def test_what_stays_readable(writer: Any, reader: Any) -> None:
    assert list(compat.conflicts(writer, reader)) == []


@pytest.mark.parametrize(("writer", "reader", "conflict"), UNREADABLE)
def test_what_becomes_unreadable(writer: Any, reader: Any, conflict: str) -> None:
    assert list(compat.conflicts(writer, reader)) == [conflict]


@pytest.mark.parametrize(
    ("schema", "hazard"),
    [
        (record(field("a", ["null", "A"])), "A contains itself"),
        (record(field("a", {"type": "array", "items": record(field("b", {"type": "map", "values": "A"}), name="B")})), "A contains itself"),
        (record(field("a", {"type": "array", "items": "null"})), "an array's items may take no bytes"),
        (record(field("a", {"type": "array", "items": record(name="B")})), "an array's items may take no bytes"),
        (
            record(field("a", {"type": "array", "items": record(field("b", record(name="C")), name="B")})),
            "an array's items may take no bytes",
        ),
    ],
)
def test_what_hostile_bytes_could_use(schema: Any, hazard: str) -> None:
    assert compat.hazards(schema) == [hazard]


def test_what_hostile_bytes_cannot_use() -> None:
    twice = record(field("a", NESTED), field("b", "B"), field("c", {"type": "array", "items": ["null", "B"]}))
    assert compat.hazards(twice) == []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one schema, accepted once."""

    for module in (schemas, compat):
        monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(compat, "RECORDS", (schemas.Tick,))
    monkeypatch.setattr(compat, "current", schemas.current.__wrapped__)
    monkeypatch.setattr(compat, "history", schemas.history.__wrapped__)
    keep(tmp_path / "Tick.avsc", record(field("now", "long"), name="Tick"))
    keep(tmp_path / "history" / "Tick" / "1.avsc", record(field("now", "long"), name="Tick"))
    return tmp_path


def keep(file: Path, schema: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(schema))


def test_a_schema_that_did_not_change_is_left_alone(folder: Path) -> None:
    keep(folder / "Tick.avsc", record(field("now", "long", doc="only words"), name="Tick"))
    assert compat.schema_problems() == []
    assert compat.accept_changes() == []


def test_a_changed_schema_must_be_accepted_as_a_new_version(folder: Path) -> None:
    keep(folder / "Tick.avsc", record(field("now", "long"), field("zone", "string", default=""), name="Tick"))
    assert compat.schema_problems() == ["Tick differs from its last accepted version: accept it as history/Tick/2.avsc"]
    assert compat.accept_changes() == [folder / "history" / "Tick" / "2.avsc"]
    assert compat.schema_problems() == []


def test_a_change_that_breaks_is_not_accepted(folder: Path) -> None:
    keep(folder / "Tick.avsc", record(field("at", "long"), name="Tick"))
    assert "Tick cannot read what its version 1 wrote: Tick.at is new and has no default" in compat.schema_problems()
    assert compat.accept_changes() == []


def test_the_first_version_is_accepted_too(folder: Path) -> None:
    (folder / "history" / "Tick" / "1.avsc").unlink()
    assert compat.schema_problems() == ["Tick differs from its last accepted version: accept it as history/Tick/1.avsc"]
    assert compat.accept_changes() == [folder / "history" / "Tick" / "1.avsc"]
