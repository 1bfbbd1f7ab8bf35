"""Long lists in pages, so that adding to one of thousands writes a page and not thousands."""

from collections.abc import Iterator, Mapping
from typing import Final

from processors.ingest.identify.state import Desk, Roll, RollPage, State

PAGE: Final = 100


def page_key(key: str, page: int) -> str:
    return f"{key}.{page}"


def last_keys(key: str, states: Mapping[str, State]) -> Iterator[str]:
    """Yield the states that adding to the roll needs."""
    yield key
    head = states.get(key)
    if isinstance(head, Roll):
        yield page_key(key, head.pages - 1)


def all_keys(key: str, states: Mapping[str, State]) -> Iterator[str]:
    """Yield the states that reading the roll needs."""
    yield key
    head = states.get(key)
    if isinstance(head, Roll):
        yield from (page_key(key, page) for page in range(head.pages))


def members(desk: Desk, key: str) -> Iterator[str]:
    """Yield what the roll holds, in the order of adding."""
    head = desk.get(key, Roll)
    for page in range(head.pages if head else 0):
        found = desk.get(page_key(key, page), RollPage)
        yield from found.items if found else ()


def add(desk: Desk, key: str, item: str) -> int:
    """The item is on the roll; return its page."""
    head = desk.get(key, Roll)
    page = head.pages - 1 if head else 0
    found = desk.get(page_key(key, page), RollPage)
    if found is not None and len(found.items) >= PAGE:
        page, found = page + 1, None
    if head is None or page == head.pages:
        desk.put(key, Roll(page + 1))
    desk.put(page_key(key, page), RollPage((*(found.items if found else ()), item)))
    return page


def remove(desk: Desk, key: str, page: int, item: str) -> None:
    """The item is no longer on that page of the roll."""
    found = desk.get(page_key(key, page), RollPage)
    if found is not None:
        left = tuple(each for each in found.items if each != item)
        desk.put(page_key(key, page), RollPage(left) if left else None)
