"""
Counts messages against `surge.limit` (contract §6): beyond it, messages such as bulk updates wait for a reviewer as one group.

Held messages are counted too, so that only the first `limit` messages of a surge get through. A message is beyond the limit if the
message `limit` before it is within the window. Messages are numbered, and their times stored in blocks, so that counting one
writes few of them.
"""

from collections.abc import Iterable
from typing import Final

from processors.ingest.comparison import digest
from processors.ingest.identify.state import MessageRate, State, States, TimesBlock, find
from processors.rules.rule_set import Surge
from processors.stage import Decision

BLOCK: Final = 100
NO_MESSAGES: Final = MessageRate()
NEVER: Final = -1


def block_key(key: str, block: int) -> str:
    return f"{key}.{block}"


def block_keys(key: str, rate: MessageRate) -> Iterable[str]:
    """Return the keys needed to count a message besides the rate itself: its full blocks."""
    if rate.count < BLOCK:
        return ()
    return [block_key(key, block) for block in range(rate.first, rate.count // BLOCK)]


def count_message(states: States, key: str, limit: Surge, at: int, seq: int) -> tuple[str | None, Decision[State]]:
    """Count a message; return the group it must wait with, None if it is within the limit."""
    rate, since = find(states, key, MessageRate) or NO_MESSAGES, at - limit.window
    changes: dict[str, State | None] = {}
    if rate.count:
        first, last = rate.first, rate.count // BLOCK
        rate = without_expired_times(states, key, rate, limit, since)
        kept = rate.first if rate.count else last
        changes |= dict.fromkeys([block_key(key, block) for block in range(first, kept)])
    group = None
    if rate.count >= limit.limit and time_of(states, key, rate, rate.count - limit.limit) > since:
        group = rate.group or f"surge-{digest(f'{key}|{seq}', 6)}"
    times = (*rate.times, at)
    if len(times) == BLOCK:
        changes[block_key(key, rate.count // BLOCK)] = TimesBlock(times)
        times = ()
    changes[key] = MessageRate(rate.count + 1, times, rate.first, group)
    return group, Decision(states=changes)


def time_of(states: States, key: str, rate: MessageRate, number: int) -> int:
    """Return the time of the message with this number; NEVER if it is no longer known."""
    block, index = divmod(number, BLOCK)
    if block == rate.count // BLOCK:
        return rate.times[index]
    found = find(states, block_key(key, block), TimesBlock) if block >= rate.first else None
    return found.times[index] if found else NEVER


def without_expired_times(states: States, key: str, rate: MessageRate, limit: Surge, since: int) -> MessageRate:
    """Return the rate without expired times: all are dropped after a pause as long as the window, otherwise block by block."""
    first, last = rate.first, rate.count // BLOCK
    if (rate.times[-1] if rate.times else time_of(states, key, rate, rate.count - 1)) <= since:
        return NO_MESSAGES
    if first == last:
        return rate
    first = max(first, (rate.count - limit.limit) // BLOCK)
    if first < last and time_of(states, key, rate, first * BLOCK + BLOCK - 1) <= since:
        first += 1
    return rate if first == rate.first else MessageRate(rate.count, rate.times, first, rate.group)
