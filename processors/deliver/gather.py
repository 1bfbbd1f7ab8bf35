"""
What waits together, and what a later message does to what has not left yet.

One registrant's notifications of one agency event (agency, event subtype, action time) leave as one that names every
offender (specification §4, contract §6 `merge.window`). Distinct events stay distinct: hearings on the 12th and on the
13th are two messages, two on the 14th at 10:00 are one.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from processors.deliver.state import Piece, Waiting
from processors.domain.event import combined
from processors.domain.notification import Notification
from processors.domain.person import Identifier, Name


class Reporter(Struct, frozen=True):
    """The agency, as far as it is told."""

    name: str | None = None


class Named(Struct, frozen=True):
    """An offender, as far as they are told: neither aliases nor the date of birth."""

    name: Name | None = None
    identifiers: tuple[Identifier, ...] = ()


class Told(Struct, frozen=True):
    """The part of a submission that is told; the remarks and details are not among it."""

    agency: Reporter
    offenders: tuple[Named, ...]


# A gathering that waits for its registration is joined by nobody, who would then wait with it.
OPEN_TO_MORE: Final = frozenset({"merge_window", "quiet_hours"})

OPEN: Final = msgspec.json.Decoder(Told)


def piece_of(notification: Notification, *, emergency: bool) -> Piece:
    """Return what is kept of a notification; its submission is opened here and nowhere later."""
    event = notification.event
    told = OPEN.decode(event.submission)
    person = told.offenders[event.part] if event.part < len(told.offenders) else Named()
    return Piece(
        message_id=event.message_id,
        ori=event.ori,
        offender=event.offender,
        part=event.part,
        root=event.root or event.message_id,
        registration_ids=notification.registration_ids,
        jurisdiction=event.jurisdiction,
        event_type=event.event_type,
        event_subtype=event.event_subtype,
        notification_type=event.notification_type,
        received_at=event.received_at,
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
    )


def same_event(one: Piece, other: Piece) -> bool:
    """Whether both are told in one message: the same agency event, told in the same way."""
    return (one.ori, one.event_subtype, one.action_at, one.date_only, one.telling, one.changes) == (
        other.ori,
        other.event_subtype,
        other.action_at,
        other.date_only,
        other.telling,
        other.changes,
    )


def admit(waiting: tuple[Waiting, ...], piece: Piece, at: int, window: int) -> tuple[tuple[Waiting, ...], Waiting]:
    """
    Return what waits with `piece` among it, and the one that it waits in; a gathering lasts `window` from its first piece.

    Both are in the order in which the messages came in: how they reached deliver, from several partitions, must show
    neither in the words nor in which of two messages leaves first.
    """
    found = next((each for each in waiting if each.why in OPEN_TO_MORE and same_event(each.pieces[0], piece)), None)
    if found is None:
        joined = Waiting(pieces=(piece,), since=at, due_at=at + window)
    else:
        due_at = min(found.due_at, at + window) if piece.emergency else found.due_at
        joined = replace(found, pieces=tuple(sorted((*found.pieces, piece), key=came_in)), due_at=due_at)
    others = (each for each in waiting if each is not found)
    return tuple(sorted((*others, joined), key=lambda each: came_in(each.pieces[0]))), joined


def overtake(waiting: tuple[Waiting, ...], piece: Piece) -> tuple[tuple[Waiting, ...], tuple[Piece, ...], Piece | None]:
    """
    Return what still waits, what `piece` replaced before it left, and what is to be told of `piece` itself.

    Of what was never told, nothing is taken back: cancelled news and its cancellation both stay, changed news is told
    as it is now. A change that has not left makes way for the next change, which tells both, or for the cancellation.
    """
    if piece.telling == "news":
        return waiting, (), piece
    gone = tuple(each for each in pieces(waiting) if overtaken(each, piece))
    kept = without(waiting, gone)
    if any(each.telling == "news" for each in gone):
        return kept, gone, None if piece.telling == "cancellation" else replace(piece, telling="news", changes=())
    if gone and piece.telling == "change":
        changes = combined(*(each.changes for each in gone), piece.changes)
        return kept, gone, replace(piece, changes=changes) if changes else None
    return kept, gone, piece


def overtaken(earlier: Piece, later: Piece) -> bool:
    """Whether the later message is about the same event of the same offender as one that has not left."""
    same = (earlier.ori, earlier.root, earlier.offender) == (later.ori, later.root, later.offender)
    return same and earlier.telling != "cancellation"


def came_in(piece: Piece) -> tuple[int, str, int, str]:
    """Return what orders pieces as their messages came in, and those of one moment by their names."""
    return piece.received_at, piece.message_id, piece.part, piece.offender


def pieces(waiting: Iterable[Waiting]) -> Iterable[Piece]:
    return (piece for each in waiting for piece in each.pieces)


def without(waiting: tuple[Waiting, ...], gone: tuple[Piece, ...]) -> tuple[Waiting, ...]:
    """Return what waits without the pieces in `gone`; a gathering with nothing left is over."""
    if not gone:
        return waiting
    left = (replace(each, pieces=tuple(piece for piece in each.pieces if piece not in gone)) for each in waiting)
    return tuple(each for each in left if each.pieces)
