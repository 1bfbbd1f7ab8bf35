"""
Which action dates are told (contract §3.1.5 and §6; specification §4, §4.1.1.1, §4.3.1).

A past date tells nobody. One too far ahead is flagged, and judged again when it has come within range, or when the
settings changed (`Stage.resettle`).
"""

from processors.validate.facts import Facts, span
from processors.validate.finding import Finding


def date(facts: Facts) -> Finding | None:
    """Suppress what was past for longer than `date.past` on arrival; flag what is further ahead than `date.future`."""
    event = facts.event
    ago = event.received_at - event.past_from
    if ago > 0 and ago > (limit := facts.in_force.rules.duration("date.past", event.scope)):
        return Finding(
            "suppressed",
            "past",
            f"the action time {facts.action} was over for more than date.past ({span(limit)}) "
            f"when the message came, {facts.when(event.received_at)}",
        )
    ahead = event.action_at - facts.in_force.now
    if ahead > 0 and ahead > (limit := facts.in_force.rules.duration("date.future", event.scope)):
        return Finding(
            "flagged",
            "too_far_ahead",
            f"the action time {facts.action} is further ahead than date.future ({span(limit)}) on {facts.when(facts.in_force.now)}",
            due=event.action_at - limit,
        )
    return None
