"""docs/asyncapi.yaml, against the topics and schemas of the code."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from processors.pipeline import PIPELINE
from processors.runtime.wire.schemas import FOLDER, current, schema_name
from processors.topics import POLICIES, QUARANTINE, TOPICS, Topic

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
EXTERNAL = [topic for topic in TOPICS if topic.external]
every_topic = pytest.mark.parametrize("topic", EXTERNAL, ids=lambda topic: topic.name)

REFERENCE = {"type": "object", "required": ["$ref"], "properties": {"$ref": {"type": "string", "pattern": "^(#/|[.]{2}/schemas/avro/)"}}}
SENTENCE = {"type": "string", "pattern": "\\S"}
SHAPE = {
    "type": "object",
    "required": ["asyncapi", "info", "servers", "channels", "operations", "components"],
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"type": "object", "required": ["title", "version"], "properties": {"title": SENTENCE, "version": {"type": "string"}}},
        "servers": {
            "type": "object",
            "additionalProperties": {"type": "object", "required": ["host", "protocol"], "properties": {"protocol": {"const": "kafka"}}},
        },
        "channels": {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z0-9_-]+$"},
            "additionalProperties": {
                "type": "object",
                "required": ["address", "description", "messages", "bindings", "parameters", "x-key"],
                "properties": {
                    "address": {"type": "string", "pattern": "^\\{prefix\\}[a-z.-]+$"},
                    "description": SENTENCE,
                    "parameters": {"type": "object", "required": ["prefix"], "additionalProperties": REFERENCE},
                    "messages": {"type": "object", "minProperties": 1, "additionalProperties": REFERENCE},
                    "bindings": {
                        "type": "object",
                        "required": ["kafka"],
                        "properties": {
                            "kafka": {
                                "type": "object",
                                "required": ["topicConfiguration", "bindingVersion"],
                                "properties": {
                                    "partitions": {"type": "integer", "minimum": 1},
                                    "topicConfiguration": {
                                        "type": "object",
                                        "required": ["cleanup.policy", "retention.ms"],
                                        "properties": {
                                            "cleanup.policy": {"type": "array", "items": {"enum": ["compact", "delete"]}},
                                            "retention.ms": {"type": "integer", "minimum": -1},
                                        },
                                    },
                                },
                            }
                        },
                    },
                },
            },
        },
        "operations": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["action", "channel"],
                "properties": {"action": {"enum": ["send", "receive"]}, "channel": REFERENCE},
            },
        },
        "components": {
            "type": "object",
            "required": ["messages", "parameters"],
            "properties": {
                "messages": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "required": ["name", "summary", "payload"],
                        "properties": {
                            "payload": {
                                "type": "object",
                                "required": ["schemaFormat", "schema"],
                                "properties": {"schemaFormat": {"pattern": "^application/vnd.apache.avro"}, "schema": REFERENCE},
                            }
                        },
                    },
                }
            },
        },
    },
}


def pointed(reference: str) -> Any:
    """What a reference within the document points to."""
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def channels(topic: Topic) -> list[Any]:
    return [channel for channel in DOCUMENT["channels"].values() if channel["address"] == f"{{prefix}}{topic.name}"]


def test_the_document_has_the_shape_of_asyncapi_3() -> None:
    assert [error.message for error in Draft202012Validator(SHAPE).iter_errors(DOCUMENT)] == []


def test_every_external_topic_is_there_once_and_no_other() -> None:
    assert sorted(channel["address"] for channel in DOCUMENT["channels"].values()) == sorted(
        f"{{prefix}}{topic.name}" for topic in EXTERNAL
    )


@every_topic
def test_a_channel_says_what_the_topic_is(topic: Topic) -> None:
    (channel,) = channels(topic)
    kafka = channel["bindings"]["kafka"]
    assert kafka["topicConfiguration"]["retention.ms"] == topic.retention
    assert kafka["topicConfiguration"]["cleanup.policy"] == ["compact" if topic.compacted else "delete"]
    assert kafka.get("partitions", "shared") == topic.partitions
    assert channel["x-key"] == topic.key


@every_topic
def test_a_channel_carries_the_topics_records(topic: Topic) -> None:
    (channel,) = channels(topic)
    assert list(channel["messages"]) == [schema_name(record) for record in topic.records]
    for name, reference in channel["messages"].items():
        message = pointed(reference["$ref"])
        file = (FILE.parent / message["payload"]["schema"]["$ref"]).resolve()
        assert file == (FOLDER / f"{name}.avsc").resolve()
        assert message["name"] == name
        assert message["summary"] == json.loads(file.read_text("utf-8"))["doc"] == current(name).source["doc"]


@every_topic
def test_an_operation_says_who_writes(topic: Topic) -> None:
    (channel,) = channels(topic)
    actions = [each["action"] for each in DOCUMENT["operations"].values() if pointed(each["channel"]["$ref"]) is channel]
    assert actions == ["receive" if topic.stamped or topic in {POLICIES, QUARANTINE} else "send"]


def test_what_the_pipeline_writes_for_others_is_in_the_document() -> None:
    written = {topic.name for stages in PIPELINE.values() for stage in stages for topic in stage.outputs if topic.external}
    sent = {pointed(each["channel"]["$ref"])["address"] for each in DOCUMENT["operations"].values() if each["action"] == "send"}
    assert {f"{{prefix}}{name}" for name in written} <= sent


def test_no_message_is_without_a_channel() -> None:
    used = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}
    assert set(DOCUMENT["components"]["messages"]) == used
