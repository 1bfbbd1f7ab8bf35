"""
The stages without broker and store: what each costs a record, in CPU time.

The same tasks, codec, wire bytes and settings of the garbage collector as in the runner, in batches; only what librdkafka and
Redis do is left out. These figures hardly depend on what else the machine does.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from cProfile import Profile
from dataclasses import dataclass, field
from statistics import median
from time import process_time, time_ns
from typing import Any, Final, Protocol

from bench import feed
from processors.domain.journal import Verdict
from processors.domain.policy import Policy
from processors.domain.seal import Seal
from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.runtime.decide.driver import StatesInMemory, repeatable_bytes
from processors.runtime.decide.task import Task
from processors.runtime.run.journal import split_journal
from processors.runtime.run.supervise import GC_THRESHOLD
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Context, Record, Stage
from processors.topics import REGISTRATIONS, SUBMISSIONS, Topic

BATCH: Final = 500
POLICIES: Final = {"surge.limit": "none", "quiet.hours": "none", "merge.window": "0s"}
StoredRecord = tuple[bytes | None, bytes | None]


@dataclass(slots=True)
class Cost:
    records: int = 0
    batches: list[float] = field(default_factory=list)  # microseconds a record
    outcomes: dict[str, int] = field(default_factory=dict)
    journal: int = 0  # bytes
    changes: int = 0  # bytes of the changelog, keys included

    @property
    def micros(self) -> float:
        """Microseconds a record in the median batch, so that neither warm-up nor another process's burst counts."""
        return median(self.batches)

    def count(self, records: int, seconds: float) -> None:
        self.records += records
        self.batches.append(1e6 * seconds / records)


class States(Protocol):
    """Stores a stage's states and timers between batches."""

    def read(self, names: Sequence[bytes]) -> Sequence[bytes | None]: ...

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None: ...


class RunningStage:
    """One stage on one partition."""

    def __init__(self, stage: Stage[Any], codec: Codec, context: Context, states: States | None = None) -> None:
        positions = {topic.name: 0 for topic in stage.inputs}
        self.stage = stage
        self.cost = Cost()
        self.states = states or StatesInMemory()
        self._task = Task(stage, 0, Position(0, positions), dict(positions), {})
        self._codec = codec
        self._context = context
        self._offsets = dict(positions)

    def work(self, topic: Topic, stored: Sequence[StoredRecord]) -> Iterator[tuple[str, StoredRecord]]:
        """Decide records as the runner does; yield the records written, by topic."""
        for start in range(0, len(stored), BATCH):
            began = process_time()
            records = [self._record(topic, *each) for each in stored[start : start + BATCH]]
            work = self._task.decide(records, None, BATCH, self.states.read, self._codec, self._context)
            journal = split_journal(work.verdicts, self._codec.encode)
            self.cost.count(len(records), process_time() - began)
            self.cost.journal += sum(map(len, journal))
            self._count(work.verdicts)
            self.cost.changes += sum(len(name) + len(value or b"") for name, value in work.changes.items())
            self.states.apply(work.changes)
            yield from ((each.topic.name, (each.key, each.value)) for each in work.outputs)

    def _record(self, topic: Topic, key: bytes | None, raw: bytes | None) -> Record:
        offset = self._offsets[topic.name]
        self._offsets[topic.name] = offset + 1
        self._task.advance(topic.name, offset)
        read = self._codec.decode_external if topic.external else self._codec.decode
        value: Any = None if raw is None else read(raw)
        return Record(topic.name, 0, offset, None if key is None else key.decode(), time_ns() // 1_000_000, value, raw)

    def _count(self, verdicts: Sequence[Verdict]) -> None:
        for each in verdicts:
            name = f"{each.outcome} {each.reason}"
            self.cost.outcomes[name] = self.cost.outcomes.get(name, 0) + 1


def rules() -> Any:
    return load_rules(None).with_policies([Policy(key=key, value=value) for key, value in POLICIES.items()])


def measure(count: int, profile: Profile | None = None, of: str = "") -> tuple[Mapping[str, Cost], dict[str, list[StoredRecord]]]:
    """
    Return the cost of every stage, registrations not counted, and the records in every topic afterwards.

    `profile` is active while the stage named `of` works.
    """
    units = running_stages()
    now = feed.now()
    feed_through(units, REGISTRATIONS, feed.registrations(count // feed.EVENTS_EACH, "m"))
    stored = feed_through(units, SUBMISSIONS, feed.submissions(count, "m", now), profile, of)
    return {unit.stage.name: unit.cost for unit in units}, stored


def running_stages(states: Callable[[str], States] = lambda _: StatesInMemory()) -> list[RunningStage]:
    """Return every stage, with the garbage collector set as in its process; `states` makes a stage's store by name."""
    codec, context = Codec(), Context(rules(), Seal(bytes(range(64))), draw=repeatable_bytes)
    units = [RunningStage(stage, codec, context, states(stage.name)) for stages in PIPELINE.values() for stage in stages]
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    return units


def feed_through(
    units: Sequence[RunningStage], topic: Topic, records: Iterable[tuple[str, bytes]], profile: Profile | None = None, of: str = ""
) -> dict[str, list[StoredRecord]]:
    """Send records through all stages; return what is in every topic afterwards. Costs are those of these records alone."""
    stored: dict[str, list[StoredRecord]] = {topic.name: [(key.encode(), value) for key, value in records]}
    for unit in units:
        unit.cost = Cost()
        with profile if profile and unit.stage.name == of and topic is SUBMISSIONS else nullcontext():
            for source in unit.stage.inputs:
                for name, each in unit.work(source, stored.get(source.name, [])):
                    stored.setdefault(name, []).append(each)
    return stored
