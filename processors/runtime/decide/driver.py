"""
The whole pipeline in memory: the same stages, tasks and wire encodings, with a clock that the test moves.

Every topic has one partition. The last stage that has work to do goes first, one record or timer at a time, until no stage
has any; then the clock may move, from one due timer to the next, as with `VN_CLOCK=topic`. The same inputs give the same
bytes.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from processors.domain.journal import Unreadable, Verdict, Verdicts
from processors.domain.notification import Outbound
from processors.domain.policy import Policy, policy_key
from processors.domain.review import Review, ReviewAction
from processors.domain.seal import Seal
from processors.domain.trace import Headers, header_in
from processors.rules.rule_set import Rules
from processors.runtime.decide.task import Task, receive_time
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec, Undecodable, iso
from processors.runtime.wire.states import state_format
from processors.stage import Context, Record, Stage, upstream
from processors.topics import DECISIONS, OUTBOUND, POLICIES, RECEIPTS, REGISTRATIONS, REVIEW_ACTIONS, REVIEWS, SUBMISSIONS, Topic

Message = Mapping[str, Any] | Struct | bytes | str

START: Final = datetime.fromisoformat("2026-11-02T12:00:00-05:00")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One record in a topic; `seq` numbers the records of all topics in the order of writing."""

    seq: int
    offset: int
    timestamp: int
    key: str | None
    value: bytes | None
    headers: Headers = ()


@dataclass(slots=True)
class StatesInMemory:
    """A stage's states and timers as the changelog would hold them."""

    fields: dict[bytes, bytes] = field(default_factory=dict)

    def read(self, names: Sequence[bytes]) -> Sequence[bytes | None]:
        return [self.fields.get(name) for name in names]

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Apply a batch's changes as replaying the changelog would."""
        for name, value in changes.items():
            if value is None:
                self.fields.pop(name, None)
            else:
                self.fields[name] = value


@dataclass(slots=True)
class RunningStage:
    """One stage with its task and its states."""

    stage: Stage[Any]
    upstream: tuple[Stage[Any], ...]
    task: Task
    states: StatesInMemory = field(default_factory=StatesInMemory)


class PipelineDriver:
    """
    A pipeline in memory: accepts messages, moves its clock, and shows its topics and states.

    `pipeline` is `processors.pipeline.PIPELINE`, `key` a key of 64 bytes as in `VN_KEY_FILE`. Each call returns when everything
    that follows from it has been decided, except by stages on hold.
    """

    def __init__(self, pipeline: Mapping[str, tuple[Stage[Any], ...]], rules: Rules, key: bytes, start: datetime = START) -> None:
        self.now = _milliseconds(start)
        self.codec = Codec()
        self._rules = rules
        self._context = Context(rules, Seal(key), draw=repeatable_bytes)
        self._policies: dict[str, Policy] = {}
        self._topics: dict[str, list[LogEntry]] = {}
        self._written = 0
        stages = [stage for stages in pipeline.values() for stage in stages]
        self._stages = [_start_stage(stage, upstream(stage, stages)) for stage in stages]
        self._on_hold: set[str] = set()

    # Inputs

    def send(self, topic: Topic, value: Message | None, key: str | None = None, headers: Headers = ()) -> None:
        """Write one record to a topic."""
        self._append(topic, key, None if value is None else self._raw(value), headers)
        self._run()

    def submit(self, *submissions: Message) -> None:
        """Submit messages: mappings as JSON, text and bytes unchanged."""
        for submission in submissions:
            self.send(SUBMISSIONS, submission)

    def register(self, *registrations: Mapping[str, Any]) -> None:
        """Send registrations."""
        for registration in registrations:
            self.send(REGISTRATIONS, registration, str(registration.get("registration_id")))

    def unregister(self, registration_id: str) -> None:
        """End a registration."""
        self.send(REGISTRATIONS, None, registration_id)

    def receipt(self, reference: str, status: str, **fields: Any) -> None:
        """Send a provider's delivery receipt for an attempt."""
        self.send(RECEIPTS, {"reference": reference, "status": status, "occurred_at": iso(self.now), "provider": "test", **fields})

    def review(
        self,
        action: Literal["release", "discard"],
        review_id: str | None = None,
        *,
        group: str | None = None,
        reason: str = "checked",
        reviewer: str = "reviewer",
    ) -> None:
        """Send a reviewer's decision on one review or a group."""
        decided = ReviewAction(action=action, reason=reason, reviewer=reviewer, review_id=review_id, group=group)
        self.send(REVIEW_ACTIONS, decided, review_id or group)

    def set_policy(self, key: str, value: str | None, **scope: str) -> None:
        """Set a setting; None unsets it."""
        policy = Policy(key=key, value=value or "", set_by="test", set_at=self.now, **scope)
        name = policy_key(policy)
        if value is None:
            self._policies.pop(name, None)
        else:
            self._policies[name] = policy
        self._context = replace(self._context, rules=self._rules.with_policies(list(self._policies.values())))
        self.send(POLICIES, None if value is None else policy, name)

    # Time

    def advance(self, duration: timedelta) -> None:
        """Move the clock forward, firing timers in order."""
        self.advance_to(self.now + duration // timedelta(milliseconds=1))

    def advance_to(self, moment: int | datetime) -> None:
        """Move the clock forward to `moment` (milliseconds or datetime), firing timers in order."""
        until = moment if isinstance(moment, int) else _milliseconds(moment)
        while (due := self.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self._run()
        self.now = max(self.now, until)

    def next_due(self) -> int | None:
        """Return when the next timer of any stage is due; timers that wait for a stage on hold are not counted."""
        dues = (running.task.timers.next() for running in self._stages)
        return min((due for due in dues if due is not None and (due > self.now or not self._on_hold)), default=None)

    # Outages

    def hold(self, stage: str) -> None:
        """Pause a stage until `release`, as if none of its copies were running."""
        self._on_hold.add(self._stage_named(stage).stage.name)

    def release(self, stage: str) -> None:
        """Resume a stage that was on hold."""
        self._on_hold.remove(stage)
        self._run()

    # Outputs

    def entries(self, topic: Topic | str) -> list[LogEntry]:
        """Return a topic's records."""
        return list(self._topics.get(topic if isinstance(topic, str) else topic.name, ()))

    def log(self) -> dict[str, list[tuple[str | None, bytes | None]]]:
        """Return every topic's keys and values; the same inputs give the same log."""
        return {name: [(entry.key, entry.value) for entry in entries] for name, entries in sorted(self._topics.items())}

    def records(self, topic: Topic | str) -> list[Any]:
        """Return a topic's values, decoded; None for a tombstone."""
        return [None if entry.value is None else self.codec.decode(entry.value) for entry in self.entries(topic)]

    def latest(self, topic: Topic | str) -> dict[str, Any]:
        """Return the last value of every key of a topic, as compaction would leave it."""
        found = {entry.key or "": entry.value for entry in self.entries(topic)}
        return {key: self.codec.decode(value) for key, value in found.items() if value is not None}

    def outbound(self, channel: str | None = None) -> list[Outbound]:
        """Return what was sent to the providers, in order."""
        topics = [OUTBOUND[channel]] if channel else list(OUTBOUND.values())
        entries = sorted((entry for topic in topics for entry in self.entries(topic)), key=lambda entry: entry.seq)
        return [self.codec.decode(entry.value) for entry in entries if entry.value is not None]

    def verdicts(self, message_id: str | None = None) -> list[Verdict]:
        """Return the verdicts on a message, or all, in order."""
        verdicts = [verdict for batch in self.records(DECISIONS) for verdict in batch.verdicts]
        return verdicts if message_id is None else [verdict for verdict in verdicts if verdict.message_id == message_id]

    def explain(self, message_id: str | None = None) -> str:
        """Return the verdicts as text, one per line."""
        return "\n".join(
            f"{iso(each.at)} {each.message_id} {each.stage}: {each.outcome}, {each.reason}: {each.detail}"
            for each in self.verdicts(message_id)
        )

    def reviews(self, state: str | None = "open") -> list[Review]:
        """Return the reviews in a state, or all."""
        return [review for review in self.latest(REVIEWS).values() if state is None or review.state == state]

    def state(self, stage: str, key: str) -> Any:
        """Return a stage's state of a key; None if it has none."""
        running = self._stage_named(stage)
        raw = running.states.fields.get(b"=" + key.encode())
        return None if raw is None else self.codec.states(state_format(running.stage))(raw)

    def documents(self, stage: str) -> list[bytes]:
        """Return every state of a stage as its JSON document."""
        return [self.codec.decode(value).state for name, value in self._stage_named(stage).states.fields.items() if name.startswith(b"=")]

    def keys(self, stage: str) -> list[str]:
        """Return the keys under which a stage has a state."""
        return sorted(name[1:].decode() for name in self._stage_named(stage).states.fields if name.startswith(b"="))

    # Processing

    def _run(self) -> None:
        """Decide until no stage has any work left at this time."""
        while self._step():
            pass

    def _step(self) -> bool:
        """Let the last stage that has work decide one record or timer; return whether there was one."""
        for running in reversed(self._stages):
            if running.stage.name in self._on_hold:
                continue
            record = self._next(running)
            if record is not None:
                running.task.advance(record.topic, record.offset)
                self._decide(running, [record], None)
                return True
            version = self._context.rules.version
            if running.task.awaited_watermark(self.now, version) is not None:
                watermark = self._watermark(running)
                if running.task.has_due(watermark, self.now, version):
                    self._decide(running, [], watermark)
                    return True
        return False

    def _watermark(self, running: RunningStage) -> int:
        """Return the time up to which every received message has reached the stage."""
        time = self.now
        for name in (running.stage.name, *(each.name for each in running.upstream)):
            each = self._stage_named(name)
            time = min([time, *map(receive_time, self._unread(each))])
            if each is not running and (due := each.task.timers.next()) is not None:
                time = min(time, due)
        return time

    def _unread(self, running: RunningStage) -> Iterator[Record]:
        """Yield the records of the stage's inputs that it has not read."""
        for topic in running.stage.inputs:
            for entry in self._topics.get(topic.name, ())[running.task.positions[topic.name] :]:
                yield self._record(topic, entry)

    def _decide(self, running: RunningStage, records: list[Record], watermark: int | None) -> None:
        if records:
            running.task.watermark = 0  # one input at a time: timers are decided by themselves
        work = running.task.decide(records, watermark, 1, running.states.read, self.codec, self._context)
        running.states.apply(work.changes)
        for each in work.outputs:
            self._append(each.topic, None if each.key is None else each.key.decode(), each.value, each.headers)
        if work.verdicts:
            self._append(DECISIONS, None, self.codec.encode(Verdicts(tuple(work.verdicts))))

    def _next(self, running: RunningStage) -> Record | None:
        """Return the oldest record of the stage's inputs that it has not read."""
        waiting = (
            (self._topics[topic.name][offset], topic)
            for topic in running.stage.inputs
            if (offset := running.task.positions[topic.name]) < len(self._topics.get(topic.name, ()))
        )
        found = min(waiting, key=lambda each: each[0].seq, default=None)
        if found is None:
            return None
        entry, topic = found
        return self._record(topic, entry)

    def _record(self, topic: Topic, entry: LogEntry) -> Record:
        context = header_in(entry.headers)
        return Record(
            topic.name, 0, entry.offset, entry.key, entry.timestamp, self._value(topic, entry.value), entry.value, context, self.now
        )

    def _value(self, topic: Topic, raw: bytes | None) -> Any:
        if raw is None:
            return None
        if topic.external:
            return self.codec.decode_external(raw)
        try:
            return self.codec.decode(raw)
        except Undecodable as error:
            return Unreadable(error.unreadable.reason, error.unreadable.detail)

    def _append(self, topic: Topic, key: str | None, value: bytes | None, headers: Headers = ()) -> None:
        entries = self._topics.setdefault(topic.name, [])
        entries.append(LogEntry(self._written, len(entries), self.now, key, value, headers))
        self._written += 1

    def _raw(self, value: Message) -> bytes:
        if isinstance(value, bytes):
            return value
        if isinstance(value, str):
            return value.encode()
        return self.codec.encode(value) if isinstance(value, Struct) else msgspec.json.encode(value)

    def _stage_named(self, stage: str) -> RunningStage:
        return next(running for running in self._stages if running.stage.name == stage)


def repeatable_bytes(purpose: str) -> bytes:
    """Return 64 bytes that are always the same for a purpose; only for data that is not kept."""
    return hashlib.blake2b(purpose.encode()).digest()


def _start_stage(stage: Stage[Any], before: tuple[Stage[Any], ...]) -> RunningStage:
    start = {topic.name: 0 for topic in stage.inputs}
    return RunningStage(stage, before, Task(stage, 0, Position(0, start), dict(start), {}))


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, moment.tzinfo)) // timedelta(milliseconds=1)
