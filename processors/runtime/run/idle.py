"""
Whether the pipeline has anything left to do, as Kafka tells it: nothing is asked of the processes themselves.

What a unit writes is committed with the offsets it read, and logs only grow: where the ends of all logs, asked for last,
are what the units had committed before, none of them had anything left to read or to write. (Of a transaction that is
being ended the old offsets are seen: its unit seems to be behind, and is asked again.) Under `VN_CLOCK=topic` a
unit also commits, with the offsets of its batch, the clock's: up to the tick where it has fired every timer due, one
before where it may have more to fire.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer

from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import Broker, Place, committed_offsets
from processors.stage import Stage
from processors.topics import CLOCK

Pipeline = Mapping[str, tuple[Stage[Any], ...]]


class Watch:
    """Looks at the units of a pipeline, all of them or those named; `clock` tells whether the topic clock rules them."""

    def __init__(self, broker: Broker, prefix: str, pipeline: Pipeline, units: Iterable[str] | None = None, *, clock: bool = True) -> None:
        wanted = None if units is None else set(units)
        self._broker = broker
        self._prefix = prefix
        self._units = [unit for stages in pipeline.values() for unit in stages if wanted is None or unit.name in wanted]
        self._clock = [(prefix + CLOCK.name, 0)] if clock else []
        self._inputs: dict[str, list[Place]] = {}
        self._observers: dict[str, Consumer] = {}
        self._behind: Stage[Any] | None = None
        self._ends: dict[Place, int] = {}  # as last seen: no log can end before

    def idle(self) -> bool:
        """
        Whether every unit has read all of its inputs and fired all timers due by the topic clock's last tick.

        Asks no further once one unit is seen to be behind, and the next time asks that one first: whoever waits asks often.
        """
        with self._asked() as ends:
            groups = []
            for unit in sorted(self._units, key=lambda each: each is not self._behind):
                groups.append(committed_offsets(self._observer(unit.name), self._places(unit)))
                if any((offset or 0) < self._ends.get(place, 0) for place, offset in groups[-1].items()):
                    self._behind = unit
                    return False
            self._ends = ends()
        return all((offset or 0) == self._ends[place] for group in groups for place, offset in group.items())

    def look(self) -> dict[tuple[str, Place], tuple[int | None, int]]:
        """Return the committed offset and the end of every input of every unit; raises Restart where the broker is away."""
        with self._asked() as ends:
            groups = {unit.name: committed_offsets(self._observer(unit.name), self._places(unit)) for unit in self._units}
            self._ends = ends()
        return {(unit, place): (offset, self._ends[place]) for unit, places in groups.items() for place, offset in places.items()}

    @contextmanager
    def _asked(self) -> Iterator[Callable[[], dict[Place, int]]]:
        """Gives what asks for the ends of all logs; forgets all clients where the broker is away."""
        places = {place for unit in self._units for place in self._places(unit)}
        try:
            yield lambda: self._broker.end_offsets(places, self._observer(self._units[0].name))
        except Restart:
            self._observers.clear()  # one that lived through a broker's restart may never answer again
            self._ends.clear()
            raise

    def _observer(self, unit: str) -> Consumer:
        if unit not in self._observers:
            self._observers[unit] = self._broker.offsets_consumer(f"{self._prefix}{unit}")
        return self._observers[unit]

    def _places(self, unit: Stage[Any]) -> Sequence[Place]:
        if unit.name not in self._inputs:
            counts = self._broker.partition_counts([self._prefix + topic.name for topic in unit.inputs])
            inputs = [(topic, each) for topic, count in counts.items() for each in range(count)]
            self._inputs[unit.name] = [*inputs, *self._clock]
        return self._inputs[unit.name]
