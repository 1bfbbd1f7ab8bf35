"""
What a new message does, by what registrants were told of its event (contract §3.1.1–5).

`ARRIVALS` is the whole of it: a change of something that nobody was told of is news, and its cancellation tells nothing.
docs/checks.md draws it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from processors.domain.event import Event, Telling
from processors.domain.transition import transition
from processors.validate import effect, told_events
from processors.validate.chain import is_later
from processors.validate.ends import confirmed, end, hold
from processors.validate.facts import rules_in_force
from processors.validate.pending import supersede
from processors.validate.result import check
from processors.validate.step import Situation, Step

Known = Literal["told", "not told"]


class Arrival(NamedTuple):
    """What a message does, and what of it can go on to registrants."""

    handler: Callable[[Event, Situation], Step]
    goes_on_as: Telling | None


def receive(event: Event, situation: Situation) -> Step:
    """Return what follows from an event; whatever it replaces in review or in wait is superseded first."""
    step = Step(situation)
    if situation.known.pending and is_later(event):
        step = step.then(partial(supersede, event))
    known: Known = "told" if told_events.was_told(situation.known.told_until, event) else "not told"
    return step.then(partial(transition(ARRIVALS, known, event.telling).handler, event))


def check_news(event: Event, situation: Situation) -> Step:
    """Let a new message go on, wait, be flagged, or end here."""
    result = check(event, situation.known, situation.rules, situation.now)
    if result.found is not None and result.holds:
        return hold(Step(situation), event, result.found, result.detail)
    return end(Step(situation), event, result, "confirmed", result.detail)


def check_change_as_news(event: Event, situation: Situation) -> Step:
    return check_news(replace(event, telling="news", changes=()), situation)


def check_change(event: Event, situation: Situation) -> Step:
    """Tell a change from what was told last; a change back to it takes effect and is not told."""
    change = told_events.since_told(situation.known.untold, event)
    if change is event or change.changes:
        return check_news(change, situation)
    in_force = rules_in_force(change, situation.rules, situation.now)
    detail = f"it says what registrants were told of message {change.root}; what had changed since was not told"
    return Step(situation).apply(change, in_force, told=True).note(change, "suppressed", "inconsequential", detail)


def tell_cancellation(event: Event, situation: Situation) -> Step:
    """Take back what the cancelled message brought about, and tell those who were told of it."""
    cancel, step = take_back(event, situation)
    in_force = rules_in_force(event, situation.rules, situation.now)
    detail = f"message {event.root or event.refers_to} was told and is taken back"
    return step.write(confirmed(cancel, step.situation.known, in_force)).note(cancel, "passed", "confirmed", detail)


def suppress_cancellation(event: Event, situation: Situation) -> Step:
    """Take back what the cancelled message brought about; nobody was told of it."""
    cancel, step = take_back(event, situation)
    return step.note(cancel, "suppressed", "nothing_told", f"nobody had been told of message {event.root or event.refers_to}")


def take_back(event: Event, situation: Situation) -> tuple[Event, Step]:
    """Return the cancellation with the values that registrants were told last, and the step in which it takes effect."""
    in_force = rules_in_force(event, situation.rules, situation.now)
    cancel = told_events.with_values_told(situation.known.untold, event, in_force.book.zone_of(event.ori))
    return cancel, Step(situation).after(effect.revert(situation.known, cancel, in_force))


ARRIVALS: Final[Mapping[tuple[Known, Telling], Arrival]] = {
    ("not told", "news"): Arrival(check_news, "news"),
    ("told", "news"): Arrival(check_news, "news"),
    ("not told", "change"): Arrival(check_change_as_news, "news"),
    ("told", "change"): Arrival(check_change, "change"),
    ("not told", "cancellation"): Arrival(suppress_cancellation, None),
    ("told", "cancellation"): Arrival(tell_cancellation, "cancellation"),
}
