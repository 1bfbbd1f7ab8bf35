"""One batch of one partition: decides its inputs one after the other and collects the results."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from processors.dead_letter_seal import new_dead_letter_seal
from processors.domain.journal import DeadLetter, Unreadable, Verdict
from processors.domain.seal import Seal
from processors.domain.trace import Headers, headers_of
from processors.runtime.decide.dead_letters import (
    DataSubject,
    data_subject_of,
    quarantined_record,
    quarantined_timer,
    record_name,
    timer_name,
    unreadable_dead_letter,
)
from processors.runtime.decide.states import ReadFields, States
from processors.runtime.wire.changelog import Position, Timer
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.states import latest_format, state_format
from processors.stage import Context, Decision, Output, Record, RulesChanged, Stage, TimerFired, Timing, no_deadline, not_urgent
from processors.topics import DEAD_LETTER_KEYS, DEAD_LETTERS, Topic

if TYPE_CHECKING:
    from processors.runtime.decide.task import Task

OUTPUTS_PER_INPUT: Final = 4  # a batch of at most n inputs takes no more of them once it has this many times n outputs
BYTES_PER_INPUT: Final = 8_192  # the same for the bytes of records and outputs
TIMER_RETRY: Final = 3_600_000  # milliseconds until a timer that was quarantined is tried again


class OutputRecord(Struct, frozen=True, gc=False):
    """One output as it is produced."""

    topic: Topic
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    at: int = 0  # the time of the input that it follows from


@dataclass(slots=True)
class BatchResult:
    """The result of one batch on one partition; committed as a whole or not at all."""

    position: Position
    outputs: list[OutputRecord] = field(default_factory=list)
    changes: dict[bytes, bytes | None] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    records: int = 0
    timers: int = 0
    bytes: int = 0  # of the records and outputs
    quarantined: list[str] = field(default_factory=list)  # names of inputs that became dead letters instead
    oldest: int | None = None  # receive time of the batch's oldest message
    timings: list[Timing] = field(default_factory=list)
    counts: list[tuple[str, str]] = field(default_factory=list)
    traceparents: dict[tuple[str | None, str], str] = field(
        default_factory=dict
    )  # of messages that came with one, by agency and message id


class Batch:
    """The batch being decided."""

    def __init__(self, task: "Task", stage: Stage[Any], read: ReadFields, codec: Codec, context: Context) -> None:
        self.result = BatchResult(Position(0, {}))
        self.states = States(stage, read, codec.states(state_format(stage)))
        self._timers: dict[str, int | None] = {}  # the timer before the batch of every key touched
        self._urgency_changed: set[str] = set()  # keys whose timer became urgent or stopped being so
        self._deadline = None if stage.deadline is no_deadline else stage.deadline
        self._is_urgent = None if stage.is_urgent is not_urgent else stage.is_urgent
        self._task = task
        self._stage = stage
        self._codec = codec
        self._context = context

    def is_full(self, most: int) -> bool:
        """Whether the batch may take no more inputs; it always takes at least one."""
        result = self.result
        return (
            bool(result.quarantined)
            or result.records + result.timers >= most
            or len(result.outputs) >= OUTPUTS_PER_INPUT * most
            or result.bytes >= BYTES_PER_INPUT * most
        )

    def is_empty(self) -> bool:
        """Whether the batch has no input yet: an input that is quarantined needs a batch of its own."""
        return not self.result.records and not self.result.timers

    def decide_timers_before(self, record: Record, time: int, most: int | None) -> bool:
        """
        Decide the timers of a record's states that are due before it.

        Return False if they fill the batch, so that the record must wait for the next one. `most` None means no limit.
        """
        failures = self._task.failures
        if not self._task.timers.is_due(time) or self._is_unreadable(record):
            return True
        if failures is None:
            return self._decide_timers_before(record, time, most)
        name = record_name(record)
        failures.current_input.set(name)
        try:
            return self._decide_timers_before(record, time, most)
        except Exception as error:  # noqa: BLE001  counted, and raised as an error that the runner handles
            failures.raise_for(name, error)

    def _decide_timers_before(self, record: Record, time: int, most: int | None) -> bool:
        while (due := self._first_due(self.states.of(record), time)) is not None:
            if most is not None and self.is_full(most):
                return False
            self._task.timers.set(due[1], None)
            self._decide_timer_before(due[1], due[0], time)
        return most is None or not self.is_full(most)

    def _is_unreadable(self, record: Record) -> bool:
        """Whether it is one of the pipeline's own records and cannot be read."""
        return type(record.value) is Unreadable and record.topic not in self._external_inputs()

    def decide_record(self, record: Record) -> None:
        """Decide one record; one of the pipeline's own records that cannot be read becomes a dead letter."""
        self.result.records += 1
        self.result.bytes += len(record.raw or b"")
        if type(record.value) is Unreadable and self._is_unreadable(record):
            self._write_dead_letter(record, record.value)
            return
        self._task.limit.read += 1
        failures = self._task.failures
        if failures is None:
            self._apply(self._stage.decide(record, self.states.of(record), self._context), record)
            return
        name = record_name(record)
        failures.current_input.set(name)
        try:
            decision = self._stage.decide(record, self.states.of(record), self._context)
        except Exception as error:  # noqa: BLE001  counted, and raised as an error that the runner handles
            failures.raise_for(name, error)
        self._apply(decision, record)

    def _write_dead_letter(self, record: Record, unreadable: Unreadable) -> None:
        """Write a dead letter for an unreadable record of the pipeline's own; raises Stop if there are too many."""
        self._task.limit.count_bad()
        letter = unreadable_dead_letter(record, self._stage.name, unreadable)
        self._reject(letter, record.timestamp)

    def _decide_timer_before(self, key: str, at: int, now: int) -> None:
        """Decide a timer that is due before a record, or set it aside if the stage has failed on it too often."""
        failures = self._task.failures
        why = None if failures is None else failures.why_quarantined(self._timer_name(key, at))
        if why is None:
            self.decide_timer(key, at, now)
        else:
            self.quarantine_timer(key, at, why)

    def _first_due(self, states: Iterable[str], time: int) -> tuple[int, str] | None:
        """Return the first timer of these states that is due by `time`, with its key."""
        timers = self._task.timers
        if not timers.is_due(time):
            return None
        return min(((at, key) for key in states if (at := timers.at(key)) is not None and at <= time), default=None)

    def decide_timer(self, key: str, at: int, now: int) -> None:
        """Decide a timer that fired; sets it again if its state still has a deadline."""
        self.result.timers += 1
        self._timers.setdefault(key, at)
        timer, failures = TimerFired(key, at, now, self._task.now or 0), self._task.failures
        if failures is None:
            self._fire(timer)
            return
        name = self._timer_name(key, at)
        failures.current_input.set(name)
        try:
            self._fire(timer)
        except Exception as error:  # noqa: BLE001  counted, and raised as an error that the runner handles
            failures.raise_for(name, error)

    def _fire(self, timer: TimerFired) -> None:
        before = self.states.of(timer)
        decision = self._stage.decide(timer, before, self._context)
        if timer.key not in decision.states and (state := before.get(timer.key)) is not None:
            self._set_timer(timer.key, self._stage.deadline(state), state)
        self._apply(decision, None)

    def _own_seal(self, record: Record) -> Seal | None:
        """Return the seal of the registrant that the record is about, if they have one."""
        table, key = self._stage.table, record.key or ""
        row = self._task.table.get(key)
        return None if table is None or row is None else table.seal_of(key, row, self._context)

    def _timer_name(self, key: str, at: int) -> str:
        return timer_name(self._stage.name, self._task.partition, key, at)

    def quarantine_record(self, record: Record, why: str) -> None:
        """Write a dead letter instead of a decision."""
        self.result.records += 1
        name, seal, owner = record_name(record), self._context.seal, DataSubject()
        if DEAD_LETTER_KEYS in self._stage.outputs and record.raw is not None:
            owner = data_subject_of(record, self._stage.registrant, seal)
        if owner != DataSubject() and (own_seal := self._own_seal(record)) is not None:
            seal = own_seal
        elif owner != DataSubject():
            seal, key = new_dead_letter_seal(name, self._context)
            self._write(key, None)
        self._quarantine(name, quarantined_record(record, self._stage.name, why, seal, owner), record.timestamp)

    def quarantine_timer(self, key: str, at: int, why: str) -> None:
        """Write a dead letter instead of a decision; the timer is tried again after TIMER_RETRY."""
        name = self._timer_name(key, at)
        self.result.timers += 1
        self._timers.setdefault(key, at)
        self._quarantine(name, quarantined_timer(TimerFired(key, at), self._stage.name, self._task.partition, name, why), at)
        self._task.timers.set(key, at + TIMER_RETRY)

    def _quarantine(self, name: str, letter: DeadLetter, at: int) -> None:
        self.result.quarantined.append(name)
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

    def decide_rules_change(self, change: RulesChanged) -> None:
        """Re-evaluate what waits under a key by the rules and settings in force."""
        self.result.timers += 1
        self._apply(self._stage.decide(change, self.states.of(change), self._context), None)

    def finish(self, position: Position) -> BatchResult:
        """Return the batch's result, with every changed key encoded once."""
        result, encode, encode_state, number = self.result, self._codec.encode, self._codec.encode_state, latest_format(self._stage.name)
        result.position = position
        for key, state in self.states.changed.items():
            result.changes[b"=" + key.encode()] = None if state is None else encode_state(state, number)
        for key, before in self._timers.items():
            if (at := self._task.timers.at(key)) != before or key in self._urgency_changed:
                result.changes[b"@" + key.encode()] = None if at is None else encode(Timer(at, self._task.timers.is_urgent(key)))
        return result

    def _apply(self, decision: Decision[Any], record: Record | None) -> None:
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
        """Set the key's timer to the deadline of its state; None clears it."""
        timers = self._task.timers
        before = timers.at(key)
        urgent = at is not None and self._is_urgent is not None and self._is_urgent(state)
        if urgent != timers.is_urgent(key):
            self._urgency_changed.add(key)
        elif at == before:
            return
        self._timers.setdefault(key, before)
        timers.set(key, at, urgent=urgent)

    def write(self, output: Output) -> None:
        """Write a record that does not follow from an input."""
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

    def _external_inputs(self) -> Iterable[str]:
        return (topic.name for topic in self._stage.inputs if topic.external)
