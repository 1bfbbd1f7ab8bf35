"""
Checks that the inputs are still the logs that the committed offsets belong to.

An offset alone does not reveal that a topic was deleted and created again, was restored on another cluster, or lost its end
in an unclean election and was written again. So the metadata of every committed offset holds the ids of cluster and topic and
a bookmark: offset, leader epoch and timestamp of the last record read. When a stage takes over a partition, the ids must match,
and the log must hold the bookmark's record if it still holds that offset.
"""

from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import Final, NamedTuple, Self

from confluent_kafka import Message, TopicPartition

from processors.runtime.errors import Restart, Stop
from processors.runtime.kafka.clients import LOW_LATENCY, REQUEST_TIMEOUT, Broker, TopicAndPartition, message_kind, poll_batch

NO_EPOCH: Final = -1


class Bookmark(NamedTuple):
    """The last record read of one partition."""

    offset: int
    epoch: int
    timestamp: int

    @classmethod
    def of(cls, message: Message) -> Self:
        """Return the bookmark of a record."""
        epoch = message.leader_epoch()
        return cls(message.offset() or 0, NO_EPOCH if epoch is None else epoch, message.timestamp()[1])


class Origin(NamedTuple):
    """The log that a committed offset belongs to: `<cluster id>/<topic id>`, and the last record read, if any."""

    topic: str
    bookmark: Bookmark | None = None

    def metadata(self) -> str:
        """Return the origin as metadata of a committed offset."""
        topic = f"topic={self.topic}"
        return topic if self.bookmark is None else f"{topic} last={','.join(map(str, self.bookmark))}"

    @classmethod
    def parse(cls, metadata: str | None) -> Self | None:
        """Return the origin in a committed offset's metadata; None if an earlier version or another tool committed the offset."""
        words = dict(word.split("=", 1) for word in (metadata or "").split(" ") if "=" in word)
        if "topic" not in words:
            return None
        numbers = words.get("last", "").split(",")
        try:
            return cls(words["topic"], Bookmark(*map(int, numbers)))
        except (TypeError, ValueError):
            return cls(words["topic"])


class Origins:
    """The origins of the offsets that a stage will commit: the ids of its input topics, and bookmarks."""

    def __init__(self, identities: Mapping[str, str], bookmarks: Mapping[TopicAndPartition, Bookmark]) -> None:
        self._identities = identities
        self._bookmarks = dict(bookmarks)

    def read(self, last: Mapping[TopicAndPartition, Message]) -> None:
        """Move the bookmarks to the last records read."""
        self._bookmarks.update((topic_partition, Bookmark.of(message)) for topic_partition, message in last.items())

    def metadata(self, topic: str, partition: int) -> str:
        """Return the metadata for an offset of this partition."""
        return Origin(self._identities[topic], self._bookmarks.get((topic, partition))).metadata()


def check_identities(origins: Mapping[TopicAndPartition, Origin | None], present: Mapping[str, str]) -> None:
    """Raise Stop if offsets were committed on another topic or another cluster; `present` maps topics to their ids."""
    for (topic, partition), origin in origins.items():
        if origin is None or origin.topic == present[topic]:
            continue
        cluster, now = origin.topic.partition("/")[0], present[topic].partition("/")[0]
        if cluster != now:
            raise Stop(
                f"the offsets of {topic}[{partition}] were committed on cluster {cluster}, and this is cluster {now}: offsets of a "
                "mirror or of a restored copy do not fit its logs; delete the group, then `vn state import` what `vn state export` wrote "
                "there; see deploy/runbook.md"
            )
        raise Stop(
            f"{topic} was deleted and created again since its offsets were committed: its old records are gone; see deploy/runbook.md"
        )


def check_bookmarks(broker: Broker, origins: Mapping[TopicAndPartition, Origin | None], keep_alive: Callable[[], None]) -> None:
    """Raise Stop if a log holds another record where it was last read: its end was lost and written again."""
    marks = {
        topic_partition: origin.bookmark
        for topic_partition, origin in origins.items()
        if origin is not None and origin.bookmark is not None
    }
    starts, ends = broker.start_offsets(marks), broker.end_offsets(marks)
    for (topic, partition), mark in marks.items():
        if mark.offset >= ends[topic, partition]:
            raise Stop(
                f"{topic}[{partition}] ends at offset {ends[topic, partition]}, but offset {mark.offset} of it was read: its end was lost; "
                "see deploy/runbook.md"
            )
    kept = {topic_partition: mark for topic_partition, mark in marks.items() if mark.offset >= starts[topic_partition]}
    for (topic, partition), found in _records_at(
        broker, {topic_partition: mark.offset for topic_partition, mark in kept.items()}, keep_alive
    ).items():
        mark = kept[topic, partition]
        if found != mark:
            raise Stop(
                f"{topic}[{partition}] holds another record at offset {mark.offset} than the one read there: its end was lost and written "
                "again; see deploy/runbook.md"
            )


def _records_at(
    broker: Broker, offsets: Mapping[TopicAndPartition, int], keep_alive: Callable[[], None]
) -> dict[TopicAndPartition, Bookmark | None]:
    """Return the bookmark of the first record at or after each offset; None if the log ends first."""
    found: dict[TopicAndPartition, Bookmark | None] = {}
    if not offsets:
        return found
    reader = broker.partition_consumer(**LOW_LATENCY)
    try:
        reader.assign([TopicPartition(*topic_partition, offset) for topic_partition, offset in offsets.items()])
        deadline = monotonic() + REQUEST_TIMEOUT
        while len(found) < len(offsets):
            for message in poll_batch(reader, len(offsets), 0.1):
                kind, topic_partition = message_kind(message), (message.topic() or "", message.partition() or 0)
                if kind != "noise":
                    found.setdefault(topic_partition, Bookmark.of(message) if kind == "record" else None)
                    reader.pause([TopicPartition(*topic_partition)])
            keep_alive()
            if monotonic() > deadline:
                raise Restart("the last records read could not be read again in time")
    finally:
        reader.close()
    return found


def check_not_lost(stage: str, ends_of_outputs: Iterable[int], *, committed: bool) -> None:
    """Raise Stop if a stage without a changelog has no committed offsets at all, but has written before."""
    if not committed and any(ends_of_outputs):
        raise Stop(
            f"the committed offsets of {stage} are lost: it has written before, and would read everything again; see deploy/runbook.md"
        )
