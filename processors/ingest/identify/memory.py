"""
Messages are remembered for the Cancel or Update that refers to them, for `duplicate.window`.

Each is remembered until a time of its own, and nothing later finds it. What is past is put away by the page: messages that
lie together in the intake share a page and its one timer, so that remembering a message writes little beside it.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import structs

from processors.ingest.identify.state import Desk, MemoryPage, Remembered, State
from processors.stage import Wake

PAGE: Final = 32  # offsets


def page_key(page: int) -> str:
    """Return the key of the page of this number: that of the intake's offsets by the page's length."""
    return f"f{page}"


def page_keys(key: str, states: Mapping[str, State]) -> Iterable[str]:
    """Return the states that putting a page away needs."""
    page = states.get(key)
    return (key, *page.messages) if isinstance(page, MemoryPage) else (key,)


def remember(desk: Desk, place: str, key: str, memory: Remembered) -> None:
    """The message of this key is remembered, on the page of that one, which has its timer from its first message on."""
    page = desk.get(place, MemoryPage)
    desk.put(place, MemoryPage((key,), memory.until) if page is None else structs.replace(page, messages=(*page.messages, key)))
    desk.put(key, memory)


def recalled(desk: Desk, key: str | None, at: int) -> Remembered | None:
    """Return what is remembered at this time of a message."""
    found = desk.get(key, Remembered) if key else None
    return found if found is not None and found.until > at else None


def put_away(desk: Desk, page: MemoryPage, given: Wake) -> None:
    """What is past by now is forgotten; the page waits for the rest of its messages."""
    left = {key: found.until for key in page.messages if (found := recalled(desk, key, given.due_at))}
    for key in page.messages:
        if key not in left:
            desk.put(key, None)
    desk.put(given.key, MemoryPage(tuple(left), max(left.values())) if left else None)
