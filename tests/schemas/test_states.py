"""States outlive a version: every recorded document is read whole, and a change of a state type is recorded."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from msgspec import Struct

from processors.runtime.errors import Stop
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.states import FOLDER, StateFormat, latest_format, state_format
from processors.stage import Stage
from tests.schemas.state_documents import STAGES, fields, names_in, recorded, shape, tagged

CODEC: Final = Codec()
RECORDED: Final = [
    (stage, number)
    for number in range(1, max(latest_format(stage.name) for stage in STAGES) + 1)
    for stage in STAGES
    if (FOLDER / str(number) / f"{stage.name}.json").exists()
]
FIRST: Final = {stage.name: min(number for each, number in RECORDED if each is stage) for stage, _ in RECORDED}
LATER: Final = [(stage, number) for stage, number in RECORDED if number > FIRST[stage.name]]
names = [f"{stage.name}-{number}" for stage, number in RECORDED]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_state_type_has_its_present_shape_recorded(stage: Stage[Any]) -> None:
    assert shape(stage) == recorded(stage.name, latest_format(stage.name))["shape"], (
        f"the states of {stage.name} have changed: record the new format with `python -m tests.schemas.state_documents`, and where a field "
        "was renamed or removed, give the stage a migration"
    )


@pytest.mark.parametrize(("stage", "number"), RECORDED, ids=names)
def test_documents_of_every_format_are_read_whole(stage: Stage[Any], number: int) -> None:
    documents = recorded(stage.name, number)["documents"]
    assert documents
    read = CODEC.states(state_format(stage))
    for document in documents:
        state = read(CODEC.encode_state(document, number))
        again = json.loads(CODEC.decode(CODEC.encode_state(state)).state)
        if not stage.migrations:
            names = names_in(recorded(stage.name, number)["shape"]) | names_in(shape(stage))
            assert lost(document, again, names) == set(), f"{stage.name} drops what format {number} held"


def lost(before: Any, after: Any, names: frozenset[str]) -> set[str]:
    """Return the fields of a document that it has no more; a value that equals a default may be left out."""
    return {each for each in fields(before, names) - fields(after, names) if not holds_nothing(before, each, names)}


def holds_nothing(document: Any, path: str, names: frozenset[str]) -> bool:
    """Whether a field is empty wherever it occurs in a document."""
    return all(value in (None, False, 0, "", [], {}) for value in values(document, path, names))


def values(document: Any, path: str, names: frozenset[str], here: str = "") -> list[Any]:
    if isinstance(document, dict):
        tag = tagged(document, here)
        inner = [found for key, value in document.items() for found in values(value, path, names, f"{tag}.{key if key in names else '*'}")]
        return ([document] if tag == path else []) + inner
    if isinstance(document, list):
        return ([document] if here + "[]" == path and not document else []) + [
            found for value in document for found in values(value, path, names, f"{here}[]")
        ]
    return [document] if here == path else []


# What one class has for several stages: dedupe alone says that two events are the same, and match opens no reviews.
NEVER: Final = {"dedupe": {"<queued>.same"}, "match": {"<queued>.action"}}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_every_kind_of_state_and_every_field_of_it_has_a_document(stage: Stage[Any]) -> None:
    """Those above all that are in pages, and those that are there for a moment only: what no document shows, no test reads."""
    format_ = recorded(stage.name, latest_format(stage.name))
    kinds = {kind_of(each): each["properties"] for each in format_["shape"].get("anyOf", [format_["shape"]])}
    wanted = {f"<{kind}>.{name}" for kind, properties in kinds.items() for name in properties}
    shown = {f"<{document['type']}>.{name}" for document in format_["documents"] for name in document}
    assert wanted - shown == NEVER.get(stage.name, set())


@pytest.mark.parametrize(("stage", "number"), LATER, ids=[f"{stage.name}-{number}" for stage, number in LATER])
def test_what_a_format_took_away_has_a_migration(stage: Stage[Any], number: int) -> None:
    earlier = max(each for each in range(1, number) if (FOLDER / str(each) / f"{stage.name}.json").exists())
    gone = set(removed(recorded(stage.name, earlier)["shape"], recorded(stage.name, number)["shape"]))
    assert not gone or any(each in stage.migrations for each in range(earlier, number)), f"without a migration: {', '.join(sorted(gone))}"


def removed(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield the kinds, fields and values of a shape that a later one does not have."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    if "anyOf" in before:
        kinds = {kind_of(each): each for each in after.get("anyOf", [after])}
        for each in before["anyOf"]:
            if kind_of(each) in kinds:
                yield from removed(each, kinds[kind_of(each)], f"{path}<{kind_of(each)}>")
            else:
                yield f"{path}<{kind_of(each)}>"
    yield from (f"{path}={value}" for value in before.get("enum", ()) if "enum" in after and value not in after["enum"])
    for name, part in before.get("properties", {}).items():
        if name in after.get("properties", {}):
            yield from removed(part, after["properties"][name], f"{path}.{name}")
        else:
            yield f"{path}.{name}"
    for inner in ("items", "additionalProperties"):
        yield from removed(before.get(inner), after.get(inner), f"{path}[]")


def kind_of(schema: Any) -> str:
    """Return a struct's tag, or the type of anything else."""
    return "|".join(map(str, schema.get("properties", {}).get("type", {}).get("enum", [schema.get("type", "any")])))


@pytest.mark.parametrize(
    ("before", "after", "gone"),
    [
        ({"properties": {"a": {}, "b": {}}}, {"properties": {"a": {}, "c": {}}}, {".b"}),
        ({"properties": {"a": {"enum": ["x", "y"]}}}, {"properties": {"a": {"enum": ["x", "z"]}}}, {".a=y"}),
        ({"anyOf": [{"type": "null"}, {"type": "string"}]}, {"anyOf": [{"type": "null"}, {"type": "integer"}]}, {"<string>"}),
        ({"items": {"properties": {"a": {}}}}, {"items": {"properties": {}}}, {"[].a"}),
        ({"properties": {"a": {}}}, {"properties": {"a": {}, "b": {}}}, set()),
    ],
)
def test_a_field_a_value_or_a_kind_that_goes_is_seen(before: Any, after: Any, gone: set[str]) -> None:
    assert set(removed(before, after)) == gone


class Sighting(Struct, frozen=True, tag="sighting"):
    """A state as of format 3: `first` was called `since` in format 1, and `count` came with format 2."""

    first: int
    count: int = 1


def rename_since(document: Any) -> Any:
    return {("first" if key == "since" else key): value for key, value in document.items()}


PRESENT: Final = StateFormat(Sighting, 3, {1: rename_since})


@pytest.mark.parametrize(
    ("document", "number"),
    [({"type": "sighting", "since": 7}, 1), ({"type": "sighting", "first": 7}, 2), ({"type": "sighting", "first": 7, "count": 1}, 3)],
)
def test_an_earlier_format_is_read_by_its_migrations(document: Any, number: int) -> None:
    assert CODEC.states(PRESENT)(CODEC.encode_state(document, number)) == Sighting(7)


def test_a_later_format_stops_the_version_that_does_not_know_it() -> None:
    with pytest.raises(Stop, match=r"has format 4 and this version reads formats up to 3: a later version wrote it; run that version"):
        CODEC.states(PRESENT)(CODEC.encode_state({"type": "sighting", "first": 7, "place": "VA"}, 4))


def test_a_renamed_or_dropped_field_is_seen() -> None:
    """The control of the test above: without a migration, what format 1 held would be lost without a word."""
    before = {"type": "sighting", "since": 7, "places": ["VA"]}
    names = frozenset({"type", "since", "places", "first"})
    assert lost(before, {"type": "sighting", "first": 7}, names) == {"<sighting>.since", "<sighting>.places[]"}


def test_an_event_that_nobody_had_been_told_of_is_read_from_format_1_of_dedupe() -> None:
    (dedupe,) = (stage for stage in STAGES if stage.name == "dedupe")
    document = {"type": "sightings", "sightings": [{"seq": 1, "ori": "VA1", "root": "M-1", "standing": "unheard"}]}
    assert CODEC.states(state_format(dedupe))(CODEC.encode_state(document, 1)).events[0].state == "new"
