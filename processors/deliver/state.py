"""
The state of deliver: a registrant's registrations and contacts (sealed) and what waits for them; deliveries are stored separately.

A delivery is a document of its own, read when one of its receipts arrives or fails to arrive.
"""

from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from processors.deliver.lifecycle import ContactState
from processors.domain.event import EVERYWHERE, Change, Direction, Scope, TellingKind
from processors.domain.notification import AttemptState
from processors.domain.offender import OffenderStanding
from processors.domain.person import Identifier, Name
from processors.domain.registration import SEVERAL_ZONES, Channel, RegistrationState

Content = Literal["news", "verification", "registered", "opted_out", "opted_in", "help"]
Result = Literal["reached", "failed", "nobody"]


class KnownRegistration(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One registration.

    `sealed` is the encrypted Contacts. At `forget_at` it is deleted and the entry stays, so that "ended" differs from "not seen
    yet". `confirmed` once the confirmation was sent to its first verified contact. `status` is the last status sent to the
    registration site. `wrong_codes` are the times of the latest wrong verification codes. `nearly` are the offenders about whom a
    reviewer is being asked. `confirm_at` is when the confirmation is due: after quiet hours or, once it has `asked` for the
    offender's standing, if no answer arrives.
    """

    registration_id: str
    seq: int
    language: str = "en"
    time_zone: str = "America/New_York"
    expires_at: int | None = None
    ended: bool = False
    forget_at: int | None = None
    sealed: bytes = b""
    source: str = ""
    confirmed: bool = False
    status: RegistrationState | None = None
    wrong_codes: tuple[int, ...] = ()
    nearly: tuple[str, ...] = ()
    confirm_at: int | None = None
    asked: bool = False

    @property
    def zones(self) -> tuple[ZoneInfo, ...]:
        """Return the time zones in which the registrant may be."""
        return tuple(map(ZoneInfo, self.time_zone.split(SEVERAL_ZONES)))

    def in_force(self, at: int) -> bool:
        """Whether the registration is in force."""
        return not self.ended and bool(self.sealed) and (self.expires_at is None or at < self.expires_at)


class Notice(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    What a registrant is told of one offender in one message; kept until it is sent.

    `formerly` are the keys that were merged into `offender`.
    """

    message_id: str
    ori: str
    offender: str
    part: int
    root: str
    registration_ids: tuple[str, ...]
    seq: int = 0
    jurisdiction: str
    event_type: str
    event_subtype: str
    notification_type: str
    received_at: int
    action_at: int
    date_only: bool = False
    emergency: bool = False
    telling: TellingKind = "news"
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
    way: Direction | None = None
    held_until: int | None = None
    formerly: tuple[str, ...] = ()
    trace: str | None = None

    @property
    def scope(self) -> Scope:
        """The scope for which settings are looked up."""
        return Scope(self.jurisdiction, self.notification_type, self.event_subtype)


class Pending(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A gathering: notices of one agency event, to be sent as one message at `due_at`. `why` is the reason code, `page` its page."""

    notices: tuple[Notice, ...] = field(name="pieces")
    since: int
    due_at: int
    why: str = "merge_window"
    review_id: str | None = None
    page: int | None = None

    @property
    def emergency(self) -> bool:
        """Whether any of the notices is an emergency."""
        return True in [notice.emergency for notice in self.notices]


class Attempt(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One attempt to send a message to a contact.

    `contact` is the contact's name (channel and keyed digest), never an address. `status` is its state since `status_at`
    (lifecycle.py). `message_ids` are the submissions told, or the registration if the message is about one. `confirm` if the call asks
    for a PIN; `wrong_pins` counts the wrong ones. `opted_out` if an opt-out arrived after its final state. `in_doubt` if its
    provider cannot know whether a vendor accepted it, and no later receipt has said so.
    """

    reference: str
    notification_id: str
    channel: Channel
    message_ids: tuple[str, ...]
    sent_at: int
    expires_at: int
    contact: str = field(name="contact_name", default="")
    number: int = 1
    confirm: bool = False
    status: AttemptState = "sent"
    status_at: int | None = None
    wrong_pins: int = 0
    opted_out: bool = False
    in_doubt: bool = False


class ContactProgress(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    The progress of a delivery at one contact; `state` is explained in lifecycle.py.

    `next_at` is when something is due if no receipt arrives: the next attempt, or the end of the wait.
    `reference` is that of the latest attempt, `attempts` the number of attempts. `since` is when the contact's turn came, if that was
    later than the start of the delivery.
    """

    channel: Channel
    state: ContactState = "due"
    next_at: int | None = None
    attempts: int = 0
    reference: str = ""
    since: int | None = None


class KnownContact(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    What is known of one contact of a registrant, across registrations.

    `asked_at` is when a code was last sent to it, `verified_at` when it was last verified, `ask_at` when a code is to be sent
    again. `silent` after an opt-out; `started_at` is when the latest START was sent from it. `failed` if the last attempt there failed
    permanently.
    """

    asked_at: int | None = None
    verified_at: int | None = None
    ask_at: int | None = None
    silent: bool = False
    failed: bool = False
    started_at: int = 0


class Reply(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A reply without a keyword, until a reviewer has read it; `sealed` is the encrypted text."""

    review_id: str
    channel: Channel
    address: str
    since: int
    sealed: bytes = b""


class Registrant(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="registrant"):
    """
    Everything stored about one registrant: registrations by id, contacts by name, and what waits.

    `under_way` lists the latest deliveries that may need further attempts, by the part of their state key after the registrant.
    `purge_at` is when `vn.keys` is written to once more after the registrant's key was destroyed there. `pages` are the numbers of
    the pages on which more waits (pages.py).
    """

    registrant_id: str
    registrations: dict[str, KnownRegistration] = {}
    pending: tuple[Pending, ...] = field(name="waiting", default=())
    contacts: dict[str, KnownContact] = {}
    under_way: tuple[str, ...] = ()
    replies: tuple[Reply, ...] = ()
    purge_at: int | None = None
    pages: tuple[int, ...] = ()

    def in_force(self, at: int) -> list[KnownRegistration]:
        """Return the registrations in force."""
        return [each for each in self.registrations.values() if each.in_force(at)]


class PendingPage(Struct, frozen=True, gc=False, tag="waiting_page"):
    """One page of what waits for a registrant."""

    pending: tuple[Pending, ...] = field(name="waiting")


class Delivery(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag="sent"):
    """
    One message on its way to a registrant's contacts; attempts by reference, contacts by name.

    `content` says what is told: the notices (news), or something about `registration_id`; a confirmation also tells the `standing` of
    the offender. `result` is the first final outcome. The notices are dropped once no further attempt can follow. `ori` is the agency
    whose messages are told, `traces` are the agency's own traces, by message id. The delivery is forgotten at `forget_at`, when no
    more receipts can arrive.
    """

    attempts: dict[str, Attempt]
    forget_at: int
    notification_id: str = ""
    content: Content = "news"
    notices: tuple[Notice, ...] = ()
    registration_id: str = ""
    created_at: int = 0
    emergency: bool = False
    contacts: dict[str, ContactProgress] = {}
    result: Result | None = None
    ori: str | None = None
    traces: dict[str, str] = {}
    standing: OffenderStanding | None = None

    @property
    def scope(self) -> Scope:
        """The scope for which settings are looked up."""
        return self.notices[0].scope if self.notices else EVERYWHERE

    @property
    def message_ids(self) -> tuple[str, ...]:
        """Return the submissions told; for a message about a registration, the registration."""
        return tuple(dict.fromkeys([notice.message_id for notice in self.notices])) or (self.registration_id,)


State = Registrant | Delivery | PendingPage

PAGE_MARK: Final = "\v"  # between a registrant's key and a page number; no id contains it
NOTIFICATION_DIGITS: Final = 12  # hex digits of the notification's id with which a reference begins, after the registrant


def delivery_key(registrant_id: str, reference: str) -> str:
    """
    Return the state key of a delivery, from an attempt's reference or a notification's id.

    Ids contain only printable characters, so that no registrant's key equals that of a delivery.
    """
    return f"{registrant_id}\t{reference.rpartition('.')[2][:NOTIFICATION_DIGITS]}"


def registrant_of(key: str) -> str:
    """Return the registrant that a state key belongs to."""
    return key.partition("\t")[0].partition(PAGE_MARK)[0]


def deadline(state: State) -> int | None:
    """Return the earliest time at which something is due or forgotten."""
    if isinstance(state, Delivery):
        due = [each.next_at for each in state.contacts.values() if each.next_at is not None]
        return min(due) if due else state.forget_at
    due = [pending.due_at for pending in state.pending]
    if isinstance(state, PendingPage):
        return min(due)
    for each in state.registrations.values():
        if each.confirm_at is not None:
            due.append(each.confirm_at)
        if each.forget_at is not None:
            due.append(each.expires_at if each.status != "expired" and each.expires_at is not None else each.forget_at)
    due += [each.ask_at for each in state.contacts.values() if each.ask_at is not None]
    due += [state.purge_at] if state.purge_at is not None else []
    return min(due) if due else None


def is_urgent(state: State) -> bool:
    """Whether an emergency is pending or under way; after an outage, its attempts are sent before any others."""
    if isinstance(state, Delivery):
        return state.emergency and any(each.next_at is not None for each in state.contacts.values())
    return any(each.emergency for each in state.pending)
