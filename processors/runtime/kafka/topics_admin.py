"""Topic administration: compare the pipeline's topics with the broker's, and create the missing ones."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from processors.runtime.errors import Restart, UserError
from processors.runtime.kafka.clients import MAX_RECORD_BYTES, REQUEST_TIMEOUT, Broker, Unavailable, translated_errors
from processors.runtime.settings import Settings
from processors.topics import TOMBSTONES_KEPT, TOPICS, Topic

HOUR: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class TopicStatus:
    """One topic as specified and as found; `actual` is its number of partitions, 0 if it is missing."""

    topic: Topic
    name: str
    partitions: int
    actual: int


def partitions_of(topic: Topic, settings: Settings) -> int:
    """Return how many partitions the topic should have."""
    return settings.partitions if topic.partitions == "shared" else topic.partitions


def properties(topic: Topic) -> dict[str, str]:
    """Return the topic-level settings that the pipeline relies on."""
    found = {"max.message.bytes": str(MAX_RECORD_BYTES), "retention.ms": str(topic.retention)}
    if topic.compacted:
        # An hour uncompacted, so that a cache that is a little behind reads little; a week of tombstones, so that none escapes it.
        found |= {"cleanup.policy": "compact", "min.compaction.lag.ms": str(HOUR), "delete.retention.ms": str(TOMBSTONES_KEPT)}
    if topic.stamped:
        found["message.timestamp.type"] = "LogAppendTime"
    return found


def topic_status(settings: Settings, topics: Iterable[Topic] = TOPICS) -> list[TopicStatus]:
    """Return every topic as specified and as found."""
    names = {topic: settings.topic_prefix + topic.name for topic in topics}
    counts = _partition_counts(settings, names.values())
    return [TopicStatus(topic, name, partitions_of(topic, settings), counts[name]) for topic, name in names.items()]


def create_topics(settings: Settings, topics: Iterable[Topic] = TOPICS) -> list[TopicStatus]:
    """Every topic is there, with its properties; returns those that were made. Refuses where partitions differ."""
    found = topic_status(settings, topics)
    if wrong := [each for each in found if each.actual not in {0, each.partitions}]:
        each = wrong[0]
        raise UserError(
            f"{each.name} has {each.actual} partitions where VN_PARTITIONS asks for {each.partitions}: set VN_PARTITIONS={each.actual}, or "
            "begin with another VN_TOPIC_PREFIX"
            if each.topic.partitions == "shared"
            else f"{each.name} has {each.actual} partitions and must have {each.partitions}: delete it, or use another VN_TOPIC_PREFIX"
        )
    broker = Broker(settings)
    admin = broker.admin()
    missing = [each for each in found if each.actual == 0]
    with _admin_errors():
        made = (
            admin.create_topics([NewTopic(each.name, each.partitions, -1, config=properties(each.topic)) for each in missing])
            if missing
            else {}
        )
        for future in made.values():
            try:
                future.result(3 * REQUEST_TIMEOUT)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
        present = [_resource(each) for each in found if each.actual]
        altered = admin.incremental_alter_configs(present) if present else {}
        for future in altered.values():
            future.result(3 * REQUEST_TIMEOUT)
    return missing


def _resource(each: TopicStatus) -> ConfigResource:
    """Return the change that gives the topic its properties and leaves alone what else was set on it."""
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in properties(each.topic).items()]
    return ConfigResource(ResourceType.TOPIC, each.name, incremental_configs=entries)


def _partition_counts(settings: Settings, names: Iterable[str]) -> dict[str, int]:
    with _admin_errors():
        return Broker(settings).partition_counts(names)


@contextmanager
def _admin_errors() -> Iterator[None]:
    """Translate an unavailable or refusing broker into a sentence for the user."""
    try:
        with translated_errors("the topics could not be created or listed"):
            yield
    except Unavailable:
        raise UserError("the broker does not answer: start one with `vn local up` or mend KAFKA_BOOTSTRAP_SERVERS") from None
    except Restart as error:
        raise UserError(f"{error}: run `vn doctor`") from None
