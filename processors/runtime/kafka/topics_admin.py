"""Topic administration: compare the pipeline's topics with the broker's, and create the missing ones."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType  # type: ignore[attr-defined]

from processors.runtime.errors import Restart, UserError
from processors.runtime.kafka.clients import CALL_DEADLINE, MAX_RECORD_BYTES, REQUEST_TIMEOUT, Broker, Unavailable, translated_errors
from processors.runtime.settings import Settings
from processors.topics import PURGED_SEGMENT, SEGMENT, TOMBSTONES_KEPT, TOPICS, Topic

HOUR: Final = 3_600_000
SEGMENT_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class TopicStatus:
    """One topic as specified and as found; `actual` is its number of partitions on the broker, 0 if it is missing."""

    topic: Topic
    name: str
    partitions: int
    actual: int


def partitions_of(topic: Topic, settings: Settings, actual: int = 0) -> int:
    """Return how many partitions the topic should have; a `fixed` one keeps its `actual` number."""
    if topic.partitions != "shared":
        return topic.partitions
    return min(actual, settings.partitions) if topic.fixed and actual else settings.partitions


def properties(topic: Topic) -> dict[str, str]:
    """Return the topic-level settings that the pipeline relies on."""
    found = {"max.message.bytes": str(MAX_RECORD_BYTES), "retention.ms": str(topic.retention)}
    if topic.compacted:
        # An hour before compaction, so that a cache slightly behind reads little; tombstones for a week, so that none is missed.
        # Small segments, compacted when a tenth is outdated and after a day at the latest: this limits how much a rebuild reads
        # and how long a deleted value can still be read.
        found |= {
            "cleanup.policy": "compact",
            "min.compaction.lag.ms": str(HOUR),
            "max.compaction.lag.ms": str(24 * HOUR),
            "delete.retention.ms": str(TOMBSTONES_KEPT),
            "min.cleanable.dirty.ratio": "0.1",
        }
    if topic.compacted or topic.personal:
        found |= {"segment.ms": str(SEGMENT), "segment.bytes": str(SEGMENT_BYTES)}
    if topic.purged:
        # A destroyed key must not stay on disk: segments are rolled after ten minutes (by the next record: the active segment is
        # never compacted) and compacted within the hour.
        found |= {"min.compaction.lag.ms": "0", "max.compaction.lag.ms": str(HOUR), "segment.ms": str(PURGED_SEGMENT)}
    if topic.stamped:
        found["message.timestamp.type"] = "LogAppendTime"
    return found


def topic_status(settings: Settings, topics: Iterable[Topic] = TOPICS) -> list[TopicStatus]:
    """Return every topic as specified and as found."""
    names = {topic: settings.topic_prefix + topic.name for topic in topics}
    counts = _partition_counts(settings, names.values())
    return [TopicStatus(topic, name, partitions_of(topic, settings, counts[name]), counts[name]) for topic, name in names.items()]


def create_topics(settings: Settings, topics: Iterable[Topic] = TOPICS) -> list[TopicStatus]:
    """
    Create the missing topics and return them; raises UserError if an existing one has another number of partitions.

    The properties of existing topics are not changed: see `property_differences` and `apply_properties`.
    """
    found = topic_status(settings, topics)
    if wrong := [each for each in found if each.actual not in {0, each.partitions}]:
        each = wrong[0]
        raise UserError(
            f"{each.name} has {each.actual} partitions and VN_PARTITIONS asks for {each.partitions}: set VN_PARTITIONS={each.actual}, or "
            + ("run `vn topics grow`" if each.actual < each.partitions else "begin with another VN_TOPIC_PREFIX")
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
    return missing


@dataclass(frozen=True, slots=True)
class PropertyDifference:
    """One property of an existing topic that differs from its specification."""

    topic: str
    name: str
    actual: str
    wanted: str


def property_differences(settings: Settings, topics: Iterable[Topic] = TOPICS) -> list[PropertyDifference]:
    """Return the properties of existing topics that differ from those the pipeline relies on."""
    present = {each.name: properties(each.topic) for each in topic_status(settings, topics) if each.actual}
    if not present:
        return []
    with _admin_errors():
        admin = Broker(settings).admin()  # kept, or its futures never answer
        described = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in present], request_timeout=REQUEST_TIMEOUT)
        actual = {resource.name: future.result(CALL_DEADLINE) for resource, future in described.items()}
    return [
        PropertyDifference(topic, name, str(actual[topic][name].value), value)
        for topic, wanted in present.items()
        for name, value in wanted.items()
        if actual[topic][name].value != value
    ]


def apply_properties(settings: Settings, differences: Iterable[PropertyDifference]) -> None:
    """Set the differing properties, and nothing else."""
    changes: dict[str, list[ConfigEntry]] = {}
    for each in differences:
        changes.setdefault(each.topic, []).append(ConfigEntry(each.name, each.wanted, incremental_operation=AlterConfigOpType.SET))
    if not changes:
        return
    resources = [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries) for topic, entries in changes.items()]
    with _admin_errors():
        admin = Broker(settings).admin()
        for future in admin.incremental_alter_configs(resources).values():
            future.result(3 * REQUEST_TIMEOUT)


def _partition_counts(settings: Settings, names: Iterable[str]) -> dict[str, int]:
    with _admin_errors():
        return Broker(settings).partition_counts(names)


@contextmanager
def _admin_errors() -> Iterator[None]:
    """Translate an error of the broker into a UserError that says what to do."""
    try:
        with translated_errors("the topics could not be created or listed"):
            yield
    except Unavailable:
        raise UserError("the broker does not answer: start one with `vn local up` or fix KAFKA_BOOTSTRAP_SERVERS") from None
    except Restart as error:
        raise UserError(f"{error}: run `vn doctor`") from None
