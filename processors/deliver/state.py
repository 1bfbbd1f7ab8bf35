"""
What deliver keeps of one registrant: how to reach them (sealed), what has not left yet, and, in documents of their own, what did.

What left is looked at again only when its receipts come: a registrant who is told much is not written again whole with
each message.
"""

from typing import Final

from msgspec import Struct, field

from processors.domain.event import Change, Scope, Telling, Way
from processors.domain.person import Identifier, Name
from processors.domain.registration import Channel


class KnownRegistration(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One registration.

    `sealed` is the encrypted Contacts; from `forget_at` on it is gone and only the mark stays, so that "ended" differs
    from "not seen yet".
    """

    registration_id: str
    seq: int
    language: str = "en"
    time_zone: str = "America/New_York"
    expires_at: int | None = None
    ended: bool = False
    forget_at: int | None = None
    sealed: bytes = b""

    def in_force(self, at: int) -> bool:
        """Whether the registrant still wants to be told under this registration."""
        return not self.ended and bool(self.sealed) and (self.expires_at is None or at < self.expires_at)


class Notice(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One offender's part of one message, as far as it is told; what is kept of a notification until it leaves."""

    message_id: str
    ori: str
    offender: str
    part: int
    root: str
    registration_ids: tuple[str, ...]
    jurisdiction: str
    event_type: str
    event_subtype: str
    notification_type: str
    received_at: int
    action_at: int
    date_only: bool = False
    emergency: bool = False
    telling: Telling = "news"
    changes: tuple[Change, ...] = ()
    name: Name | None = None
    identifiers: tuple[Identifier, ...] = ()
    agency: str | None = None
    place: str | None = None
    origin: str | None = None
    court: str | None = None
    case_number: str | None = None
    sending_state: str | None = None
    receiving_state: str | None = None
    report_by: str | None = None
    way: Way | None = None
    held_until: int | None = None

    @property
    def scope(self) -> Scope:
        """Where the settings of this notification are looked up."""
        return Scope(self.jurisdiction, self.notification_type, self.event_subtype)


class Pending(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Notices of one agency event that will leave as one message; decided again at `due_at`. `why` is the reason code."""

    notices: tuple[Notice, ...] = field(name="pieces")
    since: int
    due_at: int
    why: str = "merge_window"
    review_id: str | None = None

    @property
    def emergency(self) -> bool:
        """Whether any of the notices is one."""
        return True in [notice.emergency for notice in self.notices]


class Attempt(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One outbound message, for its receipts and for the attempts after it.

    The contact is the `contact`-th of `registration_id`, never an address. `status` is what providers said last, None
    before they did. `message_ids` are the submissions told (for a verification, the registration). `confirm` where a
    PIN was to be asked for.
    """

    reference: str
    notification_id: str
    channel: Channel
    registration_id: str
    contact: int
    message_ids: tuple[str, ...]
    sent_at: int
    expires_at: int
    number: int = 1
    confirm: bool = False
    status: str | None = None
    status_at: int | None = None


class Registrant(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="registrant"):
    """Everything about one registrant that is still to be done, by registration id."""

    registrant_id: str
    registrations: dict[str, KnownRegistration] = {}
    pending: tuple[Pending, ...] = field(name="waiting", default=())

    def in_force(self, at: int) -> list[KnownRegistration]:
        """Return the registrations under which the registrant wants to be told."""
        return [each for each in self.registrations.values() if each.in_force(at)]


class Delivery(Struct, frozen=True, kw_only=True, tag="sent"):
    """The attempts of one notification by reference, until at `forget_at` no receipt can be about them any more."""

    attempts: dict[str, Attempt]
    forget_at: int


State = Registrant | Delivery


SHARED: Final = 12  # hex digits that the references of one notification begin with, after the registrant


def delivery_key(registrant_id: str, reference: str) -> str:
    """Return the key of what left under `reference`; ids are of characters that print, so that no registrant has it."""
    return f"{registrant_id}\t{reference.rpartition('.')[2][:SHARED]}"


def deadline(state: State) -> int | None:
    """Return the earliest instant at which something is to be decided or forgotten."""
    if isinstance(state, Delivery):
        return state.forget_at
    due = [pending.due_at for pending in state.pending]
    due += [each.forget_at for each in state.registrations.values() if each.forget_at is not None]
    return min(due, default=None)
