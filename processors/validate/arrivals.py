"""
What a new message does, depending on whether registrants were told of its event (contract §3.1.1–5).

`ARRIVALS` is the whole table: a change of something that nobody was told of is news, and its cancellation is not sent.
docs/checks.md draws it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from processors.domain.event import Event, TellingKind
from processors.domain.transition import transition
from processors.validate import effect, registrant_knowledge
from processors.validate.chain import is_later
from processors.validate.check_result import check
from processors.validate.draft import Draft, Situation
from processors.validate.facts import rules_in_force
from processors.validate.outcomes import confirmed_event, end, hold
from processors.validate.pending import supersede

Known = Literal["told", "not told"]


class Arrival(NamedTuple):
    """What a message does, and as what it can go on to registrants."""

    handler: Callable[[Event, Situation], Draft]
    goes_on_as: TellingKind | None


def receive(event: Event, situation: Situation) -> Draft:
    """Return what follows from an event; first, any waiting or flagged message that it replaces is superseded."""
    known: Known = "told" if registrant_knowledge.was_told(situation.known.told_until, event) else "not told"
    handler = transition(ARRIVALS, known, event.telling).handler
    if situation.known.pending and is_later(event):
        return supersede(event, situation).then(partial(handler, event))
    return handler(event, situation)


def check_news(event: Event, situation: Situation) -> Draft:
    """Let a new message go on, wait, be flagged, or end here."""
    result = check(event, situation.known, situation.rules, situation.now)
    if result.found is not None and result.holds:
        return hold(Draft(situation), event, result.found, result.detail)
    return end(Draft(situation), event, result, "confirmed", result.detail)


def check_change_as_news(event: Event, situation: Situation) -> Draft:
    return check_news(replace(event, telling="news", changes=()), situation)


def check_change(event: Event, situation: Situation) -> Draft:
    """Send the change relative to what registrants were told last; a change back to that takes effect but is not sent."""
    change = registrant_knowledge.since_told(situation.known.untold, event)
    if change is event or change.changes:
        return check_news(change, situation)
    in_force = rules_in_force(change, situation.rules, situation.now)
    detail = f"it says what registrants were told of message {change.root}; what had changed since was not told"
    return Draft(situation).apply(change, in_force, told=True).note(change, "suppressed", "inconsequential", detail)


def tell_cancellation(event: Event, situation: Situation) -> Draft:
    """Undo the effects of the cancelled message, and tell those who were told of it."""
    cancel, draft = take_back(event, situation)
    in_force = rules_in_force(event, situation.rules, situation.now)
    detail = f"message {event.root or event.refers_to} was told and is taken back"
    return draft.write(confirmed_event(cancel, draft.situation.known, in_force)).note(cancel, "passed", "confirmed", detail)


def suppress_cancellation(event: Event, situation: Situation) -> Draft:
    """Undo the effects of the cancelled message; nobody was told of it."""
    cancel, draft = take_back(event, situation)
    return draft.note(cancel, "suppressed", "nothing_told", f"nobody had been told of message {event.root or event.refers_to}")


def take_back(event: Event, situation: Situation) -> tuple[Event, Draft]:
    """Return the cancellation with the values that registrants were told last, and the draft in which it took effect."""
    in_force = rules_in_force(event, situation.rules, situation.now)
    cancel = registrant_knowledge.with_values_told(situation.known.untold, event, in_force.book.zone_of(event.ori))
    return cancel, Draft(situation).after(effect.revert(situation.known, cancel, in_force))


ARRIVALS: Final[Mapping[tuple[Known, TellingKind], Arrival]] = {
    ("not told", "news"): Arrival(check_news, "news"),
    ("told", "news"): Arrival(check_news, "news"),
    ("not told", "change"): Arrival(check_change_as_news, "news"),
    ("told", "change"): Arrival(check_change, "change"),
    ("not told", "cancellation"): Arrival(suppress_cancellation, None),
    ("told", "cancellation"): Arrival(tell_cancellation, "cancellation"),
}
