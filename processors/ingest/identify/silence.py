"""
Detects agencies that stop sending, so that no feed fails unnoticed (contract §6 `feed.silence`).

A silence is published as an overdue expectation, which is met when the agency sends again. Messages do not move the timer: when it is
due, it is set again if the agency has sent since.
"""

from typing import Final

from msgspec import structs

from processors.domain.agency import AgencyHeard
from processors.domain.event import Scope
from processors.domain.expectation import Expectation
from processors.domain.intake import Intake
from processors.domain.journal import Verdict
from processors.domain.time import iso
from processors.ingest.comparison import digest
from processors.ingest.identify.journal import STAGE
from processors.ingest.identify.state import UNCHANGED, AgencyActivity, State, States, find
from processors.stage import Context, Decision, Output
from processors.topics import AGENCIES, EXPECTATIONS

PUBLISH_EVERY: Final = 60_000  # milliseconds


def note_activity(states: States, key: str, intake: Intake, agency: tuple[str, str], context: Context) -> Decision[State]:
    """Record that the agency (its ORI and jurisdiction) sent a message, which ends a silence."""
    before, at = find(states, key, AgencyActivity), intake.received_at
    ori, jurisdiction = agency
    if before is not None and not before.silent:
        heard = AgencyActivity(
            ori=ori,
            jurisdiction=jurisdiction,
            message_id=intake.message_id,
            at=max(at, before.at),
            check_at=before.check_at,
            published_at=before.published_at,
        )
        return publish_activity(heard, key)
    latest = at if before is None else max(at, before.at)
    activity = AgencyActivity(ori=ori, jurisdiction=jurisdiction, message_id=intake.message_id, at=latest)
    activity = structs.replace(activity, check_at=at + silence_limit(activity, context))
    if before is None:
        return publish_activity(activity, key)
    ended = expectation(before, silence_limit(before, context), settled_by=intake.message_id, settled_at=at)
    return publish_activity(activity, key).then(Decision((Output(EXPECTATIONS, ended.expectation_id, ended),)))


def publish_activity(activity: AgencyActivity, key: str) -> Decision[State]:
    """Store the agency's activity, and publish it at most once a minute."""
    if activity.published_at is not None and activity.at - activity.published_at < PUBLISH_EVERY:
        return Decision(states={key: activity})
    heard = AgencyHeard(ori=activity.ori, jurisdiction=activity.jurisdiction, message_id=activity.message_id, heard_at=activity.at)
    return Decision((Output(AGENCIES, activity.ori, heard),), {key: structs.replace(activity, published_at=activity.at)})


def check_silence(states: States, key: str, at: int, context: Context) -> Decision[State]:
    """Publish that the agency is silent, unless it has sent a message since its timer was set."""
    activity = find(states, key, AgencyActivity)
    if activity is None:
        return UNCHANGED
    if (due := silent_from(activity, context)) > at:
        return Decision(states={key: structs.replace(activity, check_at=due)})
    overdue = expectation(activity, silence_limit(activity, context))
    verdict = Verdict(
        stage=STAGE,
        message_id=overdue.expectation_id,
        outcome="noted",
        reason="feed_silence",
        detail=f"{activity.ori} was last heard on {iso(activity.at)}, by message {activity.message_id}",
        at=at,
        ori=activity.ori,
        rules=context.rules.version,
    )
    silent = structs.replace(activity, silent=True, check_at=None)
    return Decision((Output(EXPECTATIONS, overdue.expectation_id, overdue),), {key: silent}, (verdict,))


def silent_from(activity: AgencyActivity, context: Context) -> int:
    """Return when the agency counts as silent if it sends nothing more."""
    return activity.at + silence_limit(activity, context)


def silence_limit(activity: AgencyActivity, context: Context) -> int:
    """Return the agency's `feed.silence` in milliseconds."""
    return context.rules.duration("feed.silence", Scope(jurisdiction=activity.jurisdiction))


def expectation(activity: AgencyActivity, limit: int, settled_by: str | None = None, settled_at: int | None = None) -> Expectation:
    """Return the expectation that represents a silence or its end."""
    return Expectation(
        expectation_id=f"silence-{digest(activity.ori, 8)}",
        message_id=activity.message_id,
        ori=activity.ori,
        offender="",
        jurisdiction=activity.jurisdiction,
        state="overdue" if settled_by is None else "met",
        expects="Any message",
        owed_by=activity.ori,
        rule="feed.silence",
        text="The agency is to be heard from; a silent feed may have failed.",
        since=activity.at,
        deadline=activity.at + limit,
        settled_by=settled_by,
        settled_at=settled_at,
    )
