"""
The course of a compact case: what each step may be followed by, how often, and who says it.

From the order of the compact's rules, written down here once more: the rule files say what is legal, this says what
a world that keeps to them does.
"""

from dataclasses import dataclass, replace
from typing import Final

from processors.simulation.agencies import agency
from processors.simulation.geography import STATES
from processors.simulation.message import INTERNAL, PAST, Fate, Message, Silent, Tags, Told, When, flagged, moment, whole_day
from processors.simulation.pen import Pen
from processors.simulation.people import Offender
from processors.simulation.times import DAY, HOUR, MINUTE, local

# Where a case stands -> (how often, the step, where it leads); a place that is not here is an end.
COURSE: Final[dict[str, tuple[tuple[int, tuple[str, str]], ...]]] = {
    "new": ((70, ("Request ICOTS Transfer", "requested")), (30, ("Reporting Instructions Request", "instructions asked"))),
    "instructions asked": ((1, ("Reporting Instructions Reply", "instructions given")),),
    "instructions given": ((1, ("Departure", "departed on instructions")),),
    "departed on instructions": ((1, ("Arrival", "there on instructions")),),
    "there on instructions": ((1, ("Request ICOTS Transfer", "requested there")),),
    "requested there": ((80, ("Accept Transfer", "supervised")), (20, ("Deny Transfer", "denied there"))),
    "denied there": ((1, ("Return Request", "return asked")),),
    "requested": (
        (70, ("Accept Transfer", "accepted")),
        (12, ("Deny Transfer", "denied")),
        (6, ("Withdraw Transfer", "withdrawn")),
        (12, ("Transfer Request Incomplete", "incomplete")),
    ),
    "incomplete": ((1, ("Transfer Request Resubmission", "requested")),),
    "accepted": ((94, ("Departure", "departed")), (6, ("Withdraw Transfer", "withdrawn"))),
    "departed": ((90, ("Arrival", "supervised")), (10, ("Failure to Arrive", "missing"))),
    "missing": ((40, ("Warrant Issued", "missing")), (30, ("Case Closure", "closed")), (30, ("Arrival", "supervised"))),
    "supervised": (
        (18, ("Progress Report Request", "supervised")),
        (16, ("Progress Report", "supervised")),
        (14, ("Address Change", "supervised")),
        (8, ("Temporary Travel Order", "supervised")),
        (7, ("Supervision Violation", "supervised")),
        (7, ("Violation Report", "supervised")),
        (4, ("Violation Response", "supervised")),
        (4, ("Behavior Requiring Retaking", "supervised")),
        (2, ("Probable Cause Report", "supervised")),
        (2, ("Probable Cause Decision", "supervised")),
        (6, ("Absconded", "absconded")),
        (3, ("Return Request", "return asked")),
        (2, ("Retaking", "retaken")),
        (2, ("Subsequent State Request", "onward asked")),
        (8, ("Case Closure", "closed")),
    ),
    "onward asked": ((1, ("Request ICOTS Transfer", "onward requested")),),
    "onward requested": ((80, ("Accept Transfer", "onward accepted")), (20, ("Deny Transfer", "supervised"))),
    "onward accepted": ((1, ("Departure", "departed")),),
    "absconded": (
        (35, ("Warrant Issued", "absconded")),
        (30, ("Return From Absconding", "supervised")),
        (20, ("Retaking", "retaken")),
        (15, ("Case Closure", "closed")),
    ),
    "retaken": ((1, ("Return to Sending State", "returned")),),
    "return asked": ((1, ("Reporting Instructions Reply", "return instructed")),),
    "return instructed": ((1, ("Departure", "returning")),),
    "returning": ((60, ("Arrival", "returned")), (40, ("Case Closure", "closed on the way"))),
    "closed on the way": ((1, ("Arrival", "closed")),),
    "returned": ((1, ("Case Closure", "closed")),),
    "closed": ((1, ("Case Closure Reply", "ended")),),
}
MOVEMENTS: Final = frozenset({"Departure", "Arrival", "Failure to Arrive", "Retaking", "Temporary Travel Order", "Return to Sending State"})
UPDATES: Final = frozenset({"Absconded", "Case Closure", "Return From Absconding"})
TOLD: Final = frozenset(
    {"Request ICOTS Transfer", "Accept Transfer", "Deny Transfer", "Withdraw Transfer", "Address Change", "Behavior Requiring Retaking"}
    | {"Supervision Violation"}
)
BY_SUPERVISION: Final = frozenset({"Supervision Violation", "Return From Absconding"})
BY_SENDING: Final = frozenset(
    {
        "Request ICOTS Transfer",
        "Reporting Instructions Request",
        "Transfer Request Resubmission",
        "Withdraw Transfer",
        "Departure",
        "Violation Response",
        "Warrant Issued",
        "Retaking",
        "Progress Report Request",
        "Probable Cause Decision",
        "Case Closure Reply",
        "Return to Sending State",
    }
)
STATIONARY: Final = frozenset({"Address Change", "Temporary Travel Order", "Supervision Violation", "Behavior Requiring Retaking"})
SHORTEST: Final = 26 * HOUR
LONGEST: Final = 9 * DAY
LATE: Final = (8 * HOUR, 22 * HOUR)
TOO_LATE: Final = (26 * HOUR, 60 * HOUR)


def notification_type(subtype: str) -> str:
    if subtype in MOVEMENTS:
        return "Movement"
    if subtype in UPDATES:
        return "Status Update"
    return "Information" if subtype in TOLD else "Internal"


@dataclass(slots=True)
class Case:
    """A compact case on its way: where it stands, and when it was last heard of."""

    pen: Pen
    offender: Offender
    receiving: str
    at: int
    place: str
    expected: bool = False  # whether a Departure said that an Arrival would follow

    def go(self, steps: int) -> int:
        """So many steps, or as many as there are until the end, have been taken; return how many."""
        taken = 0
        while taken < steps and self.place in COURSE:
            gap = self.pen.chance.between(SHORTEST, LONGEST)
            if self.at + gap > self.pen.end:
                break
            before, self.at = self.at, self.at + gap
            self.step(self.at - before)
            taken += 1
        return taken

    def step(self, gap: int) -> None:
        chance = self.pen.chance
        subtype, to = chance.weighed(COURSE[self.place])
        if subtype == "Departure" and self.place == "accepted" and self.disordered():
            return
        message, fate = self.told(subtype, gap)
        self.pen.say(self.at, message, fate, SHORTEST, free=subtype in STATIONARY)
        self.place = to
        if subtype == "Departure":
            self.expected = True
        if self.pen.rolled("contradiction"):
            self.contradict(subtype)

    def told(self, subtype: str, gap: int) -> tuple[Message, Fate]:
        """Return the message about a step, and what becomes of it by its date."""
        pen, internal = self.pen, notification_type(subtype) == "Internal"
        message = self.message(subtype)
        delay = pen.chance.between(3 * MINUTE, 4 * HOUR)
        unchecked = pen.rolled("do not validate")
        if gap > TOO_LATE[1] + HOUR and pen.rolled("too late"):
            delay = pen.chance.between(*TOO_LATE)
            fate: Fate = PAST if not unchecked else Told(self.at)
        else:
            delay = pen.chance.between(*LATE) if pen.rolled("late") else delay
            fate = Told(self.at)
        action = pen.happened(self.at, message.agency.zone, delay)
        if delay < LATE[0] and pen.rolled("whole day"):
            action = whole_day(self.at, message.agency.zone)
        tags = (("Do Not Validate", ()),) if unchecked else message.tags
        if unchecked and subtype == "Departure":
            tags = (*tags, ("Expect Subsequent Event", ()))
        return self.dated(message, action, tags), INTERNAL if internal else fate

    def dated(self, message: Message, action: When, tags: Tags) -> Message:
        return replace(message, action=action, tags=tags)

    def message(self, subtype: str) -> Message:
        pen = self.pen
        kind = "Supervision" if subtype in BY_SUPERVISION else "Interstate Compact"
        sender = agency(kind, self.offender.state if subtype in BY_SENDING else self.receiving)
        compact = {
            "sending_state": self.offender.state,
            "receiving_state": self.receiving,
            "case_number": f"{1_200_000 + self.offender.number}-1",
        }
        if subtype == "Departure":
            compact["report_by"] = local(self.at + 7 * DAY, sender.zone).date().isoformat()
        if subtype == "Temporary Travel Order":
            compact["report_by"] = local(self.at + 30 * DAY, sender.zone).date().isoformat()
        tags: Tags = (("Validate", ("Date",)),)
        if subtype == "Departure":
            tags = (*tags, ("Expect Subsequent Event", ()))
        if subtype == "Arrival" and self.expected and pen.chance.happens(0.5):
            tags = (("Validate", ("Date", "Previous Event")),)
        location = ("Community", f"{self.receiving} {pen.chance.between(1, 40)}th Street") if subtype in {"Departure", "Arrival"} else None
        return pen.message(
            kind,
            subtype,
            notification_type(subtype),
            sender,
            action=moment(self.at, sender.zone),
            offenders=(self.offender,),
            tags=tags,
            location=location,
            compact=compact,
        )

    def disordered(self) -> bool:
        """Whether the Arrival came before its Departure, within `out_of_order.hold` or beyond it."""
        pen, chance = self.pen, self.pen.chance
        within, beyond = pen.rolled("arrival first"), pen.rolled("arrival much too early")
        if not (within or beyond) or self.at + DAY > pen.end:
            return False
        departure, arrival = self.plain("Departure", 6 * HOUR), self.plain("Arrival", 2 * HOUR)
        if within:
            later = self.at + chance.between(2 * MINUTE, 14 * MINUTE)
            pen.write(self.at, arrival, Told(later))
            pen.write(later, departure, Told(later))
            self.place, self.expected = "supervised", True
            return True
        later = self.at + chance.between(20 * MINUTE, 2 * HOUR)
        pen.write(later, departure, Told(later))
        if chance.happens(0.6) and arrival.location is not None:
            again = later + chance.between(10 * MINUTE, 4 * HOUR)
            pen.write(self.at, arrival, Silent("validate", "suppressed", "superseded"))
            changed = arrival.updating(pen.new_id(), location=(arrival.location[0], f"{arrival.location[1]} Annex"))
            pen.write(again, changed, Told(again, "news", arrival.message_id))
            self.place = "supervised"
        else:
            pen.write(self.at, arrival, flagged("workflow"))
            self.place = "in review"
        return True

    def plain(self, subtype: str, ago: int) -> Message:
        message = self.message(subtype)
        tags = (("Validate", ("Date",)), *((("Expect Subsequent Event", ()),) if subtype == "Departure" else ()))
        return self.dated(message, moment(self.at - ago, message.agency.zone), tags)

    def contradict(self, after: str) -> None:
        """What cannot be is said as well, and is flagged."""
        at = self.at + 30 * MINUTE
        if after == "Departure" and self.place in {"departed", "departed on instructions"} and at < self.pen.end:
            wrong, reason = self.plain("Withdraw Transfer", 0), "workflow"
        elif after == "Absconded" and at < self.pen.end:
            wrong, reason = self.plain("Absconded", 0), "status_transition"
        elif self.place == "supervised" and at < self.pen.end:
            message = self.plain("Temporary Travel Order", 0)
            last = local(self.at + 60 * DAY, message.agency.zone).date().isoformat()
            wrong, reason = self.traveling(message, last), "workflow"
        else:
            return
        self.pen.write(at, wrong, flagged(reason))

    def traveling(self, message: Message, last: str) -> Message:
        return replace(message, compact={**message.compact, "report_by": last})


def new_case(pen: Pen, offender: Offender, at: int, place: str) -> Case:
    """Return a case between the offender's state and another."""
    others = [state for state in STATES if state != offender.state]
    return Case(pen, offender, pen.chance.one_of(others), at, place)
