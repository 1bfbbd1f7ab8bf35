"""
Expected events with legal deadlines.

`advance` is asked for every event that takes effect (a cancellation comes with `telling="cancellation"`), and with None
when the time it asked for has come. No clock runs, so nothing is raised.
"""

from msgspec import Struct

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.rules.book import Rules


class ClockState(Struct, frozen=True, omit_defaults=True):
    """The deadlines that run for an offender."""


def advance(
    event: Event | None,  # noqa: ARG001  the seam
    state: ClockState,
    now: int,  # noqa: ARG001  the seam
    rules: Rules,  # noqa: ARG001  the seam
) -> tuple[ClockState, tuple[Expectation, ...], int | None]:
    """Return the clocks after `event` (None: after `now` has come), the expectations to publish, and when to be woken."""
    return state, (), None
