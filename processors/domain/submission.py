"""Submissions: one agency message about one event (contract §3)."""

from msgspec import Struct

from processors.domain.person import Person


class Agency(Struct, frozen=True, gc=False, omit_defaults=True):
    """The submitting agency; `ori` is its FBI originating agency identifier, `state` the two-letter code."""

    ori: str
    name: str | None = None
    state: str | None = None


class NotificationSubtype(Struct, frozen=True, gc=False):
    """A notification subtype and the validations tied to it (specification §2.4, §2.5)."""

    subtype: str
    validations: tuple[str, ...] = ()


class Case(Struct, frozen=True, gc=False, omit_defaults=True):
    """The court case that an event belongs to."""

    number: str | None = None
    court: str | None = None


class Place(Struct, frozen=True, gc=False, omit_defaults=True):
    """A location: `kind` as in the rules ("State Prison"), `name` as the agency calls it."""

    kind: str | None = None
    name: str | None = None


class Compact(Struct, frozen=True, gc=False, omit_defaults=True):
    """The interstate compact case; `report_by` is an ISO 8601 date."""

    sending_state: str | None = None
    receiving_state: str | None = None
    case_number: str | None = None
    report_by: str | None = None


class Submission(Struct, frozen=True, gc=False, omit_defaults=True):
    """One checked agency message about one event; `action_at` as the agency wrote it."""

    message_id: str
    agency: Agency
    event_type: str
    event_subtype: str
    notification_type: str
    notification_subtypes: tuple[NotificationSubtype, ...]
    action_at: str
    offenders: tuple[Person, ...]
    operation: str = "Add"
    refers_to: str | None = None
    sent_at: str | None = None
    event_id: str | None = None
    case: Case | None = None
    status: str | None = None
    location: Place | None = None
    from_location: Place | None = None
    compact: Compact | None = None
    remarks: str | None = None
    details: dict[str, str] = {}
