"""How a message leaves the stage: on its way, suppressed, or held until its time or a reviewer comes."""

from msgspec.structs import replace

from processors.domain.event import Event, passed_on
from processors.stage import Output
from processors.topics import CONFIRMED, REVIEWS
from processors.validate import compact, reviews, told_events
from processors.validate.facts import RulesInForce
from processors.validate.finding import Finding
from processors.validate.result import CheckResult
from processors.validate.state import HeldMessage, OffenderState
from processors.validate.step import Step


def confirmed(event: Event, before: OffenderState, in_force: RulesInForce) -> Output:
    """Return the event as it goes on, with the way that a journey takes from where its case stood before."""
    way = compact.way(event, before.compact, in_force.code, in_force.book)
    return Output(CONFIRMED, event.offender, passed_on(event if way is None else replace(event, way=way), in_force.now))


def end(step: Step, event: Event, result: CheckResult, reason: str, detail: str, review_id: str | None = None) -> Step:  # noqa: PLR0913, PLR0917  all that the journal is told
    """Send a message on or suppress it; it takes effect, unless the intake already did in its place."""
    found, before = result.found, step.situation.known
    if result.takes_effect:
        step = step.apply(event, result.in_force, told=found is None)
    if found is None:
        return step.write(confirmed(event, before, result.in_force)).note(event, "passed", reason, detail, review_id)
    detail += told_events.believed(event)
    return remember_untold(step, event).note(event, "suppressed", found.reason, detail, review_id)


def hold(step: Step, event: Event, found: Finding, detail: str) -> Step:
    """Keep a message until its time comes or a reviewer decides."""
    pending = reviews.opened(event, found, step.situation.now)
    detail += told_events.believed(event)
    message = HeldMessage(event, detail)
    step = remember_untold(step, event)
    step = step.hold(pending.key, message).know(pending=(*step.situation.known.pending, pending))
    if pending.review_id is not None:
        step = step.write(Output(REVIEWS, pending.review_id, reviews.review(pending, message, "open")))
    return step.note(event, "flagged" if found.outcome == "flagged" else "waiting", found.reason, detail, pending.review_id)


def remember_untold(step: Step, event: Event) -> Step:
    """Remember a change that is not told, so that the next is told from what registrants believe."""
    known = step.situation.known
    untold = told_events.with_untold(known.untold, event, known.told_until)
    return step if untold == known.untold else step.know(untold=untold)
