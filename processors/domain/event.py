"""One event of one offender: the record that dedupe, validate and match decide on."""

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

Operation = Literal["Add", "Update", "Cancel"]
TellingKind = Literal["news", "change", "cancellation"]
Direction = Literal["back", "onward", "ahead"]


class Scope(Struct, frozen=True, gc=False):
    """The scope in which a setting is looked up; the most specific value set wins (contract §6)."""

    jurisdiction: str | None = None
    notification_type: str | None = None
    event_subtype: str | None = None


EVERYWHERE: Final = Scope()


class Change(Struct, frozen=True, gc=False):
    """
    One field that an Update changed; `old` or `new` is empty if there was no value.

    `field` is the name of an Event field; the texts have a label for it in each language. The values are as the agency
    wrote them, except `action_at`: an ISO 8601 date, or the instant in UTC ("2026-12-14T15:00:00Z").
    """

    field: str
    old: str
    new: str


def combine_changes(*steps: tuple[Change, ...]) -> tuple[Change, ...]:
    """Return successive changes merged by field, from the first old value to the last new one; a restored value is not a change."""
    found: dict[str, Change] = {}
    for change in (each for step in steps for each in step):
        before = found.get(change.field, change)
        found[change.field] = Change(change.field, before.old, change.new)
    return tuple(change for change in found.values() if change.old != change.new)


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One offender's part of one submission.

    `offender` is the key assigned by identify, `seq` the offset in `vn.intake`, `part` the offender's index in the submission.
    `action_at` is the instant of the event, or for a date without a time the start of that day in the agency's zone. From
    `past_from` on, the event is past (for a date: from the end of the day). `validate`, `do_not_validate` and `expect` are the
    notification subtypes of the message; `asked` and `waived` are the validations tied to Validate and to Do Not Validate.

    `telling` says what registrants are told: the event itself (news), its `changes` (change) or its cancellation. `root` is the id
    of the first message about the event, None if it is this one. `way` is the direction of a journey under the compact that is
    not a first transfer: back to the sending state, onward to a subsequent state, or ahead of the transfer for a limited time;
    validate derives it from the case. `leaves` is the number of events that the submission became. `formerly` lists the keys that
    were merged into `offender`. `released_by` is the reviewer who released the event. `held_until` is when a stage that held
    the event on purpose passed it on, None if no stage did. `withheld` says that the event was sent on before under another key of
    its offender, and now goes only to registrants who were not told of it. `trace` is the id of the agency's own trace, None if it
    sent none (domain.trace). `submission` is the whole message, decoded only where texts are rendered.
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
    telling: TellingKind = "news"
    changes: tuple[Change, ...] = ()
    root: str | None = None
    way: Direction | None = None
    leaves: int = 1
    formerly: tuple[str, ...] = ()
    released_by: str | None = None
    held_until: int | None = None
    withheld: bool = False
    trace: str | None = None
    submission: bytes = b""

    @property
    def scope(self) -> Scope:
        """The scope in which this event's settings are looked up."""
        return Scope(self.jurisdiction, self.notification_type, self.event_subtype)


def with_hold_until(event: Event, at: int) -> Event:
    """Return the event as a stage passes it on at `at`, with `held_until` set if the stage held it on purpose."""
    return event if at <= event.received_at else replace(event, held_until=at)
