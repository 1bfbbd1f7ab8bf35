"""
The state of validate: what it knows of one offender.

`OffenderState` is one small document. A message that waits or is in review is stored under its own key, so that the document
stays small however large the messages are. Everything is bounded: MAX_HISTORY entries, MAX_EXPECTED expectations, MAX_TOLD
events told.
"""

from typing import Final

from msgspec import Struct, field

from processors.domain.event import Change, Event
from processors.domain.expectation import Expectation
from processors.validate.clocks import ClockState
from processors.validate.compact import CompactState

EventKind = tuple[str | None, str, str | None]  # jurisdiction, event type and kind of location

MAX_HISTORY: Final = 64
MAX_EXPECTED: Final = 64
MAX_TOLD: Final = 256


class HistoryEntry(Struct, frozen=True, array_like=True, gc=False):
    """
    One event that took effect, at time `at` in the history.

    `chain` names the agency event it belongs to; `status`, `kind` and `place` are the status, kind of location and location after it;
    `jurisdiction` is that of the agency.
    """

    at: int
    seq: int
    chain: str
    event_type: str
    event_subtype: str
    past_from: int
    told: bool
    case_number: str | None = None
    status: str | None = None
    kind: str | None = None
    place: str | None = None
    jurisdiction: str | None = None


class ExpectedEvent(Struct, frozen=True, gc=False, array_like=True):
    """The expectation of a message tagged Expect Subsequent Event; `met_by` is the chain of the event that met it, None until then."""

    chain: str
    event_subtype: str
    case_number: str | None
    record: Expectation
    met_by: str | None = None


class Pending(Struct, frozen=True, array_like=True, gc=False):
    """
    A pending message: it waits (`review_id` is None) or is in review.

    `key` is the state key of the message itself (a `HeldMessage`), `since` when it was held, `due` when it is checked again.
    """

    key: str
    chain: str
    reason: str
    since: int
    due: int | None
    review_id: str | None = None


class HeldMessage(Struct, frozen=True, gc=False, tag="held"):
    """A message that waits or is in review, and the sentence that says why."""

    event: Event
    detail: str


class OffenderState(Struct, frozen=True, gc=False, omit_defaults=True, tag="dossier"):
    """
    Everything known of one offender.

    `history` is sorted by action time, ties by arrival; `earlier` are the kinds of the events that were dropped from it, without
    duplicates. `told_until` maps the chain of every event that was told to the time until which that is remembered. `untold` maps
    the chain to the changes since then that were not told. `clock_due` is when the next legal clock ends.
    """

    history: tuple[HistoryEntry, ...] = ()
    pending: tuple[Pending, ...] = ()
    told_until: dict[str, int] = field(default_factory=dict, name="told")
    untold: dict[str, tuple[Change, ...]] = field(default_factory=dict, name="owed")
    expected: tuple[ExpectedEvent, ...] = ()
    compact: CompactState = field(default_factory=CompactState)
    clocks: ClockState = field(default_factory=ClockState)
    clock_due: int | None = None
    earlier: tuple[EventKind, ...] = ()

    @property
    def deadline(self) -> int | None:
        """When the next message is checked again or the next legal clock ends."""
        if not self.pending:
            return self.clock_due
        times = [pending.due for pending in self.pending if pending.due is not None]
        if self.clock_due is not None:
            times.append(self.clock_due)
        return min(times, default=None)


State = OffenderState | HeldMessage


def deadline(state: State) -> int | None:
    """Return the state's deadline; None for a message, whose deadline is in its offender's document."""
    return state.deadline if type(state) is OffenderState else None
