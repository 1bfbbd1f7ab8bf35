"""One batch of one partition: its inputs are decided one after the other, and what follows from each is gathered here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from processors.domain.erasure import letter_key
from processors.domain.journal import DeadLetter, Unreadable, Verdict
from processors.domain.seal import Seal
from processors.domain.trace import Headers, headers_of
from processors.runtime.decide.dead_letters import (
    Owner,
    dead_letter,
    owner_of,
    quarantined_record,
    quarantined_timer,
    record_name,
    timer_name,
)
from processors.runtime.decide.states import Read, States
from processors.runtime.wire.changelog import Position, Timer
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.states import format_of, latest
from processors.stage import Context, Decision, Input, Output, Record, Resettle, Stage, Timing, Wake, no_deadline, not_urgent
from processors.topics import DEAD_LETTER_KEYS, DEAD_LETTERS, Topic

if TYPE_CHECKING:
    from processors.runtime.decide.task import Task

OUTPUTS_PER_INPUT: Final = 4  # beyond this many outputs for each input that a batch may have, it takes no more inputs
RETRY: Final = 3_600_000  # milliseconds until a timer that was set aside is tried again
BYTES_PER_INPUT: Final = 8_192  # the same for bytes of records and outputs


class OutputRecord(Struct, frozen=True, gc=False):
    """One output as it is produced."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    at: int = 0  # the time of the input that led to it


@dataclass(slots=True)
class BatchResult:
    """The result of one batch on one partition; it is committed whole or not at all."""

    position: Position
    outputs: list[OutputRecord] = field(default_factory=list)
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


class Batch:
    """The batch being decided."""

    def __init__(self, task: "Task", stage: Stage[Any], read: Read, codec: Codec, context: Context) -> None:
        self.result = BatchResult(Position(0, {}))
        self.states = States(stage, read, codec.states(format_of(stage)))
        self._timers: dict[str, int | None] = {}  # as they were before the batch, of every key touched
        self._regraded: set[str] = set()  # keys whose timer became urgent, or no longer is
        self._deadline = None if stage.deadline is no_deadline else stage.deadline
        self._is_urgent = None if stage.is_urgent is not_urgent else stage.is_urgent
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
        attempts = self._task.attempts
        if not self._task.timers.is_due(time) or self._is_unreadable(record):
            return True
        if attempts is None:
            return self._settle(record, time, most)
        name = record_name(record)
        attempts.in_work.put(name)
        try:
            return self._settle(record, time, most)
        except Exception as error:  # noqa: BLE001  it is counted, and raised as what the runner does about it
            attempts.raise_for(name, error)

    def _settle(self, record: Record, time: int, most: int | None) -> bool:
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
        if type(record.value) is Unreadable and self._is_unreadable(record):
            self._write_dead_letter(record, record.value)
            return
        self._task.limit.read += 1
        attempts = self._task.attempts
        if attempts is None:
            self._take(self._stage.decide(record, self.states.of(record), self._context), record)
            return
        name = record_name(record)
        attempts.in_work.put(name)
        try:
            decision = self._stage.decide(record, self.states.of(record), self._context)
        except Exception as error:  # noqa: BLE001  it is counted, and raised as what the runner does about it
            attempts.raise_for(name, error)
        self._take(decision, record)

    def _write_dead_letter(self, record: Record, unreadable: Unreadable) -> None:
        """Write a dead letter for a record of the pipeline's own that cannot be read; raises Stop if there are too many."""
        self._task.limit.count_bad()
        letter = dead_letter(record, self._stage.name, unreadable)
        self._reject(letter, record.timestamp)

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
        if not timers.is_due(time):
            return None
        return min(((at, key) for key in states if (at := timers.at(key)) is not None and at <= time), default=None)

    def wake(self, key: str, at: int, now: int) -> None:
        """Decide a timer that fired; it is set again if its state still has a deadline."""
        self.result.wakes += 1
        self._timers.setdefault(key, at)
        wake, attempts = Wake(key, at, now, self._task.now or 0), self._task.attempts
        if attempts is None:
            self._fire(wake)
            return
        name = self._timer_name(key, at)
        attempts.in_work.put(name)
        try:
            self._fire(wake)
        except Exception as error:  # noqa: BLE001  it is counted, and raised as what the runner does about it
            attempts.raise_for(name, error)

    def _fire(self, wake: Wake) -> None:
        before = self.states.of(wake)
        decision = self._stage.decide(wake, before, self._context)
        if wake.key not in decision.states and (state := before.get(wake.key)) is not None:
            self._set_timer(wake.key, self._stage.deadline(state), state)
        self._take(decision, None)

    def _own_seal(self, record: Record) -> Seal | None:
        """Return the seal of the registrant whom the record is about, if they have one."""
        table, key = self._stage.table, record.key or ""
        row = self._task.table.get(key)
        return None if table is None or row is None else table.seal_of(key, row, self._context)

    def _letter_seal(self, name: str) -> Seal:
        """Return the seal of a dead letter that may hold the data of a registrant; write its key."""
        drawn = self._context.draw(name)
        self._write(Output(DEAD_LETTER_KEYS, name, letter_key(name, drawn, self._context.seal)), None)
        return Seal(drawn)

    def _timer_name(self, key: str, at: int) -> str:
        return timer_name(self._stage.name, self._task.partition, key, at)

    def set_record_aside(self, record: Record, why: str) -> None:
        """Write a dead letter in the place of a decision."""
        self.result.records += 1
        name, seal, owner = record_name(record), self._context.seal, Owner()
        if DEAD_LETTER_KEYS in self._stage.outputs and record.raw is not None:
            owner = owner_of(record, self._stage.registrant, seal)
        if owner != Owner():
            seal = self._own_seal(record) or self._letter_seal(name)
        self._set_aside(name, quarantined_record(record, self._stage.name, why, seal, owner), record.timestamp)

    def set_timer_aside(self, key: str, at: int, why: str) -> None:
        """Write a dead letter in the place of a decision; the timer is tried again later."""
        name = self._timer_name(key, at)
        self.result.wakes += 1
        self._timers.setdefault(key, at)
        self._set_aside(name, quarantined_timer(Wake(key, at), self._stage.name, self._task.partition, name, why), at)
        self._task.timers.set(key, at + RETRY)

    def _set_aside(self, name: str, letter: DeadLetter, at: int) -> None:
        self.result.set_aside.append(name)
        self._reject(letter, at)

    def _reject(self, letter: DeadLetter, at: int) -> None:
        """Write a dead letter and its verdict."""
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
            if (deadline := self._deadline) is not None:
                timer_at = self._task.timers.at
                for key, state in decision.states.items():
                    at = None if state is None else deadline(state)
                    if at is not None or timer_at(key) is not None:
                        self._set_timer(key, at, state)
        for output in decision.outputs:
            self._write(output, record)
        self.result.verdicts += decision.verdicts
        if record is not None and record.traceparent:
            self.result.traceparents |= {(each.ori, each.message_id): record.traceparent for each in decision.verdicts}

    def _set_timer(self, key: str, at: int | None, state: Any | None) -> None:
        """Set the key's timer to the deadline of its state, None for none."""
        timers = self._task.timers
        before = timers.at(key)
        urgent = at is not None and self._is_urgent is not None and self._is_urgent(state)
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
        result.outputs.append(
            OutputRecord(output.topic, None if output.key is None else output.key.encode(), raw, headers, self._task.time)
        )

    def _outsiders(self) -> Iterable[str]:
        return (topic.name for topic in self._stage.inputs if topic.external)
