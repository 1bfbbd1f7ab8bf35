"""
What registrants know of each agency event: whether they were told of it, and which changes they were not told of.

An event is remembered for `duplicate.window` or, if that is later, until its date is past by `date.past`, since an event far ahead
can be cancelled until then.

A change of an event that nobody was told of is news, and its cancellation is not sent (contract §3.1.1). A change that is not sent (in
review, past, discarded) is `untold`: registrants still have the old values, and the next change or the cancellation is described
relative to these.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from processors.domain.event import Change, Event, combine_changes
from processors.domain.time import millis
from processors.rules.calendar import end_of
from processors.rules.rule_set import Rules
from processors.validate.chain import chain_of
from processors.validate.state import MAX_TOLD

Untold = dict[str, tuple[Change, ...]]


def was_told(told_until: dict[str, int], event: Event) -> bool:
    """Whether registrants were told of the agency event that the message is about."""
    return bool(told_until) and told_until.get(chain_of(event), event.received_at) > event.received_at


def with_told(told_until: dict[str, int], event: Event, rules: Rules) -> dict[str, int]:
    """Return `told_until` with the event added; without expired events and, beyond MAX_TOLD, without the oldest."""
    chain, now, scope = chain_of(event), event.received_at, event.scope
    kept = {each: until for each, until in told_until.items() if until > now and each != chain}
    kept[chain] = max(
        now + rules.duration("duplicate.window", scope),
        event.past_from + rules.duration("date.past", scope),
    )
    while len(kept) > MAX_TOLD:
        del kept[next(iter(kept))]
    return kept


def without_told(told_until: dict[str, int], event: Event) -> dict[str, int]:
    """Return `told_until` without the event: once its cancellation was told, the same event is news."""
    chain = chain_of(event)
    return {each: until for each, until in told_until.items() if each != chain}


# changes that registrants were not told of


def change_since_told(untold: Untold, event: Event) -> Event:
    """Return the change relative to what registrants were told, including changes that they were not told of."""
    before = untold.get(chain_of(event))
    return event if before is None else replace(event, changes=combine_changes(before, event.changes))


def with_untold(untold: Untold, event: Event, told: Mapping[str, int]) -> Untold:
    """Return `untold` with a change that is not sent; without events that are no longer remembered."""
    if event.telling != "change":
        return untold
    return {chain: each for chain, each in untold.items() if chain in told} | {chain_of(event): event.changes}


def without_untold(untold: Untold, event: Event) -> Untold:
    """Return `untold` without the event, since registrants now have its current values."""
    if not untold or (chain := chain_of(event)) not in untold:
        return untold
    return {each: changes for each, changes in untold.items() if each != chain}


def with_values_told(untold: Untold, event: Event, zone: ZoneInfo) -> Event:
    """Return the event with the values that registrants were told last."""
    fields: dict[str, Any] = {}
    for change in untold.get(chain_of(event), ()):
        fields |= _FIELD_READERS.get(change.field, _read_text)(change, zone)
    return replace(event, **fields) if fields else event


def untold_note(event: Event) -> str:
    """Return the journal's addition for a change that is not sent: what registrants still believe."""
    if event.telling != "change":
        return ""
    dates = [change.old for change in event.changes if change.field == "action_at"]
    return f"; registrants still hold what they were told of message {event.root}{f': {dates[0]}' if dates else ''}"


def _read_text(change: Change, _: ZoneInfo) -> dict[str, Any]:
    return {change.field: change.old or None}


def _read_action_date(change: Change, zone: ZoneInfo) -> dict[str, Any]:
    if "T" in change.old:
        at = millis(change.old)
        return {"action_at": at, "past_from": at, "date_only": False}
    day = date.fromisoformat(change.old)
    begin = round(datetime.combine(day, time(), zone).timestamp() * 1000)
    return {"action_at": begin, "past_from": end_of(day, zone), "date_only": True}


_FIELD_READERS: Final[Mapping[str, Callable[[Change, ZoneInfo], dict[str, Any]]]] = {"action_at": _read_action_date}
