"""
Carries out a reviewer's decision on a large group of reviews page by page, so that no decision is one huge batch.

The decision is stored with the number of the next page and a timer that is due at once; each time the timer fires, a page is
settled. Reviews added to the group after the decision are not settled by it.
"""

from collections.abc import Iterator

from processors.domain.review import ReviewAction
from processors.ingest.identify import pages
from processors.ingest.identify.reviews import settle_review, waiting_keys
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


def count_reviews(group: str, states: States) -> int:
    """Return how many reviews were added to a large group since the last decision on it, including those settled one by one."""
    head = find(states, group_key(group), ListHead)
    return 0 if head is None else (head.pages - 1 - head.first) * pages.PAGE + last_page_length(group, states)


def last_page_length(group: str, states: States) -> int:
    head = find(states, group_key(group), ListHead)
    page = None if head is None else find(states, pages.page_key(group_key(group), head.pages - 1), ListPage)
    return 0 if page is None else len(page.items)


def start_settlement(action: ReviewAction, states: States) -> Decision[State]:
    """Store the decision on a large group, to be carried out page by page."""
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
    """Return the reviews on the next page that existed when the reviewer decided."""
    page = find(states, pages.page_key(group_key(settlement.action.group or ""), settlement.page), ListPage)
    if page is None:
        return ()
    return page.items if settlement.page + 1 < settlement.pages else page.items[: settlement.last]


def settle_page(key: str, settlement: GroupSettlement, states: States, context: Context) -> Decision[State]:
    """Settle the reviews of one page and drop the page from the list; the last page stays, since reviews may have been added to it."""
    group, action = group_key(settlement.action.group or ""), settlement.action
    found = [each for review_id in reviews_of(settlement, states) if (each := find(states, review_key(review_id), OpenReview))]
    settled = combine(settle_review(states, each, action, context) for each in found)
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
