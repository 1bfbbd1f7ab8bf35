"""
Records the formats of state documents under `schemas/states`: `python -m tests.schemas.state_documents`.

A stage whose state types differ from its latest recorded format gets a new one, RELEASED + 1, with documents that the
sample feed and a simulated month leave behind. Formats up to RELEASED are what released versions wrote: they are never
written again, and a release raises the number.
"""

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from processors.domain.time import millis
from processors.pipeline import PIPELINE
from processors.rehearsal.feed import read_feed
from processors.rehearsal.player import rehearse
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.wire.states import FOLDER, latest
from processors.simulation.world import simulate
from processors.stage import Stage

RELEASED: Final = 1
STAGES: Final[tuple[Stage[Any], ...]] = tuple(stage for group in PIPELINE.values() for stage in group if stage.changelog is not None)
EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "feed.jsonl"
PROSE: Final = frozenset({"$defs", "description", "discriminator", "title"})
MOST: Final = 40  # documents of one stage


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
    content = {"shape": shape_of_it, "documents": few(documents)}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def few(documents: Iterable[Any]) -> list[Any]:
    """Return few documents that together have every field that any of them has."""
    left, found = sorted(documents, key=lambda each: len(json.dumps(each))), list[Any]()
    missing = set().union(*(fields(each) for each in left))
    for each in left:
        if new := fields(each) & missing:
            found.append(each)
            missing -= new
    return found[-MOST:]


def fields(document: Any, path: str = "") -> set[str]:
    """Return the path of every field of a document; entries of lists are alike, and keys of maps that are no field names."""
    if isinstance(document, dict):
        tag = f"{path}<{document['type']}>" if isinstance(document.get("type"), str) else path
        return {found for key, value in document.items() for found in fields(value, f"{tag}.{key if key.isidentifier() else '*'}")}
    if isinstance(document, list):
        return {f"{path}[]", *(found for value in document for found in fields(value, f"{path}[]"))}
    return {path}


def drivers() -> Iterator[PipelineDriver]:
    """Yield pipelines that have lived through something."""
    rules = load_rules(None)
    yield rehearse(read_feed(EXAMPLES), rules, bytes(64)).driver
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "feed.jsonl"
        world = simulate(millis("2026-03-01T00:00:00-05:00"), 30, 7, 0.001)
        feed.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in world.feed()), encoding="utf-8")
        yield rehearse(read_feed(feed), rules, bytes(64)).driver


def main() -> None:
    """Record every format that has changed."""
    changed = [stage for stage in STAGES if shape(stage) != recorded(stage.name, latest(stage.name))["shape"]]
    if not changed:
        sys.stdout.write("Every state type has its present shape recorded.\n")
        return
    ran = list(drivers())
    for stage in changed:
        documents = [json.loads(document) for driver in ran for document in driver.documents(stage.name)]
        sys.stdout.write(f"{record(stage.name, RELEASED + 1, shape(stage), documents)}\n")


if __name__ == "__main__":
    main()
