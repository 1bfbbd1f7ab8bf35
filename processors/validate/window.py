"""
The check of action dates (contract §3.1.5 and §6; specification §4, §4.1.1.1, §4.3.1).

A past date notifies nobody. A date too far ahead is flagged, and checked again when it comes within range or when the settings
change (`Stage.reevaluates`).
"""

from processors.validate.facts import Facts, duration_text
from processors.validate.finding import Finding


def date(facts: Facts) -> Finding | None:
    """Suppress a date that was past by more than `date.past` on receipt; flag one that is further ahead than `date.future`."""
    event = facts.event
    ago = event.received_at - event.past_from
    if ago > 0 and ago > (limit := facts.in_force.rules.duration("date.past", event.scope)):
        return Finding(
            "suppressed",
            "past",
            f"the action time {facts.action} was over for more than date.past ({duration_text(limit)}) "
            f"when the message came, {facts.when(event.received_at)}",
        )
    ahead = event.action_at - facts.in_force.now
    if ahead > 0 and ahead > (limit := facts.in_force.rules.duration("date.future", event.scope)):
        return Finding(
            "flagged",
            "too_far_ahead",
            f"the action time {facts.action} is further ahead than date.future ({duration_text(limit)}) "
            f"on {facts.when(facts.in_force.now)}",
            due=event.action_at - limit,
        )
    return None
