"""
What a message changes when it takes effect, and what is taken back when it is cancelled.

A message takes effect when it is told, when it is only too late to be told, when it is internal, and when a reviewer
releases it; not while it waits or is in review (contract §3.1.5).
"""

from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.rules.book import Rules
from processors.validate import clocks, compact, ledger, order, timeline
from processors.validate.facts import Terms
from processors.validate.state import Dossier, chain_of, is_later

Effect = tuple[Dossier, tuple[Expectation, ...]]


def taken(dossier: Dossier, event: Event, terms: Terms, *, told: bool) -> Effect:
    """Return the dossier after the event, and the expectations that it raised or settled."""
    history, expected = dossier.history, dossier.expected
    published: tuple[Expectation, ...] = ()
    if is_later(event):
        history = timeline.without(history, chain_of(event))
        if expected and not event.expect:
            expected, published = order.taken_back(expected, event, terms.now)
    if terms.code.follows and expected:
        expected, met = order.come(expected, event, terms.code)
        published += met
    if event.expect:
        expected, new = order.raised(expected, event, terms.book)
        published += new
    entry = timeline.entry(event, terms.code, terms.book, timeline.place(history, event), told=told)
    dossier = replace(
        dossier,
        history=timeline.inserted(history, entry),
        expected=expected,
        told=ledger.noted(dossier.told, event, terms.rules) if told else dossier.told,
        owed=ledger.paid(dossier.owed, event) if told else dossier.owed,
    )
    return advanced(dossier, event, terms, published)


def taken_back(dossier: Dossier, cancel: Event, terms: Terms) -> Effect:
    """
    Return the dossier as if the cancelled event had not been.

    Its place in the history goes, and with it the status and the location that it set; what it expected is cancelled,
    what it had met is open again. Its step and its clocks go also where its place in the history was given up long ago.
    """
    history = timeline.without(dossier.history, chain_of(cancel))
    expected, published = order.taken_back(dossier.expected, cancel, terms.now)
    told, owed = ledger.struck(dossier.told, cancel), ledger.paid(dossier.owed, cancel)
    dossier = replace(dossier, history=history, expected=expected, told=told, owed=owed)
    return advanced(dossier, cancel, terms, published)


def advanced(dossier: Dossier, event: Event, terms: Terms, published: tuple[Expectation, ...]) -> Effect:
    """Return the dossier with the compact workflow and the legal clocks moved on."""
    workflow = dossier.compact if terms.code.activity is None else compact.step(event, dossier.compact, terms.book)[0]
    running, raised, due = clocks.advance(event, dossier.clocks, terms.now, terms.rules)
    if workflow is not dossier.compact or running is not dossier.clocks or due != dossier.clock_due:
        dossier = replace(dossier, compact=workflow, clocks=running, clock_due=due)
    return dossier, published + raised


def struck(dossier: Dossier, now: int, rules: Rules) -> Effect:
    """Return the dossier after the legal clocks' time has come, and what fell overdue."""
    running, raised, due = clocks.advance(None, dossier.clocks, now, rules)
    return replace(dossier, clocks=running, clock_due=due), raised
