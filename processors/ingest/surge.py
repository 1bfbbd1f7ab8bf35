"""
A bulk update is not 8,000 releases (contract §6): beyond `surge.limit` messages wait for a person, as a group.

Every message counts, those held too: while a flood goes on, nothing of it gets through after the first `limit`.
"""

from processors.ingest.marks import digest
from processors.ingest.state import Desk, Pace
from processors.rules.book import Surge


def group_of(desk: Desk, key: str, limit: Surge, at: int, seq: int) -> str | None:
    """The message is counted in the pace of `key`; return the group it must wait with, None where it is within the limit."""
    before = desk.get(key, Pace) or Pace(())
    recent = tuple(each for each in before.times if each > at - limit.window)
    group = (before.group or f"surge-{digest(f'{key}|{seq}', 6)}") if len(recent) >= limit.limit else None
    desk.put(key, Pace((*recent, at)[-limit.limit :], group))
    return group
