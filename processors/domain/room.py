"""Which of the things kept of one person go when there are more than fit: the oldest of the agency that has most."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Protocol, TypeVar

WAITING: Final = 100  # messages about one offender that may wait for an earlier one
IN_REVIEW: Final = 250
AT_ONCE: Final = 10  # reviews closed together, so that not every message has to look for one


class Reviewable(Protocol):
    """A message that waits, in review or not."""

    @property
    def review_id(self) -> str | None:
        """The review that it waits in, if it does."""


T = TypeVar("T")
R = TypeVar("R", bound=Reviewable)


def crowded_out(
    kept: Iterable[T], room: int, ori: Callable[[T], str], age: Callable[[T], Any], size: Callable[[T], int] = lambda _: 1
) -> list[T]:
    """
    Return what goes so that the rest fits into `room`.

    Each time the agency that has most loses what sorts first by `age`: one feed gone wrong cannot push out what others said.
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
    """Return the messages in review that go once there is room for no more."""
    if len(waiting) < IN_REVIEW:
        return []
    in_review = (each for each in waiting if each.review_id is not None)
    return crowded_out(in_review, IN_REVIEW - AT_ONCE, ori, age)[: 2 * AT_ONCE]
