"""Changelog records: states, timers, and each partition's position."""

from typing import Final

from msgspec import Struct

FORMAT: Final = 1


class State(Struct, frozen=True, gc=False):
    """The whole state of one key, as a JSON document in format `format` of its stage. A tombstone deletes it."""

    state: bytes
    format: int = 1


class Timer(Struct, frozen=True, gc=False):
    """The timer of a state key; an `urgent` one fires before others that are due. A tombstone clears it."""

    due_at: int
    urgent: bool = False


class Position(Struct, frozen=True, gc=False):
    """
    One partition's progress: the last record of every transaction on its changelog partition, under the key `__pos`.

    `seq` counts committed batches. `positions` holds the next offset of every input topic. `time` is the latest time of a
    decision, `at` the system time of the batch. `settled` is the version of the rules and settings by which every pending timer
    has been re-evaluated. `partitions` is the inputs' partition count, 0 if an earlier version did not store it. `read` and
    `unreadable` belong to the dead-letter limit: the number of records read, and which of the last ones were unreadable.
    """

    seq: int
    positions: dict[str, int]
    time: int = 0
    at: int = 0
    format: int = FORMAT
    settled: str = ""
    partitions: int = 0
    read: int = 0
    unreadable: tuple[int, ...] = ()
