"""What a stage's changelog holds: states, timers, and how far each partition has come."""

from typing import Final

from msgspec import Struct

FORMAT: Final = 1


class State(Struct, frozen=True):
    """The whole state of one key of a stage, as a JSON document. A null record under the same key forgets it."""

    state: bytes


class Timer(Struct, frozen=True):
    """The one timer of a state key. A null record under the same key clears it."""

    due_at: int


class Position(Struct, frozen=True):
    """
    How far one partition has come: the last record that every transaction writes to it, under the key `__pos`.

    `seq` counts its committed batches, `positions` is the next offset of every input topic, `time` the latest time it
    has decided by; `at` is when the batch was written, by the wall's clock. `settled` names the rules and settings under
    which everything that waits was looked at.
    """

    seq: int
    positions: dict[str, int]
    time: int = 0
    at: int = 0
    format: int = FORMAT
    settled: str = ""
