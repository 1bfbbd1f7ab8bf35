"""
The interstate compact's workflow, case by case.

`step` is asked for every event whose code names an activity: once as a check, with the state thrown away, and once
more when the message takes effect, with the state kept: also where something spoke against it and a reviewer released
it, or where it was past, internal or not to be validated. A cancellation of something that took effect comes with
`telling="cancellation"`. No step is refused, so no case needs remembering.
"""

from msgspec import Struct

from processors.domain.event import Event
from processors.rules.book import Book
from processors.validate.finding import Finding


class CompactState(Struct, frozen=True, omit_defaults=True):
    """Where an offender's compact cases stand."""


def step(event: Event, state: CompactState, book: Book) -> tuple[CompactState, Finding | None]:  # noqa: ARG001  the seam
    """
    Return the state after `event`, and what speaks against it.

    A Finding "waiting" without `due` waits `out_of_order.hold` for an earlier step and is then flagged with its reason.
    """
    return state, None
