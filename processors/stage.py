"""
The types of which every stage consists. Pure: no clock, no randomness, no input or output.

A stage takes one input at a time (a record, a timer that is due, or a change of rules or settings), reads
the states that it names, and decides: the next states, the outputs and the verdicts. The runner does the rest. Time is
that of the input, never the system clock's.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

from processors.domain.journal import Verdict
from processors.domain.seal import Seal
from processors.domain.trace import Headers
from processors.rules.book import Rules
from processors.topics import Topic

S = TypeVar("S")


class Record(Struct, frozen=True, gc=False):
    """
    One record of an input topic.

    `topic` is the name without prefix, `timestamp` its time in milliseconds (the broker's time of
    arrival, or the topic clock's). `value` is the decoded record, None for a tombstone; of an external input it is
    the raw bytes, since only `read` may judge what outsiders send. `raw` is what came over the wire,
    `traceparent` the W3C trace context that came with it, empty if it is malformed. `clock` is as in Wake.
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


class Wake(Struct, frozen=True, gc=False):
    """
    The timer of one state key is due.

    `due_at` is the time of the decision, as if no stage had ever stood still. `now` is up to when everything that was received has
    been decided; 0 if that is not known. `clock` is the time by our own clock, for what may not count from a time that is past, such as
    until when an attempt may be sent; 0 by the topic clock, whose time stands still meanwhile.
    """

    key: str
    due_at: int
    now: int = 0
    clock: int = 0

    @property
    def fires_at(self) -> int:
        """Return when the timer fires, which is later than `due_at` after an outage."""
        return max(self.due_at, self.now)


class Resettle(Struct, frozen=True, gc=False):
    """Rules or settings changed: what waits under the key may now be due at another time. `at` is the time of the decision."""

    key: str
    at: int


Input = Record | Wake | Resettle


class Timing(Struct, frozen=True, gc=False):
    """
    Times of a notification's first attempt in milliseconds, for the metrics.

    `received_at` is when the submission was received, `free_at` when the last intended hold ended,
    `within` how long after that it may be sent (`notify.within`), `hold` why deliver held it and `held` for how long.
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
    One record to write. A `value` that is the input's own value is passed on byte for byte; None is a tombstone.

    `timing` and `counts_as`, what it is counted as, are for the metrics alone and are not written.
    `headers` are for readers outside the pipeline. Without any, the record bears the trace of its message, or else that of the input.
    """

    topic: Topic
    key: str | None
    value: Struct | None
    timing: Timing | None = None
    headers: Headers = ()
    counts_as: str = ""


class Decision(Struct, Generic[S], frozen=True, gc=False):
    """
    The result of one input, or, before it is combined with others, of one part of it.

    `states` holds the complete next state of every key that changes; None deletes it.
    """

    outputs: tuple[Output, ...] = ()
    states: Mapping[str, S | None] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()

    def is_empty(self) -> bool:
        """Whether nothing follows from the input."""
        return not (self.outputs or self.states or self.verdicts)

    def then(self, later: "Decision[S]") -> "Decision[S]":
        """Return both decisions as one: the outputs of `later` come after, and its states replace those with the same keys."""
        if later.is_empty():
            return self
        if self.is_empty():
            return later
        return Decision(self.outputs + later.outputs, {**self.states, **later.states}, self.verdicts + later.verdicts)


def combine(decisions: Iterable[Decision[S]]) -> Decision[S]:
    """Return partial decisions as one, in their order."""
    outputs: list[Output] = []
    states: dict[str, S | None] = {}
    verdicts: list[Verdict] = []
    for each in decisions:
        outputs += each.outputs
        states |= each.states
        verdicts += each.verdicts
    return Decision(tuple(outputs), states, tuple(verdicts))


def no_randomness(purpose: str) -> bytes:
    """Raise: a Context for a stage that draws random bytes must be given its source."""
    raise TypeError(f"nothing is drawn here: {purpose}")


@dataclass(frozen=True, slots=True)
class Context:
    """
    What a decision knows besides record and state: the rules with the settings in force, and the seal of contact data.

    `draw` returns 64 random bytes for a purpose, in tests the same ones each time; `table` are the latest records of
    the stage's memory table by key.
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


def nobody(_: Record) -> None:
    """Return None: the stage's records hold no contact data."""


def itself(state_key: str) -> str:
    """Return the state key: records bear the very key that their state has."""
    return state_key


@dataclass(frozen=True, slots=True)
class MemoryTable:
    """
    A compacted output, partitioned like the inputs, whose latest records the owner of a partition has in memory alone.

    So they are in no cache and in no backup of the states. `renew` returns a record as it is to be written now that other
    keys are in force, None for one that may stay. `marks` is a topic of one partition, kept for ever, that says which records
    were destroyed; `count_destroyed` returns how many of them are there all the same, by the table and the marks.
    `seal_of` is the seal of what is kept of a record under a key of the table, None if there is none that can be used.
    """

    topic: Topic
    marks: Topic
    renew: Callable[[str, Any, Context], Struct | None]
    count_destroyed: Callable[[Mapping[str, Any], Mapping[str, Any], Context], int]
    seal_of: Callable[[str, Any, Context], Seal | None]


@dataclass(frozen=True, slots=True)
class Stage(Generic[S]):
    """
    One stage of the pipeline as the runner sees it. It runs in as many copies as there are processes for it.

    `keys` names the states that an input needs, given those found so far; it is called again until it names nothing new.
    `state` is the type of a state value, a union of tagged Structs if a stage keeps several kinds. `deadline` says when
    a state needs a decision without a record, None for never: that is the timer of its key, which leads to a Wake. Of timers that are
    due together, those of states that are `is_urgent` fire first. A
    stage that `resettles` is given, after rules or settings changed, one Resettle for every key that has a timer.
    `owner` returns the record key whose partition a state key belongs to: with another number of partitions it moves there.
    `migrations` turn a state document of format n into one of n + 1, by n: pure functions of plain JSON values.
    `linger` (milliseconds) is how long a batch waits for more records: each transaction costs the broker as much as many records, and
    what nobody waits for may share one; under load every stage waits (processors.runtime.run.pace). `registrant` returns the id of the
    registrant whose data a record may hold, if it says so: should it be set aside, it can be erased with them. With a `main_input` the
    records of all inputs are decided in the order in which they were received, as far as one process has them; it is the one with most
    records.
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
    resettles: bool = False
    owner: Callable[[str], str] = itself
    migrations: Mapping[int, Callable[[Any], Any]] = dataclasses.field(default_factory=dict)
    table: MemoryTable | None = None
    linger: int = 0
    registrant: Callable[[Record], str | None] = nobody
    main_input: Topic | None = None


def upstream(stage: Stage[Any], stages: Iterable[Stage[Any]]) -> tuple[Stage[Any], ...]:
    """Return the stages before `stage`, in the order of `stages`, the pipeline's."""
    before: list[Stage[Any]] = []
    for each in stages:
        if each.name == stage.name:
            break
        before.append(each)
    topics, found = set(stage.inputs), list[Stage[Any]]()
    for each in reversed(before):
        if not topics.isdisjoint(each.outputs):
            found.append(each)
            topics.update(each.inputs)
    return tuple(reversed(found))
