"""Legal clocks as rule files define them: what is owed, by when, after which activity."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Deadline:
    """
    One clock.

    `count` days are counted from the day of the action; if `counted_from` is "transmission", from the day on which the
    agency sent the message; if "receipt", from the day on which it was received; if "report_by", from
    the report date of the message; without one, `otherwise` days from the action, or the clock does not run.

    A clock with `reasons` replaces the clock of the same name without reasons if the message has one of them; one with
    `unless_reasons` does not run if it has one of those. `after` are activities one of which must have been reported in
    the case, `unless_after` those that keep the clock from running. `told_in` is the state whose agency must report what
    starts it. `lapses` marks a period that simply ends; other clocks become overdue.
    """

    name: str
    rule: str
    expects: str
    text: str
    source: str
    count: int
    unit: str
    counted_from: str
    otherwise: int | None
    raised_by: tuple[str, ...]
    met_by: tuple[str, ...]
    cancelled_by: tuple[str, ...]
    owed_by: str
    owed_to: str
    reasons: tuple[str, ...]
    unless_reasons: tuple[str, ...]
    after: tuple[str, ...]
    unless_after: tuple[str, ...]
    told_in: str | None
    lapses: bool

    @property
    def key(self) -> str:
        return "/".join((self.name, *self.reasons))


class Deadlines:
    """The clocks of one day, by key and by the activity that starts them."""

    __slots__ = ("by_key", "raised_by")

    def __init__(self, deadlines: tuple[Deadline, ...]) -> None:
        self.by_key = {each.key: each for each in deadlines}
        self.raised_by: dict[str, tuple[Deadline, ...]] = {}
        for each in deadlines:
            for activity in each.raised_by:
                self.raised_by[activity] = (*self.raised_by.get(activity, ()), each)

    @classmethod
    def of(cls, entries: Mapping[Hashable, Any]) -> "Deadlines":
        """Return the clocks of the section `deadline`."""
        return cls(tuple(Deadline(**{field.name: getattr(entry, field.name) for field in fields(Deadline)}) for entry in entries.values()))

    def started_by(self, activity: str, reason: str | None) -> tuple[Deadline, ...]:
        """Return the clocks that an activity starts: of those with one name, that for the message's reason, else that without reasons."""
        started = tuple(each for each in self.raised_by.get(activity, ()) if reason not in each.unless_reasons)
        particular = {each.name for each in started if reason is not None and reason in each.reasons}
        return tuple(each for each in started if (reason in each.reasons if each.name in particular else not each.reasons))
