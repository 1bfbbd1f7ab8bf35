"""
Records the formats of state documents under `schemas/states`: `python -m tests.schemas.state_documents`.

A stage whose state types differ from its latest recorded format gets a new one, RELEASED + 1, with documents that the
pipelines of scenarios.py leave behind. Formats up to RELEASED are what released versions wrote: they are never
written again, and a release raises the number.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from processors.pipeline import PIPELINE
from processors.runtime.wire.states import FOLDER, latest_format
from processors.stage import Stage
from tests.schemas.scenarios import drivers

RELEASED: Final = 1
STAGES: Final[tuple[Stage[Any], ...]] = tuple(stage for group in PIPELINE.values() for stage in group if stage.changelog is not None)
PROSE: Final = frozenset({"$defs", "description", "discriminator", "title"})


def shape(stage: Stage[Any]) -> Any:
    """Return the JSON schema of a stage's states: what is on disk, and not what the classes are called."""
    schema = msgspec.json.schema(stage.state)
    return json.loads(json.dumps(inlined(schema, schema.get("$defs", {}))))


def inlined(schema: Any, declared: Mapping[str, Any]) -> Any:
    """Return a schema with every reference replaced by what it stands for, without prose and discriminators."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            return inlined(declared[schema["$ref"].rpartition("/")[2]], declared)
        if isinstance(schema.get("properties"), dict):
            schema = schema | {"properties": {name: inlined(part, declared) for name, part in sorted(schema["properties"].items())}}
            return {key: part if key == "properties" else inlined(part, declared) for key, part in schema.items() if key not in PROSE}
        return {key: inlined(part, declared) for key, part in schema.items() if key not in PROSE}
    return [inlined(part, declared) for part in schema] if isinstance(schema, list) else schema


def recorded(stage: str, number: int) -> Mapping[str, Any]:
    """Return a recorded format: its `shape` and its `documents`; nothing of a stage that is new."""
    file = FOLDER / str(number) / f"{stage}.json"
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"shape": None, "documents": []}
    return found


def record(stage: str, number: int, shape_of_it: Any, documents: Iterable[Any]) -> Path:
    """Write a format and return its file."""
    file = FOLDER / str(number) / f"{stage}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"shape": shape_of_it, "documents": few(documents, names_in(shape_of_it))}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def names_in(schema: Any) -> frozenset[str]:
    """Return the names of all fields in a shape: what else a document has before a colon is a key of a map."""
    if isinstance(schema, dict):
        own = schema.get("properties", {})
        return frozenset(own).union(*map(names_in, schema.values()))
    return frozenset[str]().union(*map(names_in, schema)) if isinstance(schema, list) else frozenset()


def few(documents: Iterable[Any], names: frozenset[str]) -> list[Any]:
    """Return few documents that together have every field that any of them has, small ones if possible."""
    left, found = sorted(documents, key=lambda each: len(json.dumps(each))), list[Any]()
    missing = set[str]().union(*(fields(each, names) for each in left))
    while missing:
        best = max(left, key=lambda each: len(fields(each, names) & missing))
        found.append(best)
        missing -= fields(best, names)
    return found


def fields(document: Any, names: frozenset[str], path: str = "") -> set[str]:
    """Return the path of every field of a document; entries of lists are alike, and those of maps."""
    if isinstance(document, dict):
        tag = tagged(document, path)
        return {tag} | {found for key, value in document.items() for found in fields(value, names, f"{tag}.{key if key in names else '*'}")}
    if isinstance(document, list):
        return {f"{path}[]", *(found for value in document for found in fields(value, names, f"{path}[]"))}
    return {path}


def tagged(document: Mapping[str, Any], path: str) -> str:
    """Return the path of a document with its kind, if it is one of several."""
    return f"{path}<{document['type']}>" if isinstance(document.get("type"), str) else path


def main() -> None:
    """Record every format that has changed."""
    changed = [stage for stage in STAGES if shape(stage) != recorded(stage.name, latest_format(stage.name))["shape"] or "--all" in sys.argv]
    if not changed:
        sys.stdout.write("Every state type has its present shape recorded.\n")
        return
    ran = list(drivers())
    for stage in changed:
        documents = [json.loads(document) for driver in ran for document in driver.documents(stage.name)]
        sys.stdout.write(f"{record(stage.name, RELEASED + 1, shape(stage), documents)}\n")


if __name__ == "__main__":
    main()
