"""
Messages of agencies outside the compact: jails, courts, prisons, parole boards, hospitals, supervision, DOJ, ICE.

A story is a sequence of events of one offender in which every status, location and hearing may follow the previous one. Some
contradictions are added, which must be flagged.
"""

from dataclasses import dataclass, replace
from typing import Final

from processors.simulation.case_log import CaseLog
from processors.simulation.message import (
    CHECKED,
    INTERNAL,
    ActionTime,
    Agency,
    ExpectedOutcome,
    Message,
    Notified,
    Tags,
    Withheld,
    action_day,
    action_time,
    expect_flag,
)
from processors.simulation.message import PAST as TOO_OLD
from processors.simulation.mishaps import PlannedMessage, add_with_mishap
from processors.simulation.people import Knowledge, Offender
from processors.simulation.times import DAY, HOUR, MINUTE, SECOND

HEARING: Final = "Hearing Notice"
INFORMATION: Final = "Information"
MOVEMENT: Final = "Movement"
STATUS: Final = "Status Update"
EXPECTING: Final[Tags] = (*CHECKED, ("Expect Subsequent Event", ()))
AFTER: Final[Tags] = (("Validate", ("Date", "Previous Event")),)
UNCHECKED: Final[Tags] = (("Do Not Validate", ()),)
IN_COURT: Final = frozenset({"Court", "Prosecution", "Attorney General", "Federal Justice"})
TRANSFER_HOLD: Final = 8 * HOUR
HEARING_RANGE: Final = 60 * DAY
OTHER_RANGE: Final = 365 * DAY
LONG_AFTER: Final = 10 * DAY  # the run is over by then
TOLD_BY_INTAKE: Final = Withheld("validate", "suppressed", "told_by_intake")


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One event of a story. `independent`: no later one builds on it; `flagged_as`: the reason for which it is flagged."""

    event_type: str
    subtype: str
    notification_type: str
    independent: bool = False
    flagged_as: str | None = None
    status: str | None = None
    location: tuple[str, str] | None = None
    tags: Tags = CHECKED


BOOKED: Final = StoryEvent("Jail", "Intake", MOVEMENT, location=("Local Jail", "Regional Jail"))
IMPRISONED: Final = StoryEvent("Corrections", "Intake", MOVEMENT, location=("State Prison", "Correctional Center"))
HEARD: Final = StoryEvent("Prosecution", "Court Hearing", HEARING, independent=True)
IMPACT: Final = StoryEvent("Court", "Victim Impact Hearing", HEARING, independent=True)
JUDGED: Final = StoryEvent("Court", "Disposition", INFORMATION)

TO_PRISON: Final = (
    BOOKED,
    StoryEvent("Prosecution", "Charging Decision", INFORMATION, independent=True),
    HEARD,
    JUDGED,
    IMPACT,
    StoryEvent("Court", "Sentencing", STATUS),
)

STORIES: Final[tuple[tuple[StoryEvent, ...], ...]] = (
    TO_PRISON,
    (
        StoryEvent("Court", "Bond Reduction", STATUS, status="Out on bail", flagged_as="unknown_status"),
        StoryEvent("Court", "Bond Reduction", STATUS, status="On Bond"),
        StoryEvent("Court", "Victim Impact Hearing", HEARING, flagged_as="hearing_order"),
        StoryEvent("Parole Board", "Parole Board Hearing", HEARING, flagged_as="hearing_order"),
        StoryEvent("Court", "Change of Venue", INFORMATION, independent=True),
        StoryEvent("Court", "Presentence Investigation", INFORMATION, independent=True),
        JUDGED,
        IMPACT,
    ),
    (
        IMPRISONED,
        StoryEvent("Corrections", "Escape", STATUS, tags=EXPECTING),
        StoryEvent("Corrections", "Escape", STATUS, flagged_as="status_transition"),
        StoryEvent("Corrections", "Transfer", MOVEMENT, location=("Local Jail", "County Jail"), flagged_as="location_transition"),
        StoryEvent("Corrections", "Recapture", STATUS, tags=AFTER),
    ),
    (
        IMPRISONED,
        StoryEvent("Parole Board", "Parole Eligibility", INFORMATION, independent=True),
        StoryEvent("Parole Board", "Parole Board Hearing", HEARING, independent=True),
        StoryEvent("Parole Board", "Hearing Decision", INFORMATION, independent=True),
        StoryEvent("Corrections", "Prerelease Notification", INFORMATION, independent=True),
        StoryEvent("Corrections", "Release to Supervision", STATUS),
        StoryEvent("Supervision", "Add/Update Conditions", STATUS, independent=True),
        StoryEvent("Supervision", "Release", STATUS),
    ),
    (
        StoryEvent("Federal Justice", "Charging Decision", INFORMATION, independent=True),
        StoryEvent("Federal Justice", "Court Hearing", HEARING, independent=True),
        StoryEvent("Federal Justice", "Disposition", INFORMATION, independent=True),
        StoryEvent("Federal Justice", "Sentencing", STATUS),
        StoryEvent("Federal Justice", "Community Placement", STATUS),
        StoryEvent("Federal Justice", "Furlough", STATUS),
        StoryEvent("Federal Justice", "Escape", STATUS),
        StoryEvent("Federal Justice", "Release", STATUS, flagged_as="status_transition"),
        StoryEvent("Federal Justice", "Death", INFORMATION),
    ),
    (StoryEvent("Federal Justice", "Sentencing", STATUS), StoryEvent("Federal Justice", "Release", STATUS)),
    (StoryEvent("Immigration Enforcement", "Release", STATUS),),
    (StoryEvent("Immigration Enforcement", "Removal", MOVEMENT),),
    (
        StoryEvent("State Hospital", "Intake", MOVEMENT, location=("Moon Base", "Ward 7"), flagged_as="unknown_location"),
        StoryEvent("State Hospital", "Intake", MOVEMENT, location=("State Hospital", "Ward 7")),
        StoryEvent("State Hospital", "Transfer", MOVEMENT, location=("State Hospital", "Ward 9")),
        StoryEvent("State Hospital", "Furlough", STATUS),
        StoryEvent("State Hospital", "Escape", STATUS),
        StoryEvent("State Hospital", "Recapture", STATUS),
        StoryEvent("State Hospital", "Release", STATUS),
    ),
    (
        StoryEvent("Jail", "Intake", MOVEMENT),
        StoryEvent("Jail", "Unsupervised Custody Release", STATUS),
        StoryEvent("Jail", "Release", STATUS),
        StoryEvent("Law Enforcement", "Document Service", INFORMATION, independent=True),
    ),
    (
        BOOKED,
        StoryEvent("Jail", "Death", INFORMATION),
        StoryEvent("Jail", "Release", STATUS, flagged_as="status_transition"),
        StoryEvent("Prosecution", "Death", "Internal"),
    ),
)


def add_story(log: CaseLog, offender: Offender, at: int, number: int) -> None:
    """Add one offender's story, as far as it fits before the end; stories rotate, so that all occur."""
    turn = number % (len(STORIES) + 1)
    if turn == len(STORIES):
        add_appeal(log, offender, at, number // (len(STORIES) + 1))
        return
    events = STORIES[turn]
    for event in events:
        if at > log.end:
            return
        if event.flagged_as is None or log.occurs("impossible"):
            message, outcome = new_message(log, offender, event, at)
            add_with_mishap(log, PlannedMessage(at, message, outcome, 0 if event.flagged_as else 26 * HOUR, independent=event.independent))
        at += log.random.between(26 * HOUR, 4 * DAY)
    if events is TO_PRISON and at + TRANSFER_HOLD < log.end:
        add_commitment(log, offender, at)


def new_message(log: CaseLog, offender: Offender, event: StoryEvent, at: int) -> tuple[Message, ExpectedOutcome]:
    """Return the message of an event and its expected outcome."""
    sender = log.sender(event.event_type, offender)
    outcome: ExpectedOutcome = Notified(at)
    action = log.action_time_before(at, sender.zone, log.random.between(2 * MINUTE, 4 * HOUR))
    if event.notification_type == HEARING and event.flagged_as is None:
        action, outcome = hearing(log, at, sender.zone)
    elif event.notification_type == HEARING:
        action = action_time(at + 5 * DAY, sender.zone)
    elif event.subtype == "Prerelease Notification" and log.occurs("too far ahead"):
        action, outcome = out_of_range(log, at, 20, OTHER_RANGE, sender.zone)
    elif event.flagged_as is None and log.occurs("whole day"):
        action = action_day(at, sender.zone)
    if event.flagged_as is not None:
        outcome = expect_flag(event.flagged_as)
    elif event.notification_type == "Internal":
        outcome = INTERNAL
    message = log.message(
        event.event_type,
        event.subtype,
        event.notification_type,
        sender,
        action=action,
        offenders=(offender,),
        tags=event.tags,
        status=event.status,
        location=event.location,
        case=court_case(offender) if event.event_type in IN_COURT else None,
    )
    return message, outcome


def court_case(offender: Offender) -> tuple[str, str]:
    return f"CR26-{offender.number:06d}", f"{offender.state} Circuit Court"


def hearing(log: CaseLog, at: int, zone: str) -> tuple[ActionTime, ExpectedOutcome]:
    """Return the time of a hearing and the expected outcome of its notice; it may be past or too far ahead."""
    if log.occurs("past"):
        return action_time(at - log.random.between(MINUTE, 6 * HOUR), zone), TOO_OLD
    if log.occurs("too far ahead"):
        return out_of_range(log, at, 30, HEARING_RANGE, zone)
    days = log.random.between(2, 50) * DAY
    return (action_day(at + days, zone) if log.occurs("whole day") else action_time(at + days, zone, "utc")), Notified(at)


def out_of_range(log: CaseLog, at: int, days: int, limit: int, zone: str) -> tuple[ActionTime, ExpectedOutcome]:
    """Return an action time beyond `date.future` and its outcome: notified once in range, if that is before the end."""
    release = at + log.random.between(HOUR, days * DAY)
    if release >= log.end:
        return action_time(release + LONG_AFTER + limit, zone), expect_flag("too_far_ahead")
    action = action_time(release + limit, zone)
    return action, Notified(action.at - limit)


def add_commitment(log: CaseLog, offender: Offender, at: int) -> None:
    """Add a jail's release to prison and the prison's intake, in either order or without the intake; one of the two is told."""
    jail, prison = log.sender("Jail", offender), log.sender("Corrections", offender)
    where = ("State Prison", f"{offender.state} State Prison")
    release = log.message("Jail", "Release", STATUS, jail, action=action_time(at - HOUR, jail.zone), offenders=(offender,), location=where)
    other = at + log.random.between(20 * MINUTE, 6 * HOUR)
    order = log.random.choice(("release", "intake", "release alone"))
    if order == "release alone":
        log.add(at, release, Notified(at + TRANSFER_HOLD))
        return
    came = other if order == "release" else at
    intake = log.message(
        "Corrections",
        "Intake",
        MOVEMENT,
        prison,
        action=action_time(came - 10 * MINUTE, prison.zone),
        offenders=(offender,),
        location=where,
    )
    log.add(came, intake, Notified(came))
    log.add(at if order == "release" else other, release, TOLD_BY_INTAKE)


def add_appeal(log: CaseLog, offender: Offender, at: int, number: int) -> None:
    """Add an appeal and its decision; the decision may arrive first, or the filing too late."""
    filed = log.message(
        "Attorney General",
        "Appeal Filed",
        INFORMATION,
        general := log.sender("Attorney General", offender),
        action=action_time(at - 2 * HOUR, general.zone),
        offenders=(offender,),
        tags=EXPECTING,
        case=court_case(offender),
    )
    court = log.sender("Court", offender)

    def decision(ago: int) -> Message:
        return log.message(
            "Court",
            "Appeal Decision",
            INFORMATION,
            court,
            action=action_time(ago, court.zone),
            offenders=(offender,),
            tags=AFTER,
            case=court_case(offender),
        )

    order = ("filed", "decided", "never")[number % 3]
    if order == "filed":
        add_with_mishap(log, PlannedMessage(at, filed, Notified(at), 0))
        later = at + log.random.between(DAY, 6 * DAY)
        if later < log.end:
            add_with_mishap(log, PlannedMessage(later, decision(later - HOUR), Notified(later), 26 * HOUR))
        return
    pause = log.random.between(MINUTE, 14 * MINUTE) if order == "decided" else log.random.between(20 * MINUTE, 5 * HOUR)
    log.add(at, decision(at - HOUR), Notified(at + pause) if order == "decided" else expect_flag("previous_event_missing"))
    log.add(at + pause, filed, Notified(at + pause))


def add_joint_hearing(log: CaseLog, offenders: tuple[Offender, Offender], at: int) -> None:
    """Add a hearing of two offenders, in one message or in two, and one more hearing of each alone (specification §4)."""
    sender = log.sender("Prosecution", offenders[0])
    action = action_time(at + log.random.between(5, 40) * DAY, sender.zone)
    case = court_case(offenders[0])
    if log.random.happens(0.5):
        both = log.message("Prosecution", "Court Hearing", HEARING, sender, action=action, offenders=offenders, case=case)
        log.add(at, both, Notified(at))
    else:
        for index, each in enumerate(offenders):
            notice = log.message("Prosecution", "Court Hearing", HEARING, sender, action=action, offenders=(each,), case=case)
            came = at + index * log.random.between(2 * SECOND, 20 * SECOND)
            log.add(came, notice, Notified(came))
    for index, each in enumerate(offenders, start=1):
        day = action_time(action.at + index * DAY, sender.zone)
        notice = log.message("Prosecution", "Court Hearing", HEARING, sender, action=day, offenders=(each,), case=case)
        came = at + index * 3 * SECOND + 200
        log.add(came, notice, Notified(came))


def add_late_meeting(log: CaseLog, offender: Offender, at: int) -> Offender:
    """
    Add what a jail and a prison say of somebody whom each knows by a number of its own, until the prison names both.

    Returns the offender with the time from which both are known to be one person.
    """
    jail, prison = log.sender("Jail", offender), log.sender("Corrections", offender)
    steps: tuple[tuple[Agency, StoryEvent, Knowledge], ...] = (
        (jail, StoryEvent("Jail", "Furlough", STATUS), "SID"),
        (prison, StoryEvent("Corrections", "Furlough", STATUS), "DOC"),
        (prison, StoryEvent("Corrections", "Community Placement", STATUS), "all"),
        (jail, StoryEvent("Jail", "Community Placement", STATUS), "SID"),
        (prison, StoryEvent("Corrections", "Death", INFORMATION), "DOC"),
    )
    times = [at]
    for _ in steps[1:]:
        times.append(times[-1] + log.random.between(2 * HOUR, 3 * DAY))
    known = replace(offender, met=times[2])
    for came, (sender, event, knowledge) in zip(times, steps, strict=True):
        if came < log.end:
            message = log.message(
                event.event_type,
                event.subtype,
                event.notification_type,
                sender,
                action=log.action_time_before(came, sender.zone, log.random.between(2 * MINUTE, HOUR)),
                offenders=(known,),
                tags=UNCHECKED,
                knowledge=knowledge,
            )
            log.add(came, message, Notified(came))
    return known
