"""
A compact case from request to closure: which step follows which, how often, and which agency reports it.

It is derived from the compact's rules independently of the rule files: those say what is legal, this says what agencies that
follow the rules do.
"""

from dataclasses import dataclass, replace
from typing import Final

from processors.simulation.agencies import agency
from processors.simulation.case_log import CaseLog
from processors.simulation.geography import STATES
from processors.simulation.message import (
    INTERNAL,
    PAST,
    ExpectedOutcome,
    Message,
    Notified,
    Tags,
    Withheld,
    action_day,
    action_time,
    expect_flag,
)
from processors.simulation.mishaps import PlannedMessage, add_with_mishap
from processors.simulation.people import Offender
from processors.simulation.times import DAY, HOUR, MINUTE, local

# Current state -> (weight, (event subtype, next state)); a state that is missing here is final.
STEPS_FROM: Final[dict[str, tuple[tuple[int, tuple[str, str]], ...]]] = {
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
INFORMATION: Final = frozenset(
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
    return "Information" if subtype in INFORMATION else "Internal"


@dataclass(slots=True)
class Case:
    """One compact case: its state, and the time of its last step."""

    log: CaseLog
    offender: Offender
    receiving: str
    at: int
    state: str
    arrival_expected: bool = False  # whether a Departure carried Expect Subsequent Event

    def advance(self, steps: int) -> int:
        """Take that many steps, or as many as fit before the end; return how many."""
        taken = 0
        while taken < steps and self.state in STEPS_FROM:
            gap = self.log.random.between(SHORTEST, LONGEST)
            if self.at + gap > self.log.end:
                break
            before, self.at = self.at, self.at + gap
            self.step(self.at - before)
            taken += 1
        return taken

    def step(self, gap: int) -> None:
        random = self.log.random
        subtype, to = random.weighted_choice(STEPS_FROM[self.state])
        if subtype == "Departure" and self.state == "accepted" and self.arrive_before_departure():
            return
        message, outcome = self.report(subtype, gap)
        add_with_mishap(self.log, PlannedMessage(self.at, message, outcome, SHORTEST, independent=subtype in STATIONARY))
        self.state = to
        if subtype == "Departure":
            self.arrival_expected = True
        if self.log.occurs("contradiction"):
            self.add_contradiction(subtype)

    def report(self, subtype: str, gap: int) -> tuple[Message, ExpectedOutcome]:
        """Return the message about a step, and its expected outcome given its date."""
        log, internal = self.log, notification_type(subtype) == "Internal"
        message = self.message(subtype)
        delay = log.random.between(3 * MINUTE, 4 * HOUR)
        unchecked = log.occurs("do not validate")
        if gap > TOO_LATE[1] + HOUR and log.occurs("too late"):
            delay = log.random.between(*TOO_LATE)
            outcome: ExpectedOutcome = PAST if not unchecked else Notified(self.at)
        else:
            delay = log.random.between(*LATE) if log.occurs("late") else delay
            outcome = Notified(self.at)
        action = log.action_time_before(self.at, message.agency.zone, delay)
        if delay < LATE[0] and log.occurs("whole day"):
            action = action_day(self.at, message.agency.zone)
        tags = (("Do Not Validate", ()),) if unchecked else message.tags
        if unchecked and subtype == "Departure":
            tags = (*tags, ("Expect Subsequent Event", ()))
        return replace(message, action=action, tags=tags), INTERNAL if internal else outcome

    def message(self, subtype: str) -> Message:
        log = self.log
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
        if subtype == "Arrival" and self.arrival_expected and log.random.happens(0.5):
            tags = (("Validate", ("Date", "Previous Event")),)
        location = ("Community", f"{self.receiving} {log.random.between(1, 40)}th Street") if subtype in {"Departure", "Arrival"} else None
        return log.message(
            kind,
            subtype,
            notification_type(subtype),
            sender,
            action=action_time(self.at, sender.zone),
            offenders=(self.offender,),
            tags=tags,
            location=location,
            compact=compact,
        )

    def arrive_before_departure(self) -> bool:
        """Report an Arrival before its Departure, within `out_of_order.hold` or later; return whether that happened."""
        log, random = self.log, self.log.random
        within, beyond = log.occurs("arrival first"), log.occurs("arrival much too early")
        if not (within or beyond) or self.at + DAY > log.end:
            return False
        departure, arrival = self.validated_message("Departure", 6 * HOUR), self.validated_message("Arrival", 2 * HOUR)
        if within:
            later = self.at + random.between(2 * MINUTE, 14 * MINUTE)
            log.add(self.at, arrival, Notified(later))
            log.add(later, departure, Notified(later))
            self.state, self.arrival_expected = "supervised", True
            return True
        later = self.at + random.between(20 * MINUTE, 2 * HOUR)
        log.add(later, departure, Notified(later))
        if random.happens(0.6) and arrival.location is not None:
            again = later + random.between(10 * MINUTE, 4 * HOUR)
            log.add(self.at, arrival, Withheld("validate", "suppressed", "superseded"))
            changed = arrival.as_update(log.new_id(), location=(arrival.location[0], f"{arrival.location[1]} Annex"))
            log.add(again, changed, Notified(again, "news", arrival.message_id))
            self.state = "supervised"
        else:
            log.add(self.at, arrival, expect_flag("workflow"))
            self.state = "in review"
        return True

    def validated_message(self, subtype: str, ago: int) -> Message:
        message = self.message(subtype)
        tags = (("Validate", ("Date",)), *((("Expect Subsequent Event", ()),) if subtype == "Departure" else ()))
        return replace(message, action=action_time(self.at - ago, message.agency.zone), tags=tags)

    def add_contradiction(self, after: str) -> None:
        """Also report something impossible, which must be flagged."""
        at = self.at + 30 * MINUTE
        if after == "Departure" and self.state in {"departed", "departed on instructions"} and at < self.log.end:
            wrong, reason = self.validated_message("Withdraw Transfer", 0), "workflow"
        elif after == "Absconded" and at < self.log.end:
            wrong, reason = self.validated_message("Absconded", 0), "status_transition"
        elif self.state == "supervised" and at < self.log.end:
            message = self.validated_message("Temporary Travel Order", 0)
            last = local(self.at + 60 * DAY, message.agency.zone).date().isoformat()
            wrong, reason = replace(message, compact={**message.compact, "report_by": last}), "workflow"
        else:
            return
        self.log.add(at, wrong, expect_flag(reason))


def new_case(log: CaseLog, offender: Offender, at: int, state: str) -> Case:
    """Return a case between the offender's state and another."""
    others = [state for state in STATES if state != offender.state]
    return Case(log, offender, log.random.choice(others), at, state)
