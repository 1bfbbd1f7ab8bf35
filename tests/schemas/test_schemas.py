"""The files of schemas/avro, against the types that the code writes and reads."""

import json
import types
import typing
from typing import Any

import msgspec
import pytest
from fastavro import parse_schema
from msgspec import Struct, structs

from processors.domain.notification import Outbound
from processors.runtime.wire import compatibility as compat
from processors.runtime.wire.changelog import Position, State, Timer
from processors.runtime.wire.documents import DOCUMENT_CODECS, FIELDS
from processors.runtime.wire.schemas import FOLDER, RECORDS, TIMES, current, declared_types, schema_name, short_name, structs_of
from processors.topics import TOPICS

everywhere = pytest.mark.parametrize("record", RECORDS, ids=schema_name)


DOCUMENTS = {record for record in RECORDS if schema_name(record) in DOCUMENT_CODECS}
PRIMITIVES = {str: "string", bool: "boolean", bytes: "bytes", int: "long"}
TIME = {"type": "long", "logicalType": "timestamp-millis"}


def shape(hint: Any, field: str) -> Any:
    """What the schema of a field of this type must say, enums by their symbols and records by their names."""
    if hint in PRIMITIVES:
        return TIME if hint is int and field in TIMES else PRIMITIVES[hint]
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return ("enum", parts)
    if origin in (types.UnionType, typing.Union):
        (other,) = (part for part in parts if part is not type(None))
        return ["null", shape(other, field)]
    if origin in (tuple, dict):
        return {"type": "array", "items": shape(parts[0], field)} if origin is tuple else {"type": "map", "values": shape(parts[1], field)}
    return ("record", schema_name(hint))


def said(schema: Any, names: dict[str, Any]) -> Any:
    """What a schema says, in the same terms."""
    if isinstance(schema, list):
        return [said(branch, names) for branch in schema]
    if isinstance(schema, str):
        return said(names[schema], names) if schema in names else schema
    if schema["type"] in {"enum", "record"}:
        return (schema["type"], tuple(schema["symbols"]) if schema["type"] == "enum" else schema["name"])
    part = {"array": "items", "map": "values"}.get(schema["type"])
    return {"type": schema["type"], part: said(schema[part], names)} if part else schema


def default(field: structs.FieldInfo) -> Any:
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return {(): [], b"": ""}.get(value, value) if isinstance(value, tuple | bytes) else value


@everywhere
def test_every_schema_says_field_by_field_what_its_type_says(record: type[Struct]) -> None:
    version = current(schema_name(record))
    within = {inner for kind in DOCUMENTS for inner in structs_of(kind)}
    for name, kind in structs_of(record).items():
        if name in within:
            continue
        schema = version.names[name]
        hints = typing.get_type_hints(kind)
        assert [field["name"] for field in schema["fields"]] == [info.encode_name for info in structs.fields(kind)]
        for field, info in zip(schema["fields"], structs.fields(kind), strict=True):
            assert said(field["type"], version.names) == shape(hints[info.name], info.name), f"{name}.{info.name}"
            assert ("default" in field) == (not info.required), f"{name}.{info.name}"
            if not info.required:
                assert field["default"] == default(info), f"{name}.{info.name}"
    records = {name for name, schema in version.names.items() if schema["type"] == "record"}
    assert records - within == set(structs_of(record)) - within


def test_what_travels_as_a_document_says_nothing_else() -> None:
    for kind in DOCUMENTS:
        fields = current(schema_name(kind)).source["fields"]
        assert {field["name"] for field in fields} == FIELDS[schema_name(kind)]
        assert {field["type"] for field in fields} == {"bytes"}


def test_every_record_and_field_is_explained() -> None:
    for schema in (each for record in RECORDS for each in current(schema_name(record)).names.values()):
        if schema["type"] == "record":
            assert schema["doc"].endswith(".")
            for field in schema["fields"]:
                assert field["doc"].endswith("."), f"{schema['name']}.{field['name']}"


def test_every_schema_is_good_avro_under_its_own_name() -> None:
    for record in RECORDS:
        parsed: Any = parse_schema(current(schema_name(record)).source)
        assert parsed["name"] == f"vn.{schema_name(record)}"


def test_a_type_within_several_schemas_is_the_same_in_all() -> None:
    seen: dict[str, Any] = {}
    for record in RECORDS:
        for name, schema in current(schema_name(record)).names.items():
            bare = compat.without_docs({key: value for key, value in schema.items() if key != "namespace"})
            names = current(schema_name(record)).names
            if schema["type"] == "record":
                bare = [(field["name"], said(field["type"], names), field.get("default")) for field in schema["fields"]]
            assert seen.setdefault(name, bare) == bare, name


def test_there_are_no_files_but_those_of_the_records() -> None:
    assert {file.stem for file in FOLDER.glob("*.avsc")} == {schema_name(record) for record in RECORDS}
    assert {folder.name for folder in (FOLDER / "history").iterdir()} == {schema_name(record) for record in RECORDS}


def test_every_record_of_every_topic_has_a_schema() -> None:
    assert {record for topic in TOPICS for record in topic.records} | {State, Timer, Position} == set(RECORDS)


def test_no_time_goes_untyped() -> None:
    for record in RECORDS:
        for schema in current(schema_name(record)).names.values():
            for field in schema.get("fields", ()):
                if field["name"] in TIMES and "long" in json.dumps(field["type"]):
                    assert "timestamp-millis" in json.dumps(field["type"]), f"{schema['name']}.{field['name']}"


def test_outbound_is_the_contracts() -> None:
    schema = current("Outbound")
    assert [field["name"] for field in schema.source["fields"]] == list(Outbound.__struct_fields__)
    assert " ".join(Outbound.__struct_fields__) == (
        "reference notification_id attempt registrant_id kind channel to language subject body emergency event offenders "
        "agency message_ids created_at not_before expires_at confirm"
    )
    assert schema.names["OutboundKind"]["symbols"] == ["notification", "correction", "verification", "confirmation"]
    assert [field["name"] for field in schema.names["OutboundEvent"]["fields"]] == ["type", "subtype", "action_at"]
    assert [field["name"] for field in schema.names["OutboundOffender"]["fields"]] == ["name", "identifiers"]
    assert [field["name"] for field in schema.names["OutboundAgency"]["fields"]] == ["name", "ori"]


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (
            "Registration",
            """registration_id registrant_id source offender case_numbers event_subtypes language time_zone contacts
               pin created_at expires_at""",
        ),
        ("Receipt", "reference status occurred_at provider detail digits"),
        (
            "Submission",
            """message_id operation refers_to sent_at agency event_id event_type event_subtype notification_type
               notification_subtypes action_at offenders case status location from_location compact remarks details""",
        ),
        ("Response", "message_id event_type event_subtype notification_type"),
        ("Review", "review_id message_id state reason detail since jurisdiction"),
        ("Expectation", "message_id state"),
        ("DeadLetter", "reason detail sha256 original"),
        ("Verdict", "message_id stage outcome reason detail"),
    ],
)
def test_outsiders_find_the_contracts_fields(record: str, fields: str) -> None:
    schema = current("Verdicts").names["Verdict"] if record == "Verdict" else current(record).source
    assert set(fields.split()) <= {field["name"] for field in schema["fields"]}


def test_the_form_outsiders_send_has_no_more_than_the_contract_says() -> None:
    assert len(current("Registration").source["fields"]) == 12
    assert len(current("Receipt").source["fields"]) == 6


def test_nothing_is_wrong_with_the_schemas() -> None:
    assert compat.schema_problems() == []


def test_names_are_found_wherever_they_are_declared() -> None:
    event = {"name": "vn.B", "type": "record", "fields": []}
    nested = {"name": "A", "type": "record", "fields": [{"name": "b", "type": ["null", {"type": "array", "items": event}]}]}
    assert set(declared_types(nested)) == {"A", "B"}
    assert short_name("a.b.C") == "C"
