"""
One stage alone, over the real `Task`: records arrive, time passes, and every batch is decided twice.

Each batch begins with what a changelog would hold: states and timers go through their codecs every time, and a new task is
made of them, as after a restart. Both times must come to the same result, and every decision keeps the promises of
`processors.stage` (`tests/contracts/checked.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from msgspec import Struct, structs

from processors.domain.journal import Verdict
from processors.domain.policy import Policy
from processors.domain.seal import Seal
from processors.rules.load import load_rules
from processors.rules.rule_set import Rules
from processors.runtime.decide.batch import BatchResult
from processors.runtime.decide.driver import repeatable_bytes
from processors.runtime.decide.task import Task
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.runtime.wire.states import state_format
from processors.stage import Context, Decision, Input, Output, Record, Stage, TimerFired
from processors.topics import Topic
from tests.contracts.checked import Watch

CODEC = Codec()
SEAL = Seal(bytes(range(64)))
MOST = 100_000  # timers in one batch: all that are due


@cache
def rules() -> Rules:
    """Return the built-in rules, which take a while to load."""
    return load_rules()


class OneStage:
    """
    A stage with a clock that the test moves.

    `decisions` are all that were made, the newest last; `outputs` and `verdicts` what they wrote and said; `timers` and
    `documents` what the stage keeps, by key, the latter as the bytes of the changelog.
    """

    def __init__(self, stage: Stage[Any], now: int, policies: Iterable[Policy] = (), seal: Seal = SEAL) -> None:
        self.stage = stage
        self.now = now
        self.context = Context(rules(), seal, draw=repeatable_bytes)
        self.table: dict[str, Any] = {}
        self.decisions: list[Decision[Any]] = []
        self.documents: dict[str, bytes] = {}
        self.timers: dict[str, int] = {}
        self._urgent: set[str] = set()
        self._inputs: dict[str, int] = {topic.name: 0 for topic in stage.inputs}
        self._position = Position(0, dict(self._inputs))
        self._watched = self._noting(Watch().watched(stage))
        self.set_policies(*policies)
        self._position = structs.replace(self._position, settled=self.context.rules.version)

    def set_policies(self, *policies: Policy) -> None:
        """These settings are in force, and no others; what waits is looked at again when time next passes."""
        self.context = replace(self.context, rules=rules().with_policies(policies))

    # what goes in

    def put(
        self, topic: Topic, value: Struct | bytes | None, key: str | None = None, *, offset: int | None = None, late: int = 0
    ) -> Decision[Any]:
        """Decide on a record that came `late` milliseconds ago, after the timers that were due by the time it counts from."""
        raw = CODEC.encode(value) if isinstance(value, Struct) else value
        decoded = CODEC.decode(raw) if isinstance(value, Struct) and raw is not None else value
        assert decoded == value, "what is written can be read"
        number = self._inputs[topic.name] if offset is None else offset
        self._inputs[topic.name] = max(self._inputs[topic.name], number + 1)
        self._decide([Record(topic.name, 0, number, key, self.now - late, decoded, raw, clock=self.now)])
        return self.decisions[-1]

    def advance(self, milliseconds: int) -> list[Decision[Any]]:
        """Let so much time pass; return what the timers that came due in it led to."""
        return self.advance_to(self.now + milliseconds)

    def advance_to(self, moment: int) -> list[Decision[Any]]:
        """Let time pass until `moment`; return what the timers that came due until then led to."""
        before, self.now = len(self.decisions), moment
        self._decide([])
        return self.decisions[before:]

    # what came out

    @property
    def outputs(self) -> list[Output]:
        return [output for decision in self.decisions for output in decision.outputs]

    @property
    def verdicts(self) -> list[Verdict]:
        return [verdict for decision in self.decisions for verdict in decision.verdicts]

    def written(self, topic: Topic) -> list[Any]:
        """Return the values written to a topic, in order."""
        return [output.value for output in self.outputs if output.topic is topic]

    def latest(self, topic: Topic) -> dict[str, Any]:
        """Return the last value of every key of a topic, as compaction would leave it."""
        found = {output.key or "": output.value for output in self.outputs if output.topic is topic}
        return {key: value for key, value in found.items() if value is not None}

    def state(self, key: str) -> Any:
        """Return what the stage keeps under a key; None where it keeps nothing."""
        raw = self.documents.get(key)
        return None if raw is None else CODEC.states(state_format(self.stage))(raw)

    # at work

    def _decide(self, records: list[Record]) -> None:
        count = len(self.decisions)
        result = self._work(self._watched, records)
        assert self._work(self.stage, records) == result, "the same batch on the same states comes to the same"
        assert [each for decision in self.decisions[count:] for each in decision.verdicts] == result.verdicts
        self._position = result.position
        for name, value in result.changes.items():
            key = name[1:].decode()
            if name.startswith(b"@"):
                self.timers.pop(key, None)
                self._urgent.discard(key)
                if value is not None:
                    timer = CODEC.decode(value)
                    self.timers[key] = timer.due_at
                    self._urgent |= {key} if timer.urgent else set()
            elif value is None:
                self.documents.pop(key, None)
            else:
                self.documents[key] = value

    def _work(self, stage: Stage[Any], records: list[Record]) -> BatchResult:
        task = Task(stage, 0, self._position, dict(self._inputs), dict(self.timers), urgent=self._urgent)
        watermark = None if records else self.now
        task.table = dict(self.table)
        task.awaited_watermark(self.now, self.context.rules.version)
        result = task.decide(records, watermark, MOST, self._read, CODEC, self.context)
        result.position = structs.replace(result.position, at=0)
        if stage is self.stage:
            self.table = dict(task.table)
        return result

    def _read(self, names: Iterable[bytes]) -> list[bytes | None]:
        return [self.documents.get(name[1:].decode()) for name in names]

    def _noting(self, stage: Stage[Any]) -> Stage[Any]:
        def decide(given: Input, states: Mapping[str, Any], context: Context) -> Decision[Any]:
            decision = stage.decide(given, states, context)
            self.decisions.append(decision)
            return decision

        return replace(stage, decide=decide)


def timers_after(stage: Stage[Any], given: Input, found: Mapping[str, Any], decision: Decision[Any]) -> dict[str, int | None]:
    """Return the timers that a decision sets or clears, for what decides without a task."""
    states = dict(decision.states)
    if isinstance(given, TimerFired) and given.key in found:
        states.setdefault(given.key, found[given.key])
    return {key: None if state is None else stage.deadline(state) for key, state in states.items()}
