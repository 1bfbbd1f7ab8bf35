"""
The order in which a stage takes the records of several inputs: that in which they were received.

A registration counts for submissions received after it (contract §4), and the two come by different topics and partitions. While
everything is read as it comes, their order follows. After an outage it does not: what is fetched first is chance. So the records of
a process are decided in the order of their receive times, as far as these are known: first every other input is read to its end, then
a record of such an input waits until each partition of the main one has been read up to its time.
"""

from collections import deque
from collections.abc import Mapping
from math import inf
from time import monotonic
from typing import Final

from processors.runtime.decide.task import Task

START: Final = 5.0  # seconds in which the other inputs should have been read to their ends
SILENT: Final = 1.0  # a partition of the main input that sends nothing for so many seconds is not waited for


class ReceiveOrder:
    """Says up to which receive time the records in hand may be decided; `main` is the input that has most records."""

    def __init__(self, main: str) -> None:
        self._main = main
        self._began = 0.0
        self._starting = True
        self._latest: dict[int, tuple[int, float]] = {}  # by partition of the main input: its last record's time, and when it came

    def begin(self) -> None:
        """Begin anew, after partitions were assigned or restored."""
        self._began = monotonic()
        self._starting = True
        self._latest.clear()

    def arrive(self, topic: str, partition: int, timestamp: int) -> None:
        """Note that a record came."""
        if topic == self._main:
            self._latest[partition] = (timestamp, monotonic())

    def sort(self, task: Task) -> None:
        """Put a partition's records in order; those of one input keep theirs."""
        if any(topic != self._main for topic, _ in task.queue):
            task.queue = deque(sorted(task.queue, key=lambda each: each[1].timestamp))

    def until(self, tasks: Mapping[int, Task], most: int) -> float:
        """Return the receive time up to which records may be decided (milliseconds), if a partition has at most so many decided."""
        if self._starting:
            others = all(task.ended.issuperset(task.positions.keys() - {self._main}) for task in tasks.values())
            if not others and monotonic() - self._began < START:
                return -inf
            self._starting = False
        if not any(topic != self._main for task in tasks.values() for topic, _ in task.queue):
            return inf
        read = [self._read_up_to(partition) for partition, task in tasks.items() if self._main not in task.ended]
        decided = [task.queue[most - 1][1].timestamp for task in tasks.values() if len(task.queue) > most]
        return min((*read, *decided), default=inf)

    def _read_up_to(self, partition: int) -> float:
        """Return up to which time a partition of the main input has been read that has not been read to its end."""
        timestamp, came = self._latest.get(partition, (-inf, self._began))
        return timestamp if monotonic() - came < SILENT else inf
