"""
The state of dedupe: what it remembers of one offender.

One document, `KnownEvents`, is read and written for every event, so it holds only what decisions need. The messages themselves,
whose values a later change or cancellation needs, are stored separately, each under its own key, written once and read when needed.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from processors.domain.event import Event

EventState = Literal["new", "told", "held", "cancelled"]

MAX_IDS: Final = 128  # message ids, fingerprints and Cancel ids of one event, each; the oldest are dropped, but never the first message id


class HeldCancel(Struct, frozen=True, gc=False):
    """A Cancel that waits until `due` for a resubmission; stored without its submission, since the original's is used."""

    due: int
    cancel: Event


class KnownEvent(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    One event of one agency, as known from its messages.

    `seq` is the sequence number of the message that opened the event, and the key of the stored message; `root` is that message's
    id. `message_ids` are the ids by which a Cancel or Update may refer to it. `fingerprints` are the contents it has had, newest
    last, each with the time until which it is recognized. `cancel_ids` are the ids of the Cancels received. `overtaken` is the
    id of a message that has not arrived, although a reviewer has released a later one about it. `last` is the `seq` of the message
    told last, 0 if that is the one that opened the event. The event is forgotten at `forget_at`.
    """

    seq: int
    ori: str
    root: str
    state: EventState = field(default="told", name="standing")
    message_ids: tuple[str, ...] = field(default=(), name="names")
    fingerprints: dict[str, int] = field(default_factory=dict, name="versions")
    cancel_ids: tuple[str, ...] = field(default=(), name="cancels")
    overtaken: str | None = field(default=None, name="unseen")
    held: HeldCancel | None = None
    forget_at: int = field(default=0, name="until")
    last: int = 0

    @property
    def newest(self) -> str | None:
        """The fingerprint of its last content."""
        return next(reversed(self.fingerprints), None)

    @property
    def deadline(self) -> int:
        """When its held Cancel is sent, otherwise when the event is forgotten."""
        return self.forget_at if self.held is None else self.held.due

    def with_message_id(self, message_id: str) -> "KnownEvent":
        """Return the event with one more message id."""
        return replace(self, message_ids=append_id(self.message_ids, message_id))

    def with_cancel_id(self, message_id: str) -> "KnownEvent":
        """Return the event with the id of one more Cancel."""
        return replace(self, cancel_ids=append_id(self.cancel_ids, message_id))

    def with_earlier_content(self, message_id: str, fingerprint: str, until: int) -> "KnownEvent":
        """Return the event with a message whose content is older than its present content."""
        named = self.with_message_id(message_id)
        if fingerprint in named.fingerprints:
            return named
        return replace(named, fingerprints={fingerprint: until} | named.fingerprints)


def append_id(ids: tuple[str, ...], new: str) -> tuple[str, ...]:
    """Return `ids` with `new` added; beyond MAX_IDS, the second oldest is dropped."""
    if new in ids:
        return ids
    longer = (*ids, new)
    return longer if len(longer) <= MAX_IDS else (longer[0], *longer[2:])


def with_newest(fingerprints: dict[str, int], fingerprint: str, until: int) -> dict[str, int]:
    """Return `fingerprints` with this one as the newest, whether or not it is there already."""
    others = [(each, at) for each, at in fingerprints.items() if each != fingerprint]
    return dict((*others, (fingerprint, until))[-MAX_IDS:])


class WaitingMessage(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A Cancel or Update of an unknown event. It waits until `due`, is then flagged, and waits for a reviewer to act on `review_id`."""

    seq: int
    ori: str
    message_id: str
    reference: str
    fingerprint: str
    due: int
    review_id: str | None = None

    @property
    def deadline(self) -> int | None:
        """When it is flagged; None once it is in review."""
        return self.due if self.review_id is None else None


class KnownEvents(Struct, frozen=True, gc=False, tag="sightings", omit_defaults=True):
    """One offender's events, in the order of their first messages, and the messages that wait."""

    events: tuple[KnownEvent, ...] = field(default=(), name="sightings")
    waiting: tuple[WaitingMessage, ...] = ()

    @property
    def deadline(self) -> int | None:
        """The earliest deadline; None if nothing has one."""
        dues = [each.forget_at if each.held is None else each.held.due for each in self.events]
        if self.waiting:
            dues += [each.due for each in self.waiting if each.review_id is None]
        return min(dues) if dues else None

    def with_changes(self, events: Mapping[int, KnownEvent | None], waiting: Mapping[int, WaitingMessage | None]) -> "KnownEvents":
        """Return the document with these events and waiting messages, by `seq`; None removes one."""
        known, waits = self.events, self.waiting
        if events:
            left: dict[int, KnownEvent | None] = {**{each.seq: each for each in known}, **events}
            known = tuple([each for each in left.values() if each is not None])
        if waiting:
            waits = (*(each for each in waits if each.seq not in waiting), *(each for each in waiting.values() if each is not None))
        return KnownEvents(known, waits)


class StoredMessage(Struct, frozen=True, gc=False, tag="kept"):
    """A message as received: the newest that was told about an event, or one that waits."""

    event: Event


State = KnownEvents | StoredMessage


def deadline(state: State) -> int | None:
    """Return the state's deadline; None for a message, whose deadline is in its offender's document."""
    return state.deadline if type(state) is KnownEvents else None


def message_key(offender: str, seq: int) -> str:
    """Return the state key of a stored message."""
    return f"{offender}/{seq}"


def rename_unheard_state(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of format 1 in format 2: the state `unheard` is now called `new`."""
    known = [each | {"standing": "new"} if each.get("standing") == "unheard" else each for each in document.get("sightings", ())]
    return document | {"sightings": known} if known else document
