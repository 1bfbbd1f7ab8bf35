"""
The state of match: an offender's registrations and, in a document for each event, who was told of it.

Who was told is written when an event is told, and read when it is changed or cancelled, so that the registrations are not
written again for every event. There is no contact data here.
"""

from typing import Final

from msgspec import Struct

from processors.domain.event import Event

MAX_CHOICES: Final = 8  # of one registration; the oldest are dropped


class Choice(Struct, frozen=True, gc=False, array_like=True):
    """What a registrant chose to be told of, for events after `seq`. The values are in comparable form; empty means all."""

    seq: int
    case_numbers: tuple[str, ...] = ()
    event_subtypes: tuple[str, ...] = ()
    expires_at: int | None = None


class ActiveRegistration(Struct, frozen=True, gc=False):
    """One registration in force. `choices` are its latest choices, oldest first, since an event may have waited while they changed."""

    registration_id: str
    registrant_id: str
    choices: tuple[Choice, ...]

    @property
    def expires_at(self) -> int | None:
        """When the registration expires."""
        return self.choices[-1].expires_at


class ActiveRegistrations(Struct, frozen=True, gc=False, tag="register", omit_defaults=True):
    """The registrations for one offender, sorted by id; if there are many, only the number of pages that hold them (pages.py)."""

    registrations: tuple[ActiveRegistration, ...] = ()
    pages: int = 0


class ToldRegistrants(Struct, frozen=True, gc=False, tag="told", omit_defaults=True):
    """
    Who was told of one event: the registrants, each with the registrations concerned; remembered until `until`.

    If there are many, `pages` is the number of pages that hold them (pages.py).
    """

    registrants: dict[str, tuple[str, ...]]
    until: int
    pages: int = 0


class ToldEvents(Struct, frozen=True, gc=False, tag="told_events"):
    """The state keys of the events that somebody was told of, each with its expiry; needed for a merge."""

    until: dict[str, int]


class FanOut(Struct, frozen=True, gc=False, tag="telling"):
    """An event that is being fanned out to many registrants, page by page; `page` of `pages` is next."""

    event: Event
    page: int
    pages: int


State = ActiveRegistrations | ToldRegistrants | ToldEvents | FanOut


def deadline(state: State) -> int | None:
    """Return when the next registration expires, or those told are forgotten; a fan-out continues at once."""
    if type(state) is ToldRegistrants:
        return state.until
    if type(state) is ToldEvents:
        return max(state.until.values())
    if type(state) is ActiveRegistrations:
        ends = [each.expires_at for each in state.registrations if each.expires_at is not None]
        return min(ends) if ends else None
    return state.event.received_at if type(state) is FanOut else None


def told_key(event: Event) -> str:
    """
    Return the state key of those told of the event; all messages about it have the same key.

    Ids contain only printable characters, so that no two events have the same key.
    """
    return told_key_of(event.offender, event.ori, event.root or event.message_id)


def told_key_of(offender: str, ori: str, root: str) -> str:
    return f"{offender}\t{ori}\t{root}"


def told_events_key(offender: str) -> str:
    """Return the state key of the list of an offender's told events."""
    return f"{offender}\t"


def fan_out_key(offender: str) -> str:
    """Return the state key of an offender's fan-out; there is at most one at a time."""
    return f"{offender}\t\t"
