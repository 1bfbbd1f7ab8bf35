"""The verdicts that identify writes to the journal."""

from typing import Final

from processors.domain.event import Event
from processors.domain.intake import Intake
from processors.domain.journal import Journal, Outcome, Verdict
from processors.stage import Context

STAGE: Final = "identify"


def event_verdict(event: Event, context: Context, outcome: Outcome, reason: str, detail: str, review_id: str | None = None) -> Verdict:  # noqa: PLR0913, PLR0917
    """Return the verdict on one offender's part of a submission."""
    return Journal(STAGE, event.received_at, context.rules.version).verdict(event, outcome, reason, detail, review_id)


def intake_verdict(intake: Intake, context: Context, reason: str, detail: str, registrant_id: str | None = None) -> Verdict:
    """Return the verdict on a message that is not a submission."""
    return Verdict(
        stage=STAGE,
        message_id=intake.message_id,
        outcome="noted",
        reason=reason,
        detail=detail,
        at=intake.received_at,
        rules=context.rules.version,
        registrant_id=registrant_id,
    )
