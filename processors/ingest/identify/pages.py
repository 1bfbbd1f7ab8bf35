"""Long lists in pages, so that adding to a list of thousands writes one page only."""

from collections.abc import Iterator, Mapping
from typing import Final

from processors.ingest.identify.state import UNCHANGED, ListHead, ListPage, State, States, find
from processors.stage import Decision

PAGE: Final = 100


def page_key(key: str, page: int) -> str:
    return f"{key}.{page}"


def last_page_keys(key: str, states: States) -> Iterator[str]:
    """Yield the states that adding to the list needs."""
    yield key
    head = find(states, key, ListHead)
    if head is not None:
        yield page_key(key, head.pages - 1)


def all_page_keys(key: str, states: States) -> Iterator[str]:
    """Yield the states that reading the list needs."""
    yield key
    head = find(states, key, ListHead)
    if head is not None:
        yield from (page_key(key, page) for page in range(head.first, head.pages))


def items(states: States, key: str) -> Iterator[str]:
    """Yield the items of the list, in the order of adding."""
    head = find(states, key, ListHead)
    for page in range(head.first, head.pages) if head else ():
        found = find(states, page_key(key, page), ListPage)
        yield from found.items if found else ()


def add(states: States, key: str, item: str) -> tuple[int, Decision[State]]:
    """Return the page that the item is added to, and the change."""
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
    """Take the item from that page of the list."""
    found = find(states, page_key(key, page), ListPage)
    if found is None:
        return UNCHANGED
    left = tuple(each for each in found.items if each != item)
    change: Mapping[str, State | None] = {page_key(key, page): ListPage(left) if left else None}
    return Decision(states=change)
