"""Expected events and their deadlines."""

from typing import Literal

from msgspec import Struct

ExpectationState = Literal["open", "met", "overdue", "cancelled"]


class Expectation(Struct, frozen=True, gc=False, kw_only=True):
    """
    One expected event, keyed by `expectation_id`. `rule` is the number of the legal rule; after `deadline` the event is overdue.

    `last_day` is the last day on time (ISO 8601) in the zone of `owing_state`, the state that owes the event. Both are None if
    there is no deadline or the state is not known.
    """

    expectation_id: str
    message_id: str
    ori: str
    offender: str
    jurisdiction: str
    state: ExpectationState
    expects: str
    owed_by: str
    rule: str
    text: str
    since: int
    deadline: int | None
    settled_by: str | None = None
    settled_at: int | None = None
    last_day: str | None = None
    owing_state: str | None = None
