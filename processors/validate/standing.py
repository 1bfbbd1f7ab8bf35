"""Where an offender stands, for those who look it up: published when it changes (`vn.standings`)."""

from processors.domain.offender import OffenderStanding
from processors.rules.book import Rules
from processors.stage import Output
from processors.topics import STANDINGS
from processors.validate.compact import Case, latest, standing_of
from processors.validate.state import Kind, OffenderState


def standing_after(offender: str, before: OffenderState, after: OffenderState, rules: Rules, now: int) -> tuple[Output, ...]:
    """Return what is published of an offender who was known as `before`; nothing if they stand as they did."""
    if after.history is before.history and after.compact is before.compact:
        return ()
    kinds, kinds_before = kinds_of(after), kinds_of(before)
    confidential = are_confidential(kinds, rules, now)
    confidential_before = confidential if kinds == kinds_before else are_confidential(kinds_before, rules, now)
    standing = standing_at(offender, after, rules, now, confidential=confidential)
    if standing == standing_at(offender, before, rules, now, confidential=confidential_before):
        return ()
    return (Output(STANDINGS, offender, standing),)


def standing_at(offender: str, known: OffenderState, rules: Rules, now: int, *, confidential: bool) -> OffenderStanding:
    """Return where the offender stands by what is known."""
    status = next((each for each in reversed(known.history) if each.status is not None), None)
    kind = next((each for each in reversed(known.history) if each.kind is not None), None)
    latest_of_both = max((each for each in (status, kind) if each is not None), key=lambda each: (each.at, each.seq), default=None)
    case = max(known.compact.cases, key=latest, default=None)
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


def is_transferred(case: Case, rules: Rules, now: int) -> bool:
    """Whether the compact workflow of the case is completed."""
    workflow = rules.book("", now).workflow
    return workflow.is_completed(standing_of(case, workflow))


def kinds_of(known: OffenderState) -> set[Kind]:
    """Return what the offender's events were, as far as it decides whether they are confidential."""
    return {each.event_kind for each in known.history}.union(known.earlier)


def are_confidential(kinds: set[Kind], rules: Rules, now: int) -> bool:
    """Whether any of these events is confidential."""
    return any(is_confidential(*each, rules, now) for each in kinds)


def is_confidential(jurisdiction: str | None, event_type: str, kind: str | None, rules: Rules, now: int) -> bool:
    """Whether the rules of the reporting jurisdiction keep from the public whom such an event is about."""
    book = rules.book(jurisdiction or "", now)
    if event_type in book.confidential_types:
        return True
    place = book.location(kind) if kind is not None else None
    return place is not None and place.confidential
