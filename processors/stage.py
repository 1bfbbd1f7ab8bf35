"""
The grammar every stage is written in. Pure: no clock, no randomness, no input or output.

A stage reads records (and wakes: timers that came due), looks at the states they name, and decides: the next states,
the outputs, the timers and the reasons. The runner does the rest. The time is the record's (`at`), never the wall's.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct, field

from processors.domain.journal import Verdict
from processors.domain.seal import Seal
from processors.rules.book import Rules
from processors.topics import Topic

S = TypeVar("S")

FOREVER: Final = 1 << 62  # the `due_at` of a Wake that only asks for states, for `Stage.resettle`


class Record(Struct, frozen=True, gc=False):
    """
    One record of an input topic.

    `topic` is the name without prefix, `timestamp` the time it counts from in milliseconds (the broker's time of
    arrival, or the topic clock's). `value` is the decoded record, None for a tombstone; of an external input it is
    the raw bytes, since only `read` may judge what outsiders send. `raw` is what came over the wire.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    timestamp: int
    value: Any
    raw: bytes | None = None


class Wake(Struct, frozen=True, gc=False):
    """The timer of one state key came due; `due_at` is the time to decide with."""

    key: str
    due_at: int


Input = Record | Wake


class Output(Struct, frozen=True, gc=False):
    """One record to write. A `value` that is the input's own value is passed on byte for byte; None is a tombstone."""

    topic: Topic
    key: str | None
    value: Struct | None


class Decision(Struct, Generic[S], frozen=True):
    """
    What follows from one input.

    `states` holds the next state of every key that changes, whole; None forgets it. `wakes` sets (milliseconds) or
    clears (None) the one timer of a key; a key that is not named keeps its timer. A timer that fired is gone.
    """

    outputs: tuple[Output, ...] = ()
    states: Mapping[str, S | None] = field(default_factory=dict)
    wakes: Mapping[str, int | None] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision may know beyond record and state: the rules with the settings in force, and the seal of contact data."""

    rules: Rules
    seal: Seal


@dataclass(frozen=True, slots=True)
class Stage(Generic[S]):
    """
    One unit of the pipeline as the runner sees it.

    `keys` names the states an input needs, given those found so far: it is asked again until it names nothing new.
    `state` is the type of a state value, a union of tagged Structs where a stage keeps several kinds. After the rules
    or settings changed, `resettle` is asked once about every key that has a timer, with the states that a Wake at
    FOREVER asks for: what waits there may be due at another time now, or at once. The timer stays unless it says otherwise.
    """

    name: str
    inputs: tuple[Topic, ...]
    outputs: tuple[Topic, ...]
    changelog: Topic | None
    state: Any
    keys: Callable[[Input, Mapping[str, S]], Iterable[str]]
    decide: Callable[[Input, Mapping[str, S], Context], Decision[S]]
    resettle: Callable[[Wake, Mapping[str, S], Context], Decision[S]] | None = None
