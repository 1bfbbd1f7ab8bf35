"""Published data about offenders (names, numbers, status, location), and who is never shown to the public."""

from typing import Final

from msgspec import Struct

from processors.domain.person import Identifier, Name

CLAIMED: Final = "review_claimed"  # audit log: a reviewer claimed a review, or gave it back
UNCLAIMED: Final = "review_unclaimed"


class KnownPerson(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    An offender's names as agencies wrote them, newest last, with numbers and years of birth. The key is the offender's key.

    `into` is the offender that this one was merged into; the other fields are then empty.
    """

    offender: str
    names: tuple[Name, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    birth_years: tuple[str, ...] = ()
    into: str | None = None


class OffenderStanding(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    An offender's current status and location, by the latest actions that took effect. The key is the offender's key.

    `status` and `kind` (of location) are spelled as in the rules, each with the time of the action that set it; `jurisdiction` is
    that of the latest of these actions. `sending_state` and `receiving_state` are those of the compact case with the latest step;
    `transferred` means that its transfer is completed and the case is open. `confidential` offenders are never shown to the
    public: the rules mark the kind of location or agency as confidential.
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
    """A person who is never shown to the public. The key is an identifier in comparable form, such as SID:VA7700123."""

    identifier: str
    reason: str
    hidden_by: str
    set_at: int


class StaffAction(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """An entry of the audit log: what a staff member did or viewed (such as masked contacts), to what `subject`, and why."""

    person: str
    action: str
    subject: str
    at: int
    reason: str = ""
