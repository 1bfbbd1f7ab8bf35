"""
The interstate compact's workflow as defined in rule files.

A case has a state in each of three regions. A step is legal if one of its moves fits. A region that a move does not name may have
any state; a region whose state is unknown fits every move.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from processors.domain.event import Direction

REGIONS: Final = ("instructions", "transfer", "supervision")


class CaseState(NamedTuple):
    """The state of a case in each region, by the names of `compact_state`; None if it is not known."""

    instructions: str | None = None
    transfer: str | None = None
    supervision: str | None = None

    def with_states(self, to: "CaseState") -> "CaseState":
        """Return the case state with the states that `to` names replaced."""
        return CaseState(*(before if after is None else after for before, after in zip(self, to, strict=True)))

    def __str__(self) -> str:
        return ", ".join(f"{region} {value}" for region, value in zip(REGIONS, self, strict=True) if value is not None) or "not known"


UNKNOWN_STATE: Final = CaseState()


class Move(NamedTuple):
    """One way to take a step: the states allowed in each region (empty: any), the new states, and the direction of the journey."""

    needs: tuple[tuple[str, ...], ...]
    to: CaseState
    way: Direction | None = None

    def fits(self, state: CaseState, *, surely: bool) -> bool:
        """Whether the move is possible in this state; with `surely`, only if every state that it requires is known."""
        return all(
            not needed or (not surely if value is None else value in needed) for needed, value in zip(self.needs, state, strict=True)
        )

    def closes(self, closed: Collection[str]) -> bool:
        """Whether the move leads into one of these states from another."""
        return any(to in closed and not set(needed) <= set(closed) for needed, to in zip(self.needs, self.to, strict=True))

    def reopens(self, closed: Collection[str]) -> bool:
        """Whether the move leads from one of these states into another."""
        return any(
            to is not None and to not in closed and not set(needed).isdisjoint(closed)
            for needed, to in zip(self.needs, self.to, strict=True)
        )

    def __str__(self) -> str:
        named = (f"{region} {' or '.join(each)}" for region, each in zip(REGIONS, self.needs, strict=True) if each)
        return ", ".join(named)


class Activity(NamedTuple):
    """
    One kind of step. `enters` is the state of a case that begins with it, `awaits` are the steps whose messages may be late.

    `reason_from` are the activities from which a message without a reason takes its reason, each with the reason that it
    implies, empty for the reason of that activity's message.
    """

    name: str
    enters: CaseState
    moves: tuple[Move, ...]
    awaits: tuple[str, ...] = ()
    most_days: int | None = None
    reason_from: tuple[tuple[str, str], ...] = ()


class Workflow:
    """The workflow of one day: where every activity leads from every case state."""

    __slots__ = ("_known", "activities", "closed", "completed")

    def __init__(self, activities: Mapping[str, Activity], closed: frozenset[str], completed: frozenset[str] = frozenset()) -> None:
        self.activities = activities
        self.closed = closed
        self.completed = completed
        self._known: dict[tuple[CaseState, str], CaseState | None] = {}

    @classmethod
    def of(cls, states: Mapping[Any, Any], activities: Mapping[Any, Any]) -> "Workflow":
        """Return the workflow of the sections `compact_state` and `compact_activity`."""
        closed = frozenset(entry.name for entry in states.values() if entry.closed)
        completed = frozenset(entry.name for entry in states.values() if entry.completed)
        return cls({entry.name: _activity(entry) for entry in activities.values()}, closed, completed)

    def step(self, state: CaseState, name: str) -> CaseState | None:
        """Return the state after the step; None if the step is not legal."""
        key = (state, name)
        if key not in self._known:
            self._known[key] = self._state_after(state, self.activities[name])
        return self._known[key]

    def forced_step(self, state: CaseState, name: str) -> CaseState:
        """Return the state after a step that takes effect even if it is not legal, for example since a reviewer released it."""
        legal = self.step(state, name)
        return state.with_states(self.activities[name].enters) if legal is None else legal

    def late(self, state: CaseState, name: str) -> str | None:
        """Return the step whose message may be late: after it (and the steps that it awaits itself) this step would be legal."""
        return next((first for first, end in self._awaited_steps(state, name, frozenset()) if self.step(end, name) is not None), None)

    def way(self, state: CaseState, name: str) -> Direction | None:
        """Return the direction of the step in this state; None if it belongs to a first transfer, or is not known."""
        move = None if state == UNKNOWN_STATE else _fitting(state, self.activities[name])
        return None if move is None else move.way

    def has_ways(self, name: str) -> bool:
        """Whether the step can be part of a journey other than a first transfer."""
        return any(move.way is not None for move in self._moves(name))

    def is_closed(self, state: CaseState) -> bool:
        return any(value in self.closed for value in state)

    def is_completed(self, state: CaseState) -> bool:
        """Whether the transfer is completed and the case is open; if the state of the transfer is unknown, the supervision decides."""
        return (state.transfer or state.supervision) in self.completed and not self.is_closed(state)

    def closes(self, name: str) -> bool:
        """Whether the step closes an open case."""
        return any(move.closes(self.closed) for move in self._moves(name))

    def reopens(self, name: str) -> bool:
        """Whether the step reopens a closed case."""
        return any(move.reopens(self.closed) for move in self._moves(name))

    def gives_reasons(self, name: str) -> bool:
        """Whether other activities take their reason from this one's message."""
        return any((name, "") in each.reason_from for each in self.activities.values())

    def _moves(self, name: str) -> tuple[Move, ...]:
        """Return the moves of a step; an unknown name has none."""
        return self.activities[name].moves if name in self.activities else ()

    def _state_after(self, state: CaseState, activity: Activity) -> CaseState | None:
        if state == UNKNOWN_STATE:
            return activity.enters
        move = _fitting(state, activity)
        return None if move is None else state.with_states(move.to)

    def _awaited_steps(self, state: CaseState, name: str, seen: frozenset[str]) -> Iterator[tuple[str, CaseState]]:
        """Yield each awaited step with the state after it, or after the steps that it awaits itself."""
        for each in self.activities[name].awaits:
            if each in seen or each not in self.activities:
                continue
            direct = self.step(state, each)
            if direct is not None:
                yield each, direct
                continue
            for _, end in self._awaited_steps(state, each, seen | {each}):
                after = self.step(end, each)
                if after is not None:
                    yield each, after


def _fitting(state: CaseState, activity: Activity) -> Move | None:
    """Return the first move that surely fits, otherwise the first that fits what is known."""
    return next((move for surely in (True, False) for move in activity.moves if move.fits(state, surely=surely)), None)


def _activity(entry: Any) -> Activity:
    return Activity(
        entry.name,
        _case_state(entry.enters),
        tuple(Move(tuple(getattr(each, region) for region in REGIONS), _case_state(each.to), each.way) for each in entry.moves),
        entry.awaits,
        entry.most_days,
        tuple((each.activity, each.reason) for each in entry.reason_from),
    )


def _case_state(values: Mapping[str, str]) -> CaseState:
    return CaseState(*(values.get(region) for region in REGIONS))
