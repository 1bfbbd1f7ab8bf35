"""How a notice ended: what the journal says, and what is counted for the response to its agency."""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.deliver.moment import About, Moment
from processors.deliver.state import Notice, Result, State
from processors.domain.journal import Outcome, Verdict
from processors.domain.tally import RegistrantTold
from processors.stage import Decision, Output, combine
from processors.topics import TALLY

MESSAGE_RESPONSE: Final = "Message Response"

ENDS: Final[Mapping[Result, tuple[Outcome, str, str]]] = {
    "reached": ("delivered", "reached", "a contact was reached"),
    "failed": ("undelivered", "not_reached", "no contact was reached"),
    "nobody": ("dropped", "nobody_to_tell", "no contact was left to tell"),
}


def outcome_of_notices(notices: Iterable[Notice], result: Result, notification: str, moment: Moment) -> Decision[State]:
    """Return the one final outcome of each notice, an offender and registrant each."""
    return combine(end_notice(each, result, verdict(each, result, notification, moment)) for each in notices)


def end_notice(notice: Notice, result: Result, verdict: Verdict) -> Decision[State]:
    """Return the end of one notice, in the journal and for the response; nobody answers a response (contract §5)."""
    if notice.event_type == MESSAGE_RESPONSE:
        return Decision(verdicts=(verdict,))
    submission = str(notice.seq)
    told = RegistrantTold(submission=submission, received_at=notice.received_at, result=result)
    return Decision((Output(TALLY, submission, told),), verdicts=(verdict,))


def verdict(notice: Notice, result: Result, notification: str, moment: Moment) -> Verdict:
    """Return the journal's line; an emergency of which nobody was reached has a reason of its own, which alerts."""
    outcome, reason, detail = ENDS[result]
    if result == "failed" and notice.emergency:
        reason = "not_reached_emergency"
    return moment.notice_verdict(notice, outcome, reason, detail, About(notification_id=notification))
