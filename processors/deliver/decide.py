"""
Deliver: tells each registrant once, in their language, at every contact, until they are reached.

Reads     notifications, registrants     by registrant
Writes    outbound.sms, outbound.email, outbound.voice: one record for each attempt
          tally: the first final outcome of each offender's part, for the response to its agency
          registration.status: the status of a registration, by its id
          intake: opt-outs by receipt, requests to verify an address, and the question where an offender stands, for identify
          keys: the key of a registrant's contact data, until it is destroyed; erased: that it was, for ever
          reviews
          dead-letters.keys   the key of a record that is set aside, where the registrant has none
Keeps     a registrant's registrations (contacts sealed), what waits for its merge window or the end of quiet hours, what is
          known of each contact; each notification on its way, with its attempts
Flags     a notification whose registration was not seen within `out_of_order.hold`, until `delivery.give_up`; one that the
          rules have no text for, until a reviewer decides or there is one; a reply without a keyword
Releases  the first by whatever other registration the registrant has in force, the second once there is a text, the third
          as an opt-out; what cannot be told yet stays in review, and the journal says why
Rejects   a receipt that refers to no attempt of ours
Replayed  every id is a digest of what is told and to whom: the same attempt has the same reference, a new one another
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from processors.deliver.dispatch.deliveries import advance
from processors.deliver.inbox import erasures, notifications, receipts, registrations, replies, reviews, verifications
from processors.deliver.keys import TABLE, key_for, purge_key, take_key
from processors.deliver.moment import STAGE_NAME, Moment, registrant_after
from processors.deliver.pages import in_pages, is_page, page_keys, with_pages
from processors.deliver.registration_life import confirm, follow_registrations
from processors.deliver.release import release_due, resettle
from processors.deliver.state import Delivery, Registrant, State, deadline, delivery_key, is_urgent, registrant_of
from processors.domain.erasure import Erasure
from processors.domain.inbound import Inbound
from processors.domain.notification import Notification, Receipt
from processors.domain.registration import NearMatch, PresentStanding, Reachable, Verification, VerificationPermit
from processors.domain.review import ReviewAction
from processors.stage import Context, Decision, Input, Record, Resettle, Stage, Wake
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
    """Name the registrant of the input, the delivery of a receipt or timer, and, if they matter, the other deliveries under way."""
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
    """Whether the deliveries under way are affected: contacts changed, or an event is changed or cancelled."""
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
    begins_at = at if isinstance(given, Resettle) else max(at, given.clock)
    moment = Moment(registrant_id, at, begins_at, context.rules, context.seal, key_for(registrant, given, context))
    if given.key != registrant_id and not is_page(given.key or ""):
        return look_at_delivery(given, registrant, states, moment)
    if isinstance(given, Record):
        decision = take_key(registrant, moment, context)
        decision = decision.then(take(registrant_after(decision, registrant), given, states, moment))
    elif isinstance(given, Resettle):
        decision = Decision(states={registrant_id: resettle(registrant, moment)})
    else:
        decision = purge_key(registrant, moment)
    decision = decision.then(release_due(registrant_after(decision, registrant), moment))
    after = registrant_after(decision, registrant)
    if isinstance(given, Wake) or (after.registrations, after.contacts) != (registrant.registrations, registrant.contacts):
        decision = decision.then(follow_registrations(after, moment))
    return in_pages(changes_only(decision, registrant), registrant, states)


def look_at_delivery(given: Input, registrant: Registrant, states: Mapping[str, State], moment: Moment) -> Decision[State]:
    """Do what is due on one delivery, or forget it once no receipt can be about it any more."""
    delivery = states.get(given.key or "")
    if not isinstance(delivery, Delivery) or isinstance(given, Resettle):
        return Decision()
    if deadline(delivery) == delivery.forget_at:
        return Decision(states={given.key or "": None})
    return changes_only(advance(registrant, delivery, moment), registrant)


def time_of(given: Input) -> int:
    """Return the time of the decision on an input."""
    if isinstance(given, Record):
        return given.timestamp
    return given.fires_at if isinstance(given, Wake) else given.at


def take(registrant: Registrant, record: Record, states: Mapping[str, State], moment: Moment) -> Decision[State]:
    """Return the decision on one record, before anything that is due is sent."""
    deliveries = [each for each in states.values() if isinstance(each, Delivery)]
    match record.value:
        case Notification() as notification:
            decision = notifications.gather(registrant, notification, deliveries, moment)
        case Reachable() as reachable:
            decision = registrations.register(registrant, reachable, deliveries, moment)
        case NearMatch() | PresentStanding() as heard:
            decision = hear_of_offender(registrant, heard, moment)
        case Receipt() as receipt:
            found = states.get(delivery_key(registrant.registrant_id, receipt.reference))
            decision = receipts.settle(registrant, receipt, record, found, moment)
        case Verification() as verification:
            decision = verifications.verify(registrant, verification, deliveries, moment)
        case VerificationPermit() as permit:
            decision = verifications.ask(registrant, permit, moment)
        case Inbound() as inbound:
            decision = reply(registrant, inbound, deliveries, moment)
        case Erasure() as erasure:
            decision = erasures.erase(registrant, erasure, deliveries, moment)
        case ReviewAction() as action:
            decision = reviews.act(registrant, action, moment)
        case other:
            raise TypeError(f"deliver reads no {type(other).__name__}")
    return decision


def hear_of_offender(registrant: Registrant, heard: NearMatch | PresentStanding, moment: Moment) -> Decision[State]:
    """Return the decision on what is said of a registration's offender: who they may be, or where they stand."""
    if isinstance(heard, NearMatch):
        return registrations.note_near_match(registrant, heard, moment)
    return confirm(registrant, moment, heard)


def reply(registrant: Registrant, inbound: Inbound, deliveries: Iterable[Delivery], moment: Moment) -> Decision[State]:
    """Return the decision on a registrant's reply, including deliveries under way."""
    decision = replies.take_reply(registrant, inbound, moment)
    return registrations.advance_all(decision, registrant_after(decision, registrant), deliveries, moment)


def changes_only(decision: Decision[State], before: Registrant) -> Decision[State]:
    """Return the decision without the registrant if it is unchanged."""
    key = before.registrant_id
    if key not in decision.states or decision.states[key] != before:
        return decision
    return Decision(decision.outputs, {each: state for each, state in decision.states.items() if each != key}, decision.verdicts)


def attempts_by_contact(document: Any) -> Any:
    """
    Return a document of format 1 in format 2.

    An attempt named its contact by registration and position, which may be another contact by now: a delivery made under it gets
    no further attempt; its receipts are still understood.
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
    resettles=True,
    owner=registrant_of,
    registrant=lambda record: record.key,
    migrations={1: attempts_by_contact},
    table=TABLE,
)
