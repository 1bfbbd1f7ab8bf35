"""Where an offender stands, for those who look it up: published when it changes (`vn.standings`)."""

from functools import lru_cache
from typing import Final

from processors.domain.offender import OffenderStanding
from processors.rules.book import Book, Rules
from processors.stage import Output
from processors.topics import STANDINGS
from processors.validate.compact import Case, latest, standing_of
from processors.validate.state import Entry, Kind, OffenderState
from processors.validate.timeline import order_of

CACHED: Final = 4_096  # event types, each with a kind of place, of the books in force


def standing_after(offender: str, before: OffenderState, after: OffenderState, rules: Rules, now: int) -> tuple[Output, ...]:
    """Return what is published of an offender who was known as `before`; nothing if they stand as they did."""
    if after.history is before.history and after.compact is before.compact:
        return ()
    kinds, kinds_before = kinds_of(after), kinds_of(before)
    confidential = are_confidential(kinds, rules, now)
    confidential_before = (confidential or not kinds_before <= kinds) and are_confidential(kinds_before, rules, now)
    standing = standing_at(offender, after, rules, now, confidential=confidential)
    if standing == standing_at(offender, before, rules, now, confidential=confidential_before):
        return ()
    return (Output(STANDINGS, offender, standing),)


def present_standing(offender: str, known: OffenderState, rules: Rules, now: int) -> OffenderStanding:
    """Return where an offender stands."""
    return standing_at(offender, known, rules, now, confidential=are_confidential(kinds_of(known), rules, now))


def standing_at(offender: str, known: OffenderState, rules: Rules, now: int, *, confidential: bool) -> OffenderStanding:
    """Return where the offender stands by what is known."""
    status, kind = latest_status_and_kind(known.history)
    latest_of_both = max(status, kind, key=order_of) if status is not None and kind is not None else status or kind
    case = max(known.compact.cases, key=latest) if known.compact.cases else None
    return OffenderStanding(
        offender=offender,
        status=status.status if status else None,
        status_since=status.at if status else None,
        kind=kind.kind if kind else None,
        kind_since=kind.at if kind else None,
        jurisdiction=latest_of_both.jurisdiction if latest_of_both else None,
        sending_state=case.sending if case else None,
        receiving_state=case.receiving if case else None,
        transferred=case is not None and is_transferred(case, rules, now),
        confidential=confidential,
    )


def latest_status_and_kind(history: tuple[Entry, ...]) -> tuple[Entry | None, Entry | None]:
    """Return the last event that brought about a status, and the last one that led to a kind of place."""
    status = kind = None
    for each in reversed(history):
        if status is None and each.status is not None:
            status = each
        if kind is None and each.kind is not None:
            kind = each
        if status is not None and kind is not None:
            break
    return status, kind


def is_transferred(case: Case, rules: Rules, now: int) -> bool:
    """Whether the compact workflow of the case is completed."""
    workflow = rules.book("", now).workflow
    return workflow.is_completed(standing_of(case, workflow))


def kinds_of(known: OffenderState) -> set[Kind]:
    """Return what the offender's events were, as far as it decides whether they are confidential."""
    return {(each.jurisdiction, each.event_type, each.kind) for each in known.history}.union(known.earlier)


def are_confidential(kinds: set[Kind], rules: Rules, now: int) -> bool:
    """Whether any of these events is confidential by the rules of the jurisdiction that reported it."""
    return True in [is_confidential(rules.book(jurisdiction or "", now), event_type, kind) for jurisdiction, event_type, kind in kinds]


@lru_cache(CACHED)
def is_confidential(book: Book, event_type: str, kind: str | None) -> bool:
    """Whether the rules keep from the public whom such an event is about."""
    if event_type in book.confidential_types:
        return True
    place = book.location(kind) if kind is not None else None
    return place is not None and place.confidential
