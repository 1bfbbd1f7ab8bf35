"""
The state of identify. The first letter of a state key says what it is:

`i` and `n` index entries (identifiers, names), `d` addresses, `w` lists of registrations at one of these or at a registrant
(`p`), `o` offenders, `r` registrations, `m` messages, `f` pages of messages, `s` message rates, `a` agencies, `v` open reviews,
`g` groups of reviews.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Literal, TypeVar

from msgspec import Struct

from processors.domain.event import Event
from processors.domain.names import name_block
from processors.domain.person import Name
from processors.domain.registration import Channel
from processors.domain.review import Review, ReviewAction
from processors.ingest.comparison import digest
from processors.stage import Decision


class IndexEntry(Struct, frozen=True, gc=False, tag="indexed", omit_defaults=True):
    """
    The offenders with this identifier, or with a similar name and this birth date; `watched` if registrations are listed here.

    An offender is not listed under the identifier that their key is derived from.
    """

    offenders: tuple[str, ...] = ()
    watched: bool = False


class Offender(Struct, frozen=True, gc=False, tag="offender", omit_defaults=True):
    """
    What is known of one offender.

    `since` is the offset of the first message. `formerly` are the offenders that were merged into this one, `met` those about whom a
    reviewer was asked, `apart` those who are different people according to a reviewer. `written` are the names as agencies
    wrote them, the latest last.
    """

    since: int
    marks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    formerly: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    written: tuple[Name, ...] = ()


class MergedOffender(Struct, frozen=True, gc=False, tag="merged", omit_defaults=True):
    """An offender who was merged into `into`: what was known of them until then, and why."""

    into: str
    since: int
    marks: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    why: str = ""


class CurrentRegistration(Struct, frozen=True, gc=False, tag="enrolled", omit_defaults=True):
    """
    A registration in force: whom it describes, and the offenders that it was sent to, each with the offset from which it applies.

    `rolls` are the lists that it is on, each with the page. `nearly` are the offenders about whom a reviewer was asked, `confirmed`
    those for whom a reviewer confirmed it.
    """

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
    nearly: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()


class EarlierMessage(Struct, frozen=True, gc=False, tag="remembered", omit_defaults=True):
    """
    The offenders of each part of a message, for a Cancel or Update that refers to it; and the review that holds it, if any.

    It expires at `until` (milliseconds).
    """

    until: int
    parts: tuple[tuple[str, ...], ...]
    review_id: str | None = None


class MessagePage(Struct, frozen=True, gc=False, tag="memories", omit_defaults=True):
    """The keys of messages next to each other in the intake; the page is checked for expired ones at `until`."""

    messages: tuple[str, ...]
    until: int | None = None


class MessageRate(Struct, frozen=True, gc=False, tag="pace", omit_defaults=True):
    """
    The number of messages of one event subtype from one agency, their times, and the group of those beyond the limit.

    `times` are those since the last full block; `first` is the number of the first block that is kept.
    """

    count: int = 0
    times: tuple[int, ...] = ()
    first: int = 0
    group: str | None = None


class TimesBlock(Struct, frozen=True, gc=False, tag="block"):
    """The times of a full block of messages counted by a rate."""

    times: tuple[int, ...]


class OpenReview(Struct, frozen=True, gc=False, tag="open", omit_defaults=True):
    """
    An open review, with the events that it holds; they share one submission.

    It asks whether the `offenders` are one person; if `registration_id` is set, whether that registration is for the first of them.
    """

    review: Review
    events: tuple[Event, ...] = ()
    submission: bytes = b""
    offenders: tuple[str, ...] = ()
    registration_id: str | None = None


class GroupDecision(Struct, frozen=True, gc=False, tag="group_decision"):
    """The decision of the first of two reviewers on a group too large for one (`review.four_eyes`)."""

    action: Literal["release", "discard"]
    reviewer: str


class GroupSettlement(Struct, frozen=True, gc=False, tag="group_settlement"):
    """
    A decision on a large group that is being carried out: `page` of `pages` is next, and only `last` reviews of the last page count.

    It has a timer at `due`, the time of the decision.
    """

    action: ReviewAction
    page: int
    pages: int
    last: int
    due: int


class AgencyActivity(Struct, frozen=True, gc=False, tag="heard", omit_defaults=True, kw_only=True):
    """
    The time and id of an agency's latest message, and whether its silence was published.

    `check_at` is when to check whether the agency is silent, None while it is; `published_at` is the time that was published last.
    """

    ori: str
    jurisdiction: str
    message_id: str
    at: int
    silent: bool = False
    check_at: int | None = None
    published_at: int | None = None


class Address(Struct, frozen=True, gc=False, tag="address", omit_defaults=True):
    """
    The channels on which an address, known by its keyed digest, has opted out.

    `asked` are the latest times at which verification codes were sent to it, `heard` the ids of the latest messages from it.
    `stopped_at` is when the latest STOP was sent from it, 0 once a START has revoked it.
    """

    silenced: tuple[Channel, ...] = ()
    asked: tuple[int, ...] = ()
    heard: tuple[str, ...] = ()
    stopped_at: int = 0


class ListHead(Struct, frozen=True, gc=False, tag="roll", omit_defaults=True):
    """
    The head of a list that is stored in pages, numbered from `first` up to `pages`.

    `contacts` is the number of contacts of all registrations on a registrant's list (contact_limit.py).
    """

    pages: int
    first: int = 0
    contacts: int | None = None


class ListPage(Struct, frozen=True, gc=False, tag="page"):
    """One page of a list."""

    items: tuple[str, ...]


State = (
    IndexEntry
    | Offender
    | MergedOffender
    | CurrentRegistration
    | EarlierMessage
    | MessagePage
    | MessageRate
    | TimesBlock
    | OpenReview
    | GroupDecision
    | GroupSettlement
    | AgencyActivity
    | Address
    | ListHead
    | ListPage
)
States = Mapping[str, State | None]
S = TypeVar("S", bound=Struct)
CACHED_KEYS: Final = 1 << 12  # of agencies, rates and offenders
UNCHANGED: Final[Decision[State]] = Decision()
DEADLINES: Final[Mapping[type[State], Callable[[Any], int | None]]] = {
    GroupSettlement: attrgetter("due"),
    MessagePage: attrgetter("until"),
    AgencyActivity: attrgetter("check_at"),
}


def find(states: States, key: str | None, kind: type[S]) -> S | None:
    """Return the state under this key if it is of this kind."""
    found: Any = states.get(key) if key else None
    return found if type(found) is kind else None  # isinstance is several times slower when the answer is no


def after(states: States, decision: Decision[State]) -> States:
    """Return the states after a decision."""
    return {**states, **decision.states} if decision.states else states


def deadline(state: State) -> int | None:
    """Return the time of the state's timer: to check a page of messages or an agency, or to continue a group decision."""
    deadline_of = DEADLINES.get(type(state))
    return None if deadline_of is None else deadline_of(state)


@lru_cache(CACHED_KEYS)
def offender_key(first_known_by: str) -> str:
    """Return the key of an offender who is first known by this identifier or, without one, by this name."""
    return f"o{digest(first_known_by)}"


def index_key(home: str) -> str:
    """Return the index key of the identifier that this offender key is derived from."""
    return f"i{home[1:]}"


def number_key(number: str, beside: str) -> str:
    """Return the index key of a number, regardless of its issuer, together with a name or birth date."""
    return f"i{digest(f'{number}|{beside}')}"


def name_key(words: str, birth_date: str) -> str:
    """Return the index key of a name with a birth date; names that may be alike have the same key."""
    return f"n{digest(f'{name_block(words)}|{birth_date}')}"


def message_key(ori: str, message_id: str) -> str:
    return f"m{digest(f'{ori}|{message_id}', 16)}"


@lru_cache(CACHED_KEYS)
def rate_key(ori: str, event_subtype: str) -> str:
    return f"s{digest(f'{ori}|{event_subtype}')}"


@lru_cache(CACHED_KEYS)
def agency_key(ori: str) -> str:
    return f"a{digest(ori)}"


def registration_key(registration_id: str) -> str:
    return f"r{registration_id}"


def address_key(digest_of_address: str) -> str:
    return f"d{digest_of_address[:32]}"


def registrant_key(registrant_id: str) -> str:
    """Return the key of a registrant, at which their registrations are listed."""
    return f"p{digest(registrant_id, 16)}"


def registrations_key(entry_key: str) -> str:
    """Return the key of the list of registrations at an index entry, address or registrant."""
    return f"w{entry_key}"


def group_key(group: str) -> str:
    return f"g{group}"


def group_decision_key(group: str) -> str:
    return f"g{group}.decision"


def group_settlement_key(group: str) -> str:
    return f"g{group}.settlement"


def review_key(review_id: str) -> str:
    return f"v{review_id}"
