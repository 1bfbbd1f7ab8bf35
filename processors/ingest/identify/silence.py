"""
An agency that falls silent is noticed: no feed is lost without an alarm (contract §6 `feed.silence`).

A silence is published as an expectation that is overdue, and as met when the agency is heard again. The timer is not
moved by every message: when it fires, it is set again for as long as the agency was heard since.
"""

from collections.abc import Iterator

from msgspec import structs

from processors.domain.event import Scope
from processors.domain.expectation import Expectation
from processors.domain.intake import Intake
from processors.domain.journal import Verdict
from processors.domain.time import iso
from processors.ingest.comparison import digest
from processors.ingest.identify.state import Desk, Heard
from processors.ingest.identify.verdicts import STAGE
from processors.stage import Context, Output
from processors.topics import EXPECTATIONS


def listen(desk: Desk, key: str, intake: Intake, ori: str, jurisdiction: str, context: Context) -> None:  # noqa: PLR0913, PLR0917
    """The agency of this key was heard now, which ends a silence."""
    before, at = desk.get(key, Heard), intake.received_at
    heard = Heard(ori=ori, jurisdiction=jurisdiction, message_id=intake.message_id, at=at if before is None else max(at, before.at))
    check_at = before.check_at if before is not None and not before.silent else None
    desk.put(key, structs.replace(heard, check_at=at + limit(heard, context) if check_at is None else check_at))
    if before is not None and before.silent:
        publish(desk, before, limit(before, context), settled_by=intake.message_id, settled_at=at)


def wake(desk: Desk, key: str, at: int, context: Context) -> Iterator[Verdict]:
    """The agency counts as silent, unless it was heard since the timer was set."""
    heard = desk.get(key, Heard)
    if heard is None:
        return
    if (later := due(heard, context)) > at:
        desk.put(key, structs.replace(heard, check_at=later))
        return
    desk.put(key, structs.replace(heard, silent=True, check_at=None))
    publish(desk, heard, limit(heard, context))
    yield Verdict(
        stage=STAGE,
        message_id=name(heard),
        outcome="noted",
        reason="feed_silence",
        detail=f"{heard.ori} was last heard on {iso(heard.at)}, by message {heard.message_id}",
        at=at,
        ori=heard.ori,
        rules=context.rules.version,
    )


def name(heard: Heard) -> str:
    """Return what the agency's silences are called."""
    return f"silence-{digest(heard.ori, 8)}"


def due(heard: Heard, context: Context) -> int:
    """Return when the agency counts as silent if it is not heard again."""
    return heard.at + limit(heard, context)


def limit(heard: Heard, context: Context) -> int:
    """Return for how long the agency may be silent, in milliseconds."""
    return context.rules.duration("feed.silence", Scope(jurisdiction=heard.jurisdiction))


def publish(desk: Desk, heard: Heard, allowed: int, settled_by: str | None = None, settled_at: int | None = None) -> None:
    """The agencies' dashboards show the silence, or its end."""
    expectation_id = name(heard)
    expectation = Expectation(
        expectation_id=expectation_id,
        message_id=heard.message_id,
        ori=heard.ori,
        offender="",
        jurisdiction=heard.jurisdiction,
        state="overdue" if settled_by is None else "met",
        expects="Any message",
        owed_by=heard.ori,
        rule="feed.silence",
        text="The agency is to be heard from; a silent feed may have failed.",
        since=heard.at,
        deadline=heard.at + allowed,
        settled_by=settled_by,
        settled_at=settled_at,
    )
    desk.outputs.append(Output(EXPECTATIONS, expectation_id, expectation))
