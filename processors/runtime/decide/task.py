"""
One partition of one stage: what it has come to, and what a batch on it comes to.

A task is partition p of all inputs and of the changelog. Nothing here talks to Kafka; the store is read through a
function that fails where the cache is not the one the task builds on. A task whose batch failed is thrown away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from processors.domain.journal import Unreadable, Verdict
from processors.runtime.clock import wall
from processors.runtime.decide.dead_letters import DeadLetterLimit, dead_letter
from processors.runtime.decide.states import Read, States
from processors.runtime.decide.timers import Timers
from processors.runtime.wire.changelog import Position, Timer
from processors.runtime.wire.codec import Codec
from processors.stage import Context, Decision, Input, Output, Record, Resettle, Stage, Wake
from processors.topics import DEAD_LETTERS, Topic

Written = tuple[Topic, bytes | None, bytes | None]


@dataclass(slots=True)
class Work:
    """What one batch on one partition comes to, all of it or nothing."""

    position: Position
    outputs: list[Written] = field(default_factory=list)
    changes: dict[bytes, bytes | None] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    records: int = 0
    wakes: int = 0
    oldest: int | None = None  # when the first of the batch's messages came in at the front door


class Task:
    """
    The owner's view of one partition.

    `positions` is the next offset of every input; `moved` is set while they are ahead of what was committed; `ended` are
    the inputs read to their end.
    """

    def __init__(self, stage: Stage[Any], partition: int, position: Position, positions: dict[str, int], timers: dict[str, int]) -> None:
        self.partition = partition
        self.positions = positions
        self.moved = positions != position.positions
        self.ended: set[str] = set()
        self.timers = Timers(timers)
        self.limit = DeadLetterLimit()
        self._stage = stage
        self._seq = position.seq
        self._time = position.time
        self._settled = position.settled
        self._unsettled: tuple[str, list[str]] = (position.settled, [])  # the settings in force, and the keys not looked at since

    @property
    def caught_up(self) -> bool:
        """Whether every input was read to its end, so that what is not here by now has not happened by now."""
        return len(self.ended) == len(self.positions)

    def pass_over(self, topic: str, offset: int) -> bool:
        """Whether the record at `offset` is the next or a later one of the topic; then it counts as read."""
        if offset < self.positions[topic]:
            return False
        self.positions[topic] = offset + 1
        self.ended.discard(topic)
        self.moved = True
        return True

    def end(self, topic: str, offset: int) -> None:
        """The topic has been read to its end, the marks of transactions included."""
        self.ended.add(topic)
        if offset > self.positions[topic]:
            self.positions[topic] = offset
            self.moved = True

    def due(self, now: int, rules: str) -> bool:
        """Whether a timer is due by the clock, or to be looked at under new rules; and the records that might settle it have been seen."""
        at = self.timers.next()
        return at is not None and self.caught_up and (at <= now or (self._stage.resettles and self._settled != rules))

    def decide(  # noqa: PLR0913, PLR0917  all that a batch is made of
        self, records: Sequence[Record], now: int, most: int, read: Read, codec: Codec, context: Context
    ) -> Work:
        """
        Return what the records come to, and at most about `most` timers that are due by `now`.

        Timers due up to a record's time come before it; those due by the clock come last, and only when the task has
        caught up: an outage must not fire a hold before the records that would have settled it.
        """
        batch = _Batch(self, self._stage, read, codec, context)
        times = [arrival(record) for record in records]
        batch.work.oldest = min(times, default=None)
        until = max(times, default=self._time)
        if self.caught_up:
            until = max(until, now)
        unsettled = (
            [Resettle(key, max(self._time, until)) for key in self._to_settle(context.rules.version, most)] if self.caught_up else []
        )
        batch.states.prefetch([*(Wake(*timer) for timer in self.timers.due(until, most)), *records, *unsettled])
        for record, at in zip(records, times, strict=True):
            self._time = max(self._time, at)
            while (timer := self.timers.take(self._time)) is not None:
                batch.wake(*timer)
            batch.record(record)
        while self.caught_up and batch.work.wakes < most and (timer := self.timers.take(now)) is not None:
            self._time = max(self._time, timer[1])
            batch.wake(*timer)
        for each in unsettled:
            if self.timers.at(each.key) is not None:
                self._time = each.at
                batch.resettle(each)
        if not self._unsettled[1]:
            self._settled = self._unsettled[0]
        self._seq += 1
        return batch.done(Position(seq=self._seq, positions=dict(self.positions), time=self._time, at=wall(), settled=self._settled))

    def _to_settle(self, rules: str, most: int) -> list[str]:
        """Return the next keys that must be looked at, since the rules or settings are not those of the last time."""
        if rules != self._unsettled[0]:
            self._unsettled = (rules, self.timers.keys() if self._stage.resettles else [])
        left = self._unsettled[1]
        return [left.pop() for _ in range(min(most, len(left)))]


class _Batch:
    """One batch in the making."""

    def __init__(self, task: Task, stage: Stage[Any], read: Read, codec: Codec, context: Context) -> None:
        self.work = Work(Position(0, {}))
        self.states = States(stage, read, codec.states(stage.state))
        self._timers: dict[str, int | None] = {}  # as they were before the batch, of every key touched
        self._deadline = stage.deadline
        self._task = task
        self._stage = stage
        self._codec = codec
        self._context = context

    def record(self, record: Record) -> None:
        """The record has been decided, or dead-lettered if the pipeline wrote it and cannot read it."""
        self.work.records += 1
        value = record.value
        if type(value) is Unreadable and record.topic not in self._outsiders():
            self._task.limit.count(bad=True)
            letter = dead_letter(record, self._stage.name, value)
            self._write(Output(DEAD_LETTERS, letter.dead_letter_id, letter), None)
            self.work.verdicts.append(
                Verdict(
                    stage=self._stage.name,
                    message_id=letter.dead_letter_id,
                    outcome="rejected",
                    reason=value.reason,
                    detail=value.detail,
                    at=record.timestamp,
                )
            )
            return
        self._task.limit.count(bad=False)
        self._decide(record, record)

    def wake(self, key: str, at: int) -> None:
        """The timer, taken from among the others, has been decided, and is gone unless the state still has a deadline."""
        self.work.wakes += 1
        self._timers.setdefault(key, at)
        wake = Wake(key, at)
        before = self.states.of(wake)
        decision = self._stage.decide(wake, before, self._context)
        if key not in decision.states and (state := before.get(key)) is not None:
            self._arm(key, state)
        self._take(decision, None)

    def resettle(self, each: Resettle) -> None:
        """What waits under the key has been looked at by the rules and settings of now."""
        self.work.wakes += 1
        self._decide(each, None)

    def done(self, position: Position) -> Work:
        """Return the batch's work: every changed key encoded once."""
        work, encode = self.work, self._codec.encode
        work.position = position
        for key, state in self.states.changed.items():
            work.changes[b"=" + key.encode()] = None if state is None else self._codec.encode_state(state)
        for key, before in self._timers.items():
            if (at := self._task.timers.at(key)) != before:
                work.changes[b"@" + key.encode()] = None if at is None else encode(Timer(at))
        return work

    def _decide(self, each: Input, record: Record | None) -> None:
        self._take(self._stage.decide(each, self.states.of(each), self._context), record)

    def _take(self, decision: Decision[Any], record: Record | None) -> None:
        if decision.states:
            self.states.change(decision.states)
            for key, state in decision.states.items():
                self._arm(key, state)
        for output in decision.outputs:
            self._write(output, record)
        self.work.verdicts += decision.verdicts

    def _arm(self, key: str, state: Any | None) -> None:
        """The timer of the key is due when its state must be looked at again."""
        timers = self._task.timers
        at, before = None if state is None else self._deadline(state), timers.at(key)
        if at != before:
            self._timers.setdefault(key, before)
            timers.set(key, at)

    def _write(self, output: Output, record: Record | None) -> None:
        value, raw = output.value, None
        if value is not None:
            raw = record.raw if record is not None and value is record.value else self._codec.encode(value)
        self.work.outputs.append((output.topic, None if output.key is None else output.key.encode(), raw))

    def _outsiders(self) -> Iterable[str]:
        return (topic.name for topic in self._stage.inputs if topic.external)


def arrival(record: Record) -> int:
    """Return when the message came in at the front door; where nothing says so, the record's own time."""
    value = record.value
    at: int | None = getattr(value, "received_at", None)
    if at is None:
        at = getattr(getattr(value, "event", None), "received_at", None)
    return at or record.timestamp
