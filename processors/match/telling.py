"""Tells an event to registrants, a page of them at a time if they are many, and remembers who was told."""

from collections.abc import Iterator, Mapping
from typing import Final

from processors.domain.event import Event
from processors.domain.journal import Journal, Outcome, Verdict
from processors.domain.notification import Notification
from processors.match.pages import (
    Registrants,
    list_of_told,
    no_documents,
    page_key,
    pages_of,
    registrations_of,
    told_documents,
    told_of,
    told_page,
)
from processors.match.recipients import recipients, union
from processors.match.state import State, Telling, ToldEvents, ToldRegistrants, list_key, telling_key, told_key
from processors.stage import Context, Decision, Output
from processors.tally import part_ended, part_matched
from processors.topics import NOTIFICATIONS

NAME: Final = "match"


def notify(event: Event, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Write one notification for each registrant to be told, and remember who was told."""
    if not states:  # most events: nobody is registered for the offender, and nobody was told
        return Decision(part_ended(event), verdicts=(verdict(event, 0, 0, context),))
    key = told_key(event)
    found = states.get(key)
    before = told_of(key, states)
    to = recipients(event, before, registrations_of(states, event.offender))
    verdicts = (verdict(event, len(to), len(before), context),)
    tally = part_matched(event, len(to)) if to else part_ended(event)
    listed = told_events(states, event.offender)
    if event.telling == "cancellation":
        left = {each: until for each, until in listed.items() if each != key}
        told: dict[str, State | None] = {}
        gone = {} if found is None else no_documents(key, states)
        after = as_list(event.offender, listed, left)
    elif not to:
        return Decision(tally, verdicts=verdicts)
    else:
        until = remembered_until(event, context)
        if isinstance(found, ToldRegistrants):
            until = max(until, found.until)
        now = {each: at for each, at in listed.items() if at > event.received_at} | {key: until}
        told, gone = told_documents(key, union(before, to), until, states, first=to), {}
        after = as_list(event.offender, listed, now)
    pages = found.pages if event.telling == "cancellation" and isinstance(found, ToldRegistrants) else pages_of(to)
    if not pages:
        return Decision((*notifications(event, to), *tally), {**told, **gone, **after}, verdicts)
    first = told_page(key, 0, {**states, **told})
    states_after = {**told, **after, telling_key(event.offender): Telling(event, 1, pages)}
    return Decision((*notifications(event, first), *tally), states_after, verdicts)


def notifications(event: Event, to: Registrants) -> Iterator[Output]:
    """Yield one notification for each of these registrants."""
    for each in sorted(to):
        yield Output(NOTIFICATIONS, each, Notification(registrant_id=each, registration_ids=to[each], event=event))


def keys_of_next_page(telling: State | None) -> Iterator[str]:
    """Yield the states needed to go on with what is being told."""
    if isinstance(telling, Telling):
        told = told_key(telling.event)
        yield from (told, page_key(told, telling.page))


def tell_next_page(key: str, telling: Telling, states: Mapping[str, State]) -> Decision[State]:
    """Tell the registrants of the next page; after the last, what was told of a cancelled event is forgotten."""
    event, told = telling.event, told_key(telling.event)
    outputs = tuple(notifications(event, told_page(told, telling.page, states)))
    following = telling.page + 1
    if following < telling.pages:
        return Decision(outputs, {key: Telling(event, following, telling.pages)})
    return Decision(outputs, {key: None, **(no_documents(told, states) if event.telling == "cancellation" else {})})


def told_events(states: Mapping[str, State], offender: str) -> dict[str, int]:
    """Return the keys of the events of which somebody was told, each with its expiry."""
    found = states.get(list_key(offender))
    return found.until if found is not None and isinstance(found, ToldEvents) else {}


def as_list(offender: str, before: Mapping[str, int], after: dict[str, int]) -> dict[str, State | None]:
    """Return the list of told events if it has changed."""
    return {} if after == before else {list_key(offender): list_of_told(after)}


def remembered_until(event: Event, context: Context) -> int:
    """Return how long the event may still be changed or cancelled."""
    rules = context.rules
    return max(
        event.received_at + rules.duration("duplicate.window", event.scope),
        event.past_from + rules.duration("date.past", event.scope),
    )


NOBODY_TOLD: Final = {"news": "no_registration", "change": "no_registration", "cancellation": "nothing_told"}


def verdict(event: Event, count: int, told: int, context: Context) -> Verdict:
    """Return the verdict: how many are told, and how many had been."""
    outcome: Outcome = "matched" if count else "unmatched"
    before = "" if event.telling == "news" else f", of whom {told} had been told"
    detail = f"{count} {'registrant is' if count == 1 else 'registrants are'} to be told{before}"
    reason = "matched" if count else NOBODY_TOLD[event.telling]
    return Journal(NAME, event.received_at, context.rules.version).verdict(event, outcome, reason, detail)
