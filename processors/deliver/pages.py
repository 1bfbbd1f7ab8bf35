"""
Pages of what waits for one registrant, so that a night's notifications neither outgrow one record nor leave as one batch.

The registrant's own document holds what is due first. What is due last is moved to separate pages, each with its own timer. An input
that may concern anything that waits is decided with all pages, any other input (above all news) with none; news that belongs to
a gathering on a page is then sent separately.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from processors.deliver.gathering import arrival_order
from processors.deliver.state import PAGE_MARK, Pending, PendingPage, Registrant, State
from processors.domain.erasure import Erasure
from processors.domain.notification import Notification
from processors.domain.registration import Reachable
from processors.domain.review import ReviewAction
from processors.stage import Decision, Record

NOTICES_PER_PAGE: Final = 100  # notices


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
    """Whether a record may replace, release, review or end what waits."""
    value = record.value
    if isinstance(value, Notification):
        return value.event.telling != "news"
    return isinstance(value, Reachable | ReviewAction | Erasure)


def with_pages(registrant: Registrant, states: Mapping[str, State]) -> Registrant:
    """Return the registrant with what waits on the pages that were read."""
    waiting = (each for page in registrant.pages for each in page_of(page_key(registrant.registrant_id, page), states))
    found = tuple(waiting)
    return replace(registrant, pending=in_order((*registrant.pending, *found))) if found else registrant


def page_of(key: str, states: Mapping[str, State]) -> tuple[Pending, ...]:
    found = states.get(key)
    return found.pending if isinstance(found, PendingPage) else ()


def in_order(pending: tuple[Pending, ...]) -> tuple[Pending, ...]:
    """Return the gatherings in the order in which their first messages were received."""
    return tuple(sorted(pending, key=lambda each: arrival_order(each.notices[0])))


def count_of(pending: Iterable[Pending]) -> int:
    """Return how many notices wait."""
    return sum([len(each.notices) for each in pending])


def last_due(pending: Iterable[Pending]) -> list[Pending]:
    """Return the gatherings that are due last, enough to fill a page."""
    moved: list[Pending] = []
    for each in sorted(pending, key=lambda each: each.due_at)[::-1]:  # of those due at the same time, the last to arrive
        if count_of(moved) >= NOTICES_PER_PAGE:
            break
        moved.append(each)
    return moved


def in_pages(decision: Decision[State], before: Registrant, states: Mapping[str, State]) -> Decision[State]:
    """Return the decision with gatherings written back to their pages and, if too many are left, those due last moved to a new page."""
    name = before.registrant_id
    after = decision.states.get(name)
    if not isinstance(after, Registrant) or (not before.pages and count_of(after.pending) <= 2 * NOTICES_PER_PAGE):
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
    if count_of(here) > 2 * NOTICES_PER_PAGE:
        new = max(pages, default=-1) + 1
        moved = last_due(here)
        changes[page_key(name, new)] = PendingPage(in_order(tuple(replace(each, page=new) for each in moved)))
        here = tuple(each for each in here if each not in moved)
        pages.add(new)
    left = replace(after, pending=here, pages=tuple(sorted(pages)))
    states_after = {**decision.states, **changes, name: left}
    if left == states.get(name):
        del states_after[name]
    return Decision(decision.outputs, states_after, decision.verdicts)
