"""The end of a notice: its verdict, and its record for the response to its agency."""

from collections.abc import Iterable, Mapping
from typing import Final

from processors.deliver.situation import Situation, VerdictSubject
from processors.deliver.state import Notice, Result, State
from processors.domain.journal import Outcome, Verdict
from processors.domain.tally import RegistrantTold
from processors.domain.trace import message_headers
from processors.stage import Decision, Output, combine
from processors.topics import TALLY

MESSAGE_RESPONSE: Final = "Message Response"

ENDS: Final[Mapping[Result, tuple[Outcome, str, str]]] = {
    "reached": ("delivered", "reached", "a contact was reached"),
    "failed": ("undelivered", "not_reached", "no contact was reached"),
    "nobody": ("dropped", "nobody_to_tell", "no contact was left to tell"),
}


def outcome_of_notices(notices: Iterable[Notice], result: Result, notification: str, situation: Situation) -> Decision[State]:
    """End each notice with the delivery's final outcome."""
    return combine(end_notice(each, result, verdict(each, result, notification, situation)) for each in notices)


def end_notice(notice: Notice, result: Result, verdict: Verdict) -> Decision[State]:
    """End one notice: write its verdict, and count it for the response; a response itself is not answered (contract §5)."""
    if notice.event_type == MESSAGE_RESPONSE:
        return Decision(verdicts=(verdict,))
    submission = str(notice.seq)
    told = RegistrantTold(submission=submission, received_at=notice.received_at, result=result)
    headers = () if notice.trace is None else message_headers(notice.ori, notice.message_id, notice.trace)
    return Decision((Output(TALLY, submission, told, headers=headers),), verdicts=(verdict,))


def verdict(notice: Notice, result: Result, notification: str, situation: Situation) -> Verdict:
    """Return the verdict; an emergency that reached nobody has its own reason, which raises an alert."""
    outcome, reason, detail = ENDS[result]
    if result == "failed" and notice.emergency:
        reason = "not_reached_emergency"
    return situation.notice_verdict(notice, outcome, reason, detail, VerdictSubject(notification_id=notification))
