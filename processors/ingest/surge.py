"""
A bulk update is not 8,000 releases (contract §6): beyond `surge.limit` messages wait for a person, as a group.

Every message counts, those held too: while a flood goes on, nothing of it gets through after the first `limit`. A message
is beyond the limit where the one that came `limit` messages before it is within the window. Messages are numbered, and
their times kept in blocks, so that counting one writes few of them.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from processors.ingest.marks import digest
from processors.ingest.state import Desk, Pace, PaceBlock, State
from processors.rules.book import Surge

BLOCK: Final = 100
NONE: Final = Pace()


def block_key(key: str, block: int) -> str:
    return f"{key}.{block}"


def pace_keys(key: str, states: Mapping[str, State]) -> Iterator[str]:
    """Yield the states that counting a message needs."""
    yield key
    pace = states.get(key)
    if isinstance(pace, Pace):
        yield from (block_key(key, block) for block in range(pace.first, pace.count // BLOCK))


def group_of(desk: Desk, key: str, limit: Surge, at: int, seq: int) -> str | None:
    """The message is counted in the pace of `key`; return the group it must wait with, None where it is within the limit."""
    before, since = desk.get(key, Pace) or NONE, at - limit.window
    earlier = time_of(desk, key, before, before.count - limit.limit)
    group = (before.group or f"surge-{digest(f'{key}|{seq}', 6)}") if earlier is not None and earlier > since else None
    if before.count:
        before = without_old(desk, key, before, limit, since)
    times = (*before.times, at)
    if len(times) == BLOCK:
        desk.put(block_key(key, before.count // BLOCK), PaceBlock(times))
        times = ()
    desk.put(key, Pace(before.count + 1, times, before.first, group))
    return group


def time_of(desk: Desk, key: str, pace: Pace, number: int) -> int | None:
    """Return when the message of this number came; None where that is not known any more, or was never."""
    block, place = divmod(number, BLOCK)
    if number < 0 or block < pace.first:
        return None
    if block == pace.count // BLOCK:
        return pace.times[place]
    found = desk.get(block_key(key, block), PaceBlock)
    return found.times[place] if found else None


def without_old(desk: Desk, key: str, pace: Pace, limit: Surge, since: int) -> Pace:
    """Return the pace after what can count no more is forgotten: all of it after a pause as long as the window, else block by block."""
    last, whole = time_of(desk, key, pace, pace.count - 1), pace.count // BLOCK
    if last is None or last <= since:
        after, first = NONE, whole
    else:
        first = max(pace.first, (pace.count + 1 - limit.limit) // BLOCK)
        end = time_of(desk, key, pace, first * BLOCK + BLOCK - 1) if first < whole else None
        if end is not None and end <= since:
            first += 1
        if first == pace.first:
            return pace
        after = Pace(pace.count, pace.times, first, pace.group)
    for block in range(pace.first, first):
        desk.put(block_key(key, block), None)
    return after
