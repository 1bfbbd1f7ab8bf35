"""
What match keeps of one offender: the registrations and, each in a document of its own, who was told of which event.

A document of those told is written when an event is told and read when it is changed or cancelled, so that the
registrations are not written again for every event. Nothing here says where a registrant can be reached.
"""

from typing import Final

from msgspec import Struct

from processors.domain.event import Event

VERSIONS: Final = 8  # of one registration's choices; the oldest go


class Choice(Struct, frozen=True, gc=False, array_like=True):
    """What a registrant chose to be told of, for events after `seq`; in comparable form, empty means all."""

    seq: int
    case_numbers: tuple[str, ...] = ()
    event_subtypes: tuple[str, ...] = ()
    expires_at: int | None = None


class ActiveRegistration(Struct, frozen=True, gc=False):
    """One registration in force; `choices` oldest first, since a message may have waited while they changed."""

    registration_id: str
    registrant_id: str
    choices: tuple[Choice, ...]

    @property
    def expires_at(self) -> int | None:
        """When it ends by itself."""
        return self.choices[-1].expires_at


class ActiveRegistrations(Struct, frozen=True, gc=False, tag="register", omit_defaults=True):
    """The registrations for one offender, by registration id; if there are many, the number of pages that hold them (pages.py)."""

    registrations: tuple[ActiveRegistration, ...] = ()
    pages: int = 0


class ToldRegistrants(Struct, frozen=True, gc=False, tag="told", omit_defaults=True):
    """
    Who was told of one event: registrants in order, each with the registrations concerned; kept until `until`.

    If there are many, `pages` is the number of pages that hold them (pages.py).
    """

    registrants: dict[str, tuple[str, ...]]
    until: int
    pages: int = 0


class ToldEvents(Struct, frozen=True, gc=False, tag="told_events"):
    """The state keys of the events of which somebody was told, each with its expiry; needed for a merge."""

    until: dict[str, int]


class Telling(Struct, frozen=True, gc=False, tag="telling"):
    """An event that is being told to many registrants, a page of them at a time: `page` is next, of `pages`."""

    event: Event
    page: int
    pages: int


State = ActiveRegistrations | ToldRegistrants | ToldEvents | Telling


def deadline(state: State) -> int | None:
    """Return when the next registration expires, or who was told is forgotten; what is being told goes on at once."""
    if type(state) is ToldRegistrants:
        return state.until
    if type(state) is ToldEvents:
        return max(state.until.values())
    if type(state) is ActiveRegistrations:
        ends = [each.expires_at for each in state.registrations if each.expires_at is not None]
        return min(ends) if ends else None
    return state.event.received_at if type(state) is Telling else None


def told_key(event: Event) -> str:
    """
    Return the state key of who was told of the event, the same for all its messages.

    Ids have printable characters only, so that no two events have the same key.
    """
    return key_of_told(event.offender, event.ori, event.root or event.message_id)


def key_of_told(offender: str, ori: str, root: str) -> str:
    return f"{offender}\t{ori}\t{root}"


def list_key(offender: str) -> str:
    """Return the key under which the told events of an offender are listed."""
    return f"{offender}\t"


def telling_key(offender: str) -> str:
    """Return the key of the event that is being told to many registrants: there is one at a time for each offender."""
    return f"{offender}\t\t"
