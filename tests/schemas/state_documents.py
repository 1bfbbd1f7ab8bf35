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
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from processors.deliver import pages as deliver_pages
from processors.domain.time import millis
from processors.ingest.identify import pages as identify_pages
from processors.match import pages as match_pages
from processors.pipeline import PIPELINE
from processors.rehearsal.feed import read_feed
from processors.rehearsal.player import rehearse
from processors.rules.book import Rules
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver, RunningStage
from processors.runtime.wire.states import FOLDER, latest
from processors.simulation.world import simulate
from processors.stage import Record, Stage
from tests.stories.builders import hearing, registration

RELEASED: Final = 1
STAGES: Final[tuple[Stage[Any], ...]] = tuple(stage for group in PIPELINE.values() for stage in group if stage.changelog is not None)
EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "feed.jsonl"
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


def drivers() -> Iterator[PipelineDriver]:
    """Yield pipelines that have lived through something."""
    rules = load_rules(None)
    yield rehearse(read_feed(EXAMPLES), rules, bytes(64)).driver
    with tempfile.TemporaryDirectory() as folder:
        feed = Path(folder) / "feed.jsonl"
        world = simulate(millis("2026-03-01T00:00:00-05:00"), 30, 7, 0.001)
        feed.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in world.feed()), encoding="utf-8")
        yield rehearse(read_feed(feed), rules, bytes(64)).driver
    yield crowded(rules)


class Observed(PipelineDriver):
    """A pipeline of which every state document is kept that it ever had, by stage: some are there for a moment only."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.seen: dict[str, dict[bytes, None]] = {}

    def _decide(self, running: RunningStage, records: list[Record], watermark: int | None) -> None:
        super()._decide(running, records, watermark)
        kept = (value for name, value in running.states.fields.items() if name.startswith(b"="))
        self.seen.setdefault(running.stage.name, {}).update(dict.fromkeys(kept))

    def documents(self, stage: str) -> list[bytes]:
        return [self.codec.decode(value).state for value in self.seen[stage]]


@contextmanager
def small_pages() -> Iterator[None]:
    """Pages have so few entries that every list is in several."""
    sizes = [(match_pages, "REGISTRATIONS", 2), (match_pages, "REGISTRANTS", 2), (identify_pages, "PAGE", 2), (deliver_pages, "PAGE", 1)]
    before = [(module, name, getattr(module, name)) for module, name, _ in sizes]
    try:
        for module, name, size in sizes:
            setattr(module, name, size)
        yield
    finally:
        for module, name, size in before:
            setattr(module, name, size)


NUMBERS: Final = {"SID": "VA5512340", "FBI": "123456AB7"}


def numbers(offenders: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    """Yield all numbers of these offenders, who are one person."""
    for each in offenders:
        yield from each["identifiers"]


def crowded(rules: Rules) -> PipelineDriver:
    """Return a pipeline in which every list is in pages, a group is settled page by page, and two offenders are merged under way."""
    with small_pages():
        driver = Observed(PIPELINE, rules, bytes(64))
        by_number = [{"identifiers": [{"scheme": scheme, "value": value}]} for scheme, value in NUMBERS.items()]
        for each in range(12):
            driver.register(registration(f"R-{each}", expires_at="2027-10-01T12:00:00Z", offender=by_number[each % 2]))
        driver.advance(timedelta(hours=12))  # into the night, in which what is no emergency waits
        for each in range(5):
            for offender in by_number:
                driver.submit(hearing(action_at=f"2026-12-1{each}T10:00:00-05:00", offenders=[offender]))
        driver.submit(hearing(action_at="2026-12-10T10:00:00-05:00", message_id="BOTH", offenders=[{"identifiers": [*numbers(by_number)]}]))
        driver.submit(hearing(operation="Cancel", refers_to="BOTH", offenders=[by_number[0]]))
        driver.set_policy("review.four_eyes", "3")
        driver.set_policy("surge.limit", "1/10m")
        for each in range(8):
            driver.submit(hearing(action_at=f"2027-01-1{each}T10:00:00-05:00", offenders=[by_number[0]]))
        group = driver.reviews()[-1].group
        for reviewer in ("ann", "ben"):
            driver.review("release", group=group, reviewer=reviewer)
        driver.advance(timedelta(hours=2))
    return driver


def main() -> None:
    """Record every format that has changed."""
    changed = [stage for stage in STAGES if shape(stage) != recorded(stage.name, latest(stage.name))["shape"] or "--all" in sys.argv]
    if not changed:
        sys.stdout.write("Every state type has its present shape recorded.\n")
        return
    ran = list(drivers())
    for stage in changed:
        documents = [json.loads(document) for driver in ran for document in driver.documents(stage.name)]
        sys.stdout.write(f"{record(stage.name, RELEASED + 1, shape(stage), documents)}\n")


if __name__ == "__main__":
    main()
