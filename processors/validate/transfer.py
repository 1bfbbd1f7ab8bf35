"""
For a release to another facility, registrants are told of that facility's intake instead (contract §3.1.8, specification §4.1.4.3).

The release waits for the intake, which may also arrive first. If no intake arrives, the release is told. An intake that nobody was
told of does not replace the release.
"""

from processors.validate.facts import Facts, quote
from processors.validate.finding import Finding
from processors.validate.state import HistoryEntry


def logical_movement(facts: Facts) -> Finding | None:
    """Hold a release to a custodial kind of location until its intake has arrived or `transfer.hold` is over."""
    if not facts.in_force.code.release or facts.kind is None:
        return None
    to = facts.in_force.rule_set.location(facts.kind)
    if to is None or not to.custodial:
        return None
    hold = facts.in_force.rules.duration("transfer.hold", facts.event.scope)
    intake = next((each for each in reversed(facts.history) if is_intake(each, facts, hold)), None)
    if intake is not None:
        return Finding(
            "suppressed",
            "told_by_intake",
            f"the {facts.event.event_subtype} of {facts.action} leads to {quote(to.name)}, "
            f"whose {intake.event_subtype} of {facts.when(intake.at)} was sent instead",
        )
    due = facts.event.received_at + hold
    if facts.in_force.now >= due:
        return None
    return Finding(
        "waiting",
        "transfer_hold",
        f"the {facts.event.event_subtype} of {facts.action} leads to {quote(to.name)}, a place of custody; "
        f"its intake is awaited until {facts.when(due)}, none has come yet",
        due,
    )


def is_intake(each: HistoryEntry, facts: Facts, hold: int) -> bool:
    """Whether an event in the history is the intake that this release leads to: told, the same kind of location, and close in time."""
    code = facts.in_force.rule_set.code(each.event_type, each.event_subtype)
    return (
        code is not None
        and code.intake
        and each.told
        and each.kind == facts.kind
        and each.past_from >= facts.event.action_at - hold
        and each.at <= facts.event.past_from + hold
    )
