"""What identify tells the journal."""

from typing import Final

from processors.domain.event import Event
from processors.domain.intake import Intake
from processors.domain.journal import Outcome, Verdict
from processors.stage import Context

STAGE: Final = "identify"


def said(each: Event, context: Context, outcome: Outcome, reason: str, detail: str) -> Verdict:
    """Return the verdict on one offender's part of a submission."""
    return Verdict(
        stage=STAGE,
        message_id=each.message_id,
        outcome=outcome,
        reason=reason,
        detail=detail,
        at=each.received_at,
        ori=each.ori,
        offender=each.offender,
        part=each.part,
        rules=context.rules.version,
    )


def noted(intake: Intake, context: Context, reason: str, detail: str, registrant_id: str | None = None) -> Verdict:
    """Return the verdict on a message that is no submission."""
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
