"""Tables of transitions: what may happen in which state. A pair that a table lacks is a bug and changes nothing."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

S = TypeVar("S", bound=Hashable)
T = TypeVar("T", bound=Hashable)
V = TypeVar("V")


class MissingTransitionError(LookupError):
    """No such thing can happen in this state: the table lacks the pair, or the state was read wrong."""

    def __init__(self, state: object, trigger: object) -> None:
        super().__init__(f"the table of transitions has no {trigger} in the state {state}")


def transition(table: Mapping[tuple[S, T], V], state: S, trigger: T) -> V:
    """Return the table's entry for what happens in a state."""
    found = table.get((state, trigger))
    if found is None:
        raise MissingTransitionError(state, trigger)
    return found
