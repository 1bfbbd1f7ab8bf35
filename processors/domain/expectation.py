"""What somebody owes by a date: an expected event and its deadline."""

from typing import Literal

from msgspec import Struct

ExpectationState = Literal["open", "met", "overdue", "cancelled"]


class Expectation(Struct, frozen=True, kw_only=True):
    """One expected event; key is `expectation_id`. `rule` is the clock's number, `deadline` the instant after which it is overdue."""

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
