"""
Dedupe, validate and match over two partitions; the test decides which one is ahead.

Each stage has a task a partition; records go to the partition of their key. `run` is given the turns: at each, one of the
tasks that have something to read takes one record.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from processors.dedupe.decide import STAGE as DEDUPE
from processors.domain.notification import Notification
from processors.match.decide import STAGE as MATCH
from processors.runtime.decide.task import Task
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.states import state_format
from processors.stage import Context, Record, Stage
from processors.topics import NOTIFICATIONS, STANDINGS, Topic
from processors.validate.decide import STAGE as VALIDATE
from tests.one_stage import SEAL, rules

CODEC: Final = Codec()
STAGES: Final[tuple[Stage[Any], ...]] = (DEDUPE, VALIDATE, MATCH)


class Partition:
    """One partition of one stage."""

    def __init__(self, stage: Stage[Any], number: int) -> None:
        positions = {topic.name: 0 for topic in stage.inputs}
        self.stage = stage
        self.number = number
        self.task = Task(stage, number, Position(0, positions), dict(positions), {})
        self.fields: dict[bytes, bytes] = {}

    def read(self, names: Sequence[bytes]) -> list[bytes | None]:
        return [self.fields.get(name) for name in names]


class TwoPartitions:
    """The three stages by offender, and a clock that moves once everything has been read."""

    def __init__(self, homes: Mapping[str, int], now: int) -> None:
        self.homes = homes
        self.now = now
        self.context = Context(rules(), SEAL)
        self.topics: dict[tuple[str, int], list[Record]] = {}
        self.partitions = [Partition(stage, number) for stage in STAGES for number in (0, 1)]
        self.notifications: list[Notification] = []
        self.reasons: list[str] = []

    def put(self, topic: Topic, key: str, value: Struct) -> None:
        raw = CODEC.encode(value)
        records = self.topics.setdefault((topic.name, self.homes[key]), [])
        records.append(Record(topic.name, self.homes[key], len(records), key, self.now, CODEC.decode(raw), raw))

    def run(self, turns: Iterable[int] = ()) -> None:
        """Let everything be read, the partitions taking turns as told and, once that has run out, in the order of the road."""
        ahead = iter(turns)
        while waiting := [(each, topic) for each in self.partitions for topic in self.unread(each)]:
            each, topic = waiting[next(ahead, 0) % len(waiting)]
            record = self.topics[topic, each.number][each.task.positions[topic]]
            each.task.advance(topic, record.offset)
            self.decide(each, [record])

    def read_all(self, each: Partition) -> None:
        """Let one partition read everything that there is for it."""
        while topics := self.unread(each):
            record = self.topics[topics[0], each.number][each.task.positions[topics[0]]]
            each.task.advance(topics[0], record.offset)
            self.decide(each, [record])

    def advance(self, milliseconds: int) -> None:
        """Let time pass; every timer fires at its own time, after all that was written before it has been read."""
        until = self.now + milliseconds
        while (due := min((at for each in self.partitions if (at := each.task.timers.next()) is not None), default=None)) is not None:
            if due > until:
                break
            self.now = max(self.now, due)
            for each in self.partitions:
                each.task.ended = {topic.name for topic in each.stage.inputs}
                self.decide(each, [], self.now)
            self.run()
        self.now = until

    def unread(self, each: Partition) -> list[str]:
        positions = each.task.positions
        return [topic.name for topic in each.stage.inputs if positions[topic.name] < len(self.topics.get((topic.name, each.number), ()))]

    def decide(self, each: Partition, records: list[Record], watermark: int | None = None) -> None:
        work = each.task.decide(records, watermark, 1_000, each.read, CODEC, self.context)
        for name, value in work.changes.items():
            each.fields.pop(name, None)
            if value is not None:
                each.fields[name] = value
        self.reasons += [f"{verdict.stage} {verdict.message_id} {verdict.reason}" for verdict in work.verdicts]
        for output in work.outputs:
            topic, key, value = output.topic, output.key, output.value
            assert key is not None
            if value is None:
                assert topic is STANDINGS  # of a key that was merged
                continue
            if topic is NOTIFICATIONS:
                self.notifications.append(CODEC.decode(value))
            elif any(topic in stage.inputs for stage in STAGES):
                self.put(topic, key.decode(), CODEC.decode(value))

    def kept(self, stage: str) -> dict[str, Any]:
        """Return what a stage keeps in both partitions, by state key."""
        found: dict[str, Any] = {}
        for each in self.partitions:
            if each.stage.name == stage:
                decode = CODEC.states(state_format(each.stage))
                found |= {name[1:].decode(): decode(value) for name, value in each.fields.items() if name.startswith(b"=")}
        return found

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """What was told, each as (registrant, telling, message id)."""
        return [(each.registrant_id, each.event.telling, each.event.message_id) for each in self.notifications]
