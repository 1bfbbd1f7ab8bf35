"""An offender's standing: current status and location, published when they change (`vn.standings`)."""

from functools import lru_cache
from typing import Final

from processors.domain.offender import OffenderStanding
from processors.rules.rule_set import Rules, RuleSet
from processors.stage import Output
from processors.topics import STANDINGS
from processors.validate.compact import Case, latest_step_key, state_of_case
from processors.validate.state import EventKind, HistoryEntry, OffenderState
from processors.validate.timeline import order_of

CACHED: Final = 4_096  # combinations of rules, event type and kind of location


def standing_after(offender: str, before: OffenderState, after: OffenderState, rules: Rules, now: int) -> tuple[Output, ...]:
    """Return the offender's standing to publish; nothing if it is the same as `before`."""
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
    """Return the offender's current standing."""
    return standing_at(offender, known, rules, now, confidential=are_confidential(kinds_of(known), rules, now))


def standing_at(offender: str, known: OffenderState, rules: Rules, now: int, *, confidential: bool) -> OffenderStanding:
    """Return the offender's standing by what is known."""
    status, kind = latest_entries_with_status_and_kind(known.history)
    latest_of_both = max(status, kind, key=order_of) if status is not None and kind is not None else status or kind
    case = max(known.compact.cases, key=latest_step_key) if known.compact.cases else None
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


def latest_entries_with_status_and_kind(history: tuple[HistoryEntry, ...]) -> tuple[HistoryEntry | None, HistoryEntry | None]:
    """Return the last entry that set a status, and the last one that set a kind of location."""
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
    """Whether the transfer of the case is completed and the case is open."""
    workflow = rules.rule_set("", now).workflow
    return workflow.is_completed(state_of_case(case, workflow))


def kinds_of(known: OffenderState) -> set[EventKind]:
    """Return the kinds of the offender's events, which decide whether the offender is confidential."""
    return {(each.jurisdiction, each.event_type, each.kind) for each in known.history}.union(known.earlier)


def are_confidential(kinds: set[EventKind], rules: Rules, now: int) -> bool:
    """Whether any event of these kinds is confidential by the rules of the jurisdiction that reported it."""
    return True in [is_confidential(rules.rule_set(jurisdiction or "", now), event_type, kind) for jurisdiction, event_type, kind in kinds]


@lru_cache(CACHED)
def is_confidential(rule_set: RuleSet, event_type: str, kind: str | None) -> bool:
    """Whether the rules hide from the public whom such an event is about."""
    if event_type in rule_set.confidential_types:
        return True
    place = rule_set.location(kind) if kind is not None else None
    return place is not None and place.confidential
