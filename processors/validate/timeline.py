"""
The history of an offender's status and location (contract §3.1.7, specification §4.1.4.2 and §4.1.5.2).

The latest action decides the current status, whichever message arrived last. An earlier action that is reported later is inserted
before newer ones and does not overwrite them. The order of arrival decides only between equal times; a date without a time is
equal to every time of its day.
"""

from collections.abc import Sequence
from operator import attrgetter

from msgspec import Struct

from processors.domain.docket import same_case
from processors.domain.event import Event
from processors.rules.rule_set import EventCode, RuleSet
from processors.validate.chain import chain_of
from processors.validate.facts import Facts, quote
from processors.validate.finding import Finding
from processors.validate.state import MAX_HISTORY, EventKind, HistoryEntry

HEARING = "Hearing Notice"

order_of = attrgetter("at", "seq")


class StatusAndPlace(Struct, frozen=True, gc=False):
    """A status, kind of location and location; None if not known."""

    status: str | None = None
    kind: str | None = None
    place: str | None = None


def history_time(history: tuple[HistoryEntry, ...], event: Event) -> int:
    """Return the event's time in the history; a date without a time comes after everything else known of that day."""
    if not event.date_only:
        return event.action_at
    return max((each.at for each in history if event.action_at <= each.at < event.past_from), default=event.action_at)


def entry_of(event: Event, code: EventCode, rule_set: RuleSet, at: int, *, told: bool) -> HistoryEntry:
    """Return the event's entry in the history, at time `at`."""
    kind = kind_after(event, code, rule_set)
    return HistoryEntry(
        at,
        event.seq,
        chain_of(event),
        event.event_type,
        event.event_subtype,
        event.past_from,
        told,
        event.case_number,
        status_after(event, code, rule_set),
        kind,
        event.location_name if kind is not None else None,
        event.jurisdiction,
    )


def insert_entry(history: tuple[HistoryEntry, ...], new: HistoryEntry) -> tuple[HistoryEntry, ...]:
    """Return the history with `new` inserted by action time; it may exceed MAX_HISTORY."""
    at = len(history)
    while at and order_of(history[at - 1]) > order_of(new):
        at -= 1
    return (*history[:at], new, *history[at:])


def latest_entries(
    history: tuple[HistoryEntry, ...], earlier: tuple[EventKind, ...]
) -> tuple[tuple[HistoryEntry, ...], tuple[EventKind, ...]]:
    """Return the latest MAX_HISTORY entries, and `earlier` with the kinds of those that are dropped."""
    if len(history) <= MAX_HISTORY:
        return history, earlier
    dropped = dict.fromkeys((each.jurisdiction, each.event_type, each.kind) for each in history[:-MAX_HISTORY])
    return history[-MAX_HISTORY:], (*earlier, *(each for each in dropped if each not in earlier))


def without_event(history: tuple[HistoryEntry, ...], chain: str) -> tuple[HistoryEntry, ...]:
    """Return the history as if the agency's event had not happened."""
    return tuple(each for each in history if each.chain != chain)


def status_and_place(history: Sequence[HistoryEntry], case_number: str | None, before: tuple[int, int] | None = None) -> StatusAndPlace:
    """Return the status and location in the case just before an action time and arrival; without `before`, the current ones."""
    status = kind = place = None
    for each in reversed(history):
        if (before is not None and order_of(each) >= before) or not same_case(each.case_number, case_number):
            continue
        if status is None:
            status = each.status
        if kind is None and each.kind is not None:
            kind, place = each.kind, each.place
        if status is not None and kind is not None:
            break
    return StatusAndPlace(status, kind, place)


def status_after(event: Event, code: EventCode, rule_set: RuleSet) -> str | None:
    """Return the status after the event, as the rules spell it: the one the message names, otherwise the one its code implies."""
    if event.status is None:
        return code.status
    found = rule_set.status(event.status)
    return event.status if found is None else found.name


def kind_after(event: Event, code: EventCode, rule_set: RuleSet) -> str | None:
    """Return the kind of location after the event; the location in a hearing notice is the court's and does not move the offender."""
    if event.notification_type == HEARING:
        return None
    if event.location_kind is None:
        return code.location
    found = rule_set.location(event.location_kind)
    return event.location_kind if found is None else found.name


def known_status(facts: Facts) -> Finding | None:
    """Flag a status that the rules do not know (contract §3.1.7)."""
    named = facts.event.status
    if named is None or facts.in_force.rule_set.status(named) is not None:
        return None
    return Finding(
        "flagged",
        "unknown_status",
        f"the message names the status {quote(named)}, which the rules do not know; "
        f"the status before is {quote_or_unknown(facts.status_then)}",
    )


def known_location(facts: Facts) -> Finding | None:
    """Flag a kind of location that the rules do not know (contract §3.1.7)."""
    named = facts.event.location_kind
    if named is None or facts.in_force.rule_set.location(named) is not None:
        return None
    return Finding(
        "flagged",
        "unknown_location",
        f"the message names the kind of location {quote(named)}, which the rules do not know; "
        f"the location before is {quote_or_unknown(facts.kind_then)}",
    )


def status_transition(facts: Facts) -> Finding | None:
    """Flag a status that cannot follow the previous one (specification §4.1.5.2)."""
    if facts.status is None or facts.status_then is None:
        return None
    before, after = facts.in_force.rule_set.status(facts.status_then), facts.in_force.rule_set.status(facts.status)
    if before is None or after is None or facts.in_force.rule_set.may_become(facts.in_force.code, before, after):
        return None
    return Finding(
        "flagged",
        "status_transition",
        f"the status {quote(after.name)} by {facts.event.event_subtype} of {facts.action} cannot follow {quote(before.name)}, "
        "the status then",
    )


def location_transition(facts: Facts) -> Finding | None:
    """Flag a movement that cannot start from where the offender was (specification §4.1.4.2)."""
    if facts.kind is None or facts.kind_then is None or facts.kind == facts.kind_then:
        return None
    before, after = facts.in_force.rule_set.location(facts.kind_then), facts.in_force.rule_set.location(facts.kind)
    if before is None or after is None:
        return None
    stated = None if facts.event.from_kind is None else facts.in_force.rule_set.location(facts.event.from_kind)
    if stated is not None and stated.name != before.name:
        return Finding(
            "flagged",
            "location_transition",
            f"the message moves the offender from {quote(stated.name)} to {quote(after.name)}, "
            f"but on {facts.action} the location was {quote(before.name)}",
        )
    if facts.in_force.rule_set.may_move(facts.in_force.code, before, after):
        return None
    return Finding(
        "flagged",
        "location_transition",
        f"the location {quote(after.name)} by {facts.event.event_subtype} of {facts.action} cannot follow {quote(before.name)}, "
        "where the offender was then",
    )


def quote_or_unknown(value: str | None) -> str:
    return "not known" if value is None else quote(value)
