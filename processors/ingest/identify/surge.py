"""
A bulk update is not 8,000 releases (contract §6): beyond `surge.limit` messages wait for a person, as a group.

Every message counts, those held too: while a flood goes on, nothing of it gets through after the first `limit`. A message
is beyond the limit where the one that came `limit` messages before it is within the window. Messages are numbered, and
their times kept in blocks, so that counting one writes few of them.
"""

from collections.abc import Iterable
from typing import Final

from processors.ingest.comparison import digest
from processors.ingest.identify.state import Desk, Pace, PaceBlock, State
from processors.rules.book import Surge

BLOCK: Final = 100
NONE: Final = Pace()
NEVER: Final = -1


def block_key(key: str, block: int) -> str:
    return f"{key}.{block}"


def pace_keys(key: str, pace: State | None) -> Iterable[str]:
    """Return the states that counting a message needs besides the pace itself: its whole blocks."""
    if not isinstance(pace, Pace) or pace.count < BLOCK:
        return ()
    return [block_key(key, block) for block in range(pace.first, pace.count // BLOCK)]


def group_of(desk: Desk, key: str, limit: Surge, at: int, seq: int) -> str | None:
    """The message is counted in the pace of `key`; return the group it must wait with, None where it is within the limit."""
    pace, since = desk.get(key, Pace) or NONE, at - limit.window
    if pace.count:
        pace = without_old(desk, key, pace, limit, since)
    group = None
    if pace.count >= limit.limit and time_of(desk, key, pace, pace.count - limit.limit) > since:
        group = pace.group or f"surge-{digest(f'{key}|{seq}', 6)}"
    times = (*pace.times, at)
    if len(times) == BLOCK:
        desk.put(block_key(key, pace.count // BLOCK), PaceBlock(times))
        times = ()
    desk.put(key, Pace(pace.count + 1, times, pace.first, group))
    return group


def time_of(desk: Desk, key: str, pace: Pace, number: int) -> int:
    """Return when the message of this number came; NEVER where that is not known any more."""
    block, place = divmod(number, BLOCK)
    if block == pace.count // BLOCK:
        return pace.times[place]
    found = desk.get(block_key(key, block), PaceBlock) if block >= pace.first else None
    return found.times[place] if found else NEVER


def without_old(desk: Desk, key: str, pace: Pace, limit: Surge, since: int) -> Pace:
    """Return the pace after what can count no more is forgotten: all of it after a pause as long as the window, else block by block."""
    first, whole = pace.first, pace.count // BLOCK
    if (pace.times[-1] if pace.times else time_of(desk, key, pace, pace.count - 1)) <= since:
        after, first = NONE, whole
    elif first == whole:
        return pace
    else:
        first = max(first, (pace.count - limit.limit) // BLOCK)
        if first < whole and time_of(desk, key, pace, first * BLOCK + BLOCK - 1) <= since:
            first += 1
        after = pace if first == pace.first else Pace(pace.count, pace.times, first, pace.group)
    for block in range(pace.first, first):
        desk.put(block_key(key, block), None)
    return after
