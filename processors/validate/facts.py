"""The facts that checks use, and how values are written in findings."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from processors.domain.event import Event
from processors.rules.rule_set import EventCode, Rules, RuleSet
from processors.validate.compact import CompactState
from processors.validate.state import ExpectedEvent, HistoryEntry

MAX_QUOTED: Final = 60  # characters of an agency's own words that are quoted
UNITS: Final = ((86_400_000, 2, "d"), (3_600_000, 1, "h"), (60_000, 1, "m"))  # smallest multiple for each unit: one day is written 24h


class RulesInForce(Struct, frozen=True, gc=False):
    """The rules in force for one message: its code list entry, the jurisdiction's rule set, the settings, the time."""

    code: EventCode
    rule_set: RuleSet
    rules: Rules
    now: int


class Facts(Struct, frozen=True, gc=False):
    """
    One message, the rules in force for it, and what is known of the offender.

    `at` is the time of the action in the history. `history` and `expected` exclude earlier messages about the same event, so that a
    change is not checked against what it replaces. `status_then` and `kind_then` are the status and kind of location just before
    the action; `status` and `kind` are those after it, None if neither the message nor the rules say.
    """

    event: Event
    in_force: RulesInForce
    at: int
    history: tuple[HistoryEntry, ...]
    expected: tuple[ExpectedEvent, ...]
    compact: CompactState
    status_then: str | None
    kind_then: str | None
    status: str | None
    kind: str | None

    def when(self, instant: int) -> str:
        """Return an instant in the agency's local time."""
        return local(instant, self.in_force.rule_set.zone_of(self.event.ori))

    @property
    def action(self) -> str:
        """The action time as the agency wrote it: a date, or a date with a time."""
        shown = self.when(self.event.action_at)
        return shown.split(" ")[0] if self.event.date_only else shown


def rules_in_force(event: Event, rules: Rules, now: int) -> RulesInForce:
    """Return the rules in force for an event; a code that has since been removed from the lists implies nothing."""
    rule_set = rules.rule_set(event.jurisdiction, now)
    code = rule_set.code(event.event_type, event.event_subtype)
    return RulesInForce(code or EventCode(event.event_type, event.event_subtype, (event.notification_type,)), rule_set, rules, now)


def local(instant: int, zone: ZoneInfo) -> str:
    try:
        return datetime.fromtimestamp(instant // 1000, zone).strftime("%Y-%m-%d %H:%M %Z")
    except (OverflowError, ValueError):  # outside the dates that Python supports
        return f"{instant} ms since 1970"


def duration_text(length: int) -> str:
    """Return a duration as an administrator writes it ("24h", "60d"), in the largest unit that divides it."""
    for size, least, unit in UNITS:
        if length >= least * size and length % size == 0:
            return f"{length // size}{unit}"
    return f"{length // 1000}s"


def quote(text: str) -> str:
    """Return an agency's words in quotation marks, cut if they are long."""
    return f'"{text if len(text) <= MAX_QUOTED else text[:MAX_QUOTED] + "…"}"'
