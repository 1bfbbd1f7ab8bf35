"""
Merges notifications of one event, and lets a later message replace what was not sent yet.

A registrant's notifications of one agency event (agency, event subtype, action time) are sent as one message that names every
offender (specification §4, contract §6 `merge.window`). Distinct events stay distinct: hearings on the 12th and on the 13th are two
messages; two hearings on the 14th at 10:00 are one.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from processors.deliver.state import Notice, Pending
from processors.domain.event import combine_changes
from processors.domain.notification import Notification
from processors.domain.person import Identifier, Name


class AgencyView(Struct, frozen=True, gc=False):
    """The data of an agency that registrants are told."""

    name: str | None = None


class OffenderView(Struct, frozen=True, gc=False):
    """The data of an offender that registrants are told: neither aliases nor the date of birth."""

    name: Name | None = None
    identifiers: tuple[Identifier, ...] = ()


class SubmissionView(Struct, frozen=True, gc=False):
    """The data of a submission that registrants are told: neither remarks nor details."""

    agency: AgencyView
    offenders: tuple[OffenderView, ...]


# Nothing is added to a gathering that waits for its registration, since it would have to wait too.
OPEN_TO_MORE: Final = frozenset({"merge_window", "quiet_hours"})
MAX_NOTICES: Final = 100  # notices in one message; further notices of the event start another message

SUBMISSION_DECODER: Final = msgspec.json.Decoder(SubmissionView)


def notice_of(notification: Notification, *, emergency: bool) -> Notice:
    """Return the notice of a notification; the submission is decoded only here."""
    event = notification.event
    told = SUBMISSION_DECODER.decode(event.submission)
    person = told.offenders[event.part] if event.part < len(told.offenders) else OffenderView()
    return Notice(
        message_id=event.message_id,
        ori=event.ori,
        offender=event.offender,
        formerly=event.formerly,
        part=event.part,
        root=event.root or event.message_id,
        registration_ids=notification.registration_ids,
        seq=event.seq,
        jurisdiction=event.jurisdiction,
        event_type=event.event_type,
        event_subtype=event.event_subtype,
        notification_type=event.notification_type,
        received_at=event.received_at,
        held_until=event.held_until,
        action_at=event.action_at,
        date_only=event.date_only,
        emergency=emergency,
        telling=event.telling,
        changes=event.changes,
        name=person.name,
        identifiers=person.identifiers,
        agency=told.agency.name,
        place=event.location_name,
        origin=event.from_name,
        court=event.court,
        case_number=event.case_number,
        sending_state=event.sending_state,
        receiving_state=event.receiving_state,
        report_by=event.report_by,
        way=event.way,
        trace=event.trace,
    )


def same_event(one: Notice, other: Notice) -> bool:
    """Whether both belong in one message: the same agency event, told in the same way, so that one sentence covers both."""
    return (one.ori, one.event_subtype, one.action_at, one.date_only, one.telling, one.changes, one.way) == (
        other.ori,
        other.event_subtype,
        other.action_at,
        other.date_only,
        other.telling,
        other.changes,
        other.way,
    )


def accepts(notice: Notice, pending: Pending) -> bool:
    """Whether a notice can be added to a gathering."""
    return pending.why in OPEN_TO_MORE and len(pending.notices) < MAX_NOTICES and same_event(pending.notices[0], notice)


def add_notice(pending: tuple[Pending, ...], notice: Notice, at: int, window: int) -> tuple[tuple[Pending, ...], Pending]:
    """
    Return the gatherings with `notice` added, and the one that contains it; a gathering lasts `window` from its first notice.

    Both are in the order in which the messages were received. The order in which they reach deliver, from several partitions, must not
    affect the wording or which of two messages is sent first.
    """
    found = next((each for each in pending if accepts(notice, each)), None)
    if found is None:
        joined = Pending(notices=(notice,), since=at, due_at=at + window)
    else:
        due_at = min(found.due_at, at + window) if notice.emergency else found.due_at
        joined = replace(found, notices=tuple(sorted((*found.notices, notice), key=arrival_order)), due_at=due_at)
    others = (each for each in pending if each is not found)
    return tuple(sorted((*others, joined), key=lambda each: arrival_order(each.notices[0]))), joined


def replace_unsent(pending: tuple[Pending, ...], notice: Notice) -> tuple[tuple[Pending, ...], tuple[Notice, ...], Notice | None]:
    """
    Return what still waits, the notices that `notice` replaces before they were sent, and what remains to be told of `notice`.

    What was never sent need not be taken back: news and its cancellation are both dropped, and changed news is told with its current
    values. An unsent change is replaced by the next change, which includes it, or by the cancellation.
    """
    if notice.telling == "news":
        return pending, (), notice
    gone = tuple(each for each in notices_in(pending) if replaces(each, notice))
    kept = without_notices(pending, gone)
    if any(each.telling == "news" for each in gone):
        return kept, gone, None if notice.telling == "cancellation" else replace(notice, telling="news", changes=())
    if gone and notice.telling == "change":
        changes = combine_changes(*(each.changes for each in gone), notice.changes)
        return kept, gone, replace(notice, changes=changes) if changes else None
    return kept, gone, notice


def replaces(earlier: Notice, later: Notice) -> bool:
    """
    Whether the later message replaces the earlier one: both are about the same event of the same offender.

    If an offender had two keys, the agency may have reported the event under each, with two message ids.
    """
    if earlier.ori != later.ori or earlier.telling == "cancellation":
        return False
    if earlier.offender == later.offender:
        return earlier.root == later.root
    if {earlier.offender, *earlier.formerly}.isdisjoint((later.offender, *later.formerly)):
        return False
    return earlier.root == later.root or content(earlier) == content(later)


def content(notice: Notice) -> tuple[str, str, int, bool]:
    """Return what happens and when; an agency reports this once for one offender."""
    return notice.event_type, notice.event_subtype, notice.action_at, notice.date_only


def arrival_order(notice: Notice) -> tuple[int, str, int, str]:
    """Return the sort key of notices: when their messages were received, then their ids."""
    return notice.received_at, notice.message_id, notice.part, notice.offender


def notices_in(pending: Iterable[Pending]) -> Iterable[Notice]:
    return (notice for each in pending for notice in each.notices)


def without_notices(pending: tuple[Pending, ...], gone: tuple[Notice, ...]) -> tuple[Pending, ...]:
    """Return what waits without the notices in `gone`; a gathering without notices is removed."""
    if not gone:
        return pending
    left = (replace(each, notices=tuple(notice for notice in each.notices if notice not in gone)) for each in pending)
    return tuple(each for each in left if each.notices)
