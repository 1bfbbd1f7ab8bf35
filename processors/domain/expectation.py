"""What somebody owes by a date: an expected event and its deadline."""

from typing import Literal

from msgspec import Struct

ExpectationState = Literal["open", "met", "overdue", "cancelled"]


class Expectation(Struct, frozen=True, kw_only=True):
    """
    One expected event; key is `expectation_id`. `rule` is the clock's number, `deadline` the instant after which it is overdue.

    `last_day` is the last day on which a legal clock is in time (ISO 8601) where the state is that owes, `owing_state`
    that state; None where there is none or it is not known.
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
