"""
What was told: the chain of every agency event that went on to registrants.

Remembered for `duplicate.window` and, if that is later, until its date is past by `date.past`, since an event far ahead
can be taken back until then.

A change of something that nobody was told of is news, and its cancellation tells nothing (contract §3.1.1).
"""

from processors.domain.event import Event
from processors.rules.book import Rules
from processors.validate.state import TOLD, chain_of


def told(ledger: dict[str, int], event: Event) -> bool:
    """Whether registrants were told of the agency event that this message is about."""
    return ledger.get(chain_of(event), event.received_at) > event.received_at


def noted(ledger: dict[str, int], event: Event, rules: Rules) -> dict[str, int]:
    """Return the ledger with the event told; what is past its time goes, and of more than `TOLD` the oldest."""
    chain, now, scope = chain_of(event), event.received_at, event.scope
    kept = {each: until for each, until in ledger.items() if until > now and each != chain}
    kept[chain] = max(
        now + rules.duration("duplicate.window", scope),
        event.past_from + rules.duration("date.past", scope),
    )
    while len(kept) > TOLD:
        del kept[next(iter(kept))]
    return kept


def struck(ledger: dict[str, int], event: Event) -> dict[str, int]:
    """Return the ledger without the event: once its cancellation was told, the same event is news."""
    chain = chain_of(event)
    return {each: until for each, until in ledger.items() if each != chain}
