"""
Answer: every submission with a readable message id and agency gets exactly one response, once all its parts have ended.

Reads     tally        by submission: ends of its parts, numbers of registrants, their outcomes, parts of others that repeat it
Writes    responses    one for each submission: delivered, or failed to deliver
          tally        the end of every part that repeats a submission which has ended
Keeps     the counts of every open submission; the result of a closed one for `duplicate.window`, since it may be repeated
Flags     nothing
Rejects   nothing
Replayed  each record of the tally is committed exactly once, with the decision that it reports, so plain counts suffice

The response is "Message Successfully Delivered" if everybody to be told was reached, or nobody was to be told; otherwise "Failed to
Deliver Message". The first result is never revised. A copy with the same message id is not answered again. A part that waits or is in
review has not ended, so its submission is not answered yet.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from zlib import crc32

from msgspec.structs import replace

from processors.deliver.answer.state import RepeatingPart, SubmissionTally, deadline
from processors.domain.event import Scope
from processors.domain.notification import Response
from processors.domain.tally import PartEnded, PartMatched, PartRepeated, RegistrantTold, TallyResult
from processors.domain.trace import message_headers, trace_of
from processors.rules.rule_set import Rules
from processors.stage import Context, Decision, Input, Output, Record, Stage, TimerFired
from processors.tally import MESSAGE_RESPONSE, tally_record
from processors.topics import ANSWER_STATE, RESPONSES, TALLY

NAME: Final = "answer"
DELIVERED: Final = "Message Successfully Delivered"
LINGER: Final = 200  # milliseconds; agencies read their responses less often than that
MAX_REPEATS: Final = 500  # parts that wait for one submission; further ones wait for one of these
FAILED: Final = "Failed to Deliver Message"


def keys(given: Input, _: Mapping[str, SubmissionTally]) -> Iterable[str]:
    return (given.key or "",)


def decide(given: Input, states: Mapping[str, SubmissionTally], context: Context) -> Decision[SubmissionTally]:
    """Return the decision on one record of the tally or one timer."""
    name = given.key or ""
    before = states.get(name, SubmissionTally())
    if not isinstance(given, Record):
        return fire_timer(name, before, given.due_at if isinstance(given, TimerFired) else given.at)
    after = count_record(before, given.value, context.rules)
    if isinstance(given.value, PartRepeated):
        return answer_repeat(name, after, repeating_part(given.value))
    if after.complete and not after.closed:
        return close_submission(name, after, given.timestamp, context.rules)
    return Decision(states={name: after})


def count_record(tally: SubmissionTally, value: PartEnded | PartMatched | RegistrantTold | PartRepeated, rules: Rules) -> SubmissionTally:
    """Return the tally with one more record counted."""
    if isinstance(value, PartEnded):
        return with_part(tally, value, rules, result=value.result)
    if isinstance(value, PartMatched):
        return with_part(tally, value, rules, registrants=value.registrants)
    forget_at = max(tally.forget_at, value.received_at + rules.duration("duplicate.window", tally.scope))
    if isinstance(value, RegistrantTold):
        return replace(tally, owed=tally.owed - 1, failed=tally.failed or value.result == "failed", forget_at=forget_at)
    return replace(tally, forget_at=forget_at)


def with_part(
    tally: SubmissionTally, value: PartEnded | PartMatched, rules: Rules, *, result: TallyResult | None = None, registrants: int = 0
) -> SubmissionTally:
    """Return the tally with one more part counted; the record also brings the sender and the number of parts."""
    scope = Scope(value.jurisdiction, value.notification_type, value.event_subtype)
    return replace(
        tally,
        message_id=value.message_id,
        ori=value.ori,
        scope=scope,
        leaves=value.leaves,
        ended=tally.ended + 1,
        copies=tally.copies + (result == "copy"),
        owed=tally.owed + registrants,
        failed=tally.failed or result == "failed",
        forget_at=max(tally.forget_at, value.received_at + rules.duration("duplicate.window", scope)),
        trace=value.trace,
    )


def close_submission(name: str, tally: SubmissionTally, now: int, rules: Rules) -> Decision[SubmissionTally]:
    """Close the submission: answer it, at once or after `response.hold`, and end the parts that repeat it."""
    told = tuple(output for each in tally.followers for output in end_repeating_part(each, failed=tally.failed))
    forget_at = max(tally.forget_at, now + rules.duration("duplicate.window", tally.scope))
    closed = replace(tally, closed=True, followers=(), forget_at=forget_at)
    if tally.copies == tally.leaves or not rules.flag("responses", tally.scope):
        return Decision(told, {name: closed})
    hold = rules.duration("response.hold", tally.scope)
    if hold:
        return Decision(told, {name: replace(closed, answer_at=now + hold)})
    return Decision((*told, response_to(closed, now)), {name: closed})


def answer_repeat(name: str, tally: SubmissionTally, part: RepeatingPart) -> Decision[SubmissionTally]:
    """End another submission's part like this submission: now if this one is closed, otherwise once it is."""
    if tally.closed:
        return Decision(end_repeating_part(part, failed=tally.failed), {name: tally})
    if len(tally.followers) >= MAX_REPEATS:
        other = tally.followers[crc32(part.submission.encode()) % MAX_REPEATS]
        if other.leaves == 1 and other.submission != part.submission:
            return Decision(forward_repeat(other.submission, part), {name: tally})
    return Decision(states={name: replace(tally, followers=(*tally.followers, part))})


def fire_timer(name: str, tally: SubmissionTally, now: int) -> Decision[SubmissionTally]:
    """Send the response that was held, or forget an expired tally and end the parts that wait for a submission that never arrived."""
    if tally.answer_at is not None:
        return Decision((response_to(tally, now),), {name: replace(tally, answer_at=None)})
    return Decision(tuple(output for each in tally.followers for output in end_repeating_part(each, failed=False)), {name: None})


def repeating_part(value: PartRepeated) -> RepeatingPart:
    return RepeatingPart(
        value.repeated_by,
        value.message_id,
        value.ori,
        value.leaves,
        value.received_at,
        value.jurisdiction,
        value.notification_type,
        value.event_subtype,
        value.trace,
    )


def forward_repeat(submission: str, part: RepeatingPart) -> tuple[Output, ...]:
    """Return the record that lets a part wait for another submission, which itself repeats the original."""
    return tally_record(
        PartRepeated(
            submission=submission,
            received_at=part.received_at,
            repeated_by=part.submission,
            message_id=part.message_id,
            ori=part.ori,
            leaves=part.leaves,
            jurisdiction=part.jurisdiction,
            notification_type=part.notification_type,
            event_subtype=part.event_subtype,
            trace=part.trace,
        )
    )


def end_repeating_part(part: RepeatingPart, *, failed: bool) -> tuple[Output, ...]:
    """Return the end of a part that repeats a closed submission."""
    return tally_record(
        PartEnded(
            submission=part.submission,
            message_id=part.message_id,
            ori=part.ori,
            leaves=part.leaves,
            received_at=part.received_at,
            result="failed" if failed else "reached",
            jurisdiction=part.jurisdiction,
            notification_type=part.notification_type,
            event_subtype=part.event_subtype,
            trace=part.trace,
        )
    )


def response_to(tally: SubmissionTally, now: int) -> Output:
    """Return the Message Response, which neither names nor counts registrants (contract §2)."""
    response = Response(
        message_id=tally.message_id,
        ori=tally.ori,
        event_type=MESSAGE_RESPONSE,
        event_subtype=FAILED if tally.failed else DELIVERED,
        notification_type="Internal",
        responded_at=now,
    )
    trace = trace_of(tally.ori, tally.message_id, tally.trace)
    return Output(
        RESPONSES,
        tally.ori,
        response,
        headers=message_headers(tally.ori, tally.message_id, trace),
        counts_as="failed" if tally.failed else "delivered",
    )


STAGE: Final[Stage[SubmissionTally]] = Stage(
    name=NAME,
    inputs=(TALLY,),
    outputs=(RESPONSES, TALLY),
    changelog=ANSWER_STATE,
    state=SubmissionTally,
    keys=keys,
    decide=decide,
    deadline=deadline,
    linger=LINGER,
)
