"""The outcomes of a message: sent on, suppressed, or held until a time or for a reviewer."""

from msgspec.structs import replace

from processors.domain.event import Event, with_hold_until
from processors.stage import Output
from processors.topics import CONFIRMED, REVIEWS
from processors.validate import compact, registrant_knowledge, reviews
from processors.validate.check_result import CheckResult
from processors.validate.draft import Draft
from processors.validate.facts import RulesInForce
from processors.validate.finding import Finding
from processors.validate.state import HeldMessage, OffenderState


def confirmed_event(event: Event, before: OffenderState, in_force: RulesInForce) -> Output:
    """Return the output that sends the event on, with the direction of its journey, given the state of its case before it."""
    way = compact.journey_direction(event, before.compact, in_force.code, in_force.rule_set)
    return Output(CONFIRMED, event.offender, with_hold_until(event if way is None else replace(event, way=way), in_force.now))


def forward_or_suppress(draft: Draft, event: Event, result: CheckResult, reason: str, detail: str, review_id: str | None = None) -> Draft:  # noqa: PLR0913, PLR0917  the fields of a verdict
    """Send a message on, or suppress it; it takes effect, except a release that its intake replaces."""
    found, before = result.found, draft.situation.known
    if result.takes_effect:
        draft = draft.apply(event, result.in_force, told=found is None)
    if found is None:
        return draft.write(confirmed_event(event, before, result.in_force)).note(event, "passed", reason, detail, review_id)
    detail += registrant_knowledge.untold_note(event)
    return remember_untold(draft, event).note(event, "suppressed", found.reason, detail, review_id)


def hold_message(draft: Draft, event: Event, found: Finding, detail: str) -> Draft:
    """Hold a message until it is due or a reviewer decides."""
    pending = reviews.open_pending(event, found, draft.situation.now)
    detail += registrant_knowledge.untold_note(event)
    message = HeldMessage(event, detail)
    draft = remember_untold(draft, event)
    draft = draft.hold(pending.key, message).with_known(pending=(*draft.situation.known.pending, pending))
    if pending.review_id is not None:
        draft = draft.write(Output(REVIEWS, pending.review_id, reviews.review(pending, message, "open")))
    return draft.note(event, "flagged" if found.outcome == "flagged" else "waiting", found.reason, detail, pending.review_id)


def remember_untold(draft: Draft, event: Event) -> Draft:
    """Remember a change that is not sent, so that the next change is described relative to what registrants were told."""
    known = draft.situation.known
    untold = registrant_knowledge.with_untold(known.untold, event, known.told_until)
    return draft if untold == known.untold else draft.with_known(untold=untold)
