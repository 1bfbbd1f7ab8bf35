"""Writes the notifications of an event, page by page if there are many registrants, and remembers who was told."""

from collections.abc import Iterator, Mapping
from typing import Final

from processors.domain.event import Event
from processors.domain.journal import Journal, Outcome, Verdict
from processors.domain.notification import Notification
from processors.match.pages import (
    Registrants,
    deleted_documents,
    page_count,
    page_key,
    registrants_on_page,
    registrations_of,
    told_documents,
    told_events_document,
    told_registrants,
)
from processors.match.recipients import recipients, union
from processors.match.state import FanOut, State, ToldEvents, ToldRegistrants, fan_out_key, told_events_key, told_key
from processors.stage import Context, Decision, Output
from processors.tally import part_ended, part_matched
from processors.topics import NOTIFICATIONS

NAME: Final = "match"


def notify(event: Event, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Write a notification for each registrant, and remember who was told."""
    if not states:  # most events: nobody is registered for the offender, and nobody was told
        return Decision(part_ended(event), verdicts=(verdict(event, 0, 0, context),))
    key = told_key(event)
    found = states.get(key)
    before = told_registrants(key, states)
    to = recipients(event, before, registrations_of(states, event.offender))
    verdicts = (verdict(event, len(to), len(before), context),)
    tally = part_matched(event, len(to)) if to else part_ended(event)
    listed = told_events(states, event.offender)
    if event.telling == "cancellation":
        left = {each: until for each, until in listed.items() if each != key}
        told: dict[str, State | None] = {}
        gone = {} if found is None else deleted_documents(key, states)
        after = changed_told_events(event.offender, listed, left)
    elif not to:
        return Decision(tally, verdicts=verdicts)
    else:
        until = remembered_until(event, context)
        if isinstance(found, ToldRegistrants):
            until = max(until, found.until)
        now = {each: at for each, at in listed.items() if at > event.received_at} | {key: until}
        told, gone = told_documents(key, union(before, to), until, states, first=to), {}
        after = changed_told_events(event.offender, listed, now)
    pages = found.pages if event.telling == "cancellation" and isinstance(found, ToldRegistrants) else page_count(to)
    if not pages:
        return Decision((*notifications(event, to), *tally), {**told, **gone, **after}, verdicts)
    first = registrants_on_page(key, 0, {**states, **told})
    states_after = {**told, **after, fan_out_key(event.offender): FanOut(event, 1, pages)}
    return Decision((*notifications(event, first), *tally), states_after, verdicts)


def notifications(event: Event, to: Registrants) -> Iterator[Output]:
    """Yield a notification for each of these registrants."""
    for each in sorted(to):
        yield Output(NOTIFICATIONS, each, Notification(registrant_id=each, registration_ids=to[each], event=event))


def keys_of_next_page(fan_out: State | None) -> Iterator[str]:
    """Yield the keys needed to notify the next page of a fan-out."""
    if isinstance(fan_out, FanOut):
        told = told_key(fan_out.event)
        yield from (told, page_key(told, fan_out.page))


def notify_next_page(key: str, fan_out: FanOut, states: Mapping[str, State]) -> Decision[State]:
    """Notify the registrants on the next page; after the last page of a cancellation, forget who was told."""
    event, told = fan_out.event, told_key(fan_out.event)
    outputs = tuple(notifications(event, registrants_on_page(told, fan_out.page, states)))
    following = fan_out.page + 1
    if following < fan_out.pages:
        return Decision(outputs, {key: FanOut(event, following, fan_out.pages)})
    return Decision(outputs, {key: None, **(deleted_documents(told, states) if event.telling == "cancellation" else {})})


def told_events(states: Mapping[str, State], offender: str) -> dict[str, int]:
    """Return the keys of the events that somebody was told of, each with its expiry."""
    found = states.get(told_events_key(offender))
    return found.until if found is not None and isinstance(found, ToldEvents) else {}


def changed_told_events(offender: str, before: Mapping[str, int], after: dict[str, int]) -> dict[str, State | None]:
    """Return the document of told events if they have changed."""
    return {} if after == before else {told_events_key(offender): told_events_document(after)}


def remembered_until(event: Event, context: Context) -> int:
    """Return until when the event may be changed or cancelled."""
    rules = context.rules
    return max(
        event.received_at + rules.duration("duplicate.window", event.scope),
        event.past_from + rules.duration("date.past", event.scope),
    )


UNMATCHED_REASONS: Final = {"news": "no_registration", "change": "no_registration", "cancellation": "nothing_told"}


def verdict(event: Event, count: int, told: int, context: Context) -> Verdict:
    """Return the verdict: how many registrants to notify, and how many of them were notified before."""
    outcome: Outcome = "matched" if count else "unmatched"
    before = "" if event.telling == "news" else f"; {told} of them already notified"
    detail = f"{count} {'registrant' if count == 1 else 'registrants'} to notify{before}"
    reason = "matched" if count else UNMATCHED_REASONS[event.telling]
    return Journal(NAME, event.received_at, context.rules.version).verdict(event, outcome, reason, detail)
