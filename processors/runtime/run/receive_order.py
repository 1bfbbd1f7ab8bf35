"""
Makes a stage decide the records of several inputs in the order in which they were received.

A registration counts for submissions received after it (contract §4), and the two arrive on different topics and partitions.
While the stage keeps up, it reads them in the right order. After an outage it does not: which topic is fetched first is chance.
So the records of a process are decided in the order of their receive times, as far as these are known: first every other input
is read to its end, then a record of such an input waits until each partition of the main input has been read up to its time.
"""

from collections import deque
from collections.abc import Mapping
from math import inf
from time import monotonic
from typing import Final

from processors.runtime.decide.task import Task

START_SECONDS: Final = 5.0  # seconds in which the other inputs should have been read to their ends
SILENT_SECONDS: Final = 1.0  # a partition of the main input that delivers nothing for this long is not waited for


class ReceiveOrder:
    """Says up to which receive time the queued records may be decided; `main` is the input with the most records."""

    def __init__(self, main: str) -> None:
        self._main = main
        self._began = 0.0
        self._starting = True
        self._latest: dict[int, tuple[int, float]] = {}  # last record's time and arrival, by partition of the main input

    def begin(self) -> None:
        """Start over after partitions were restored."""
        self._began = monotonic()
        self._starting = True
        self._latest.clear()

    def arrive(self, topic: str, partition: int, timestamp: int) -> None:
        """Register that a record arrived."""
        if topic == self._main:
            self._latest[partition] = (timestamp, monotonic())

    def sort(self, task: Task) -> None:
        """Sort a partition's queue by receive time; records of the same input keep their order."""
        if any(topic != self._main for topic, _ in task.queue):
            task.queue = deque(sorted(task.queue, key=lambda each: each[1].timestamp))

    def until(self, tasks: Mapping[int, Task], most: int) -> float:
        """Return the receive time (milliseconds) up to which records may be decided, at most `most` of each partition."""
        if self._starting:
            others = all(task.ended.issuperset(task.positions.keys() - {self._main}) for task in tasks.values())
            if not others and monotonic() - self._began < START_SECONDS:
                return -inf
            self._starting = False
        if not any(topic != self._main for task in tasks.values() for topic, _ in task.queue):
            return inf
        read = [self._read_up_to(partition) for partition, task in tasks.items() if self._main not in task.ended]
        decided = [task.queue[most - 1][1].timestamp for task in tasks.values() if len(task.queue) > most]
        return min((*read, *decided), default=inf)

    def _read_up_to(self, partition: int) -> float:
        """Return the time up to which a partition of the main input has been read; infinite if it has been silent."""
        timestamp, came = self._latest.get(partition, (-inf, self._began))
        return timestamp if monotonic() - came < SILENT_SECONDS else inf
