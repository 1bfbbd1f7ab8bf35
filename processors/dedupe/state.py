"""
What dedupe remembers of one offender.

One document, `Sightings`, is read and written for every event and so holds no more than deciding takes. The messages
themselves, of which a change or a cancellation must one day speak, lie beside it, each under a key of its own that is
written once and read when needed.
"""

from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from processors.domain.event import Event

Standing = Literal["unheard", "told", "held", "cancelled"]

LONGEST: Final = 128  # of the names, versions and cancellations of one event; the oldest go, but never the first name


class Held(Struct, frozen=True):
    """A Cancel that waits until `due` for its resubmission; without its submission, since the original's is told of."""

    due: int
    cancel: Event


class Sighting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One event of one agency, from the first message about it on.

    `seq` is the place of the message that opened it and names the kept event; `root` that message's id. `names` are
    the message ids by which a Cancel or Update may mean it, `versions` what it has been said to be, newest last, each
    with the time until which it is recognised, `cancels` the Cancels that were heard. `unseen` is a message a reviewer
    judged before it ever arrived. It is forgotten at `until`.
    """

    seq: int
    ori: str
    root: str
    standing: Standing = "told"
    names: tuple[str, ...] = ()
    versions: dict[str, int] = {}
    cancels: tuple[str, ...] = ()
    unseen: str | None = None
    held: Held | None = None
    until: int = 0

    @property
    def newest(self) -> str | None:
        """The fingerprint of what it was last said to be."""
        return next(reversed(self.versions), None)

    def named(self, name: str) -> "Sighting":
        """Return it with one more message that may be referred to."""
        return replace(self, names=lengthened(self.names, name))

    def cancelled_by(self, name: str) -> "Sighting":
        """Return it with one more Cancel heard."""
        return replace(self, cancels=lengthened(self.cancels, name))


def lengthened(names: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return `names` and `name`, the first and the newest of them where they become too many."""
    if name in names:
        return names
    longer = (*names, name)
    return longer if len(longer) <= LONGEST else (longer[0], *longer[2:])


def reworded(versions: dict[str, int], fingerprint: str, until: int) -> dict[str, int]:
    """Return `versions` with one more, or one that was before, as the newest."""
    others = [(each, at) for each, at in versions.items() if each != fingerprint]
    return dict((*others, (fingerprint, until))[-LONGEST:])


class Waiting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A Cancel or Update of nothing known: until `due`, then, flagged, until a reviewer acts on `review_id`."""

    seq: int
    ori: str
    message_id: str
    reference: str
    fingerprint: str
    due: int
    review_id: str | None = None


class Sightings(Struct, frozen=True, tag="sightings", omit_defaults=True):
    """All that is known of one offender's events, in the order they were first heard of, and what waits to be understood."""

    sightings: tuple[Sighting, ...] = ()
    waiting: tuple[Waiting, ...] = ()

    @property
    def deadline(self) -> int | None:
        """When the document must be looked at again if nothing happens; None where nothing is due ever."""
        dues = [each.until if each.held is None else each.held.due for each in self.sightings]
        if self.waiting:
            dues += [each.due for each in self.waiting if each.review_id is None]
        return min(dues, default=None)


class Kept(Struct, frozen=True, tag="kept"):
    """A message as it came: the newest that was told of a sighting, or one that waits."""

    event: Event


State = Sightings | Kept


def deadline(state: State) -> int | None:
    """Return when the state must be looked at again."""
    return state.deadline if isinstance(state, Sightings) else None


def shelf(offender: str, seq: int) -> str:
    """Return the key under which the message of a sighting, or one that waits, is kept."""
    return f"{offender}/{seq}"
