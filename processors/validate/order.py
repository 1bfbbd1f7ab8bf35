"""
Which event must have come before: the Previous Event check, and the legal order of hearings.

An event tagged Previous Event needs an earlier one tagged Expect Subsequent Event (contract §3.1.6; specification §4.2.1, §4.3.3). A
hearing needs the events that must legally precede it (specification §4.1.1.2). Expected events are published as expectations, open
until the event arrives or the message that expects it is cancelled.
"""

from hashlib import blake2b
from typing import Final

from msgspec.structs import replace

from processors.domain.docket import same_case
from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.rules.rule_set import EventCode, RuleSet
from processors.validate.chain import chain_of
from processors.validate.facts import Facts, duration_text, quote
from processors.validate.finding import Finding
from processors.validate.state import MAX_EXPECTED, ExpectedEvent

ANYBODY: Final = "any agency"
RULE: Final = "specification §4.2.1"

ExpectedAndPublished = tuple[tuple[ExpectedEvent, ...], tuple[Expectation, ...]]


def previous_event(facts: Facts) -> Finding | None:
    """Hold a message whose Previous Event is missing, and later flag it; without predecessors in the rules, nothing is missing."""
    event, follows = facts.event, facts.in_force.code.follows
    if not follows:
        return None
    if any(each.event_subtype in follows and same_case(each.case_number, event.case_number) for each in facts.expected):
        return None
    seen = ", ".join(dict.fromkeys(each.event_subtype for each in facts.expected)) or "none"
    return wait_or_flag(
        facts,
        "previous_event_missing",
        f"{event.event_subtype} needs an earlier {' or '.join(follows)} that expects a subsequent event; known that expect one: {seen}",
    )


def hearing_order(facts: Facts) -> Finding | None:
    """Flag a hearing that comes before what must precede it; an unknown history contradicts nothing (contract §3.1.4)."""
    event = facts.event
    earlier = [each for each in facts.history if each.at <= facts.at and same_case(each.case_number, event.case_number)]
    for order in facts.in_force.code.order:
        unknown = facts.status_then is None if order.statuses else not earlier
        met = facts.status_then in order.statuses or any(order.after(each.event_type, each.event_subtype) for each in earlier)
        if unknown or met:
            continue
        needed = " or ".join((*order.events, *(f"the status {quote(each)}" for each in order.statuses)))
        status = "not known" if facts.status_then is None else quote(facts.status_then)
        return Finding(
            "flagged",
            "hearing_order",
            f"{event.event_subtype} of {facts.action} needs {needed} before it ({order.why}); the status is {status}, "
            f"the last event known is {earlier[-1].event_subtype}",
        )
    return None


def wait_or_flag(facts: Facts, reason: str, detail: str) -> Finding:
    """Return a finding that waits for an earlier message; once `out_of_order.hold` is over, one that flags with `reason`."""
    hold = facts.in_force.rules.duration("out_of_order.hold", facts.event.scope)
    due = facts.event.received_at + hold
    if facts.in_force.now >= due:
        return Finding("flagged", reason, f"{detail}; waited {duration_text(hold)}")
    return Finding("waiting", "out_of_order_hold", detail, due)


def meet_expectation(expected: tuple[ExpectedEvent, ...], event: Event, code: EventCode) -> ExpectedAndPublished:
    """Meet the latest open expectation of this event in its case."""
    chain = chain_of(event)
    if any(each.met_by == chain for each in expected):
        return expected, ()
    for at in reversed(range(len(expected))):
        each = expected[at]
        if (
            each.met_by is None
            and each.event_subtype in code.follows
            and each.chain != chain
            and same_case(each.case_number, event.case_number)
        ):
            record = replace(each.record, state="met", settled_by=event.message_id, settled_at=event.received_at)
            return (*expected[:at], replace(each, met_by=chain, record=record), *expected[at + 1 :]), (record,)
    return expected, ()


def open_expectation(expected: tuple[ExpectedEvent, ...], event: Event, rule_set: RuleSet) -> ExpectedAndPublished:
    """Open an expectation of what follows the event; beyond MAX_EXPECTED, the oldest is dropped, met ones first."""
    chain = chain_of(event)
    before = next((each for each in expected if each.chain == chain), None)
    followers = sorted({code.subtype for code in rule_set.codes.values() if event.event_subtype in code.follows})
    awaited = ", ".join(followers) or "a subsequent event"
    met_by = None if before is None else before.met_by
    record = Expectation(
        expectation_id=f"{event.offender}-{blake2b(chain.encode(), digest_size=6).hexdigest()}",
        message_id=event.message_id,
        ori=event.ori,
        offender=event.offender,
        jurisdiction=event.jurisdiction,
        state="open" if met_by is None else "met",
        expects=awaited,
        owed_by=ANYBODY,
        rule=RULE,
        text=f"After {event.event_subtype} this is expected: {awaited}.",
        since=event.received_at,
        deadline=None,
        settled_by=None if before is None else before.record.settled_by,
        settled_at=None if before is None else before.record.settled_at,
    )
    kept = (
        *(each for each in expected if each.chain != chain),
        ExpectedEvent(chain, event.event_subtype, event.case_number, record, met_by),
    )
    if len(kept) <= MAX_EXPECTED:
        return kept, (record,)
    oldest = next((each for each in kept if each.met_by is not None), kept[0])
    given_up = () if oldest.met_by is not None else (replace(oldest.record, state="cancelled", settled_at=event.received_at),)
    return tuple(each for each in kept if each is not oldest), (record, *given_up)


def revert(expected: tuple[ExpectedEvent, ...], by: Event, at: int) -> ExpectedAndPublished:
    """Cancel what the agency's event expected, and reopen what it had met; `by` is the message that reverts the event."""
    chain = chain_of(by)
    kept, published = [], []
    for each in expected:
        if each.chain == chain:
            published.append(replace(each.record, state="cancelled", settled_by=by.message_id, settled_at=at))
        elif each.met_by == chain:
            record = replace(each.record, state="open", settled_by=None, settled_at=None)
            kept.append(replace(each, met_by=None, record=record))
            published.append(record)
        else:
            kept.append(each)
    return tuple(kept), tuple(published)
