"""Transition tables. A missing pair of state and trigger is a bug: it raises an error, and nothing changes."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

S = TypeVar("S", bound=Hashable)
T = TypeVar("T", bound=Hashable)
V = TypeVar("V")


class MissingTransitionError(LookupError):
    """The table has no transition for this state and trigger."""

    def __init__(self, state: object, trigger: object) -> None:
        super().__init__(f"the table of transitions has no {trigger} in the state {state}")


def transition(table: Mapping[tuple[S, T], V], state: S, trigger: T) -> V:
    """Return the table's entry for a state and a trigger; raises MissingTransitionError if there is none."""
    found = table.get((state, trigger))
    if found is None:
        raise MissingTransitionError(state, trigger)
    return found
