"""
Answer: every submission with a readable message id and agency gets exactly one response, once all its parts have ended.

Reads     tally        by submission: ends of its parts, numbers of registrants, their outcomes, what repeats it
Writes    responses    one for each submission: delivered, or failed to deliver
          tally        to each submission that repeats this one, how this one ended
Keeps     the sums of every open submission; of a closed one its result, for `duplicate.window`, since it may be repeated
Flags     nothing
Rejects   nothing
Replayed  each record of the tally is committed once with the decision that makes it true, so plain sums suffice

"Message Successfully Delivered" if all who were to be told were reached or nobody was to be told; otherwise "Failed to Deliver
Message". The first result is never revised. A copy under the same message id is not answered again. What waits or is in
review has not ended yet, so its submission is not answered yet.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from zlib import crc32

from msgspec.structs import replace

from processors.deliver.answer.state import Follower, Sums, deadline
from processors.domain.event import Scope
from processors.domain.notification import Response
from processors.domain.tally import PartEnded, PartMatched, PartRepeated, RegistrantTold, TallyResult
from processors.domain.trace import message_headers, trace_of
from processors.rules.book import Rules
from processors.stage import Context, Decision, Input, Output, Record, Stage, Wake
from processors.tally import MESSAGE_RESPONSE, tally_record
from processors.topics import ANSWER_STATE, RESPONSES, TALLY

NAME: Final = "answer"
DELIVERED: Final = "Message Successfully Delivered"
LINGER: Final = 200  # milliseconds: an agency's system reads its response later than that
FOLLOWERS: Final = 500  # of one submission; those beyond follow one of them
FAILED: Final = "Failed to Deliver Message"


def keys(given: Input, _: Mapping[str, Sums]) -> Iterable[str]:
    return (given.key or "",)


def decide(given: Input, states: Mapping[str, Sums], context: Context) -> Decision[Sums]:
    """Return the decision on one record of the tally, or on a timer."""
    name = given.key or ""
    before = states.get(name, Sums())
    if not isinstance(given, Record):
        return wake(name, before, given.due_at if isinstance(given, Wake) else given.at)
    after = add(before, given.value, context.rules)
    if isinstance(given.value, PartRepeated):
        return follow(name, after, follower_of(given.value))
    if after.complete and not after.closed:
        return close(name, after, given.timestamp, context.rules)
    return Decision(states={name: after})


def add(sums: Sums, value: PartEnded | PartMatched | RegistrantTold | PartRepeated, rules: Rules) -> Sums:
    """Return the sums with one more record of the tally."""
    if isinstance(value, PartEnded):
        return with_part(sums, value, rules, result=value.result)
    if isinstance(value, PartMatched):
        return with_part(sums, value, rules, registrants=value.registrants)
    forget_at = max(sums.forget_at, value.received_at + rules.duration("duplicate.window", sums.scope))
    if isinstance(value, RegistrantTold):
        return replace(sums, owed=sums.owed - 1, failed=sums.failed or value.result == "failed", forget_at=forget_at)
    return replace(sums, forget_at=forget_at)


def with_part(sums: Sums, value: PartEnded | PartMatched, rules: Rules, *, result: TallyResult | None = None, registrants: int = 0) -> Sums:
    """Return the sums of a submission with one part more; its sender and the number of its parts are known now."""
    scope = Scope(value.jurisdiction, value.notification_type, value.event_subtype)
    return replace(
        sums,
        message_id=value.message_id,
        ori=value.ori,
        scope=scope,
        leaves=value.leaves,
        ended=sums.ended + 1,
        copies=sums.copies + (result == "copy"),
        owed=sums.owed + registrants,
        failed=sums.failed or result == "failed",
        forget_at=max(sums.forget_at, value.received_at + rules.duration("duplicate.window", scope)),
        trace=value.trace,
    )


def close(name: str, sums: Sums, now: int, rules: Rules) -> Decision[Sums]:
    """Answer the submission, at once or after `response.hold`, and those that repeat it."""
    told = tuple(output for each in sums.followers for output in end_of(each, failed=sums.failed))
    forget_at = max(sums.forget_at, now + rules.duration("duplicate.window", sums.scope))
    closed = replace(sums, closed=True, followers=(), forget_at=forget_at)
    if sums.copies == sums.leaves or not rules.flag("responses", sums.scope):
        return Decision(told, {name: closed})
    hold = rules.duration("response.hold", sums.scope)
    if hold:
        return Decision(told, {name: replace(closed, answer_at=now + hold)})
    return Decision((*told, response_to(closed, now)), {name: closed})


def follow(name: str, sums: Sums, follower: Follower) -> Decision[Sums]:
    """Let the other submission's part end as this submission does, now or later."""
    if sums.closed:
        return Decision(end_of(follower, failed=sums.failed), {name: sums})
    if len(sums.followers) >= FOLLOWERS:
        other = sums.followers[crc32(follower.submission.encode()) % FOLLOWERS]
        if other.leaves == 1 and other.submission != follower.submission:
            return Decision(repetition(other.submission, follower), {name: sums})
    return Decision(states={name: replace(sums, followers=(*sums.followers, follower))})


def wake(name: str, sums: Sums, now: int) -> Decision[Sums]:
    """Send the response that was held; forget expired sums, and end the followers of a submission that never arrived."""
    if sums.answer_at is not None:
        return Decision((response_to(sums, now),), {name: replace(sums, answer_at=None)})
    return Decision(tuple(output for each in sums.followers for output in end_of(each, failed=False)), {name: None})


def follower_of(value: PartRepeated) -> Follower:
    return Follower(
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


def repetition(submission: str, follower: Follower) -> tuple[Output, ...]:
    """Return that a part ends as another submission does, which itself repeats the first one."""
    return tally_record(
        PartRepeated(
            submission=submission,
            received_at=follower.received_at,
            repeated_by=follower.submission,
            message_id=follower.message_id,
            ori=follower.ori,
            leaves=follower.leaves,
            jurisdiction=follower.jurisdiction,
            notification_type=follower.notification_type,
            event_subtype=follower.event_subtype,
            trace=follower.trace,
        )
    )


def end_of(follower: Follower, *, failed: bool) -> tuple[Output, ...]:
    """Return the end of a part that repeats a submission which is closed."""
    return tally_record(
        PartEnded(
            submission=follower.submission,
            message_id=follower.message_id,
            ori=follower.ori,
            leaves=follower.leaves,
            received_at=follower.received_at,
            result="failed" if failed else "reached",
            jurisdiction=follower.jurisdiction,
            notification_type=follower.notification_type,
            event_subtype=follower.event_subtype,
            trace=follower.trace,
        )
    )


def response_to(sums: Sums, now: int) -> Output:
    """Return the Message Response, which names and counts no registrant (contract §2)."""
    response = Response(
        message_id=sums.message_id,
        ori=sums.ori,
        event_type=MESSAGE_RESPONSE,
        event_subtype=FAILED if sums.failed else DELIVERED,
        notification_type="Internal",
        responded_at=now,
    )
    trace = trace_of(sums.ori, sums.message_id, sums.trace)
    return Output(
        RESPONSES,
        sums.ori,
        response,
        headers=message_headers(sums.ori, sums.message_id, trace),
        counts_as="failed" if sums.failed else "delivered",
    )


STAGE: Final[Stage[Sums]] = Stage(
    name=NAME,
    inputs=(TALLY,),
    outputs=(RESPONSES, TALLY),
    changelog=ANSWER_STATE,
    state=Sums,
    keys=keys,
    decide=decide,
    deadline=deadline,
    linger=LINGER,
)
