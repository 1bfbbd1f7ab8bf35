"""Long lists stored in pages, so that adding to a list of thousands writes only one page."""

from collections.abc import Iterator, Mapping
from typing import Final

from processors.ingest.identify.state import UNCHANGED, ListHead, ListPage, State, States, find
from processors.stage import Decision

PAGE: Final = 100


def page_key(key: str, page: int) -> str:
    return f"{key}.{page}"


def last_page_keys(key: str, states: States) -> Iterator[str]:
    """Yield the keys needed to add to the list."""
    yield key
    head = find(states, key, ListHead)
    if head is not None:
        yield page_key(key, head.pages - 1)


def all_page_keys(key: str, states: States) -> Iterator[str]:
    """Yield the keys needed to read the list."""
    yield key
    head = find(states, key, ListHead)
    if head is not None:
        yield from (page_key(key, page) for page in range(head.first, head.pages))


def items(states: States, key: str) -> Iterator[str]:
    """Yield the items of the list, in the order in which they were added."""
    head = find(states, key, ListHead)
    for page in range(head.first, head.pages) if head else ():
        found = find(states, page_key(key, page), ListPage)
        yield from found.items if found else ()


def add(states: States, key: str, item: str) -> tuple[int, Decision[State]]:
    """Add an item; return the number of its page, and the state change."""
    head = find(states, key, ListHead)
    page = head.pages - 1 if head else 0
    found = find(states, page_key(key, page), ListPage)
    if found is not None and len(found.items) >= PAGE:
        page, found = page + 1, None
    changes: dict[str, State | None] = {}
    if head is None or page == head.pages:
        changes[key] = ListHead(page + 1, head.first if head else 0)
    changes[page_key(key, page)] = ListPage((*(found.items if found else ()), item))
    return page, Decision(states=changes)


def remove(states: States, key: str, page: int, item: str) -> Decision[State]:
    """Remove the item from that page of the list."""
    found = find(states, page_key(key, page), ListPage)
    if found is None:
        return UNCHANGED
    left = tuple(each for each in found.items if each != item)
    change: Mapping[str, State | None] = {page_key(key, page): ListPage(left) if left else None}
    return Decision(states=change)
