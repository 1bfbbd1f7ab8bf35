"""
Which checks run (contract §3.1.2–3) and in what order: the first that fails decides; all that fail are reported.

The specification assigns every check to a validation: Date, Previous Event or Other Information. A check runs
if it belongs to the notification type, or if the message asks for its validation with a Validate tag, unless the message
waives that validation with Do Not Validate. Do Not Validate without a validation waives everything except the check for a text.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from msgspec import Struct

from processors.domain.event import Event
from processors.validate import compact, order, timeline, transfer, window
from processors.validate.chain import chain_of, is_later
from processors.validate.facts import Facts, RulesInForce
from processors.validate.finding import Finding
from processors.validate.state import OffenderState

DATE: Final = "Date"
PREVIOUS: Final = "Previous Event"
OTHER: Final = "Other Information"

Check = Callable[[Facts], Finding | None]


def has_text(facts: Facts) -> Finding | None:
    """Flag an event for which the rules have no text; no generic text is sent instead (contract §3)."""
    event = facts.event
    if facts.in_force.book.text(event.event_type, event.event_subtype, "en") is not None:
        return None
    return Finding("flagged", "no_text", f"the rules have no English text for {event.event_subtype} of {event.event_type}")


def workflow(facts: Facts) -> Finding | None:
    """Flag a step that the interstate compact does not allow: a state that is not a member, or one out of order."""
    if facts.in_force.code.activity is None:
        return None
    if (stranger := compact.members(facts.event, facts.in_force.code, facts.in_force.rules)) is not None:
        return stranger
    _, found = compact.step(facts.event, facts.compact, facts.in_force.book)
    if found is not None and found.outcome == "waiting" and found.due is None:
        return order.wait_or_flag(facts, found.reason, found.detail)
    return found


class Rule(Struct, frozen=True, eq=False, gc=False):
    """
    One row of the table: a check, its name in the journal, and when it runs.

    `validation` is the validation it is assigned to: waived with it, and, if `asked`, requested by it. `types` are the notification
    types it belongs to; None means all of them. An `always` check runs even for Do Not Validate.
    """

    name: str
    check: Check
    validation: str | None = None
    types: tuple[str, ...] | None = None
    asked: bool = False
    always: bool = False

    def runs(self, notification_type: str, asked: tuple[str, ...], waived: tuple[str, ...]) -> bool:
        if self.validation in waived:
            return False
        return self.types is None or notification_type in self.types or (self.asked and self.validation in asked)


TABLE: Final[tuple[Rule, ...]] = (
    Rule("text", has_text, always=True),
    Rule("known status", timeline.known_status),
    Rule("known location", timeline.known_location),
    Rule("date", window.date, DATE),
    Rule("previous event", order.previous_event, PREVIOUS, types=(), asked=True),
    Rule("workflow", workflow, PREVIOUS),
    Rule("current location", timeline.location_transition, PREVIOUS, types=("Movement",)),
    Rule("logical movement", transfer.logical_movement, OTHER),
    Rule("current status", timeline.status_transition, PREVIOUS, types=("Status Update",)),
    Rule("order of events", order.hearing_order, PREVIOUS, types=("Hearing Notice",)),
)


COMPARED: Final = (("status", "current status"), ("location", "current location"), ("event", "order of events"))
UNCHECKED: Final = tuple(rule for rule in TABLE if rule.always)


def checks_for(event: Event) -> tuple[Rule, ...]:
    """Return the checks that run for an event, in order; of one that a reviewer released, only the check for a text."""
    if event.released_by is not None or (event.do_not_validate and not event.validate):
        return UNCHECKED
    return select(event.notification_type, event.asked, event.waived)


@lru_cache(maxsize=512)
def select(notification_type: str, asked: tuple[str, ...], waived: tuple[str, ...]) -> tuple[Rule, ...]:
    return tuple(rule for rule in TABLE if rule.runs(notification_type, asked, waived))


def facts_for(event: Event, known: OffenderState, in_force: RulesInForce) -> Facts:
    """Return what the checks look at."""
    history, expected = known.history, known.expected
    if is_later(event):
        chain = chain_of(event)
        history = timeline.without_event(history, chain)
        expected = tuple(each for each in expected if each.chain != chain)
    at = timeline.place(history, event)
    then = timeline.status_and_place(history, event.case_number, (at, event.seq))
    return Facts(
        event,
        in_force,
        at,
        history,
        expected,
        known.compact,
        then.status,
        then.kind,
        timeline.status_after(event, in_force.code, in_force.book),
        timeline.kind_after(event, in_force.code, in_force.book),
    )


def failures(facts: Facts, rules: tuple[Rule, ...]) -> list[Finding]:
    """Return the findings of the checks that failed, in the order of the table."""
    return [found for rule in rules if (found := rule.check(facts)) is not None]


def passed_sentence(facts: Facts, rules: tuple[Rule, ...]) -> str:
    """Return the sentence for a message that passed: which checks ran, and which of them had nothing to compare with."""
    return passing_sentence(rules, facts.status_then is None, facts.kind_then is None, not facts.history)


@lru_cache(maxsize=512)
def passing_sentence(rules: tuple[Rule, ...], *missing: bool) -> str:
    unknown = (
        f"no earlier {what} is known"
        for (what, check), is_missing in zip(COMPARED, missing, strict=True)
        if is_missing and any(rule.name == check for rule in rules)
    )
    return "; ".join((f"passed: {', '.join(rule.name for rule in rules)}", *unknown))
