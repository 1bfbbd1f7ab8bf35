"""
What makes two messages the same event (contract §3.1.1), and what an Update changed.

The agency, the kind of event and the fields that the rules name for the subtype (`EventCode.same`) are compared,
not message_id, event_id, sent_at or remarks. Case, blanks and punctuation are ignored; statuses and kinds
of places are compared by meaning, so that a synonym is no difference.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Final

from processors.domain.docket import compared_dockets
from processors.domain.event import Change, Event
from processors.domain.normalize import normalize
from processors.domain.time import iso
from processors.rules.book import Book, EventCode

KIND: Final = ("event_type", "event_subtype", "notification_type")
SAME: Final = EventCode("", "", ()).same  # of a kind of event that no rule file knows (any longer)


def content(event: Event, book: Book) -> dict[str, str]:
    """Return the fields that distinguish events of this kind in the form in which they are compared; empty is what is not said."""
    return {name: comparable(event, name, book) if getattr(event, name) else "" for name in same(event, book)}


def fingerprint(event: Event, compared: Mapping[str, str]) -> str:
    """Return a digest that is equal for two messages of one agency about one offender if they are about the same event."""
    return digest(event, compared.values())


def digest(event: Event, fields: Iterable[str]) -> str:
    kind = (event.ori, event.event_type, event.event_subtype, event.notification_type)
    return blake2b("\x1f".join((*kind, *fields)).encode(), digest_size=8).hexdigest()


def earlier_fingerprint(event: Event, compared: Mapping[str, str]) -> str | None:
    """
    Return the fingerprint of an earlier version, which compared letters and digits of a docket number alone.

    None if it is the same as the present one. For `duplicate.window` after an upgrade, events are still recognised by it.
    """
    if "case_number" not in compared or not event.case_number:
        return None
    return digest(event, {**compared, "case_number": normalize(event.case_number)}.values())


def changes(old: Event, new: Event, book: Book) -> tuple[Change, ...]:
    """Return the changes that a registrant who was told `old` must be told to know `new`."""
    names = dict.fromkeys((*KIND, *same(old, book), *same(new, book)))
    return tuple(
        Change(name, as_written(old, name, book), as_written(new, name, book))
        for name in names
        if comparable(old, name, book) != comparable(new, name, book)
    )


def same(event: Event, book: Book) -> tuple[str, ...]:
    """Return the fields that distinguish events of this kind."""
    code = book.code(event.event_type, event.event_subtype)
    return SAME if code is None else code.same


def comparable(event: Event, name: str, book: Book) -> str:
    """Return a field in the form in which it is compared."""
    reading = _COMPARED.get(name)
    return normalize(getattr(event, name) or "") if reading is None else reading(event, book)


def as_written(event: Event, name: str, book: Book) -> str:
    """Return a field as `Change` holds it: in the agency's words; the action date as a date or instant in ISO 8601."""
    if name != "action_at":
        return getattr(event, name) or ""
    if event.date_only:
        return datetime.fromtimestamp(event.action_at / 1000, book.zone_of(event.ori)).date().isoformat()
    return iso(event.action_at)


def _instant(event: Event, _: Book) -> str:
    return f"{event.action_at} day" if event.date_only else str(event.action_at)


def _case_number(event: Event, _: Book) -> str:
    return "; ".join(sorted(compared_dockets(event.case_number or "")))


def _status(event: Event, book: Book) -> str:
    text = event.status or ""
    known = book.status(text)
    return normalize(known.name if known else text)


def _location(event: Event, book: Book) -> str:
    text = event.location_kind or ""
    known = book.location(text)
    return normalize(known.name if known else text)


_COMPARED: Final[Mapping[str, Callable[[Event, Book], str]]] = {
    "action_at": _instant,
    "case_number": _case_number,
    "status": _status,
    "location_kind": _location,
}
