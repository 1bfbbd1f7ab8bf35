"""Legal deadlines (clocks) as defined in rule files: what is owed, by when, after which activity."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Deadline:
    """
    One clock.

    `counted_from` says from when the `count` days are counted: "action" (the day of the activity), "transmission" (the day on which
    the agency sent the message), "receipt" (the day on which it was received) or "report_by" (the report date in the message; without
    one, `otherwise` days from the activity, or the clock does not run).

    If the message gives one of the `reasons`, the clock replaces the clock of the same name without reasons; if it gives one of
    `unless_reasons`, the clock does not run. One of the activities in `after` must have been reported in the case; those in
    `unless_after` keep the clock from running. `told_in` is the state whose agency must report the activity. `lapses` marks a
    period that simply ends; other clocks become overdue.
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
        """Return the clocks that an activity starts; of those with one name, the one for the reason, otherwise the one without reasons."""
        started = tuple(each for each in self.raised_by.get(activity, ()) if reason not in each.unless_reasons)
        particular = {each.name for each in started if reason is not None and reason in each.reasons}
        return tuple(each for each in started if (reason in each.reasons if each.name in particular else not each.reasons))
