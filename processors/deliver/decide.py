"""
Deliver: notifies each registrant once, in their language, at every contact, until they are reached.

Reads     notifications, registrants     by registrant
Writes    outbound.sms, outbound.email, outbound.voice   one record for each attempt
          tally                 the first final outcome of each offender's part, for the response to its agency
          registration.status   the status of a registration, by its id
          intake                for identify: opt-outs by receipt or review, requests to verify an address and for an offender's standing
          keys                  the key of a registrant's contact data, until it is destroyed
          erased                the record that it was destroyed, forever
          reviews               what is flagged here, and every later state of its review
          dead-letters          receipts that are rejected here
          dead-letters.keys     the key of a record that is quarantined, if the registrant has no key
Keeps     a registrant's registrations (contacts sealed); notices that wait for their merge window or the end of quiet hours; what is
          known of each contact; each delivery, with its attempts
Flags     a notification whose registration was not seen within `out_of_order.hold`, until `delivery.give_up`; one that the rules have
          no text for, until a reviewer decides or there is a text; a reply without a keyword
Releases  the first under the registrant's other registrations in force, the second once there is a text, the third as an opt-out; what
          cannot be sent yet stays in review, and the journal says why
Rejects   a receipt that refers to none of our attempts
Replayed  every id is a digest of what is told and to whom, so a replayed attempt has the same reference
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from processors.deliver.dispatch.deliveries import advance_delivery
from processors.deliver.due import reevaluate_due_times, send_due
from processors.deliver.inputs import erasures, notifications, receipts, registrations, replies, reviews, verifications
from processors.deliver.keys import KEY_TABLE, adopt_key, key_for, purge_key
from processors.deliver.pages import in_pages, is_page, page_keys, with_pages
from processors.deliver.registration_lifecycle import follow_registrations, send_confirmations
from processors.deliver.situation import STAGE_NAME, Situation, registrant_after
from processors.deliver.state import Delivery, Registrant, State, deadline, delivery_key, is_urgent, registrant_of
from processors.domain.erasure import Erasure
from processors.domain.inbound import Inbound
from processors.domain.notification import Notification, Receipt
from processors.domain.registration import NearMatch, PresentStanding, Reachable, Verification, VerificationPermit
from processors.domain.review import ReviewAction
from processors.stage import Context, Decision, Input, Record, RulesChanged, Stage, TimerFired
from processors.topics import (
    DEAD_LETTER_KEYS,
    DEAD_LETTERS,
    DELIVER_STATE,
    ERASED,
    INTAKE,
    KEYS,
    NOTIFICATIONS,
    OUTBOUND,
    OUTBOUND_CANARY,
    REGISTRANTS,
    REGISTRATION_STATUS,
    REVIEWS,
    TALLY,
)


def keys(given: Input, states: Mapping[str, State]) -> Iterable[str]:
    """Return the keys of the input's registrant and delivery and, if they may be affected, of the other deliveries under way."""
    if not given.key:
        return ()
    registrant_id = registrant_of(given.key)
    own = (registrant_id,) if given.key == registrant_id else (registrant_id, given.key)
    if not isinstance(given, Record):
        return own
    registrant = states.get(registrant_id)
    if isinstance(given.value, Receipt):
        return (*own, *page_keys(given, registrant), delivery_key(registrant_id, given.value.reference))
    if not isinstance(registrant, Registrant) or not concerns_deliveries(given):
        return (*own, *page_keys(given, registrant))
    return (*own, *page_keys(given, registrant), *[delivery_key(registrant_id, each) for each in registrant.under_way])


def concerns_deliveries(record: Record) -> bool:
    """Whether a record may affect the deliveries under way: it changes contacts, or changes or cancels an event."""
    value = record.value
    if isinstance(value, Notification):
        return value.event.telling != "news"
    return isinstance(value, Reachable | Verification | Inbound | Erasure)


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision for one registrant."""
    registrant_id = registrant_of(given.key or "")
    before = states.get(registrant_id)
    registrant = with_pages(before, states) if isinstance(before, Registrant) else Registrant(registrant_id=registrant_id)
    at = time_of(given)
    begins_at = at if isinstance(given, RulesChanged) else max(at, given.clock)
    situation = Situation(registrant_id, at, begins_at, context.rules, context.seal, key_for(registrant, given, context))
    if given.key != registrant_id and not is_page(given.key or ""):
        return decide_delivery(given, registrant, states, situation)
    if isinstance(given, Record):
        decision = adopt_key(registrant, situation, context)
        decision = decision.then(decide_record(registrant_after(decision, registrant), given, states, situation))
    elif isinstance(given, RulesChanged):
        decision = Decision(states={registrant_id: reevaluate_due_times(registrant, situation)})
    else:
        decision = purge_key(registrant, situation)
    decision = decision.then(send_due(registrant_after(decision, registrant), situation))
    after = registrant_after(decision, registrant)
    if isinstance(given, TimerFired) or (after.registrations, after.contacts) != (registrant.registrations, registrant.contacts):
        decision = decision.then(follow_registrations(after, situation))
    return in_pages(changes_only(decision, registrant), registrant, states)


def decide_delivery(given: Input, registrant: Registrant, states: Mapping[str, State], situation: Situation) -> Decision[State]:
    """Do what is due on one delivery, or forget it once no more receipts can arrive for it."""
    delivery = states.get(given.key or "")
    if not isinstance(delivery, Delivery) or isinstance(given, RulesChanged):
        return Decision()
    if deadline(delivery) == delivery.forget_at:
        return Decision(states={given.key or "": None})
    return changes_only(advance_delivery(registrant, delivery, situation), registrant)


def time_of(given: Input) -> int:
    """Return the time of the decision on an input."""
    if isinstance(given, Record):
        return given.timestamp
    return given.fires_at if isinstance(given, TimerFired) else given.at


def decide_record(registrant: Registrant, record: Record, states: Mapping[str, State], situation: Situation) -> Decision[State]:
    """Return the decision on one record, before anything that is due is sent."""
    deliveries = [each for each in states.values() if isinstance(each, Delivery)]
    match record.value:
        case Notification() as notification:
            decision = notifications.receive_notification(registrant, notification, deliveries, situation)
        case Reachable() as reachable:
            decision = registrations.store_registration(registrant, reachable, deliveries, situation)
        case NearMatch() | PresentStanding() as news:
            decision = decide_offender_news(registrant, news, situation)
        case Receipt() as receipt:
            found = states.get(delivery_key(registrant.registrant_id, receipt.reference))
            decision = receipts.apply_receipt(registrant, receipt, record, found, situation)
        case Verification() as verification:
            decision = verifications.verify_contact(registrant, verification, deliveries, situation)
        case VerificationPermit() as permit:
            decision = verifications.send_code(registrant, permit, situation)
        case Inbound() as inbound:
            decision = receive_reply(registrant, inbound, deliveries, situation)
        case Erasure() as erasure:
            decision = erasures.erase(registrant, erasure, deliveries, situation)
        case ReviewAction() as action:
            decision = reviews.act_on_review(registrant, action, situation)
        case other:
            raise TypeError(f"deliver reads no {type(other).__name__}")
    return decision


def decide_offender_news(registrant: Registrant, news: NearMatch | PresentStanding, situation: Situation) -> Decision[State]:
    """Return the decision on news about a registration's offender: a near match, or the offender's standing."""
    if isinstance(news, NearMatch):
        return registrations.note_near_match(registrant, news, situation)
    return send_confirmations(registrant, situation, news)


def receive_reply(registrant: Registrant, inbound: Inbound, deliveries: Iterable[Delivery], situation: Situation) -> Decision[State]:
    """Return the decision on a registrant's reply, and advance the deliveries under way."""
    decision = replies.apply_reply(registrant, inbound, situation)
    return registrations.advance_all(decision, registrant_after(decision, registrant), deliveries, situation)


def changes_only(decision: Decision[State], before: Registrant) -> Decision[State]:
    """Return the decision without the registrant if it is unchanged."""
    key = before.registrant_id
    if key not in decision.states or decision.states[key] != before:
        return decision
    return Decision(decision.outputs, {each: state for each, state in decision.states.items() if each != key}, decision.verdicts)


def attempts_by_contact(document: Any) -> Any:
    """
    Return a document of format 1 in format 2.

    Format 1 named an attempt's contact by registration and position, which may be another contact now: such a delivery gets no further
    attempts, but its receipts are still understood.
    """
    if document["type"] != "sent":
        return document
    attempts = {
        reference: {name: value for name, value in attempt.items() if name not in {"registration_id", "contact"}}
        for reference, attempt in document["attempts"].items()
    }
    return {**document, "attempts": attempts}


STAGE: Final[Stage[State]] = Stage(
    name=STAGE_NAME,
    inputs=(NOTIFICATIONS, REGISTRANTS),
    outputs=(
        *OUTBOUND.values(),
        OUTBOUND_CANARY,
        REGISTRATION_STATUS,
        TALLY,
        INTAKE,
        REVIEWS,
        DEAD_LETTERS,
        DEAD_LETTER_KEYS,
        KEYS,
        ERASED,
    ),
    changelog=DELIVER_STATE,
    state=State,
    keys=keys,
    decide=decide,
    deadline=deadline,
    is_urgent=is_urgent,
    reevaluates=True,
    owner=registrant_of,
    registrant=lambda record: record.key,
    migrations={1: attempts_by_contact},
    table=KEY_TABLE,
)
