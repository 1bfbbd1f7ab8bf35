"""
One partition of one stage: its progress, and decides its batches.

A task is partition p of all inputs and of the changelog. It does not talk to Kafka; it reads the store through a function
that raises if the cache does not have the expected stamp. A task whose batch failed is discarded.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from operator import attrgetter
from typing import Any, Final

from processors.runtime.clock import MAX_AHEAD, wall_time
from processors.runtime.decide.batch import Batch, BatchResult
from processors.runtime.decide.dead_letters import (
    DeadLetterLimit,
    record_name,
    timer_name,
)
from processors.runtime.decide.failures import FailureLog
from processors.runtime.decide.states import ReadFields
from processors.runtime.decide.timers import Timers
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Context, Output, Record, RulesChanged, Stage, TimerFired

MAX_RENEWALS: Final = 500  # rows of a memory table that one batch re-encrypts


class Task:
    """
    One partition while this process owns it.

    `positions` holds the next offset of every input, `moved` says whether they are ahead of the committed ones, `ended` names
    the inputs that have been read to their end. `watermark` is a time up to which every received message has been decided
    here. `time` is the latest time of a decision here. `table` holds the latest records of the stage's memory table by key.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what a partition consists of
        self,
        stage: Stage[Any],
        partition: int,
        position: Position,
        positions: dict[str, int],
        timers: dict[str, int],
        partitions: int = 0,
        urgent: Iterable[str] = (),
    ) -> None:
        self.partition = partition
        self.positions = positions
        self.moved = positions != position.positions
        self.ended: set[str] = set()
        self.timers = Timers(timers, urgent)
        self._until = 0  # timers due by this time were fired last
        self.limit = DeadLetterLimit(position.read, position.unreadable)
        self._partitions = partitions
        self.watermark = 0
        self.table: dict[str, Any] = {}
        self.queue: deque[tuple[str, Record]] = deque()  # read and not yet decided, each with its input's name
        self.now: int | None = None  # the system time: nothing was received after it; None if unknown
        self.failures: FailureLog | None = None  # None: exceptions of the stage are raised unchanged
        self.fetched = dict(positions)  # the next offset to read; `positions` follow as records are decided
        self._stage = stage
        self._seq = position.seq
        self.time = position.time
        self._reevaluated_by = position.settled
        self._rules = (position.settled, 0)  # the rules in force, and since when
        self._not_reevaluated: tuple[str, list[str]] = (
            position.settled,
            [],
        )  # the rules in force, and the keys not yet re-evaluated by them
        self._unrenewed: tuple[str, list[str]] = ("", [])  # the newest key, and the rows not yet re-encrypted with it

    @property
    def caught_up(self) -> bool:
        """Whether every input has been read to its end, and decided."""
        return not self.queue and len(self.ended) == len(self.positions)

    def advance(self, topic: str, offset: int) -> bool:
        """Move past the record at `offset`; return False if it was read before."""
        if offset < self.positions[topic]:
            return False
        self.positions[topic] = self.fetched[topic] = offset + 1
        self.ended.discard(topic)
        self.moved = True
        return True

    def enqueue(self, topic: str, record: Record) -> bool:
        """Queue a record to be decided; return False if it was read before."""
        if record.offset < self.fetched[topic]:
            return False
        self.fetched[topic] = record.offset + 1
        self.ended.discard(topic)
        self.queue.append((topic, record))
        return True

    def reach_end(self, topic: str, offset: int) -> None:
        """Record that the topic has been read to its end, including transaction markers."""
        self.ended.add(topic)
        self.fetched[topic] = max(offset, self.fetched[topic])
        self._pass_markers()

    def _pass_markers(self) -> None:
        """Move the positions past transaction markers, if everything read has been decided."""
        if not self.queue and self.fetched != self.positions:
            self.moved = any(self.fetched[topic] > offset for topic, offset in self.positions.items()) or self.moved
            self.positions = {topic: max(offset, self.fetched[topic]) for topic, offset in self.positions.items()}

    def awaited_watermark(self, now: int, rules: str) -> int | None:
        """Return the watermark that a timer waits for, because it is due or because new rules may change it; None if none does."""
        at = self.timers.next()
        if at is None:
            return None
        if rules != self._rules[0]:
            self._rules = (rules, now)
        since = self._rules[1] if self._stage.reevaluates and self._reevaluated_by != rules else None
        return max((each for each in (at if at <= now else None, since) if each is not None), default=None)

    def has_due(self, watermark: int | None, now: int, rules: str) -> bool:
        """Whether a timer is due by the watermark, or must be re-evaluated by new rules."""
        awaited, at = self.awaited_watermark(now, rules), self.timers.next()
        if awaited is None or at is None or watermark is None:
            return False
        return at <= watermark or (self._must_reevaluate(rules) and self._rules[1] <= watermark)

    def _must_reevaluate(self, rules: str) -> bool:
        return self._stage.reevaluates and self._reevaluated_by != rules

    def decide(  # noqa: PLR0913, PLR0917  all that a batch is made of
        self, records: Sequence[Record], watermark: int | None, most: int, read: ReadFields, codec: Codec, context: Context
    ) -> BatchResult:
        """
        Decide the records and the timers that are due: at most `most` of both, fewer if they have many outputs.

        Records of the queue that were not decided stay in it. `watermark` is a time up to which every received message has been
        decided once these records are; None if unknown. Timers due by an earlier watermark are decided first, those due by this
        one last. Of the other timers, only those of a record's own states that are due by its time are decided, before the
        record: a message that is still on its way may change the rest.
        """
        if self._stage.table is not None:
            context = replace(context, table=self.table)
        batch = Batch(self, self._stage, read, codec, context)
        try:
            return batch.finish(self._decide(batch, records, watermark, most, context))
        finally:
            if self.failures is not None:
                self.failures.current_input.set("")

    def _decide(self, batch: Batch, records: Sequence[Record], watermark: int | None, most: int, context: Context) -> Position:
        """Decide into the batch; return the position after it."""
        times = self._arrivals(records)
        self.time = self._not_ahead(self.time)
        batch.result.oldest = min(times, default=None)
        until = max([self.time, *times, watermark or 0])
        rules = context.rules.version
        if not len(self.timers):
            self._reevaluated_by = rules
        may_reevaluate = watermark is not None and self._must_reevaluate(rules) and self._rules[0] == rules and self._rules[1] <= watermark
        keys = self._next_to_reevaluate(rules, most) if may_reevaluate and not records else []
        changes = [RulesChanged(key, until) for key in keys]
        batch.states.prefetch([*(TimerFired(*timer) for timer in self.timers.due(until, most)), *records, *changes])
        self._fire(batch, self.watermark, most)
        waiting = self._decide_records(batch, deque(zip(records, times, strict=True)), most)
        if waiting and not self.queue:
            raise ValueError("records that do not fit into one batch must be queued first")
        self._pass_markers()
        if watermark is not None and not waiting and not self.queue:
            self.watermark = max(self.watermark, watermark)
            self._fire(batch, watermark, most)
        while changes and not batch.is_full(most):
            each = changes.pop(0)
            if self.timers.at(each.key) is not None:
                self.time = each.at
                batch.decide_rules_change(each)
        self._not_reevaluated[1].extend(each.key for each in reversed(changes))
        if may_reevaluate and not records and not self._not_reevaluated[1]:
            self._reevaluated_by = self._not_reevaluated[0]
        self._renew(batch, context)
        self._seq += 1
        return Position(
            seq=self._seq,
            positions=dict(self.positions),
            time=self.time,
            at=wall_time(),
            settled=self._reevaluated_by,
            partitions=self._partitions,
            read=self.limit.read,
            unreadable=self.limit.unreadable,
        )

    def _decide_records(self, batch: Batch, waiting: deque[tuple[Record, int]], most: int) -> deque[tuple[Record, int]]:
        """Decide records with their times until the batch is full; return those that wait for the next one."""
        queue, positions, until, timers = self.queue, self.positions, self.watermark, self.timers
        failed = self.failures is not None and self.failures.has_any()
        while waiting and not batch.is_full(most) and not (timers.earliest <= until and timers.is_due(until)):
            record, at = waiting[0]
            time = max(self.time, at)
            why = self._why_record_quarantined(record) if failed else None
            if why is not None and not batch.is_empty():
                break
            if why is None and timers.earliest <= time and not batch.decide_timers_before(record, time, most if queue else None):
                break
            waiting.popleft()
            self.time = time
            if why is None:
                batch.decide_record(record)
            else:
                batch.quarantine_record(record, why)
            if queue and queue[0][1] is record:
                positions[queue.popleft()[0]] = record.offset + 1
                self.moved = True
        return waiting

    def has_renewals(self, context: Context) -> bool:
        """Whether rows of the memory table must be re-encrypted because the keys changed."""
        table = self._stage.table
        if table is not None and context.seal.key_id != self._unrenewed[0]:
            self._unrenewed = (context.seal.key_id, [key for key, each in self.table.items() if table.renew(key, each, context)])
        return bool(self._unrenewed[1])

    def _renew(self, batch: Batch, context: Context) -> None:
        """Re-encrypt some rows of the memory table with the keys in force."""
        table = self._stage.table
        if table is None or not self.has_renewals(context):
            return
        left = self._unrenewed[1]
        for key in [left.pop() for _ in range(min(MAX_RENEWALS, len(left)))]:
            row = self.table.get(key)
            renewed = None if row is None else table.renew(key, row, context)
            if renewed is not None:
                batch.write(Output(table.topic, key, renewed))

    def _arrivals(self, records: Iterable[Record]) -> list[int]:
        """Return the receive times of the records' messages, none of them ahead of our clock."""
        times = list(map(receive_time, records))
        return times if self.now is None else list(map(self._not_ahead, times))

    def _not_ahead(self, at: int) -> int:
        """Return the time, or now if it is too far ahead: the time of a fast clock would end every hold."""
        return self.now if self.now is not None and at > self.now + MAX_AHEAD else at

    def set_row(self, key: str, record: Any) -> None:
        """Replace a row of the memory table; None removes it."""
        if record is None:
            self.table.pop(key, None)
        else:
            self.table[key] = record

    def _fire(self, batch: Batch, until: int, most: int) -> None:
        """Decide the timers that are due by `until`, until the batch is full."""
        self._until = until
        while not batch.is_full(most) and self.timers.is_due(until):
            if (why := self._why_timer_quarantined()) is not None and not batch.is_empty():
                return
            timer = self.timers.take(until)
            if timer is None:
                return
            self.time = max(self.time, timer[1])
            if why is None:
                batch.decide_timer(*timer, until)
            else:
                batch.quarantine_timer(*timer, why)

    def quarantines_next(self) -> bool:
        """Whether the next record or timer must be quarantined, which takes a transaction of its own."""
        return (
            bool(self.queue) and self._why_record_quarantined(self.queue[0][1]) is not None
        ) or self._why_timer_quarantined() is not None

    def _why_record_quarantined(self, record: Record) -> str | None:
        failures = self.failures
        return failures.why_quarantined(record_name(record)) if failures is not None and failures.has_any() else None

    def _why_timer_quarantined(self) -> str | None:
        """Return why the timer that fires next must be quarantined; None if it must not."""
        failures, at = self.failures, self.timers.next()
        if failures is None or at is None or not failures.has_any():
            return None
        first = self.timers.first(max(at, self._until))
        return None if first is None else failures.why_quarantined(timer_name(self._stage.name, self.partition, *first))

    def _next_to_reevaluate(self, rules: str, most: int) -> list[str]:
        """Return the next keys that have not been re-evaluated by the rules and settings in force."""
        if rules != self._not_reevaluated[0]:
            self._not_reevaluated = (rules, self.timers.keys() if self._stage.reevaluates else [])
        left = self._not_reevaluated[1]
        return [left.pop() for _ in range(min(most, len(left)))]


def receive_time(record: Record) -> int:
    """Return the receive time of the message that a record follows from; the record's own time if it has none."""
    received_at = receive_time_getter(record.value.__class__)
    return received_at(record.value) or record.timestamp


@cache
def receive_time_getter(kind: type) -> Callable[[Any], int | None]:
    """Return a function that returns a value's receive time in milliseconds, or None if values of this type have none."""
    if hasattr(kind, "received_at"):
        return attrgetter("received_at")
    if hasattr(kind, "event"):
        return lambda value: getattr(value.event, "received_at", None)
    return lambda _: None
