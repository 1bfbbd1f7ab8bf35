"""One event of one offender: the record that dedupe, validate and match decide on."""

from typing import Literal

from msgspec import Struct

Operation = Literal["Add", "Update", "Cancel"]
Telling = Literal["news", "change", "cancellation"]
Way = Literal["back", "onward", "ahead"]


class Scope(Struct, frozen=True):
    """Where a setting is asked for; the most specific value set for it wins (contract §6)."""

    jurisdiction: str | None = None
    notification_type: str | None = None
    event_subtype: str | None = None


class Change(Struct, frozen=True, gc=False):
    """
    One thing an Update changed; `old` or `new` is empty where there was none.

    `field` is the Event field's name, for which the texts have a word in each language. The values are the agency's
    words; those of `action_at` are an ISO 8601 date for a date without time, else the instant in UTC
    ("2026-12-14T15:00:00Z").
    """

    field: str
    old: str
    new: str


def combined(*steps: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return successive changes as one: what it was before all of them, what it is after; what came back is no change."""
    found: dict[str, Change] = {}
    for change in (each for step in steps for each in step):
        before = found.get(change.field, change)
        found[change.field] = Change(change.field, before.old, change.new)
    return tuple(change for change in found.values() if change.old != change.new)


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One offender's part of one submission.

    `offender` is the key that identify found; `seq` the place in the order of the front door; `part` counts the
    submission's offenders from 0. `action_at` is the instant of the event, for a date without time the beginning of
    that day in the agency's zone; `past_from` is the instant from which it is past (for a date, the day's end).
    `validate`, `do_not_validate`, `expect` say which notification subtypes the message carried; `asked` and `waived`
    are the validations tied to Validate and to Do Not Validate. `telling` is what registrants are to be told: the
    event itself, its `changes`, or its cancellation; `root` is the first message about it, None where that is this
    one. `way` is where a journey under the compact leads that is no first transfer: back to the sending state, or onward
    from the receiving state to a subsequent one, or ahead, before the transfer, for a time; validate knows it from the
    case. `released_by` names the reviewer who let it go. `submission` is the whole message, opened only where text is
    rendered.
    """

    offender: str
    seq: int
    received_at: int
    message_id: str
    ori: str
    jurisdiction: str
    part: int
    parts: int
    operation: Operation
    refers_to: str | None = None
    event_type: str
    event_subtype: str
    notification_type: str
    validate: bool = False
    do_not_validate: bool = False
    expect: bool = False
    asked: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    action_at: int
    past_from: int
    date_only: bool = False
    case_number: str | None = None
    court: str | None = None
    status: str | None = None
    location_kind: str | None = None
    location_name: str | None = None
    from_kind: str | None = None
    from_name: str | None = None
    sending_state: str | None = None
    receiving_state: str | None = None
    compact_case: str | None = None
    report_by: str | None = None
    telling: Telling = "news"
    changes: tuple[Change, ...] = ()
    root: str | None = None
    way: Way | None = None
    released_by: str | None = None
    submission: bytes = b""

    @property
    def scope(self) -> Scope:
        """Where this event's settings are looked up."""
        return Scope(self.jurisdiction, self.notification_type, self.event_subtype)
