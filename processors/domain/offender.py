"""What is published of an offender: names and numbers, status and place; and who is never shown to the public."""

from typing import Final

from msgspec import Struct

from processors.domain.person import Identifier, Name

CLAIMED: Final = "review_claimed"  # what is logged of a reviewer who takes a review on, and gives it back
UNCLAIMED: Final = "review_unclaimed"


class KnownPerson(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    One offender as agencies wrote their names, newest last, with their numbers and years of birth; key is the offender.

    `into` is the offender that this one was merged into; then the other fields are empty.
    """

    offender: str
    names: tuple[Name, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    birth_years: tuple[str, ...] = ()
    into: str | None = None


class OffenderStanding(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    An offender's status and place by the latest actions that took effect; key is the offender.

    `status` and `kind` (of place) are the rules' names, each with the time of the action that brought it about; `jurisdiction`
    is that of the latest of these actions. The states are those of the compact case with the latest step; `transferred`
    says that its transfer is completed and the case is open. `confidential` offenders are never shown to the public,
    because of a kind of place or of agency that the rules say so of.
    """

    offender: str
    status: str | None = None
    status_since: int | None = None
    kind: str | None = None
    kind_since: int | None = None
    jurisdiction: str | None = None
    sending_state: str | None = None
    receiving_state: str | None = None
    transferred: bool = False
    confidential: bool = False


class HiddenPerson(Struct, frozen=True, gc=False, kw_only=True):
    """A person who is never shown to the public, by an identifier as it compares, such as SID:VA7700123; that is the key."""

    identifier: str
    reason: str
    hidden_by: str
    set_at: int


class StaffAction(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """An entry of the audit log: what a member of staff did or viewed, such as masked contacts, and why; `subject` is what it was about."""

    person: str
    action: str
    subject: str
    at: int
    reason: str = ""
