"""
Limits on how many messages about one offender may wait or be in review, and what happens beyond them.

The agency that has the most loses its oldest message, so that a runaway feed cannot crowd out other agencies. A message that waits
for an earlier one is decided as if its hold were over: told, or flagged. A review is closed as discarded, and its agency
is told that the message was not delivered.
"""

from functools import partial

from msgspec.structs import replace

from processors.domain import limits
from processors.validate.check_result import check
from processors.validate.draft import Draft, Situation
from processors.validate.facts import rules_in_force
from processors.validate.outcomes import hold_message
from processors.validate.pending import check_waiting, close_pending, finish_pending
from processors.validate.state import OffenderState, Pending


def reviews_crowded_out(known: OffenderState) -> list[Pending]:
    """Return the messages whose reviews are closed since no more fit."""
    return limits.reviews_crowded_out(known.pending, ori_of, age_of)


def close_crowded_out(situation: Situation) -> Draft:
    """Close the reviews that do not fit."""
    draft = Draft(situation)
    for pending in reviews_crowded_out(situation.known):
        message = situation.message(pending)
        detail = f"more than {limits.MAX_IN_REVIEW} messages about the offender are in review; it was held as {pending.reason}"
        draft = close_pending(draft, pending, message, "discarded").note(
            message.event, "suppressed", "crowded_out", detail, pending.review_id
        )
    return draft


def end_crowded_out_waits(draft: Draft) -> Draft:
    """If too many messages wait, decide those that do not fit as if their holds were over."""
    waiting = [each for each in draft.situation.known.pending if each.review_id is None]
    if len(waiting) <= limits.MAX_WAITING:
        return draft
    for each in limits.crowded_out(waiting, limits.MAX_WAITING, ori_of, age_of):
        draft = draft.then(partial(end_wait_early, each))
    return check_waiting(draft)


def end_wait_early(pending: Pending, situation: Situation) -> Draft:
    """Decide a message that waits, as if its hold were over."""
    message = situation.message(pending)
    result = check(message.event, situation.known, situation.rules, max(situation.now, pending.due or 0))
    result = replace(result, in_force=rules_in_force(message.event, situation.rules, situation.now))
    draft = close_pending(Draft(situation), pending, message, "superseded")
    if result.found is not None and result.holds:
        return hold_message(draft, message.event, result.found, result.detail)
    return finish_pending(draft, message, pending, result)


def ori_of(pending: Pending) -> str:
    return pending.chain.partition("\n")[0]


def age_of(pending: Pending) -> tuple[int, str]:
    return pending.since, pending.key
