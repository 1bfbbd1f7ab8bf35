"""
Checks that no schema change makes earlier records unreadable.

`schema_problems` is empty if every current schema reads what any earlier version wrote (Avro's resolution rules, for the
subset in use), is the latest version of its history, and cannot be exploited by hostile bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from processors.runtime.wire.schemas import FOLDER, RECORDS, current, declared_types, history, schema_name, short_name

PROMOTIONS: Final = {("int", "long"), ("int", "float"), ("int", "double"), ("long", "float"), ("long", "double"), ("float", "double")}
COMPLEX: Final = ("record", "array", "map", "enum", "fixed")
PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})

Names = dict[str, Any]


def schema_problems() -> list[str]:
    """Return the problems found in the schemas, one sentence each."""
    return [problem for record in RECORDS for problem in _problems(schema_name(record))]


def accept_changes() -> list[Path]:
    """Add a version to the history of every schema that changed compatibly; return the files written."""
    written = []
    for name in map(schema_name, RECORDS):
        versions = history(name)
        changed = not versions or without_docs(versions[-1].source) != without_docs(current(name).source)
        broken = any(True for version in versions for _ in conflicts(version.source, current(name).source))
        if changed and not broken:
            file = FOLDER / "history" / name / f"{len(versions) + 1}.avsc"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes((FOLDER / f"{name}.avsc").read_bytes())
            written.append(file)
    return written


def _problems(name: str) -> Iterator[str]:
    versions = history(name)
    for number, version in enumerate(versions, start=1):
        for conflict in conflicts(version.source, current(name).source):
            yield f"{name} cannot read what its version {number} wrote: {conflict}"
    if not versions or without_docs(versions[-1].source) != without_docs(current(name).source):
        yield f"{name} differs from its last accepted version: accept it as history/{name}/{len(versions) + 1}.avsc"
    for hazard in hazards(current(name).source):
        yield f"{name}: {hazard}"


def without_docs(schema: Any) -> Any:
    """Return `schema` without its doc strings."""
    if isinstance(schema, dict):
        return {key: without_docs(part) for key, part in schema.items() if key != "doc"}
    return [without_docs(part) for part in schema] if isinstance(schema, list) else schema


def conflicts(writer: Any, reader: Any) -> Iterator[str]:
    """Yield each reason why data written as `writer` might not be readable as `reader`."""
    yield from _Resolution(declared_types(writer), declared_types(reader)).conflicts(writer, reader, "it")


@dataclass(frozen=True)
class _Resolution:
    """Avro's schema resolution; `written` and `read` are the named types that the writer's and the reader's schema declare."""

    written: Names
    read: Names

    def conflicts(self, writer: Any, reader: Any, where: str) -> Iterator[str]:
        writer, reader = _resolve(writer, self.written), _resolve(reader, self.read)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.conflicts(branch, reader, where)
        elif isinstance(reader, list):
            if not any(self._fits(writer, branch) for branch in reader):
                yield f"{where} was {_kind(writer)}, which is not a branch of the union now"
        elif _kind(writer) != _kind(reader):
            if (_kind(writer), _kind(reader)) not in PROMOTIONS:
                yield f"{where} was {_kind(writer)} and is {_kind(reader)}"
        else:
            yield from self._same_kind(writer, reader, where)

    def _fits(self, writer: Any, branch: Any) -> bool:
        return not any(True for _ in self.conflicts(writer, branch, ""))

    def _same_kind(self, writer: Any, reader: Any, where: str) -> Iterator[str]:
        kind = _kind(reader)
        if kind == "record":
            yield from self._records(writer, reader, where)
        elif kind == "array":
            yield from self.conflicts(writer["items"], reader["items"], f"an item of {where}")
        elif kind == "map":
            yield from self.conflicts(writer["values"], reader["values"], f"a value of {where}")
        elif kind == "enum" and "default" not in reader and (gone := [each for each in writer["symbols"] if each not in reader["symbols"]]):
            yield f"{where} lost the symbols {', '.join(gone)}"
        elif kind == "fixed" and writer["size"] != reader["size"]:
            yield f"{where} had {writer['size']} bytes and has {reader['size']}"

    def _records(self, writer: Any, reader: Any, where: str) -> Iterator[str]:
        name = short_name(reader["name"])
        if short_name(writer["name"]) not in {name, *map(short_name, reader.get("aliases", ()))}:
            yield f"{where} was called {short_name(writer['name'])} and is called {name}"
        before = {field["name"]: field["type"] for field in writer["fields"]}
        for field in reader["fields"]:
            match = next((each for each in (field["name"], *field.get("aliases", ())) if each in before), None)
            if match is not None:
                yield from self.conflicts(before[match], field["type"], f"{name}.{field['name']}")
            elif "default" not in field:
                yield f"{name}.{field['name']} is new and has no default"


def hazards(schema: Any) -> list[str]:
    """Return what hostile bytes could exploit: recursion could overflow a decoder's stack, zero-byte items exhaust its memory."""
    return sorted(set(_hazards(schema, declared_types(schema), ())))


def _hazards(schema: Any, names: Names, inside: tuple[str, ...]) -> Iterator[str]:
    schema = _resolve(schema, names)
    if isinstance(schema, list):
        for branch in schema:
            yield from _hazards(branch, names, inside)
    elif _kind(schema) == "record":
        name = short_name(schema["name"])
        if name in inside:
            yield f"{name} contains itself"
            return
        for field in schema["fields"]:
            yield from _hazards(field["type"], names, (*inside, name))
    elif _kind(schema) in {"array", "map"}:
        items = schema.get("items", schema.get("values"))
        found = list(_hazards(items, names, inside))
        yield from found
        if not found and _kind(schema) == "array" and _may_be_empty(items, names):
            yield "an array's items may take no bytes"


def _may_be_empty(schema: Any, names: Names) -> bool:
    """Whether a datum of `schema` may take no bytes."""
    schema = _resolve(schema, names)
    if isinstance(schema, list):
        return False  # the branch's number takes a byte
    if _kind(schema) == "record":
        return all(_may_be_empty(field["type"], names) for field in schema["fields"])
    return _kind(schema) == "null" or (_kind(schema) == "fixed" and schema["size"] == 0)


def _resolve(schema: Any, names: Names) -> Any:
    """Return the declaration behind a name, the innermost type of a wrapped one, or the schema itself."""
    while isinstance(schema, dict) and schema["type"] not in COMPLEX:
        schema = schema["type"]
    return names[short_name(schema)] if isinstance(schema, str) and schema not in PRIMITIVES else schema


def _kind(schema: Any) -> str:
    return schema if isinstance(schema, str) else str(schema["type"])
