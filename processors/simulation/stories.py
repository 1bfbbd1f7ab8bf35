"""
What the other agencies tell: jails, courts, prisons, parole boards, hospitals, supervision, federal prosecutors, ICE.

Each story is one person's, in an order in which every status, place and hearing may follow the one before, with what
contradicts it put in where it is sure to be seen.
"""

from dataclasses import dataclass
from typing import Final

from processors.simulation.message import CHECKED, INTERNAL, Fate, Message, Silent, Tags, Told, When, flagged, moment, whole_day
from processors.simulation.message import PAST as TOO_OLD
from processors.simulation.pen import Pen
from processors.simulation.people import Offender
from processors.simulation.times import DAY, HOUR, MINUTE, SECOND

HEARING: Final = "Hearing Notice"
INFORMATION: Final = "Information"
MOVEMENT: Final = "Movement"
STATUS: Final = "Status Update"
EXPECTING: Final[Tags] = (*CHECKED, ("Expect Subsequent Event", ()))
AFTER: Final[Tags] = (("Validate", ("Date", "Previous Event")),)
IN_COURT: Final = frozenset({"Court", "Prosecution", "Attorney General", "Federal Justice"})
TRANSFER_HOLD: Final = 8 * HOUR
HEARING_RANGE: Final = 60 * DAY
OTHER_RANGE: Final = 365 * DAY
LONG_AFTER: Final = 10 * DAY  # after the last message nobody looks any more
TOLD_BY_INTAKE: Final = Silent("validate", "suppressed", "told_by_intake")


@dataclass(frozen=True, slots=True)
class Scene:
    """One event of a story. `free`: no later one needs it; `wrong`: the reason for which it is flagged."""

    event_type: str
    subtype: str
    notification_type: str
    free: bool = False
    wrong: str | None = None
    status: str | None = None
    location: tuple[str, str] | None = None
    tags: Tags = CHECKED


BOOKED: Final = Scene("Jail", "Intake", MOVEMENT, location=("Local Jail", "Regional Jail"))
IMPRISONED: Final = Scene("Corrections", "Intake", MOVEMENT, location=("State Prison", "Correctional Center"))
HEARD: Final = Scene("Prosecution", "Court Hearing", HEARING, free=True)
IMPACT: Final = Scene("Court", "Victim Impact Hearing", HEARING, free=True)
JUDGED: Final = Scene("Court", "Disposition", INFORMATION)

TO_PRISON: Final = (
    BOOKED,
    Scene("Prosecution", "Charging Decision", INFORMATION, free=True),
    HEARD,
    JUDGED,
    IMPACT,
    Scene("Court", "Sentencing", STATUS),
)

STORIES: Final[tuple[tuple[Scene, ...], ...]] = (
    TO_PRISON,
    (
        Scene("Court", "Bond Reduction", STATUS, status="Out on bail", wrong="unknown_status"),
        Scene("Court", "Bond Reduction", STATUS, status="On Bond"),
        Scene("Court", "Victim Impact Hearing", HEARING, wrong="hearing_order"),
        Scene("Parole Board", "Parole Board Hearing", HEARING, wrong="hearing_order"),
        Scene("Court", "Change of Venue", INFORMATION, free=True),
        Scene("Court", "Presentence Investigation", INFORMATION, free=True),
        JUDGED,
        IMPACT,
    ),
    (
        IMPRISONED,
        Scene("Corrections", "Escape", STATUS, tags=EXPECTING),
        Scene("Corrections", "Escape", STATUS, wrong="status_transition"),
        Scene("Corrections", "Transfer", MOVEMENT, location=("Local Jail", "County Jail"), wrong="location_transition"),
        Scene("Corrections", "Recapture", STATUS, tags=AFTER),
    ),
    (
        IMPRISONED,
        Scene("Parole Board", "Parole Eligibility", INFORMATION, free=True),
        Scene("Parole Board", "Parole Board Hearing", HEARING, free=True),
        Scene("Parole Board", "Hearing Decision", INFORMATION, free=True),
        Scene("Corrections", "Prerelease Notification", INFORMATION, free=True),
        Scene("Corrections", "Release to Supervision", STATUS),
        Scene("Supervision", "Add/Update Conditions", STATUS, free=True),
        Scene("Supervision", "Release", STATUS),
    ),
    (
        Scene("Federal Justice", "Charging Decision", INFORMATION, free=True),
        Scene("Federal Justice", "Court Hearing", HEARING, free=True),
        Scene("Federal Justice", "Disposition", INFORMATION, free=True),
        Scene("Federal Justice", "Sentencing", STATUS),
        Scene("Federal Justice", "Community Placement", STATUS),
        Scene("Federal Justice", "Furlough", STATUS),
        Scene("Federal Justice", "Escape", STATUS),
        Scene("Federal Justice", "Release", STATUS, wrong="status_transition"),
        Scene("Federal Justice", "Death", INFORMATION),
    ),
    (Scene("Federal Justice", "Sentencing", STATUS), Scene("Federal Justice", "Release", STATUS)),
    (Scene("Immigration Enforcement", "Release", STATUS),),
    (Scene("Immigration Enforcement", "Removal", MOVEMENT),),
    (
        Scene("State Hospital", "Intake", MOVEMENT, location=("Moon Base", "Ward 7"), wrong="unknown_location"),
        Scene("State Hospital", "Intake", MOVEMENT, location=("State Hospital", "Ward 7")),
        Scene("State Hospital", "Transfer", MOVEMENT, location=("State Hospital", "Ward 9")),
        Scene("State Hospital", "Furlough", STATUS),
        Scene("State Hospital", "Escape", STATUS),
        Scene("State Hospital", "Recapture", STATUS),
        Scene("State Hospital", "Release", STATUS),
    ),
    (
        Scene("Jail", "Intake", MOVEMENT),
        Scene("Jail", "Unsupervised Custody Release", STATUS),
        Scene("Jail", "Release", STATUS),
        Scene("Law Enforcement", "Document Service", INFORMATION, free=True),
    ),
    (
        BOOKED,
        Scene("Jail", "Death", INFORMATION),
        Scene("Jail", "Release", STATUS, wrong="status_transition"),
        Scene("Prosecution", "Death", "Internal"),
    ),
)


def told(pen: Pen, offender: Offender, at: int, number: int) -> None:
    """One person's story is told, as far as there is time; the stories take turns, so that none is missing."""
    turn = number % (len(STORIES) + 1)
    if turn == len(STORIES):
        appeal(pen, offender, at, number // (len(STORIES) + 1))
        return
    scenes = STORIES[turn]
    for scene in scenes:
        if at > pen.end:
            return
        if scene.wrong is None or pen.rolled("impossible"):
            message, fate = played(pen, offender, scene, at)
            pen.say(at, message, fate, 0 if scene.wrong else 26 * HOUR, free=scene.free)
        at += pen.chance.between(26 * HOUR, 4 * DAY)
    if scenes is TO_PRISON and at + TRANSFER_HOLD < pen.end:
        commitment(pen, offender, at)


def played(pen: Pen, offender: Offender, scene: Scene, at: int) -> tuple[Message, Fate]:
    """Return the message of a scene, and what becomes of it."""
    sender = pen.sender(scene.event_type, offender)
    fate: Fate = Told(at)
    action = pen.happened(at, sender.zone, pen.chance.between(2 * MINUTE, 4 * HOUR))
    if scene.notification_type == HEARING and scene.wrong is None:
        action, fate = hearing(pen, at, sender.zone)
    elif scene.notification_type == HEARING:
        action = moment(at + 5 * DAY, sender.zone)
    elif scene.subtype == "Prerelease Notification" and pen.rolled("too far ahead"):
        action, fate = ahead(pen, at, 20, OTHER_RANGE, sender.zone)
    elif scene.wrong is None and pen.rolled("whole day"):
        action = whole_day(at, sender.zone)
    if scene.wrong is not None:
        fate = flagged(scene.wrong)
    elif scene.notification_type == "Internal":
        fate = INTERNAL
    message = pen.message(
        scene.event_type,
        scene.subtype,
        scene.notification_type,
        sender,
        action=action,
        offenders=(offender,),
        tags=scene.tags,
        status=scene.status,
        location=scene.location,
        case=docket(offender) if scene.event_type in IN_COURT else None,
    )
    return message, fate


def docket(offender: Offender) -> tuple[str, str]:
    return f"CR26-{offender.number:06d}", f"{offender.state} Circuit Court"


def hearing(pen: Pen, at: int, zone: str) -> tuple[When, Fate]:
    """Return when a hearing is, and what becomes of its notice: it may be over already, or too far ahead."""
    if pen.rolled("past"):
        return moment(at - pen.chance.between(MINUTE, 6 * HOUR), zone), TOO_OLD
    if pen.rolled("too far ahead"):
        return ahead(pen, at, 30, HEARING_RANGE, zone)
    days = pen.chance.between(2, 50) * DAY
    return (whole_day(at + days, zone) if pen.rolled("whole day") else moment(at + days, zone, "utc")), Told(at)


def ahead(pen: Pen, at: int, days: int, limit: int, zone: str) -> tuple[When, Fate]:
    """Return an action time beyond what is told, and its fate: told when it has come within range, if that is while anybody looks."""
    release = at + pen.chance.between(HOUR, days * DAY)
    if release >= pen.end:
        return moment(release + LONG_AFTER + limit, zone), flagged("too_far_ahead")
    action = moment(release + limit, zone)
    return action, Told(action.at - limit)


def commitment(pen: Pen, offender: Offender, at: int) -> None:
    """The jail releases to prison and the prison takes in, in either order, or never: one of the two is told."""
    jail, prison = pen.sender("Jail", offender), pen.sender("Corrections", offender)
    where = ("State Prison", f"{offender.state} State Prison")
    release = pen.message("Jail", "Release", STATUS, jail, action=moment(at - HOUR, jail.zone), offenders=(offender,), location=where)
    other = at + pen.chance.between(20 * MINUTE, 6 * HOUR)
    order = pen.chance.one_of(("release", "intake", "release alone"))
    if order == "release alone":
        pen.write(at, release, Told(at + TRANSFER_HOLD))
        return
    came = other if order == "release" else at
    intake = pen.message(
        "Corrections", "Intake", MOVEMENT, prison, action=moment(came - 10 * MINUTE, prison.zone), offenders=(offender,), location=where
    )
    pen.write(came, intake, Told(came))
    pen.write(at if order == "release" else other, release, TOLD_BY_INTAKE)


def appeal(pen: Pen, offender: Offender, at: int, number: int) -> None:
    """An appeal is filed and decided; the decision may come first, or its filing never be heard of in time."""
    filed = pen.message(
        "Attorney General",
        "Appeal Filed",
        INFORMATION,
        general := pen.sender("Attorney General", offender),
        action=moment(at - 2 * HOUR, general.zone),
        offenders=(offender,),
        tags=EXPECTING,
        case=docket(offender),
    )
    court = pen.sender("Court", offender)

    def decision(ago: int) -> Message:
        return pen.message(
            "Court",
            "Appeal Decision",
            INFORMATION,
            court,
            action=moment(ago, court.zone),
            offenders=(offender,),
            tags=AFTER,
            case=docket(offender),
        )

    order = ("filed", "decided", "never")[number % 3]
    if order == "filed":
        pen.say(at, filed, Told(at), 0)
        later = at + pen.chance.between(DAY, 6 * DAY)
        if later < pen.end:
            pen.say(later, decision(later - HOUR), Told(later), 26 * HOUR)
        return
    pause = pen.chance.between(MINUTE, 14 * MINUTE) if order == "decided" else pen.chance.between(20 * MINUTE, 5 * HOUR)
    pen.write(at, decision(at - HOUR), Told(at + pause) if order == "decided" else flagged("previous_event_missing"))
    pen.write(at + pause, filed, Told(at + pause))


def together(pen: Pen, offenders: tuple[Offender, Offender], at: int) -> None:
    """Two people have one hearing, told in one message or in two at once; each has one more of their own (specification §4)."""
    sender = pen.sender("Prosecution", offenders[0])
    action = moment(at + pen.chance.between(5, 40) * DAY, sender.zone)
    case = docket(offenders[0])
    if pen.chance.happens(0.5):
        both = pen.message("Prosecution", "Court Hearing", HEARING, sender, action=action, offenders=offenders, case=case)
        pen.write(at, both, Told(at))
    else:
        for place, each in enumerate(offenders):
            notice = pen.message("Prosecution", "Court Hearing", HEARING, sender, action=action, offenders=(each,), case=case)
            came = at + place * pen.chance.between(2 * SECOND, 20 * SECOND)
            pen.write(came, notice, Told(came))
    for place, each in enumerate(offenders, start=1):
        day = moment(action.at + place * DAY, sender.zone)
        notice = pen.message("Prosecution", "Court Hearing", HEARING, sender, action=day, offenders=(each,), case=case)
        came = at + place * 3 * SECOND + 200
        pen.write(came, notice, Told(came))
