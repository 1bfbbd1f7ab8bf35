"""Changelog records: states, timers, and each partition's position."""

from typing import Final

from msgspec import Struct

FORMAT: Final = 1


class State(Struct, frozen=True):
    """The whole state of one key, as a JSON document. A tombstone deletes it."""

    state: bytes


class Timer(Struct, frozen=True):
    """The one timer of a state key. A tombstone clears it."""

    due_at: int


class Position(Struct, frozen=True):
    """
    One partition's progress: the last record of every transaction on its changelog partition, under the key `__pos`.

    `seq` counts committed batches, `positions` holds the next offset of every input topic, `time` is the latest time
    decided with, `at` the wall-clock time of the batch. `settled` names the rules and settings under which every
    pending timer has been re-evaluated.
    """

    seq: int
    positions: dict[str, int]
    time: int = 0
    at: int = 0
    format: int = FORMAT
    settled: str = ""
