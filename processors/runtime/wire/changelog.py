"""Changelog records: states, timers, and each partition's position."""

from typing import Final

from msgspec import Struct

FORMAT: Final = 1


class State(Struct, frozen=True, gc=False):
    """The whole state of one key, as a JSON document in a format of its stage's. A tombstone deletes it."""

    state: bytes
    format: int = 1


class Timer(Struct, frozen=True, gc=False):
    """The one timer of a state key; one that is `urgent` fires before others that are due. A tombstone clears it."""

    due_at: int
    urgent: bool = False


class Position(Struct, frozen=True, gc=False):
    """
    One partition's progress: the last record of every transaction on its changelog partition, under the key `__pos`.

    `seq` counts committed batches, `positions` holds the next offset of every input topic, `time` is the latest time
    decided with, `at` the wall-clock time of the batch. `settled` names the rules and settings under which every
    pending timer has been re-evaluated. `partitions` is how many the inputs had, 0 if an earlier version did not say.
    `read` and `unreadable` are what the limit of dead letters counts: records read, and which of the last were unreadable.
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
