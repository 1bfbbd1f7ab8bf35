"""
Deliveries: which contacts a message goes to, what is due at each of them, and how the delivery ends.

A delivery is advanced whenever something may have changed: the lease of an attempt or the wait for its receipt ended, a retry is due, a
receipt arrived, or the registrant's contacts changed. It always takes the same STEPS in order; each step is a function
from delivery to delivery, and the result is one decision.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, Destination, find_contact, usable_contacts
from processors.deliver.dispatch.attempts import end_contact, make_attempt, settle_attempt, with_progress
from processors.deliver.dispatch.schedule import after_quiet_hours, give_up_at, is_answer
from processors.deliver.lifecycle import UNDER_WAY, WITHOUT_SUCCESS
from processors.deliver.outcome import outcome_of_notices
from processors.deliver.situation import MESSAGE_ONLY, Situation, VerdictSubject
from processors.deliver.state import NOTIFICATION_DIGITS, Attempt, ContactProgress, Delivery, Registrant, Result, State, delivery_key
from processors.deliver.wording.about_registrations import message_about
from processors.deliver.wording.templates import Message, message_for
from processors.domain.journal import Outcome, Verdict
from processors.stage import Decision, combine

Destinations = Mapping[str, Destination]
StepResult = tuple[Delivery, Decision[State]]  # a delivery after one step, and what the step wrote
NOTHING: Final[Decision[State]] = Decision()
MAX_UNDER_WAY: Final = 1_000  # deliveries listed for one registrant; an input that concerns them reads each one
WAIT_ENDED: Final = {  # by whether a provider had accepted the attempt: reason code and sentence
    False: ("lease_ended", "no provider accepted it in time"),
    True: ("receipt_wait", "no final receipt came in time"),
}


def advance_delivery(registrant: Registrant, delivery: Delivery, situation: Situation, to: Destinations | None = None) -> Decision[State]:
    """
    Advance a delivery: return the delivery, the registrant if it changes, new attempts, and verdicts.

    `to` are the contacts that it may go to, if the caller has them already.
    """
    if to is None:
        to = destinations_of(registrant, delivery, situation)
    decisions = []
    current = delivery
    for step in STEPS:
        current, decision = step(registrant, current, to, situation)
        if decision is not NOTHING:
            decisions.append(decision)
    ended = not is_under_way(current, to)
    if ended:
        current = replace(current, notices=())
    states: dict[str, State | None] = {delivery_key(situation.registrant_id, current.notification_id): current}
    if (after := update_under_way(registrant, current, ended=ended)) is not registrant:
        states[registrant.registrant_id] = after
    return combine((*decisions, Decision(states=states)))


def update_under_way(registrant: Registrant, delivery: Delivery, *, ended: bool) -> Registrant:
    """
    Return the registrant with the delivery listed as under way, or removed from the list if it has `ended`.

    A delivery that does not fit in the list continues by its own timers; each attempt uses the contacts in force then.
    """
    name = delivery.notification_id[:NOTIFICATION_DIGITS]
    if (name in registrant.under_way) != ended:
        return registrant
    others = tuple(each for each in registrant.under_way if each != name)
    return replace(registrant, under_way=others if ended else (*others, name)[-MAX_UNDER_WAY:])


def destinations_of(registrant: Registrant, delivery: Delivery, situation: Situation) -> Destinations:
    """
    Return the contacts that a delivery may go to: for news every usable contact, otherwise the one that the message is about.

    A contact that opted out gets only the reply to what the registrant has just written.
    """
    if delivery.content == "news":
        return usable_contacts(registrant, situation)
    found = [to for name in delivery.contacts if (to := find_contact(registrant, name, situation)) is not None]
    answers = delivery.content == "opted_out" or (delivery.content == "help" and is_answer(delivery, situation))
    return {to.name: to for to in found if answers or not registrant.contacts.get(to.name, UNKNOWN).silent}


# --- the steps, in order ---------------------------------------------------------------------------------------------


def cancel_unreachable(registrant: Registrant, delivery: Delivery, to: Destinations, situation: Situation) -> StepResult:
    """End contacts that were removed or opted out."""
    after = delivery
    verdicts: list[Verdict] = []
    for name, progress in delivery.contacts.items():
        if progress.state in UNDER_WAY and name not in to:
            known = registrant.contacts.get(name)
            silent = known is not None and known.silent
            after = end_contact(after, name, "opted_out" if silent else "cancel")
            reason, why = ("opted_out", "it opted out") if silent else ("contact_removed", "no registration in force has it any more")
            verdicts += verdicts_on(delivery, "noted", reason, f"no further attempt by {progress.channel}: {why}", situation)
    return after, Decision(verdicts=tuple(verdicts)) if verdicts else NOTHING


def end_waits(_: Registrant, delivery: Delivery, __: Destinations, situation: Situation) -> StepResult:
    """End attempts whose lease or whose wait for a receipt is over."""
    after = delivery
    verdicts: list[Verdict] = []
    for progress in delivery.contacts.values():
        if progress.state == "trying" and progress.next_at is not None and progress.next_at <= situation.at:
            attempt = after.attempts[progress.reference]
            accepted = attempt.status == "accepted"
            after = settle_attempt(after, attempt, "wait_ended" if accepted else "lease_ended", situation) or after
            reason, why = WAIT_ENDED[accepted]
            ended = after.contacts[attempt.contact].state
            detail = f"attempt {attempt.number} by {attempt.channel}: {why}; the contact is {ended}"
            verdicts += verdicts_on(
                delivery, "noted", reason, detail, situation, about_attempt(after.attempts[progress.reference], delivery)
            )
    return after, Decision(verdicts=tuple(verdicts)) if verdicts else NOTHING


def add_contacts(_: Registrant, delivery: Delivery, to: Destinations, situation: Situation) -> StepResult:
    """Add all contacts at once or, if `delivery.order` is escalate, the next one after those before have ended without success."""
    new = [each for name, each in to.items() if name not in delivery.contacts]
    if not new or delivery.content != "news" or delivery.result is not None:
        return delivery, NOTHING
    since = None
    if situation.rules.text("delivery.order", delivery.scope) == "escalate":
        waits = any(each.state in UNDER_WAY or each.state == "reached" for each in delivery.contacts.values())
        new = [] if waits else new[:1]
        since = situation.begins_at if delivery.contacts else None
    added = {each.name: ContactProgress(channel=each.channel, next_at=situation.at, since=since) for each in new}
    return replace(delivery, contacts={**delivery.contacts, **added}), NOTHING


def attempt_due(_: Registrant, delivery: Delivery, to: Destinations, situation: Situation) -> StepResult:
    """Make every attempt that is due, except in quiet hours and after the contact is to be given up."""
    after = delivery
    decisions = []
    for name, progress in delivery.contacts.items():
        if progress.state != "due" or progress.next_at is None or progress.next_at > situation.at:
            continue
        zones = to[name].registration.zones
        begin = after_quiet_hours(delivery, situation.begins_at, zones, situation)
        if begin >= give_up_at(delivery, progress, situation):
            after = end_contact(after, name, "give_up")
            continue
        if begin > situation.begins_at:
            after = with_progress(after, name, replace(progress, next_at=begin))
            continue
        message = message_to(to[name], delivery, situation)
        if message is None:
            after = end_contact(after, name, "give_up")
            verdicts = verdicts_on(delivery, "noted", "no_text", f"there is no text by {progress.channel}", situation)
            decisions.append(Decision[State](verdicts=tuple(verdicts)))
            continue
        new = make_attempt(after, to[name], message, zones, situation)
        after = new.delivery
        decisions.append(Decision((new.output,), verdicts=tuple(attempt_verdicts(after, to[name], message, new.about, situation))))
    return after, combine(decisions) if decisions else NOTHING


def cancel_unneeded(_: Registrant, delivery: Delivery, __: Destinations, situation: Situation) -> StepResult:
    """Stop calls once the right PIN was given; when escalating, stop once a contact was reached (contract §5)."""
    if not delivery.contacts:
        return delivery, NOTHING
    confirmed = any(each.status == "confirmed" for each in delivery.attempts.values())
    in_turn = situation.rules.text("delivery.order", delivery.scope) == "escalate"
    reached = any(each.state == "reached" for each in delivery.contacts.values())
    after = delivery
    for name, progress in delivery.contacts.items():
        called_in_vain = confirmed and progress.channel == "voice"
        after_success = reached and in_turn and progress.state == "due"
        if progress.state in UNDER_WAY and (called_in_vain or after_success):
            after = end_contact(after, name, "cancel")
    return after, NOTHING


def publish_outcome(_: Registrant, delivery: Delivery, to: Destinations, situation: Situation) -> StepResult:
    """Publish the first final outcome, once."""
    result = result_of(delivery, to)
    if delivery.result is not None or result is None:
        return delivery, NOTHING
    return replace(delivery, result=result), outcome_of_notices(delivery.notices, result, delivery.notification_id, situation)


Step = Callable[[Registrant, Delivery, Destinations, Situation], StepResult]
STEPS: Final[tuple[Step, ...]] = (cancel_unreachable, end_waits, cancel_unneeded, add_contacts, attempt_due, publish_outcome)


# --- helpers of the steps --------------------------------------------------------------------------------------------


def is_under_way(delivery: Delivery, to: Destinations) -> bool:
    """Whether further attempts may follow without another input."""
    if any(each.state in UNDER_WAY for each in delivery.contacts.values()):
        return True
    return delivery.result is None and result_of(delivery, to) is None


def result_of(delivery: Delivery, to: Destinations) -> Result | None:
    """Return the outcome of a delivery: reached once one contact is, otherwise once no contact is left; None before that."""
    states = [each.state for each in delivery.contacts.values()]
    if "reached" in states:
        return "reached"
    left = any(state in UNDER_WAY for state in states)
    if left or (delivery.content == "news" and any(name not in delivery.contacts for name in to)):
        return None
    return "failed" if any(state in WITHOUT_SUCCESS for state in states) else "nobody"


def message_to(to: Destination, delivery: Delivery, situation: Situation) -> Message | None:
    """Return the message for one contact; news is worded as of the first attempt, so that every attempt says the same."""
    if to.message is not None:
        return to.message
    if delivery.content == "news":
        return message_for(delivery.notices, situation.rules, delivery.created_at, to.language, to.channel)
    return message_about(delivery, to, situation)


def about_attempt(attempt: Attempt, delivery: Delivery) -> VerdictSubject:
    return VerdictSubject(
        notification_id=delivery.notification_id, reference=attempt.reference, channel=attempt.channel, status=attempt.status
    )


def attempt_verdicts(delivery: Delivery, to: Destination, message: Message, about: VerdictSubject, situation: Situation) -> list[Verdict]:
    """Return the verdicts on an attempt that was made."""
    untold = "" if to.language.startswith(message.language) else f" (there is no text in {to.language!r})"
    together = f", {len(delivery.notices)} events in one message" if len(delivery.notices) > 1 else ""
    number = delivery.contacts[to.name].attempts
    detail = f"attempt {number} by {to.channel} in {message.language}{untold}{together}"
    reason = "verification_sent" if delivery.content == "verification" else "attempted"
    return verdicts_on(delivery, "sent", reason, detail, situation, about)


def verdicts_on(  # noqa: PLR0913, PLR0917  a verdict's own fields
    delivery: Delivery, outcome: Outcome, reason: str, detail: str, situation: Situation, about: VerdictSubject = MESSAGE_ONLY
) -> list[Verdict]:
    """Return a verdict on every notice of a delivery, or on the registration that it is about."""
    if delivery.notices:
        return [situation.notice_verdict(notice, outcome, reason, detail, about) for notice in delivery.notices]
    return [situation.verdict(message_id, outcome, reason, detail, about) for message_id in delivery.message_ids]
