"""Limits on what is kept for one offender: beyond them, the oldest items of the agency that has the most are dropped."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeVar

MAX_WAITING: Final = 100  # messages about one offender that wait for an earlier one
MAX_IN_REVIEW: Final = 250  # messages about one offender that are in review
CLOSED_AT_ONCE: Final = 10  # reviews closed together, so that not every further message has to close one


class Reviewable(Protocol):
    """A message that waits, for a time or in review."""

    @property
    def review_id(self) -> str | None:
        """The review that it waits in; None if it waits for a time."""


T = TypeVar("T")
R = TypeVar("R", bound=Reviewable)


def crowded_out(
    kept: Iterable[T], room: int, ori: Callable[[T], str], age: Callable[[T], Any], size: Callable[[T], int] = lambda _: 1
) -> list[T]:
    """
    Return the items to drop so that the rest fits into `room`.

    Each time, the agency that has the most loses the item that sorts first by `age`, so that a runaway feed cannot crowd out others.
    """
    of_agency: dict[str, list[T]] = {}
    taken: dict[str, int] = {}
    for each in kept:
        name = ori(each)
        of_agency.setdefault(name, []).append(each)
        taken[name] = taken.get(name, 0) + size(each)
    excess, gone = sum(taken.values()) - room, list[T]()
    if excess > 0:
        of_agency = {name: sorted(theirs, key=age, reverse=True) for name, theirs in of_agency.items()}
    while excess > 0:
        most = max(taken, key=lambda name: (taken[name], name))
        gone.append(of_agency[most].pop())
        freed = size(gone[-1])
        taken[most] -= freed
        excess -= freed
    return gone


def reviews_crowded_out(waiting: Sequence[R], ori: Callable[[R], str], age: Callable[[R], Any]) -> list[R]:
    """Return the messages whose reviews are closed once MAX_IN_REVIEW messages wait."""
    if len(waiting) < MAX_IN_REVIEW:
        return []
    in_review = (each for each in waiting if each.review_id is not None)
    return crowded_out(in_review, MAX_IN_REVIEW - CLOSED_AT_ONCE, ori, age)[: 2 * CLOSED_AT_ONCE]
