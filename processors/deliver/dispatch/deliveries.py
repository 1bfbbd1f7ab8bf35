"""
One delivery: which contacts it goes to, what is due at each, and how it ends.

A delivery is advanced whenever something may have changed: an attempt's lease or its wait for a receipt ended, a
retry is due, a receipt arrived, the registrant's contacts changed. It always takes the same steps in the same order, and
each step is a function from delivery to delivery; the result is one partial decision.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from processors.deliver.contacts import UNKNOWN, Destination, find, usable
from processors.deliver.dispatch.attempts import end_contact, make_attempt, settle_attempt, with_progress
from processors.deliver.dispatch.schedule import after_quiet_hours, give_up_at, is_answer
from processors.deliver.life import UNDER_WAY, WITHOUT_SUCCESS
from processors.deliver.moment import MESSAGE_ONLY, About, Moment
from processors.deliver.outcome import outcome_of_notices
from processors.deliver.state import SHARED, Attempt, ContactProgress, Delivery, Registrant, Result, State, delivery_key
from processors.deliver.wording.about_registrations import message_about
from processors.deliver.wording.templates import Message, message_for
from processors.domain.journal import Outcome, Verdict
from processors.stage import Decision, combine

Destinations = Mapping[str, Destination]
Advanced = tuple[Delivery, Decision[State]]  # a delivery after one step, and what the step wrote
NOTHING: Final[Decision[State]] = Decision()
LISTED: Final = 1_000  # deliveries under way to one registrant that hear of changes: an input that concerns them reads each
SILENCE: Final = {  # by whether a provider had accepted the attempt: reason code and sentence
    False: ("lease_ended", "no provider accepted it in time"),
    True: ("receipt_wait", "no final receipt came in time"),
}


def advance(registrant: Registrant, delivery: Delivery, moment: Moment, to: Destinations | None = None) -> Decision[State]:
    """
    Advance a delivery: return it, the registrant if it changes, attempts and verdicts.

    `to` are the contacts that it may go to, if they are known already.
    """
    if to is None:
        to = destinations_of(registrant, delivery, moment)
    decisions = []
    current = delivery
    for step in STEPS:
        current, decision = step(registrant, current, to, moment)
        if decision is not NOTHING:
            decisions.append(decision)
    ended = not is_under_way(current, to)
    if ended:
        current = replace(current, notices=())
    states: dict[str, State | None] = {delivery_key(moment.registrant_id, current.notification_id): current}
    if (after := list_or_unlist(registrant, current, ended=ended)) is not registrant:
        states[registrant.registrant_id] = after
    return combine((*decisions, Decision(states=states)))


def list_or_unlist(registrant: Registrant, delivery: Delivery, *, ended: bool) -> Registrant:
    """
    Return the registrant with the delivery added to those under way, or removed from them.

    One for which there is no room goes on by its own timers: each attempt is for the contacts there are then.
    """
    name = delivery.notification_id[:SHARED]
    if (name in registrant.under_way) != ended:
        return registrant
    others = tuple(each for each in registrant.under_way if each != name)
    return replace(registrant, under_way=others if ended else (*others, name)[-LISTED:])


def destinations_of(registrant: Registrant, delivery: Delivery, moment: Moment) -> Destinations:
    """
    Return the contacts that a delivery may go to: for news every contact that may be told, otherwise the one that it is about.

    One that opted out gets only an answer to what it has just said.
    """
    if delivery.content == "news":
        return usable(registrant, moment)
    found = [to for name in delivery.contacts if (to := find(registrant, name, moment)) is not None]
    answers = delivery.content == "opted_out" or (delivery.content == "help" and is_answer(delivery, moment))
    return {to.name: to for to in found if answers or not registrant.contacts.get(to.name, UNKNOWN).silent}


# --- the steps, in order ---------------------------------------------------------------------------------------------


def cancel_unreachable(registrant: Registrant, delivery: Delivery, to: Destinations, moment: Moment) -> Advanced:
    """Cancel contacts that were removed or opted out."""
    after = delivery
    verdicts: list[Verdict] = []
    for name, progress in delivery.contacts.items():
        if progress.state in UNDER_WAY and name not in to:
            known = registrant.contacts.get(name)
            silent = known is not None and known.silent
            after = end_contact(after, name, "opted_out" if silent else "cancel")
            reason, why = ("opted_out", "it opted out") if silent else ("contact_removed", "no registration in force has it any more")
            verdicts += verdicts_on(delivery, "noted", reason, f"no further attempt by {progress.channel}: {why}", moment)
    return after, Decision(verdicts=tuple(verdicts)) if verdicts else NOTHING


def end_silence(_: Registrant, delivery: Delivery, __: Destinations, moment: Moment) -> Advanced:
    """End attempts whose lease, or whose wait for a receipt, is over."""
    after = delivery
    verdicts: list[Verdict] = []
    for progress in delivery.contacts.values():
        if progress.state == "trying" and progress.next_at is not None and progress.next_at <= moment.at:
            attempt = after.attempts[progress.reference]
            accepted = attempt.status == "accepted"
            after = settle_attempt(after, attempt, "wait_ended" if accepted else "lease_ended", moment) or after
            reason, why = SILENCE[accepted]
            ended = after.contacts[attempt.contact].state
            detail = f"attempt {attempt.number} by {attempt.channel}: {why}; the contact is {ended}"
            verdicts += verdicts_on(delivery, "noted", reason, detail, moment, refer_to(after.attempts[progress.reference], delivery))
    return after, Decision(verdicts=tuple(verdicts)) if verdicts else NOTHING


def add_contacts(_: Registrant, delivery: Delivery, to: Destinations, moment: Moment) -> Advanced:
    """Add every contact at once, or, if `delivery.order` is escalate, the next one after those before ended without success."""
    new = [each for name, each in to.items() if name not in delivery.contacts]
    if not new or delivery.content != "news" or delivery.result is not None:
        return delivery, NOTHING
    since = None
    if moment.rules.text("delivery.order", delivery.scope) == "escalate":
        waits = any(each.state in UNDER_WAY or each.state == "reached" for each in delivery.contacts.values())
        new = [] if waits else new[:1]
        since = moment.begins_at if delivery.contacts else None
    added = {each.name: ContactProgress(channel=each.channel, next_at=moment.at, since=since) for each in new}
    return replace(delivery, contacts={**delivery.contacts, **added}), NOTHING


def attempt_due(_: Registrant, delivery: Delivery, to: Destinations, moment: Moment) -> Advanced:
    """Make every attempt that is due, unless it must wait for the end of quiet hours or is too late."""
    after = delivery
    decisions = []
    for name, progress in delivery.contacts.items():
        if progress.state != "due" or progress.next_at is None or progress.next_at > moment.at:
            continue
        zones = to[name].registration.zones
        begin = after_quiet_hours(delivery, moment.begins_at, zones, moment)
        if begin >= give_up_at(delivery, progress, moment):
            after = end_contact(after, name, "give_up")
            continue
        if begin > moment.begins_at:
            after = with_progress(after, name, replace(progress, next_at=begin))
            continue
        message = message_to(to[name], delivery, moment)
        if message is None:
            after = end_contact(after, name, "give_up")
            said = verdicts_on(delivery, "noted", "no_text", f"there is no text by {progress.channel}", moment)
            decisions.append(Decision[State](verdicts=tuple(said)))
            continue
        made = make_attempt(after, to[name], message, zones, moment)
        after = made.delivery
        decisions.append(Decision((made.output,), verdicts=tuple(attempt_verdicts(after, to[name], message, made.about, moment))))
    return after, combine(decisions) if decisions else NOTHING


def stop_what_is_not_needed(_: Registrant, delivery: Delivery, __: Destinations, moment: Moment) -> Advanced:
    """Stop calling after the right PIN was given; when escalating, stop after the first contact that was reached (contract §5)."""
    if not delivery.contacts:
        return delivery, NOTHING
    confirmed = any(each.status == "confirmed" for each in delivery.attempts.values())
    in_turn = moment.rules.text("delivery.order", delivery.scope) == "escalate"
    reached = any(each.state == "reached" for each in delivery.contacts.values())
    after = delivery
    for name, progress in delivery.contacts.items():
        called_in_vain = confirmed and progress.channel == "voice"
        after_success = reached and in_turn and progress.state == "due"
        if progress.state in UNDER_WAY and (called_in_vain or after_success):
            after = end_contact(after, name, "cancel")
    return after, NOTHING


def conclude(_: Registrant, delivery: Delivery, to: Destinations, moment: Moment) -> Advanced:
    """Publish the first final outcome once; drop the notices when no attempt can follow."""
    result = result_of(delivery, to)
    if delivery.result is not None or result is None:
        return delivery, NOTHING
    return replace(delivery, result=result), outcome_of_notices(delivery.notices, result, delivery.notification_id, moment)


Step = Callable[[Registrant, Delivery, Destinations, Moment], Advanced]
STEPS: Final[tuple[Step, ...]] = (cancel_unreachable, end_silence, stop_what_is_not_needed, add_contacts, attempt_due, conclude)


# --- what they ask ---------------------------------------------------------------------------------------------------


def is_under_way(delivery: Delivery, to: Destinations) -> bool:
    """Whether further attempts may follow by themselves."""
    if any(each.state in UNDER_WAY for each in delivery.contacts.values()):
        return True
    return delivery.result is None and result_of(delivery, to) is None


def result_of(delivery: Delivery, to: Destinations) -> Result | None:
    """Return the outcome of a delivery: reached with its first contact, otherwise when no contact is left; None before that."""
    states = [each.state for each in delivery.contacts.values()]
    if "reached" in states:
        return "reached"
    left = any(state in UNDER_WAY for state in states)
    if left or (delivery.content == "news" and any(name not in delivery.contacts for name in to)):
        return None
    return "failed" if any(state in WITHOUT_SUCCESS for state in states) else "nobody"


def message_to(to: Destination, delivery: Delivery, moment: Moment) -> Message | None:
    """Return the message for one contact; news as of the first attempt, so that every attempt says the same."""
    if to.message is not None:
        return to.message
    if delivery.content == "news":
        return message_for(delivery.notices, moment.rules, delivery.created_at, to.language, to.channel)
    return message_about(delivery, to, moment)


def refer_to(attempt: Attempt, delivery: Delivery) -> About:
    return About(notification_id=delivery.notification_id, reference=attempt.reference, channel=attempt.channel, status=attempt.status)


def attempt_verdicts(delivery: Delivery, to: Destination, message: Message, made: About, moment: Moment) -> list[Verdict]:
    """Return the verdicts on an attempt that was made."""
    untold = "" if to.language.startswith(message.language) else f" (there is no text in {to.language!r})"
    together = f", {len(delivery.notices)} told together" if delivery.notices else ""
    number = delivery.contacts[to.name].attempts
    detail = f"attempt {number} by {to.channel} in {message.language}{untold}{together}"
    reason = "verification_sent" if delivery.content == "verification" else "attempted"
    return verdicts_on(delivery, "sent", reason, detail, moment, made)


def verdicts_on(  # noqa: PLR0913, PLR0917  a verdict's own fields
    delivery: Delivery, outcome: Outcome, reason: str, detail: str, moment: Moment, about: About = MESSAGE_ONLY
) -> list[Verdict]:
    """Return a verdict on every notice of a delivery, or on the registration that it is about."""
    if delivery.notices:
        return [moment.notice_verdict(notice, outcome, reason, detail, about) for notice in delivery.notices]
    return [moment.verdict(message_id, outcome, reason, detail, about) for message_id in delivery.message_ids]
