"""
A reviewer's decision on a group of any size: the reviews of one page of its list at a time, so that none is one huge batch.

The decision is kept with the page that is next, and has a timer that is due at once; each time it fires it settles a page.
Reviews added to the group after the decision are not settled by it.
"""

from collections.abc import Iterator

from processors.domain.review import ReviewAction
from processors.ingest.identify import pages
from processors.ingest.identify.reviews import settle, waiting_keys
from processors.ingest.identify.state import (
    UNCHANGED,
    GroupSettlement,
    ListHead,
    ListPage,
    OpenReview,
    State,
    States,
    find,
    group_key,
    group_settlement_key,
    review_key,
)
from processors.stage import Context, Decision, combine


def is_large(group: str, states: States) -> bool:
    """Whether the reviews of a group are on several pages."""
    head = find(states, group_key(group), ListHead)
    return head is not None and head.pages - head.first > 1


def count_keys(group: str, states: States) -> Iterator[str]:
    """Yield the states needed to count the reviews of a large group."""
    yield from pages.last_page_keys(group_key(group), states)


def count(group: str, states: States) -> int:
    """Return how many reviews a large group has had since the last decision on it, those settled one by one included."""
    head = find(states, group_key(group), ListHead)
    return 0 if head is None else (head.pages - 1 - head.first) * pages.PAGE + last_page_length(group, states)


def last_page_length(group: str, states: States) -> int:
    head = find(states, group_key(group), ListHead)
    page = None if head is None else find(states, pages.page_key(group_key(group), head.pages - 1), ListPage)
    return 0 if page is None else len(page.items)


def begin(action: ReviewAction, states: States) -> Decision[State]:
    """Decide on a large group from here on, page by page."""
    group = action.group or ""
    head = find(states, group_key(group), ListHead)
    if head is None:
        return UNCHANGED
    begun = GroupSettlement(action, head.first, head.pages, last_page_length(group, states), action.received_at)
    return Decision(states={group_settlement_key(group): begun})


def page_keys(key: str, states: States) -> Iterator[str]:
    """Yield the states needed to settle the next page."""
    settlement = find(states, key, GroupSettlement)
    if settlement is None:
        return
    group = group_key(settlement.action.group or "")
    yield group
    yield pages.page_key(group, settlement.page)
    for review_id in reviews_of(settlement, states):
        yield review_key(review_id)
        waiting = find(states, review_key(review_id), OpenReview)
        if waiting is not None:
            yield from waiting_keys(waiting, states)


def reviews_of(settlement: GroupSettlement, states: States) -> tuple[str, ...]:
    """Return the reviews of the next page that were there when the reviewer decided."""
    page = find(states, pages.page_key(group_key(settlement.action.group or ""), settlement.page), ListPage)
    if page is None:
        return ()
    return page.items if settlement.page + 1 < settlement.pages else page.items[: settlement.last]


def settle_page(key: str, settlement: GroupSettlement, states: States, context: Context) -> Decision[State]:
    """Settle the reviews of one page; the list begins after it, unless it is the last, to which more may have been added."""
    group, action = group_key(settlement.action.group or ""), settlement.action
    found = [each for review_id in reviews_of(settlement, states) if (each := find(states, review_key(review_id), OpenReview))]
    settled = combine(settle(states, each, action, context) for each in found)
    head = find(states, group, ListHead)
    following = settlement.page + 1
    if following < settlement.pages and head is not None:
        again = GroupSettlement(action, following, settlement.pages, settlement.last, settlement.due)
        after: dict[str, State | None] = {
            key: again,
            group: ListHead(head.pages, following),
            pages.page_key(group, settlement.page): None,
        }
    else:
        after = {key: None}
    return settled.then(Decision(states=after))
