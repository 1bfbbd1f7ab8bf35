"""
The types that every stage uses. Pure: no clock, no randomness, no I/O.

A stage takes one input at a time: a record, a timer that is due, or a change of rules or settings. It names the states it
needs and decides: the next states, the outputs and the verdicts. The runner does the rest. The time of a decision comes
from the input, never from the system clock.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from processors.domain.journal import Verdict
from processors.domain.seal import Seal
from processors.domain.trace import Headers
from processors.rules.rule_set import Rules
from processors.topics import Topic

S = TypeVar("S")


class Record(Struct, frozen=True, gc=False):
    """
    One record of an input topic.

    `topic` is the name without prefix. `timestamp` is in milliseconds: the broker's time of arrival, or the topic clock's.
    `value` is the decoded record, None for a tombstone; for an external input it is the raw bytes, since only `read` may
    judge what outsiders send. `raw` is the value as received, `traceparent` the W3C trace context that came with it, empty if
    malformed. `clock` is as in TimerFired.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    timestamp: int
    value: Any
    raw: bytes | None = None
    traceparent: str | None = None
    clock: int = 0


class TimerFired(Struct, frozen=True, gc=False):
    """
    The timer of one state key is due.

    `due_at` is the time of the decision, as if no stage had ever been down. `now` is the time up to which everything received
    has been decided; 0 if unknown. `clock` is the system time, for deadlines that must not start in the past, such as how long
    an attempt may be sent; 0 under the topic clock, which does not advance meanwhile.
    """

    key: str
    due_at: int
    now: int = 0
    clock: int = 0

    @property
    def fires_at(self) -> int:
        """Return when the timer fires: later than `due_at` after an outage."""
        return max(self.due_at, self.now)


class RulesChanged(Struct, frozen=True, gc=False):
    """Rules or settings changed, so whatever waits under the key may be due at another time. `at` is the time of the decision."""

    key: str
    at: int


Input = Record | TimerFired | RulesChanged


class Timing(Struct, frozen=True, gc=False):
    """
    Times of a notification's first attempt in milliseconds, for the metrics.

    `received_at` is when the submission was received, `free_at` when the last intended hold ended, `within` how long after
    that it may still be sent (`notify.within`), `hold` why deliver held it, and `held` for how long.
    """

    channel: str
    emergency: bool
    received_at: int
    free_at: int
    within: int
    hold: str
    held: int


class Output(Struct, frozen=True, gc=False):
    """
    One record to write. A `value` that is the input's own value is copied byte for byte; None is a tombstone.

    `timing` and `counts_as` (a metric label) are for metrics only and are not written. `headers` are for readers outside the
    pipeline; without any, the record carries the trace context of its message, or else the input's.
    """

    topic: Topic
    key: str | None
    value: Struct | None
    timing: Timing | None = None
    headers: Headers = ()
    counts_as: str = ""


class Decision(Struct, Generic[S], frozen=True, gc=False):
    """
    The result of one input, or one part of that result before the parts are combined.

    `states` holds the complete next state of every key that changes; None deletes the state.
    """

    outputs: tuple[Output, ...] = ()
    states: Mapping[str, S | None] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()

    def is_empty(self) -> bool:
        """Whether nothing follows from the input."""
        return not (self.outputs or self.states or self.verdicts)

    def then(self, later: "Decision[S]") -> "Decision[S]":
        """Return both decisions as one: the outputs of `later` come last, and its states replace those with the same keys."""
        if later.is_empty():
            return self
        if self.is_empty():
            return later
        return Decision(self.outputs + later.outputs, {**self.states, **later.states}, self.verdicts + later.verdicts)


def combine(decisions: Iterable[Decision[S]]) -> Decision[S]:
    """Return partial decisions as one, in order."""
    outputs: list[Output] = []
    states: dict[str, S | None] = {}
    verdicts: list[Verdict] = []
    for each in decisions:
        outputs += each.outputs
        states |= each.states
        verdicts += each.verdicts
    return Decision(tuple(outputs), states, tuple(verdicts))


def no_randomness(purpose: str) -> bytes:
    """Raise TypeError: the Context of a stage that draws random bytes needs a source for them."""
    raise TypeError(f"this context has no source of random bytes, needed for {purpose}")


@dataclass(frozen=True, slots=True)
class Context:
    """
    What a decision may use besides its input and states: the rules with the settings in force, and the seal of contact data.

    `draw` returns 64 random bytes for a purpose; in tests the same bytes each time. `table` holds the latest records of the
    stage's memory table by key.
    """

    rules: Rules
    seal: Seal
    draw: Callable[[str], bytes] = no_randomness
    table: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def no_deadline(_: Any) -> None:
    """Return None: the stage sets no timers."""


def not_urgent(_: Any) -> bool:
    """Return False: timers fire in the order of their times."""
    return False


def no_registrant(_: Record) -> None:
    """Return None: the stage's records hold no registrant's data."""


def own_key(state_key: str) -> str:
    """Return the state key itself: records have the same key as their state."""
    return state_key


@dataclass(frozen=True, slots=True)
class MemoryTable:
    """
    A compacted output, partitioned like the inputs, whose latest records are held in memory only.

    So they are in no cache and in no backup of the states. `renew` returns a record re-encrypted with the keys now in force,
    None if it may stay as it is. `marks` is a topic with one partition, kept forever, that says which records were destroyed;
    `count_destroyed` returns how many records of the table should have been destroyed according to the marks. `seal_of`
    returns the seal for the data of a table key, None if there is no usable one.
    """

    topic: Topic
    marks: Topic
    renew: Callable[[str, Any, Context], Struct | None]
    count_destroyed: Callable[[Mapping[str, Any], Mapping[str, Any], Context], int]
    seal_of: Callable[[str, Any, Context], Seal | None]


@dataclass(frozen=True, slots=True)
class Stage(Generic[S]):
    """
    One stage of the pipeline as the runner sees it; any number of copies may run.

    `keys` names the states that an input needs, given those found so far; it is called again until it names nothing new.
    `state` is the type of a state value, a union of tagged Structs if the stage has several kinds.
    `deadline` says when a state needs a decision without a record, None for never: this sets the timer of its key, which leads
    to a TimerFired. Of the timers that are due together, those of states for which `is_urgent` is true fire first.
    `reevaluates`: after a change of rules or settings, the stage gets one RulesChanged for every key that has a timer.
    `owner` returns the record key whose partition a state key belongs to; with another partition count the state moves there.
    `migrations` converts a state document from format n to n + 1, by n: pure functions of plain JSON values.
    `linger` (milliseconds) is how long a batch waits for more records, so that records nobody waits for share a transaction,
    which costs the broker as much as many records. Under load every stage lingers (processors.runtime.run.pace).
    `registrant` returns the id of the registrant whose data a record may hold, so that a quarantined record can be erased.
    `main_input` is the input with the most records; if set, the records of all inputs are decided in receive order, as far as
    one process has them.
    """

    name: str
    inputs: tuple[Topic, ...]
    outputs: tuple[Topic, ...]
    changelog: Topic | None
    state: Any
    keys: Callable[[Input, Mapping[str, S]], Iterable[str]]
    decide: Callable[[Input, Mapping[str, S], Context], Decision[S]]
    deadline: Callable[[S], int | None] = no_deadline
    is_urgent: Callable[[S], bool] = not_urgent
    reevaluates: bool = False
    owner: Callable[[str], str] = own_key
    migrations: Mapping[int, Callable[[Any], Any]] = dataclasses.field(default_factory=dict)
    table: MemoryTable | None = None
    linger: int = 0
    registrant: Callable[[Record], str | None] = no_registrant
    main_input: Topic | None = None


def upstream(stage: Stage[Any], stages: Iterable[Stage[Any]]) -> tuple[Stage[Any], ...]:
    """Return the stages whose outputs lead to `stage`, in the order of the pipeline's `stages`."""
    before = list(itertools.takewhile(lambda each: each.name != stage.name, stages))
    topics, found = set(stage.inputs), list[Stage[Any]]()
    for each in reversed(before):
        if not topics.isdisjoint(each.outputs):
            found.append(each)
            topics.update(each.inputs)
    return tuple(reversed(found))
