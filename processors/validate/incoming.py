"""
What a new message does, depending on whether registrants were told of its event (contract §3.1.1–5).

`MESSAGE_HANDLING` is the whole table: a change of an event that nobody was told of is news, and its cancellation is not sent.
docs/checks.md draws it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from processors.domain.event import Event, TellingKind
from processors.domain.transition import transition
from processors.stage import Output
from processors.topics import CONFIRMED
from processors.validate import effect, registrant_knowledge
from processors.validate.chain import is_later
from processors.validate.check_result import check
from processors.validate.draft import Draft, Situation
from processors.validate.facts import rules_in_force
from processors.validate.outcomes import confirmed_event, forward_or_suppress, hold_message
from processors.validate.pending import supersede

ToldState = Literal["told", "not told"]


class MessageHandling(NamedTuple):
    """The handler of a message, and as what the message goes on to match; None if it never does."""

    handler: Callable[[Event, Situation], Draft]
    goes_on_as: TellingKind | None


def receive_event(event: Event, situation: Situation) -> Draft:
    """Decide on an event; first, any waiting or flagged message that it replaces is superseded."""
    if event.withheld:
        return forward_withheld(event, situation)
    known: ToldState = "told" if registrant_knowledge.was_told(situation.known.told_until, event) else "not told"
    handler = transition(MESSAGE_HANDLING, known, event.telling).handler
    if situation.known.pending and is_later(event):
        return supersede(event, situation).then(partial(handler, event))
    return handler(event, situation)


def forward_withheld(event: Event, situation: Situation) -> Draft:
    """
    Send an event on to registrants of another key of its offender, with the values told last, if registrants were told of it.

    Otherwise it is not sent: whatever still waits or is in review goes to everybody once it is released.
    """
    draft, known = Draft(situation), situation.known
    if not registrant_knowledge.was_told(known.told_until, event):
        return draft.note(event, "suppressed", "nothing_told", "no one has been notified of it under another key of the offender")
    zone = rules_in_force(event, situation.rules, situation.now).rule_set.zone_of(event.ori)
    told = registrant_knowledge.with_values_told(known.untold, event, zone)
    detail = "it goes to those registered for this person who were not notified of it"
    return draft.write(Output(CONFIRMED, event.offender, told)).note(event, "passed", "confirmed", detail)


def check_news(event: Event, situation: Situation) -> Draft:
    """Check a message: it goes on to match, waits, is flagged, or is suppressed."""
    result = check(event, situation.known, situation.rules, situation.now)
    if result.found is not None and result.holds:
        return hold_message(Draft(situation), event, result.found, result.detail)
    return forward_or_suppress(Draft(situation), event, result, "confirmed", result.detail)


def check_change_as_news(event: Event, situation: Situation) -> Draft:
    return check_news(replace(event, telling="news", changes=()), situation)


def check_change(event: Event, situation: Situation) -> Draft:
    """Send a change relative to what registrants were told last; a change back to that takes effect but is not sent."""
    change = registrant_knowledge.change_since_told(situation.known.untold, event)
    if change is event or change.changes:
        return check_news(change, situation)
    in_force = rules_in_force(change, situation.rules, situation.now)
    detail = f"it says what registrants were told of message {change.root}; what had changed since was not told"
    return Draft(situation).apply(change, in_force, told=True).note(change, "suppressed", "inconsequential", detail)


def forward_cancellation(event: Event, situation: Situation) -> Draft:
    """Revert the cancelled event, and send the cancellation on."""
    cancel, draft = revert_cancelled(event, situation)
    in_force = rules_in_force(event, situation.rules, situation.now)
    detail = f"message {event.root or event.refers_to} was sent to registrants and is withdrawn"
    return draft.write(confirmed_event(cancel, draft.situation.known, in_force)).note(cancel, "passed", "confirmed", detail)


def suppress_cancellation(event: Event, situation: Situation) -> Draft:
    """Revert the cancelled event; nobody was told of it, so the cancellation is not sent."""
    cancel, draft = revert_cancelled(event, situation)
    return draft.note(cancel, "suppressed", "nothing_told", f"no one had been notified of message {event.root or event.refers_to}")


def revert_cancelled(event: Event, situation: Situation) -> tuple[Event, Draft]:
    """Return the cancellation with the values that registrants were told last, and the draft after the event was reverted."""
    in_force = rules_in_force(event, situation.rules, situation.now)
    cancel = registrant_knowledge.with_values_told(situation.known.untold, event, in_force.rule_set.zone_of(event.ori))
    return cancel, Draft(situation).after(effect.revert_event(situation.known, cancel, in_force))


MESSAGE_HANDLING: Final[Mapping[tuple[ToldState, TellingKind], MessageHandling]] = {
    ("not told", "news"): MessageHandling(check_news, "news"),
    ("told", "news"): MessageHandling(check_news, "news"),
    ("not told", "change"): MessageHandling(check_change_as_news, "news"),
    ("told", "change"): MessageHandling(check_change, "change"),
    ("not told", "cancellation"): MessageHandling(suppress_cancellation, None),
    ("told", "cancellation"): MessageHandling(forward_cancellation, "cancellation"),
}
