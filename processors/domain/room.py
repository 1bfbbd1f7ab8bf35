"""Which of the things kept of one person go when there are more than fit: the oldest of the agency that has most."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


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
