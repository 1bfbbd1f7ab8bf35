"""
The size of a submission, an offender and a registration: bytes in topics and states, before compression.

docs/capacity.md is based on these figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import feed
from bench.memory import RunningStage, StoredRecord, feed_through, running_stages
from processors.runtime.decide.driver import StatesInMemory
from processors.topics import REGISTRATIONS, SUBMISSIONS


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes a submission by topic, and of every stage's journal and changelog; of states by stage: an offender, a registration."""

    topics: Mapping[str, float]
    journal: float
    changes: Mapping[str, float]
    offender: Mapping[str, float]
    registration: Mapping[str, float]


def measure(count: int) -> Sizes:
    """Send the feed of the benchmark, whose offenders have five events each, through the pipeline in memory."""
    people, units = count // feed.EVENTS_EACH, running_stages()
    registered = len(feed.registered_people(people))
    feed_through(units, REGISTRATIONS, feed.registrations(people, "z"))
    before = state_bytes(units)
    stored = feed_through(units, SUBMISSIONS, feed.submissions(count, "z", feed.now()))
    sent = len(stored[SUBMISSIONS.name])
    return Sizes(
        topics={name: stored_bytes(records) / sent for name, records in stored.items()},
        journal=sum(unit.cost.journal for unit in units) / sent,
        changes={unit.stage.name: unit.cost.changes / sent for unit in units},
        offender={name: (size - before[name]) / people for name, size in state_bytes(units).items()},
        registration={name: size / registered for name, size in before.items()},
    )


def state_bytes(units: Sequence[RunningStage]) -> dict[str, int]:
    return {unit.stage.name: stored_bytes([*unit.states.fields.items()]) for unit in units if isinstance(unit.states, StatesInMemory)}


def stored_bytes(records: Sequence[StoredRecord]) -> int:
    return sum(len(key or b"") + len(value or b"") for key, value in records)
