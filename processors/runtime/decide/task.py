"""
One partition of one stage: its progress, and the result of one batch.

A task is partition p of all inputs and of the changelog. It does not talk to Kafka; it reads the store through a function
that raises if the cache is not the one the task builds on. A task whose batch failed is discarded.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from processors.domain.journal import DeadLetter, Unreadable, Verdict
from processors.domain.seal import Seal
from processors.domain.trace import Headers, headers_of
from processors.runtime.clock import AHEAD, wall
from processors.runtime.decide.attempts import Attempt, Attempts
from processors.runtime.decide.dead_letters import (
    DeadLetterLimit,
    dead_letter,
    quarantined_record,
    quarantined_timer,
    record_name,
    timer_name,
)
from processors.runtime.decide.states import Read, States
from processors.runtime.decide.timers import Timers
from processors.runtime.wire.changelog import Position, Timer
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.states import format_of, latest
from processors.stage import Context, Decision, Input, Output, Record, Resettle, Stage, Timing, Wake
from processors.topics import DEAD_LETTERS, Topic


class Written(NamedTuple):
    """One output as it is produced."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(slots=True)
class BatchResult:
    """The result of one batch on one partition; it is committed whole or not at all."""

    position: Position
    outputs: list[Written] = field(default_factory=list)
    changes: dict[bytes, bytes | None] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    records: int = 0
    wakes: int = 0
    bytes: int = 0  # of the records and outputs
    set_aside: list[str] = field(default_factory=list)  # inputs that were not decided
    oldest: int | None = None  # receive time of the batch's oldest message
    timings: list[Timing] = field(default_factory=list)
    counts: list[tuple[str, str]] = field(default_factory=list)
    traceparents: dict[tuple[str | None, str], str] = field(default_factory=dict)  # that came with messages, by agency and message id


OUTPUTS_PER_INPUT: Final = 4  # beyond this many outputs for each input that a batch may have, it takes no more inputs
RENEWALS: Final = 500  # rows of a memory table that one batch may write again
RETRY: Final = 3_600_000  # milliseconds until a timer that was set aside is tried again
BYTES_PER_INPUT: Final = 8_192  # the same for bytes of records and outputs


class Task:
    """
    One partition in the hands of its owner.

    `positions` is the next offset of every input, `moved` whether they are ahead of what was committed, `ended` the inputs
    that have been read to their end. `watermark` is a time up to which every message that was received has been decided
    here. `table` are the latest records of the stage's memory table, by key.
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
        self._until = 0  # up to when timers were fired last
        self.limit = DeadLetterLimit(position.read, position.unreadable)
        self._partitions = partitions
        self.watermark = 0
        self.table: dict[str, Any] = {}
        self.queue: deque[tuple[str, Record]] = deque()  # read and not yet decided, each with its input's name
        self.now: int | None = None  # the time by our clock: nothing was received after it; None if that is not known
        self.attempts: Attempts | None = None  # None: whatever the stage raises is raised as it is
        self.fetched = dict(positions)  # the next offset to read; `positions` follow as records are decided
        self._stage = stage
        self._seq = position.seq
        self._time = position.time
        self._settled = position.settled
        self._rules = (position.settled, 0)  # the rules in force, and since when
        self._unsettled: tuple[str, list[str]] = (position.settled, [])  # the rules in force, and the keys not yet judged by them
        self._unrenewed: tuple[str, list[str]] = ("", [])  # the newest key, and the rows not yet written again by it

    @property
    def caught_up(self) -> bool:
        """Whether every input has been read to its end, and decided."""
        return not self.queue and len(self.ended) == len(self.positions)

    def advance(self, topic: str, offset: int) -> bool:
        """Move past the record at `offset`; return False if it had been read before."""
        if offset < self.positions[topic]:
            return False
        self.positions[topic] = self.fetched[topic] = offset + 1
        self.ended.discard(topic)
        self.moved = True
        return True

    def enqueue(self, topic: str, record: Record) -> bool:
        """Take a record in to be decided; return False if it had been read before."""
        if record.offset < self.fetched[topic]:
            return False
        self.fetched[topic] = record.offset + 1
        self.ended.discard(topic)
        self.queue.append((topic, record))
        return True

    def reach_end(self, topic: str, offset: int) -> None:
        """Note that the topic has been read to its end, transaction markers included."""
        self.ended.add(topic)
        self.fetched[topic] = max(offset, self.fetched[topic])
        self._pass_markers()

    def _pass_markers(self) -> None:
        """Move on to what has been read, if everything read was decided."""
        if not self.queue and self.fetched != self.positions:
            self.moved = any(self.fetched[topic] > offset for topic, offset in self.positions.items()) or self.moved
            self.positions = {topic: max(offset, self.fetched[topic]) for topic, offset in self.positions.items()}

    def awaited(self, now: int, rules: str) -> int | None:
        """Return the watermark that something here waits for: a timer that is due, or that new rules may change."""
        at = self.timers.next()
        if at is None:
            return None
        if rules != self._rules[0]:
            self._rules = (rules, now)
        since = self._rules[1] if self._stage.resettles and self._settled != rules else None
        return max((each for each in (at if at <= now else None, since) if each is not None), default=None)

    def has_due(self, watermark: int | None, now: int, rules: str) -> bool:
        """Whether a timer is due by the watermark, or must be judged by new rules."""
        awaited, at = self.awaited(now, rules), self.timers.next()
        if awaited is None or at is None or watermark is None:
            return False
        return at <= watermark or (self._resettles(rules) and self._rules[1] <= watermark)

    def _resettles(self, rules: str) -> bool:
        return self._stage.resettles and self._settled != rules

    def decide(  # noqa: PLR0913, PLR0917  all that a batch is made of
        self, records: Sequence[Record], watermark: int | None, most: int, read: Read, codec: Codec, context: Context
    ) -> BatchResult:
        """
        Decide the records and what timers are due, at most `most` of both, fewer if much follows from them.

        Records of the queue that were not decided stay in it. `watermark` is a time up to which every message that was
        received has been decided once these records are; None if that is not known. Timers due by it come last, those due by
        an earlier watermark first. Of the others only timers of a record's own states come before the record, if they are due
        by its time: the rest may still be settled by a message that is on its way.
        """
        if self._stage.table is not None:
            context = replace(context, table=self.table)
        batch = _Batch(self, self._stage, read, codec, context)
        times = [self._not_ahead(arrival(record)) for record in records]
        self._time = self._not_ahead(self._time)
        batch.result.oldest = min(times, default=None)
        until = max([self._time, *times, watermark or 0])
        rules = context.rules.version
        if not len(self.timers):
            self._settled = rules
        judged = watermark is not None and self._resettles(rules) and self._rules[0] == rules and self._rules[1] <= watermark
        keys = self._next_to_resettle(rules, most) if judged and not records else []
        resettles = [Resettle(key, until) for key in keys]
        batch.states.prefetch([*(Wake(*timer) for timer in self.timers.due(until, most)), *records, *resettles])
        self._fire(batch, self.watermark, most)
        waiting = self._decide_records(batch, deque(zip(records, times, strict=True)), most)
        if waiting and not self.queue:
            raise ValueError("records that do not fit into one batch must be given by way of the queue")
        self._pass_markers()
        if watermark is not None and not waiting and not self.queue:
            self.watermark = max(self.watermark, watermark)
            self._fire(batch, watermark, most)
        while resettles and not batch.full(most):
            each = resettles.pop(0)
            if self.timers.at(each.key) is not None:
                self._time = each.at
                batch.resettle(each)
        self._unsettled[1].extend(each.key for each in reversed(resettles))
        if judged and not records and not self._unsettled[1]:
            self._settled = self._unsettled[0]
        self._renew(batch, context)
        self._seq += 1
        position = Position(
            seq=self._seq,
            positions=dict(self.positions),
            time=self._time,
            at=wall(),
            settled=self._settled,
            partitions=self._partitions,
            read=self.limit.read,
            unreadable=self.limit.unreadable,
        )
        return batch.done(position)

    def _decide_records(self, batch: "_Batch", waiting: deque[tuple[Record, int]], most: int) -> deque[tuple[Record, int]]:
        """Decide records with their times, as many as the batch may have; return those that wait for the next one."""
        while waiting and not batch.full(most) and not self._is_due(self.watermark):
            record, at = waiting[0]
            why = self._why_record_set_aside(record)
            if why is not None and not batch.empty():
                break
            if why is None and not batch.settle_before(record, max(self._time, at), most if self.queue else None):
                break
            waiting.popleft()
            self._time = max(self._time, at)
            if why is None:
                batch.record(record)
            else:
                batch.set_record_aside(record, why)
            self._dequeue(record)
        return waiting

    def has_renewals(self, context: Context) -> bool:
        """Whether rows of the memory table are to be written again since other keys are in force."""
        table = self._stage.table
        if table is not None and context.seal.key_id != self._unrenewed[0]:
            self._unrenewed = (context.seal.key_id, [key for key, each in self.table.items() if table.renew(key, each, context)])
        return bool(self._unrenewed[1])

    def _renew(self, batch: "_Batch", context: Context) -> None:
        """Write some rows of the memory table again, as the keys in force have them."""
        table = self._stage.table
        if table is None or not self.has_renewals(context):
            return
        left = self._unrenewed[1]
        for key in [left.pop() for _ in range(min(RENEWALS, len(left)))]:
            row = self.table.get(key)
            renewed = None if row is None else table.renew(key, row, context)
            if renewed is not None:
                batch.write(Output(table.topic, key, renewed))

    def _not_ahead(self, at: int) -> int:
        """Return the time, at most now: a time from a clock that runs ahead would end every hold."""
        return self.now if self.now is not None and at > self.now + AHEAD else at

    def set_row(self, key: str, record: Any) -> None:
        """Replace a row of the memory table; None takes it out."""
        if record is None:
            self.table.pop(key, None)
        else:
            self.table[key] = record

    def _fire(self, batch: "_Batch", until: int, most: int) -> None:
        """Decide the timers that are due by `until`, as many as the batch may have."""
        self._until = until
        while not batch.full(most) and self._is_due(until):
            if (why := self._why_timer_set_aside()) is not None and not batch.empty():
                return
            timer = self.timers.take(until)
            if timer is None:
                return
            self._time = max(self._time, timer[1])
            if why is None:
                batch.wake(*timer, until)
            else:
                batch.set_timer_aside(*timer, why)

    def sets_aside_next(self) -> bool:
        """Whether the next record or timer is to be set aside, in a transaction of its own."""
        return (bool(self.queue) and self._why_record_set_aside(self.queue[0][1]) is not None) or self._why_timer_set_aside() is not None

    def _why_record_set_aside(self, record: Record) -> str | None:
        attempts = self.attempts
        return attempts.why_set_aside(record_name(record)) if attempts is not None and attempts.any_known() else None

    def _why_timer_set_aside(self) -> str | None:
        """Return why the timer that fires next is to be set aside; None if it is not."""
        attempts, at = self.attempts, self.timers.next()
        if attempts is None or at is None or not attempts.any_known():
            return None
        first = self.timers.first(max(at, self._until))
        return None if first is None else attempts.why_set_aside(timer_name(self._stage.name, self.partition, *first))

    def _is_due(self, until: int) -> bool:
        at = self.timers.next()
        return at is not None and at <= until

    def _dequeue(self, record: Record) -> None:
        """Move past a record that was decided, if it is of the queue."""
        if self.queue and self.queue[0][1] is record:
            topic, _ = self.queue.popleft()
            self.positions[topic] = record.offset + 1
            self.moved = True

    def _next_to_resettle(self, rules: str, most: int) -> list[str]:
        """Return the next keys that have not been judged by the rules and settings in force."""
        if rules != self._unsettled[0]:
            self._unsettled = (rules, self.timers.keys() if self._stage.resettles else [])
        left = self._unsettled[1]
        return [left.pop() for _ in range(min(most, len(left)))]


class _Batch:
    """The batch being decided."""

    def __init__(self, task: Task, stage: Stage[Any], read: Read, codec: Codec, context: Context) -> None:
        self.result = BatchResult(Position(0, {}))
        self.states = States(stage, read, codec.states(format_of(stage)))
        self._timers: dict[str, int | None] = {}  # as they were before the batch, of every key touched
        self._regraded: set[str] = set()  # keys whose timer became urgent, or no longer is
        self._deadline = stage.deadline
        self._is_urgent = stage.is_urgent
        self._task = task
        self._stage = stage
        self._codec = codec
        self._context = context

    def full(self, most: int) -> bool:
        """Whether the batch may have no more inputs; it always has one, whatever follows from it."""
        result = self.result
        return (
            bool(result.set_aside)
            or result.records + result.wakes >= most
            or len(result.outputs) >= OUTPUTS_PER_INPUT * most
            or result.bytes >= BYTES_PER_INPUT * most
        )

    def empty(self) -> bool:
        """Whether the batch has no input yet: what is set aside is committed alone."""
        return not self.result.records and not self.result.wakes

    def settle_before(self, record: Record, time: int, most: int | None) -> bool:
        """
        Decide the timers of a record's states that are due before it.

        Return False if the batch is full with them: the record waits for another. Without `most` it has room for all.
        """
        first, attempts = self._task.timers.next(), self._task.attempts
        if first is None or first > time or self._is_unreadable(record):
            return True
        with Attempt(attempts, record_name(record)) if attempts is not None else nullcontext():
            while (due := self._first_due(self.states.of(record), time)) is not None:
                if most is not None and self.full(most):
                    return False
                self._task.timers.set(due[1], None)
                self._wake_before(due[1], due[0], time)
        return most is None or not self.full(most)

    def _is_unreadable(self, record: Record) -> bool:
        """Whether it is a record of the pipeline's own that cannot be read."""
        return type(record.value) is Unreadable and record.topic not in self._outsiders()

    def record(self, record: Record) -> None:
        """Decide one record, whose states' timers have been settled; one of the pipeline's own that cannot be read is a dead letter."""
        self.result.records += 1
        self.result.bytes += len(record.raw or b"")
        value = record.value
        if self._is_unreadable(record):
            self._task.limit.count(bad=True)
            letter = dead_letter(record, self._stage.name, value)
            self._write(Output(DEAD_LETTERS, letter.dead_letter_id, letter), None)
            self.result.verdicts.append(
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
        attempts = self._task.attempts
        if attempts is None:
            self._take(self._decision_on(record), record)
            return
        with Attempt(attempts, record_name(record)):
            decision = self._decision_on(record)
        self._take(decision, record)

    def _decision_on(self, record: Record) -> Decision[Any]:
        """Return the stage's decision on a record."""
        return self._stage.decide(record, self.states.of(record), self._context)

    def _wake_before(self, key: str, at: int, now: int) -> None:
        """Decide a timer that comes before a record; one on which the stage fails is set aside with it."""
        attempts = self._task.attempts
        why = None if attempts is None else attempts.why_set_aside(self._timer_name(key, at))
        if why is None:
            self.wake(key, at, now)
        else:
            self.set_timer_aside(key, at, why)

    def _first_due(self, states: Iterable[str], time: int) -> tuple[int, str] | None:
        """Return the first timer of these states that is due by `time`, with its key."""
        timers = self._task.timers
        first = timers.next()
        if first is None or first > time:
            return None
        return min(((at, key) for key in states if (at := timers.at(key)) is not None and at <= time), default=None)

    def wake(self, key: str, at: int, now: int) -> None:
        """Decide a timer that fired; it is set again if its state still has a deadline."""
        self.result.wakes += 1
        self._timers.setdefault(key, at)
        wake, attempts = Wake(key, at, now), self._task.attempts
        if attempts is None:
            self._fire(wake)
            return
        with Attempt(attempts, self._timer_name(key, at)):
            self._fire(wake)

    def _fire(self, wake: Wake) -> None:
        before = self.states.of(wake)
        decision = self._stage.decide(wake, before, self._context)
        if wake.key not in decision.states and (state := before.get(wake.key)) is not None:
            self._arm(wake.key, state)
        self._take(decision, None)

    def _seals(self, record: Record) -> tuple[Seal, Seal | None]:
        """Return the seal of the file's keys, and that of the registrant whom the record is about if they have one."""
        table, key = self._stage.table, record.key or ""
        row = self._task.table.get(key)
        return self._context.seal, None if table is None or row is None else table.seal_of(key, row, self._context)

    def _timer_name(self, key: str, at: int) -> str:
        return timer_name(self._stage.name, self._task.partition, key, at)

    def set_record_aside(self, record: Record, why: str) -> None:
        """Write a dead letter in the place of a decision."""
        self.result.records += 1
        self._set_aside(record_name(record), quarantined_record(record, self._stage.name, why, *self._seals(record)), record.timestamp)

    def set_timer_aside(self, key: str, at: int, why: str) -> None:
        """Write a dead letter in the place of a decision; the timer is tried again later."""
        name = self._timer_name(key, at)
        self.result.wakes += 1
        self._timers.setdefault(key, at)
        self._set_aside(name, quarantined_timer(Wake(key, at), self._stage.name, self._task.partition, name, why), at)
        self._task.timers.set(key, at + RETRY)

    def _set_aside(self, name: str, letter: DeadLetter, at: int) -> None:
        self.result.set_aside.append(name)
        self._write(Output(DEAD_LETTERS, letter.dead_letter_id, letter), None)
        self.result.verdicts.append(
            Verdict(
                stage=self._stage.name,
                message_id=letter.dead_letter_id,
                outcome="rejected",
                reason=letter.reason,
                detail=letter.detail,
                at=at,
            )
        )

    def resettle(self, each: Resettle) -> None:
        """Judge what waits under a key by the rules and settings in force."""
        self.result.wakes += 1
        self._decide(each, None)

    def done(self, position: Position) -> BatchResult:
        """Return the batch's result, every changed key encoded once."""
        result, encode, encode_state, number = self.result, self._codec.encode, self._codec.encode_state, latest(self._stage.name)
        result.position = position
        for key, state in self.states.changed.items():
            result.changes[b"=" + key.encode()] = None if state is None else encode_state(state, number)
        for key, before in self._timers.items():
            if (at := self._task.timers.at(key)) != before or key in self._regraded:
                result.changes[b"@" + key.encode()] = None if at is None else encode(Timer(at, self._task.timers.is_urgent(key)))
        return result

    def _decide(self, each: Input, record: Record | None) -> None:
        self._take(self._stage.decide(each, self.states.of(each), self._context), record)

    def _take(self, decision: Decision[Any], record: Record | None) -> None:
        if decision.states:
            self.states.change(decision.states)
            for key, state in decision.states.items():
                self._arm(key, state)
        for output in decision.outputs:
            self._write(output, record)
        self.result.verdicts += decision.verdicts
        if record is not None and record.traceparent:
            self.result.traceparents |= {(each.ori, each.message_id): record.traceparent for each in decision.verdicts}

    def _arm(self, key: str, state: Any | None) -> None:
        """Set the key's timer to the deadline of its state."""
        timers = self._task.timers
        at, before = None if state is None else self._deadline(state), timers.at(key)
        urgent = at is not None and self._is_urgent(state)
        if urgent != timers.is_urgent(key):
            self._regraded.add(key)
        elif at == before:
            return
        self._timers.setdefault(key, before)
        timers.set(key, at, urgent=urgent)

    def write(self, output: Output) -> None:
        """Write a record that follows from no input."""
        self._write(output, None)

    def _write(self, output: Output, record: Record | None) -> None:
        result, value, raw = self.result, output.value, None
        if self._stage.table is not None and output.topic is self._stage.table.topic:
            self._task.set_row(output.key or "", value)
        if value is not None:
            raw = record.raw if record is not None and value is record.value else self._codec.encode(value)
        if output.counts_as:
            result.counts.append((output.topic.name, output.counts_as))
        if output.timing is not None:
            result.timings.append(output.timing)
        if raw is not None:
            result.bytes += len(raw)
        headers = output.headers or headers_of(value, None if record is None else record.traceparent)
        result.outputs.append(Written(output.topic, None if output.key is None else output.key.encode(), raw, headers))

    def _outsiders(self) -> Iterable[str]:
        return (topic.name for topic in self._stage.inputs if topic.external)


def arrival(record: Record) -> int:
    """Return the receive time of the message a record stems from; the record's own time if it bears none."""
    value = record.value
    at: int | None = getattr(value, "received_at", None)
    if at is None:
        at = getattr(getattr(value, "event", None), "received_at", None)
    return at or record.timestamp
