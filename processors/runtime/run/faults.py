"""
Fault points: named places in the protocol where a test can inject a failure.

They are armed by the setting `VN_FAULTS`: `<stage>.<point>=<action>[:<argument>][@<n>]`, separated by commas. The n-th time
the point is reached (default: the first) the process kills itself, stops as by SIGSTOP, raises, or sleeps.
"""

import os
import re
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from processors.runtime.errors import UserError

Point = Literal["read", "decided", "begun", "produced", "sent", "committed", "applied", "assigned", "restored"]
POINTS: Final[tuple[Point, ...]] = ("read", "decided", "begun", "produced", "sent", "committed", "applied", "assigned", "restored")


class InjectedFault(Exception):
    """Raised by an armed fault point; handled like any bug."""


def _raise(argument: str) -> None:
    raise InjectedFault(argument or "an armed fault point was reached")


ACTIONS: Final[Mapping[str, Callable[[str], None]]] = {
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "stop": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "raise": _raise,
    "sleep": lambda seconds: time.sleep(float(seconds or 1)),
}
ARMED = re.compile(r"(?P<name>[\w-]+\.[a-z]+)=(?P<action>[a-z]+)(:(?P<argument>[^@]*))?(@(?P<turn>\d+))?")


@dataclass(slots=True)
class Fault:
    """One armed point; acts once `turns` has been counted down to 0."""

    action: Callable[[str], None]
    argument: str
    turns: int


class Faults:
    """The armed points of one process."""

    def __init__(self, armed: Iterable[str] = ()) -> None:
        self._armed = dict(parse(each) for each in armed)

    def point(self, unit: str) -> Callable[[Point], None]:
        """Return the function that a stage calls at each point; it does nothing if nothing is armed."""

        def reach(point: Point) -> None:
            fault = self._armed.get(f"{unit}.{point}")
            if fault is None:
                return
            fault.turns -= 1
            if fault.turns == 0:
                structlog.get_logger().warning("fault", unit=unit, why=point)
                fault.action(fault.argument)

        return reach if self._armed else lambda _: None


def parse(text: str) -> tuple[str, Fault]:
    """Return the point's name and its fault."""
    match = ARMED.fullmatch(text)
    if match is None or match["action"] not in ACTIONS or match["name"].partition(".")[2] not in POINTS:
        raise UserError(
            f"VN_FAULTS: {text!r} is not <unit>.<point>=<action>[:<argument>][@<n>] with a point of {', '.join(POINTS)} and an action of "
            f"{', '.join(ACTIONS)}"
        )
    return match["name"], Fault(ACTIONS[match["action"]], match["argument"] or "", int(match["turn"] or 1))
