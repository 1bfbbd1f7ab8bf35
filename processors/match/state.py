"""
What match remembers of one offender: who is registered, and, each in a document of its own, who was told of what.

A document of those told is written when an event is told and read when it is changed or cancelled, so that the
registrations are not written again for every event. Nothing here says where a registrant can be reached.
"""

from typing import Final

from msgspec import Struct

from processors.domain.event import Event

VERSIONS: Final = 8  # of one registration's choices; the oldest go


class Choice(Struct, frozen=True, array_like=True):
    """What a registrant chose to be told of, for events that came after `seq`; as it compares, empty means all."""

    seq: int
    case_numbers: tuple[str, ...] = ()
    event_subtypes: tuple[str, ...] = ()
    expires_at: int | None = None


class Registered(Struct, frozen=True):
    """One registration in force; `choices` oldest first, since a message may have waited while they changed."""

    registration_id: str
    registrant_id: str
    choices: tuple[Choice, ...]

    @property
    def expires_at(self) -> int | None:
        """When it ends by itself."""
        return self.choices[-1].expires_at


class Register(Struct, frozen=True, tag="register"):
    """The registrations for one offender, by registration id."""

    registrations: tuple[Registered, ...] = ()

    @property
    def deadline(self) -> int | None:
        """When the first of them ends by itself."""
        return min((each.expires_at for each in self.registrations if each.expires_at is not None), default=None)


class Told(Struct, frozen=True, tag="told"):
    """Who was told of one event: registrants in order, each with the registrations by which they were told; kept until `until`."""

    registrants: dict[str, tuple[str, ...]]
    until: int


State = Register | Told


def deadline(state: State) -> int | None:
    """Return when the state must be looked at again."""
    return state.deadline if isinstance(state, Register) else state.until


def told_key(event: Event) -> str:
    """
    Return the key under which is kept who was told of the event, whichever of its messages this is.

    Ids are of characters that print, so that no two events have one key.
    """
    return f"{event.offender}\t{event.ori}\t{event.root or event.message_id}"
