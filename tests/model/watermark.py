"""
A model of timers and an earlier stage that lags: whether a hold may end by the clock alone.

A Cancel was received at 1 and holds until 3. Its resubmission was received at 2, before the hold ends, and lies with an
earlier stage until that stage passes it on. The clock may run ahead of the earlier stage as far as it likes.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

RECEIVED: Final = 2
DUE: Final = 3
LAST: Final = 5


class Moment(NamedTuple):
    """The time, how far the resubmission has come, and what registrants were told, if anything."""

    now: int = 1
    passed_on: bool = False
    read: bool = False
    told: str = ""


def steps(moment: Moment, *, watermark: bool) -> Iterator[Moment]:
    """Yield everything that may happen next."""
    if moment.now < LAST:
        yield moment._replace(now=moment.now + 1)
    if moment.now >= RECEIVED and not moment.passed_on:
        yield moment._replace(passed_on=True)
    if moment.passed_on and not moment.read:
        yield moment._replace(read=True, told=moment.told or "nothing: it was taken back")
    caught_up = moment.read or not moment.passed_on  # the stage has read its own inputs to their end
    # Up to which receive time everything has been passed on; the clock's, where nothing is under way.
    mark = moment.now if moment.passed_on or moment.now < RECEIVED else min(moment.now, RECEIVED - 1)
    if caught_up and not moment.told and (mark if watermark else moment.now) >= DUE:
        yield moment._replace(told="cancellation")


def outcomes(*, watermark: bool) -> set[str]:
    """Return what registrants may have been told in the end, over all interleavings."""
    seen, waiting, ends = {Moment()}, [Moment()], set[str]()
    while waiting:
        moment = waiting.pop()
        after = set(steps(moment, watermark=watermark))
        if not after:
            ends.add(moment.told)
        waiting += after - seen
        seen |= after
    return ends
