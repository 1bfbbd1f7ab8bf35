"""
The invariants of deliveries under any failure: judged only by the records written and the vendors' own logs.

    lost       a contact that nobody tried to reach; an attempt that counts as accepted although no vendor took it
    doubled    an attempt that a vendor took twice, unless that it was in doubt is said and it is an emergency; an attempt
               made although the one before it had not failed
    stranger   an address that is not the registrant's; a reference that nobody wrote
    late       handed to a vendor after the end of its lease
    life       an attempt or a contact in a state to which its receipts do not lead (processors/deliver/lifecycle.py)
    open       a contact, an attempt or a notification that has not ended
    response   a submission without exactly one response, or with the wrong one
    counted    an attempt that was in doubt and is not counted in vn_ambiguous_sends_total
    callback   a vendor's callback of which the receiver said that it has it, and which is no receipt
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from processors.deliver.answer.decide import DELIVERED, FAILED
from processors.deliver.dispatch.attempts import message_kind
from processors.deliver.lifecycle import ATTEMPT_TRANSITIONS, OUTCOMES, REFUSALS, UNDER_WAY, WITHOUT_SUCCESS, next_state
from processors.deliver.state import Attempt, Delivery
from processors.domain.external import ReceiptForm
from processors.domain.notification import AttemptState, Outbound, Response
from processors.domain.sending import AMBIGUOUS, SENT_AGAIN

Submission = tuple[str, str]  # ORI, message id
OPEN: Final = frozenset({"sent", "accepted"})


@dataclass(frozen=True, slots=True)
class Person:
    """A registrant: their contacts as channel and address, and the PIN by which they confirm."""

    contacts: frozenset[tuple[str, str]]
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """A vendor was asked, at `at` by its clock; `taken` if it took the message."""

    reference: str
    to: str
    at: int
    taken: bool = True


@dataclass(frozen=True, slots=True)
class Callback:
    """A vendor's callback that was answered 2xx, or as one taken before: the receipt that it must have become."""

    reference: str
    status: str
    digits: str | None = None


@dataclass(frozen=True)
class Facts:
    """
    What was written and what vendors saw, each in order.

    `told` names who is to be told of each submission, nobody for one of which nobody is. `deliveries` are the documents of the
    stage deliver. `counted` is vn_ambiguous_sends_total of all providers, None if one of them ended meanwhile. `margin` is how many
    milliseconds a vendor may see a message after the provider looked at its lease.
    """

    people: Mapping[str, Person]
    told: Mapping[Submission, frozenset[str]]
    outbound: tuple[Outbound, ...]
    sends: tuple[Send, ...]
    receipts: tuple[ReceiptForm, ...]
    responses: tuple[Response, ...]
    deliveries: tuple[Delivery, ...]
    callbacks: tuple[Callback, ...] = ()
    counted: int | None = None
    margin: int = 500

    @cached_property
    def by_reference(self) -> dict[str, Outbound]:
        return {each.reference: each for each in self.outbound}

    @cached_property
    def receipts_of(self) -> dict[str, list[ReceiptForm]]:
        return grouped(self.receipts, lambda each: each.reference)

    @cached_property
    def taken(self) -> Counter[str]:
        """How often vendors took each attempt."""
        return Counter(each.reference for each in self.sends if each.taken)

    @cached_property
    def in_doubt(self) -> frozenset[str]:
        """The attempts of which a receipt says that it could not be known whether a vendor took them."""
        return frozenset(each.reference for each in self.receipts if (each.detail or "").startswith((SENT_AGAIN, AMBIGUOUS)))

    @cached_property
    def opted_out(self) -> frozenset[str]:
        """The addresses that opted out."""
        references = {each.reference for each in self.receipts if each.status == "opted_out"}
        return frozenset(each.to for each in self.outbound if each.reference in references)

    def pin_of(self, reference: str) -> str | None:
        outbound = self.by_reference.get(reference)
        person = None if outbound is None else self.people.get(outbound.registrant_id)
        return None if person is None else person.pin


def violations(facts: Facts) -> list[str]:
    """Return every violation, as its name and what it is about; addresses are never said."""
    return [f"{name}: {what}" for name, check in CHECKS for what in check(facts)]


def lost(facts: Facts) -> Iterator[str]:
    tried = {(each.agency.ori, message_id, each.to) for each in facts.outbound if each.agency for message_id in each.message_ids}
    for (ori, message_id), registrants in facts.told.items():
        for registrant in sorted(registrants):
            for channel, address in sorted(facts.people[registrant].contacts):
                if (ori, message_id, address) not in tried and address not in facts.opted_out:
                    yield f"{message_id} by {channel} to {registrant}: no attempt was made"
    for reference, receipts in facts.receipts_of.items():
        said = reference in facts.by_reference and any(each.status in {"accepted", "delivered"} for each in receipts)
        if said and reference not in facts.in_doubt and not facts.taken[reference]:
            yield f"{reference} counts as accepted, and no vendor took it"


def doubled(facts: Facts) -> Iterator[str]:
    yield from (
        f"{each} was written {count} times" for each, count in Counter(each.reference for each in facts.outbound).items() if count > 1
    )
    for reference, count in facts.taken.items():
        outbound = facts.by_reference.get(reference)
        if count > 1 and outbound is not None:
            allowed = 2 if reference in facts.in_doubt and outbound.emergency else 1
            if count > allowed:
                yield f"{reference} was taken {count} times"
    for delivery in facts.deliveries:
        for earlier, later in successive(delivery):
            if not may_follow(earlier, later, facts):
                yield f"{later.reference} followed {earlier.reference}, which had not failed"


def may_follow(earlier: Attempt, later: Attempt, facts: Facts) -> bool:
    """Whether another attempt may be made after one: it failed, or nothing more was heard of it; who took it must not be told twice."""
    receipts = facts.receipts_of.get(earlier.reference, [])
    if any(understood(each, earlier, facts) in REFUSALS for each in receipts):
        return True
    if earlier.channel == "voice" and any(each.status == "accepted" for each in receipts):
        return True  # a call of which nothing more is heard is made again
    return later.sent_at >= earlier.expires_at and (not facts.taken[earlier.reference] or earlier.reference in facts.in_doubt)


def strangers(facts: Facts) -> Iterator[str]:
    for each in facts.outbound:
        person = facts.people.get(each.registrant_id)
        if person is None or (each.channel, each.to) not in person.contacts:
            yield f"{each.reference} goes to an address that is not of {each.registrant_id}"
        wrong = [name for name in each.message_ids if each.agency and each.registrant_id not in facts.told.get((each.agency.ori, name), ())]
        yield from (f"{each.reference} tells {each.registrant_id} of {name}, who is not to be told" for name in wrong)
    for send in facts.sends:
        outbound = facts.by_reference.get(send.reference)
        if outbound is None:
            yield f"a vendor was given {send.reference or 'something'}, which nobody wrote"
        elif send.to != outbound.to:
            yield f"a vendor was given {send.reference} for another address"


def late(facts: Facts) -> Iterator[str]:
    for send in facts.sends:
        outbound = facts.by_reference.get(send.reference)
        if outbound is not None and send.at >= outbound.expires_at + facts.margin:
            yield f"{send.reference} was handed over {send.at - outbound.expires_at} ms after its lease"


def life(facts: Facts) -> Iterator[str]:
    known = Counter(reference for each in facts.deliveries for reference in each.attempts)
    yield from (f"deliver knows nothing of {each.reference}" for each in facts.outbound if not known[each.reference])
    yield from (f"{reference} was never written" for reference in known if reference not in facts.by_reference)
    for delivery in facts.deliveries:
        for attempt in delivery.attempts.values():
            if attempt.status not in (states := possible_states(attempt, facts)):
                yield f"{attempt.reference} is {attempt.status}, not {' or '.join(sorted(states))}"
        for name, contact in delivery.contacts.items():
            mine = [each for each in delivery.attempts.values() if each.contact == name]
            if contact.state not in UNDER_WAY and not any(ends_as(delivery, each, contact.state, facts) for each in mine or [None]):
                yield f"a contact of {delivery.notification_id} by {contact.channel} is {contact.state} for no reason"


def ends_as(delivery: Delivery, attempt: Attempt | None, state: str, facts: Facts) -> bool:
    """Whether an attempt is a reason for the final state of its contact; without one only what came from elsewhere is."""
    if state == "cancelled":
        return any(each.status == "confirmed" for each in delivery.attempts.values())
    if state == "opted_out":
        return bool(facts.opted_out)
    if attempt is None:
        return False
    outcome = OUTCOMES[message_kind(delivery, attempt)][attempt.status] if attempt.status != "sent" else ""
    return outcome == {"reached": "reached", "failed": "failed", "expired": "silence", "gave_up": "again"}.get(state)


def possible_states(attempt: Attempt, facts: Facts) -> set[AttemptState]:
    """Return the states that an attempt may be in after its receipts, whenever its lease and its wait for receipts ended."""
    states = after_silence({"sent"})
    for receipt in facts.receipts_of.get(attempt.reference, []):
        event: Any = understood(receipt, attempt, facts)
        states = after_silence({next_state(ATTEMPT_TRANSITIONS, state, event) or state for state in states})
    return states


def after_silence(states: set[AttemptState]) -> set[AttemptState]:
    """Return the states with those to which the end of the lease and of the wait may have led."""
    ended = {next_state(ATTEMPT_TRANSITIONS, "sent", "lease_ended")} if "sent" in states else set()
    ended |= {next_state(ATTEMPT_TRANSITIONS, "accepted", "wait_ended")} if "accepted" in states else set()
    return states | {each for each in ended if each is not None}


def understood(receipt: ReceiptForm, attempt: Attempt, facts: Facts) -> str:
    """Return what a receipt means: that a call which asks for the PIN is confirmed says the right PIN alone."""
    if attempt.confirm and receipt.status == "delivered":
        return "unconfirmed"
    if attempt.confirm and receipt.status == "confirmed" and receipt.digits != facts.pin_of(attempt.reference):
        return "unconfirmed"
    return receipt.status


def left_open(facts: Facts) -> Iterator[str]:
    for delivery in facts.deliveries:
        if delivery.result is None and delivery.content == "news":
            yield f"{delivery.notification_id} has no outcome"
        for contact in delivery.contacts.values():
            if contact.state in UNDER_WAY:
                yield f"{delivery.notification_id} by {contact.channel} is {contact.state}"
            attempt = delivery.attempts.get(contact.reference)
            if attempt is not None and attempt.status in OPEN and contact.state in WITHOUT_SUCCESS:
                yield f"{attempt.reference} is {attempt.status}, and its contact {contact.state}"


def responses(facts: Facts) -> Iterator[str]:
    answered = grouped(facts.responses, lambda each: (each.ori, each.message_id))
    failed = {
        message_id
        for each in facts.deliveries
        if each.result == "failed"
        for attempt in each.attempts.values()
        for message_id in attempt.message_ids
    }
    for submission in facts.told:
        given = answered.pop(submission, [])
        if len(given) != 1:
            yield f"{submission[1]} has {len(given)}"
        elif given[0].event_subtype != (FAILED if submission[1] in failed else DELIVERED):
            yield f"{submission[1]} is answered by {given[0].event_subtype}"
    yield from (f"{message_id} was never submitted" for _, message_id in answered)


def counted(facts: Facts) -> Iterator[str]:
    """An emergency may be in doubt twice, once more after it was sent again."""
    if facts.counted is not None and not len(facts.in_doubt) <= facts.counted <= 2 * len(facts.in_doubt):
        yield f"{facts.counted}, and {len(facts.in_doubt)} are in doubt"


def unwritten(facts: Facts) -> Iterator[str]:
    written = {Callback(each.reference, each.status, each.digits) for each in facts.receipts}
    for each in facts.callbacks:
        if each.reference in facts.by_reference and each not in written:
            yield f"{each.reference} {each.status} was taken, and there is no such receipt"


Check = Callable[[Facts], Iterator[str]]
CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("lost", lost),
    ("doubled", doubled),
    ("stranger", strangers),
    ("late", late),
    ("life", life),
    ("open", left_open),
    ("response", responses),
    ("counted", counted),
    ("callback", unwritten),
)


def successive(delivery: Delivery) -> Iterator[tuple[Attempt, Attempt]]:
    """Yield each attempt at a contact with the one after it."""
    for several in grouped(delivery.attempts.values(), lambda each: each.contact).values():
        several.sort(key=lambda each: each.number)
        yield from pairwise(several)


def grouped(values: Any, key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    """Return the values by their key, in order."""
    found: dict[Any, list[Any]] = {}
    for each in values:
        found.setdefault(key(each), []).append(each)
    return found
