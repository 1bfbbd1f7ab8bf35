"""
Which checks run on a message, and in what order (contract §3.1.2–3).

The specification assigns every check to a validation: Date, Previous Event or Other Information. A check runs if it belongs to the
notification type, or if the message requests its validation with a Validate tag, unless the message waives the validation with
Do Not Validate. Do Not Validate without a validation waives everything except the check for a text.
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
    if facts.in_force.rule_set.text(event.event_type, event.event_subtype, "en") is not None:
        return None
    return Finding("flagged", "no_text", f"the rules have no English text for {event.event_subtype} of {event.event_type}")


def workflow(facts: Facts) -> Finding | None:
    """Flag a step that the interstate compact does not allow: it names a state that is not a member, or is out of order."""
    if facts.in_force.code.activity is None:
        return None
    if (stranger := compact.check_membership(facts.event, facts.in_force.code, facts.in_force.rules)) is not None:
        return stranger
    _, found = compact.take_step(facts.event, facts.compact, facts.in_force.rule_set)
    if found is not None and found.outcome == "waiting" and found.due is None:
        return order.wait_or_flag(facts, found.reason, found.detail)
    return found


class CheckRule(Struct, frozen=True, eq=False, gc=False):
    """
    One check, its name in the journal, and when it runs.

    `validation` is the validation it is assigned to: waiving the validation waives the check, and if `asked`, requesting the
    validation requests it. `types` are the notification types it belongs to; None means all of them. An `always` check runs
    even for Do Not Validate.
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


CHECK_RULES: Final[tuple[CheckRule, ...]] = (
    CheckRule("text", has_text, always=True),
    CheckRule("known status", timeline.known_status),
    CheckRule("known location", timeline.known_location),
    CheckRule("date", window.date, DATE),
    CheckRule("previous event", order.previous_event, PREVIOUS, types=(), asked=True),
    CheckRule("workflow", workflow, PREVIOUS),
    CheckRule("current location", timeline.location_transition, PREVIOUS, types=("Movement",)),
    CheckRule("logical movement", transfer.logical_movement, OTHER),
    CheckRule("current status", timeline.status_transition, PREVIOUS, types=("Status Update",)),
    CheckRule("order of events", order.hearing_order, PREVIOUS, types=("Hearing Notice",)),
)


HISTORY_CHECKS: Final = (("status", "current status"), ("location", "current location"), ("event", "order of events"))
ALWAYS_RUN: Final = tuple(rule for rule in CHECK_RULES if rule.always)


def checks_for(event: Event) -> tuple[CheckRule, ...]:
    """Return the checks that run for an event, in order; if a reviewer released it, only the check for a text."""
    if event.released_by is not None or (event.do_not_validate and not event.validate):
        return ALWAYS_RUN
    return select_checks(event.notification_type, event.asked, event.waived)


@lru_cache(maxsize=512)
def select_checks(notification_type: str, asked: tuple[str, ...], waived: tuple[str, ...]) -> tuple[CheckRule, ...]:
    return tuple(rule for rule in CHECK_RULES if rule.runs(notification_type, asked, waived))


def facts_for(event: Event, known: OffenderState, in_force: RulesInForce) -> Facts:
    """Return the facts that the checks use."""
    history, expected = known.history, known.expected
    if is_later(event):
        chain = chain_of(event)
        history = timeline.without_event(history, chain)
        expected = tuple(each for each in expected if each.chain != chain)
    at = timeline.history_time(history, event)
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
        timeline.status_after(event, in_force.code, in_force.rule_set),
        timeline.kind_after(event, in_force.code, in_force.rule_set),
    )


def failures(facts: Facts, rules: tuple[CheckRule, ...]) -> list[Finding]:
    """Return the findings of the checks that failed, in order."""
    return [found for rule in rules if (found := rule.check(facts)) is not None]


def passed_sentence(facts: Facts, rules: tuple[CheckRule, ...]) -> str:
    """Return the journal's sentence for a message that passed: which checks ran, and which had nothing to compare with."""
    return passing_sentence(rules, facts.status_then is None, facts.kind_then is None, not facts.history)


@lru_cache(maxsize=512)
def passing_sentence(rules: tuple[CheckRule, ...], *missing: bool) -> str:
    unknown = (
        f"no earlier {what} is known"
        for (what, check), is_missing in zip(HISTORY_CHECKS, missing, strict=True)
        if is_missing and any(rule.name == check for rule in rules)
    )
    return "; ".join((f"passed: {', '.join(rule.name for rule in rules)}", *unknown))
