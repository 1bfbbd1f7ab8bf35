"""
Deliver: what each registrant is told, once, in words they understand, where they can be reached.

Reads     notifications, registrants     by registrant
Writes    outbound.sms, outbound.email, outbound.voice: one record an attempt
Keeps     a registrant's registrations (contacts sealed), what waits for its merge window or the end of quiet hours; the
          attempts of each notification
Flags     a notification whose registration was not seen within `out_of_order.hold`, until `delivery.give_up`; one that the
          rules have no text for, until a reviewer decides or there is one
Releases  the first by whatever other registration the registrant has in force, the second once there is a text; what
          cannot be told yet stays in review, and the journal says why
Rejects   a receipt that refers to no attempt of ours
Replayed  every id is a digest of what is told and to whom: the same attempt has the same reference, a new one another
"""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.deliver.inbox import notifications, receipts, registrations, reviews
from processors.deliver.moment import STAGE_NAME, Moment
from processors.deliver.release import release_due, resettled
from processors.deliver.state import Delivery, Registrant, State, deadline, delivery_key
from processors.domain.notification import Notification, Receipt
from processors.domain.registration import Reachable
from processors.domain.review import ReviewAction
from processors.stage import Context, Decision, Input, Record, Resettle, Stage, Wake
from processors.topics import DEAD_LETTERS, DELIVER_STATE, NOTIFICATIONS, OUTBOUND, REGISTRANTS, REVIEWS


def keys(given: Input, _: Mapping[str, State]) -> Iterable[str]:
    """Name the registrant that the input is about; for a receipt also what it may be about."""
    if not given.key:
        return ()
    if isinstance(given, Record) and isinstance(given.value, Receipt):
        return given.key, delivery_key(given.key, given.value.reference)
    return (given.key,)


def decide(given: Input, states: Mapping[str, State], context: Context) -> Decision[State]:
    """Return what follows for one registrant."""
    key = given.key or ""
    before = states.get(key)
    if isinstance(before, Delivery):  # no receipt can be about it any more
        return Decision(states={key: None}) if isinstance(given, Wake) else Decision()
    registrant = before or Registrant(registrant_id=key)
    moment = Moment(key, time_of(given), context.rules, context.seal)
    if isinstance(given, Record):
        decision = released(take(registrant, given, states, moment), registrant, moment)
    elif isinstance(given, Resettle):
        decision = released(Decision(states={key: resettled(registrant, moment)}), registrant, moment)
    else:
        decision = released(Decision(), registrant, moment)
        decision = decision.then(registrations.forget_contacts(registrant_after(decision, registrant), moment))
    return changes_only(decision, before, key)


def time_of(given: Input) -> int:
    """Return the time that an input is decided with."""
    if isinstance(given, Record):
        return given.timestamp
    return given.due_at if isinstance(given, Wake) else given.at


def take(registrant: Registrant, record: Record, states: Mapping[str, State], moment: Moment) -> Decision[State]:
    """Return what one record changes of what is known and of what waits."""
    match record.value:
        case Notification() as notification:
            return notifications.gather(registrant, notification, moment)
        case Reachable() as reachable:
            return registrations.register(registrant, reachable, moment)
        case Receipt() as receipt:
            found = states.get(delivery_key(registrant.registrant_id, receipt.reference))
            return receipts.settle(registrant, receipt, record, found, moment)
        case ReviewAction() as action:
            return reviews.act(registrant, action, moment)
        case other:
            raise TypeError(f"deliver reads no {type(other).__name__}")


def released(decision: Decision[State], registrant: Registrant, moment: Moment) -> Decision[State]:
    """Return the decision with what is due after it."""
    return decision.then(release_due(registrant_after(decision, registrant), moment))


def registrant_after(decision: Decision[State], before: Registrant) -> Registrant:
    """Return the registrant as the decision leaves it."""
    after = decision.states.get(before.registrant_id, before)
    return after if isinstance(after, Registrant) else before


def changes_only(decision: Decision[State], before: Registrant | None, key: str) -> Decision[State]:
    """Return the decision without a registrant that it leaves as it was, or of whom there is nothing to keep."""
    if key not in decision.states or decision.states[key] != (before or Registrant(registrant_id=key)):
        return decision
    return Decision(decision.outputs, {each: state for each, state in decision.states.items() if each != key}, decision.verdicts)


STAGE: Final[Stage[State]] = Stage(
    name=STAGE_NAME,
    inputs=(NOTIFICATIONS, REGISTRANTS),
    outputs=(*OUTBOUND.values(), REVIEWS, DEAD_LETTERS),
    changelog=DELIVER_STATE,
    state=Registrant | Delivery,
    keys=keys,
    decide=decide,
    deadline=deadline,
    resettles=True,
)
