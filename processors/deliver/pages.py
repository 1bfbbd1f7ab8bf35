"""
What waits for one registrant, in pages where it is much: a night's notifications must neither outgrow one record nor leave as one batch.

The registrant's own document has what is due first. What is due last is moved to a page of its own, which has its own
timer. An input that may concern anything that waits is decided with every page; others, news above all, with none: only news
that belongs to a gathering on a page is then told by itself.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from processors.deliver.gathering import came_in
from processors.deliver.state import PAGE_MARK, Pending, PendingPage, Registrant, State
from processors.domain.erasure import Erasure
from processors.domain.notification import Notification
from processors.domain.registration import Reachable
from processors.domain.review import ReviewAction
from processors.stage import Decision, Record

PAGE: Final = 100  # notices


def page_key(registrant_id: str, page: int) -> str:
    return f"{registrant_id}{PAGE_MARK}{page}"


def is_page(key: str) -> bool:
    """Whether a state key is that of a page."""
    return PAGE_MARK in key


def page_keys(record: Record, registrant: State | None) -> Iterable[str]:
    """Return the pages that a record may concern: all of them, or none."""
    if isinstance(registrant, Registrant) and registrant.pages and concerns_waiting(record):
        return [page_key(registrant.registrant_id, page) for page in registrant.pages]
    return ()


def concerns_waiting(record: Record) -> bool:
    """Whether what waits may be replaced, be due now, be decided on by a reviewer, or end."""
    value = record.value
    if isinstance(value, Notification):
        return value.event.telling != "news"
    return isinstance(value, Reachable | ReviewAction | Erasure)


def with_pages(registrant: Registrant, states: Mapping[str, State]) -> Registrant:
    """Return the registrant with what waits on the pages at hand."""
    waiting = (each for page in registrant.pages for each in page_of(page_key(registrant.registrant_id, page), states))
    found = tuple(waiting)
    return replace(registrant, pending=in_order((*registrant.pending, *found))) if found else registrant


def page_of(key: str, states: Mapping[str, State]) -> tuple[Pending, ...]:
    found = states.get(key)
    return found.pending if isinstance(found, PendingPage) else ()


def in_order(pending: tuple[Pending, ...]) -> tuple[Pending, ...]:
    """Return what waits in the order in which its first messages were received."""
    return tuple(sorted(pending, key=lambda each: came_in(each.notices[0])))


def count_of(pending: Iterable[Pending]) -> int:
    """Return how many notices wait."""
    return sum([len(each.notices) for each in pending])


def due_last(pending: Iterable[Pending]) -> list[Pending]:
    """Return the gatherings that are due last, a page of notices of them."""
    moved: list[Pending] = []
    for each in sorted(pending, key=lambda each: each.due_at)[::-1]:  # of those due together, the last to come
        if count_of(moved) >= PAGE:
            break
        moved.append(each)
    return moved


def in_pages(decision: Decision[State], before: Registrant, states: Mapping[str, State]) -> Decision[State]:
    """Return the decision with what waits on the pages that it came from, and what is due last on a new page if it is too much."""
    name = before.registrant_id
    after = decision.states.get(name)
    if not isinstance(after, Registrant) or (not before.pages and count_of(after.pending) <= 2 * PAGE):
        return decision
    here = tuple(each for each in after.pending if each.page is None)
    changes: dict[str, State | None] = {}
    pages = set(after.pages)
    for page in before.pages:
        key = page_key(name, page)
        was, now = page_of(key, states), tuple(each for each in after.pending if each.page == page)
        if was and now != was:
            changes[key] = PendingPage(now) if now else None
            pages -= set() if now else {page}
    if count_of(here) > 2 * PAGE:
        new = max(pages, default=-1) + 1
        moved = due_last(here)
        changes[page_key(name, new)] = PendingPage(in_order(tuple(replace(each, page=new) for each in moved)))
        here = tuple(each for each in here if each not in moved)
        pages.add(new)
    left = replace(after, pending=here, pages=tuple(sorted(pages)))
    states_after = {**decision.states, **changes, name: left}
    if left == states.get(name):
        del states_after[name]
    return Decision(decision.outputs, states_after, decision.verdicts)
