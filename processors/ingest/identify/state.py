"""
What identify keeps, by key.

`i` and `n` index entries (identifiers, names), `w` the registrations that wait at one, `o` offenders, `r` registrations,
`m` messages, `f` pages of them, `s` paces, `a` agencies, `v` open reviews, `g` groups of them.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, TypeVar

from msgspec import Struct

from processors.domain.event import Event
from processors.domain.review import Review
from processors.ingest.comparison import digest, ends
from processors.stage import Output


class Indexed(Struct, frozen=True, tag="indexed", omit_defaults=True):
    """
    Who has this identifier, or this first and last word of a name with this birth date; whether registrations wait for it.

    An offender is not listed under the identifier that their key is made of.
    """

    offenders: tuple[str, ...] = ()
    watched: bool = False


class Offender(Struct, frozen=True, tag="offender", omit_defaults=True):
    """All that is known to be one person; `since` is the place of the first message, `met` other offenders it was tied to."""

    since: int
    marks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    met: tuple[str, ...] = ()


class Enrolled(Struct, frozen=True, tag="enrolled", omit_defaults=True):
    """A registration in force: whom it asks for, and the offenders it went to, each with the place from which it holds."""

    registrant_id: str
    seq: int
    received_at: int
    marks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    case_numbers: tuple[str, ...] = ()
    event_subtypes: tuple[str, ...] = ()
    expires_at: int | None = None
    offenders: dict[str, int] = {}
    rolls: dict[str, int] = {}


class Remembered(Struct, frozen=True, tag="remembered", omit_defaults=True):
    """
    Whom a message was about, part by part, for the Cancel or Update that refers to it; the review it was held with, if it was.

    From `until` on (milliseconds) it counts no more.
    """

    until: int
    parts: tuple[tuple[str, ...], ...]
    review_id: str | None = None


class MemoryPage(Struct, frozen=True, tag="memories", omit_defaults=True):
    """The keys of remembered messages that lie together in the intake; some may be forgotten from `until` on."""

    messages: tuple[str, ...]
    until: int | None = None


class Pace(Struct, frozen=True, tag="pace", omit_defaults=True):
    """
    How many messages of one kind came from one agency, when the last of them came, and the group of those beyond the limit.

    `times` are those since the last whole block; `first` is the number of the first block that is kept.
    """

    count: int = 0
    times: tuple[int, ...] = ()
    first: int = 0
    group: str | None = None


class PaceBlock(Struct, frozen=True, tag="block"):
    """When a whole block of the messages that a pace counts came."""

    times: tuple[int, ...]


class Open(Struct, frozen=True, tag="open", omit_defaults=True):
    """A review that waits for a person, with the events that wait for it; they share one submission."""

    review: Review
    events: tuple[Event, ...] = ()
    submission: bytes = b""


class Heard(Struct, frozen=True, tag="heard", omit_defaults=True, kw_only=True):
    """
    When an agency was last heard, by which message; whether its silence since has been told.

    `check_at` is not moved by every message: from then on it is seen how long the agency may still be silent.
    """

    ori: str
    jurisdiction: str
    message_id: str
    at: int
    silent: bool = False
    check_at: int | None = None


class Roll(Struct, frozen=True, tag="roll"):
    """A list too long for one document; its pages are documents of their own."""

    pages: int


class RollPage(Struct, frozen=True, tag="page"):
    """One page of a roll."""

    items: tuple[str, ...]


State = Indexed | Offender | Enrolled | Remembered | MemoryPage | Pace | PaceBlock | Open | Heard | Roll | RollPage


def deadline(state: State) -> int | None:
    """Return when the state must be looked at again."""
    return state.until if isinstance(state, MemoryPage) else state.check_at if isinstance(state, Heard) else None


S = TypeVar("S", bound=Struct)
AGENCIES: Final = 1 << 12  # agencies, and kinds of message of one, whose keys are kept at hand


def offender_key(said: str) -> str:
    """Return the key of an offender who is first known by this identifier, or by this name where there is none."""
    return f"o{digest(said)}"


def index_key(home: str) -> str:
    """Return the index key of the identifier that an offender of this key would be known by."""
    return f"i{home[1:]}"


def name_key(name: str) -> str:
    """Return the index key of a whole name with its birth date: names that may be alike have the same."""
    words, _, birth_date = name.rpartition("|")
    return f"n{digest(f'{ends(words)}|{birth_date}')}"


def message_key(ori: str, message_id: str) -> str:
    return f"m{digest(f'{ori}|{message_id}', 16)}"


@lru_cache(AGENCIES)
def pace_key(ori: str, event_subtype: str) -> str:
    return f"s{digest(f'{ori}|{event_subtype}')}"


@lru_cache(AGENCIES)
def agency_key(ori: str) -> str:
    return f"a{digest(ori)}"


def registration_key(registration_id: str) -> str:
    return f"r{registration_id}"


def group_key(group: str) -> str:
    return f"g{group}"


def review_key(review_id: str) -> str:
    return f"v{review_id}"


class Desk:
    """The states of one decision, with what it changes, writes and sets timers for so far."""

    def __init__(self, states: Mapping[str, State]) -> None:
        self._states = states
        self.changed: dict[str, State | None] = {}
        self.outputs: list[Output] = []

    def look(self, key: str) -> State | None:
        return self.changed[key] if key in self.changed else self._states.get(key)

    def get(self, key: str, kind: type[S]) -> S | None:
        found = self.changed[key] if key in self.changed else self._states.get(key)
        return found if isinstance(found, kind) else None

    def put(self, key: str, value: State | None) -> None:
        self.changed[key] = value
