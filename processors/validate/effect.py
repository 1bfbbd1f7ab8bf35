"""
What an event changes when it takes effect, and what is reverted when it is cancelled.

A message takes effect when it is told, when it is only too late to be told, when it is internal, and when a reviewer releases it; not
while it waits or is in review (contract §3.1.5).
"""

from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.rules.rule_set import Rules
from processors.validate import clocks, compact, order, registrant_knowledge, timeline
from processors.validate.chain import chain_of, is_later
from processors.validate.facts import RulesInForce
from processors.validate.state import OffenderState

Effect = tuple[OffenderState, tuple[Expectation, ...]]


def apply_event(known: OffenderState, event: Event, in_force: RulesInForce, *, told: bool) -> Effect:
    """Return the offender's state after the event, and the expectations that it opened or settled."""
    history, expected = known.history, known.expected
    published: tuple[Expectation, ...] = ()
    if is_later(event):
        history = timeline.without_event(history, chain_of(event))
        if expected and not event.expect:
            expected, published = order.revert(expected, event, in_force.now)
    if in_force.code.follows and expected:
        expected, met = order.meet_expectation(expected, event, in_force.code)
        published += met
    if event.expect:
        expected, new = order.open_expectation(expected, event, in_force.rule_set)
        published += new
    entry = timeline.entry_of(event, in_force.code, in_force.rule_set, timeline.history_time(history, event), told=told)
    history, earlier = timeline.latest_entries(timeline.insert_entry(history, entry), known.earlier)
    known = replace(
        known,
        history=history,
        earlier=earlier,
        expected=expected,
        told_until=registrant_knowledge.with_told(known.told_until, event, in_force.rules) if told else known.told_until,
        untold=registrant_knowledge.without_untold(known.untold, event) if told else known.untold,
    )
    return advance_compact(known, event, in_force, published)


def revert_event(known: OffenderState, cancel: Event, in_force: RulesInForce) -> Effect:
    """
    Return the offender's state as if the cancelled event had not happened.

    Its entry in the history is removed, and with it the status and location that it set. What it expected is cancelled, what it had
    met is reopened. Its step and its clocks are removed even if its entry in the history was dropped long ago.
    """
    history = timeline.without_event(known.history, chain_of(cancel))
    expected, published = order.revert(known.expected, cancel, in_force.now)
    known = replace(
        known,
        history=history,
        expected=expected,
        told_until=registrant_knowledge.without_told(known.told_until, cancel),
        untold=registrant_knowledge.without_untold(known.untold, cancel),
    )
    return advance_compact(known, cancel, in_force, published)


def advance_compact(known: OffenderState, event: Event, in_force: RulesInForce, published: tuple[Expectation, ...]) -> Effect:
    """Return the offender's state with the compact cases and the legal clocks advanced."""
    workflow = known.compact if in_force.code.activity is None else compact.take_step(event, known.compact, in_force.rule_set)[0]
    after, raised, due = clocks.advance(event, known.clocks, in_force.now, in_force.rules)
    if workflow is not known.compact or after is not known.clocks or due != known.clock_due:
        known = replace(known, compact=workflow, clocks=after, clock_due=due)
    return known, published + raised


def expire_clocks(known: OffenderState, now: int, rules: Rules) -> Effect:
    """Return the offender's state after clocks have ended, and the expectations that are overdue."""
    after, raised, due = clocks.advance(None, known.clocks, now, rules)
    return replace(known, clocks=after, clock_due=due), raised
