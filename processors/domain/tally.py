"""
The records from which the one response to a submission is computed (contract §5, Responses).

A submission has `leaves` parts, one for each event that identify made of it. Every part ends once: without a notification, or
with a number of registrants, each of whom is reached or not. `submission` identifies the submission: its offset in
`vn.intake`, or, if `read` refused it, its topic, partition and offset.
"""

from typing import Literal

from msgspec import Struct

TallyResult = Literal["reached", "nobody", "failed", "copy"]


class PartEnded(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    The end of a submission's part that has no registrants of its own.

    `result` is `nobody` if there was nobody to notify, `failed` if it was refused or discarded, `copy` if it is a copy of a message
    with the same id (which is answered only once), and `reached` if it repeats a submission whose registrants were all reached.
    """

    submission: str
    message_id: str
    ori: str
    leaves: int
    received_at: int
    result: TallyResult
    jurisdiction: str | None = None
    notification_type: str | None = None
    event_subtype: str | None = None
    trace: str | None = None


class PartMatched(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The number of registrants to be notified of a submission's part."""

    submission: str
    message_id: str
    ori: str
    leaves: int
    received_at: int
    registrants: int
    jurisdiction: str | None = None
    notification_type: str | None = None
    event_subtype: str | None = None
    trace: str | None = None


class RegistrantTold(Struct, frozen=True, gc=False, kw_only=True):
    """The first final outcome of one registrant's notification of one part of a submission."""

    submission: str
    received_at: int
    result: TallyResult


class PartRepeated(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A part of the submission `repeated_by` is the same event as a part of `submission`, and gets the same answer."""

    submission: str
    received_at: int
    repeated_by: str
    message_id: str
    ori: str
    leaves: int
    jurisdiction: str | None = None
    notification_type: str | None = None
    event_subtype: str | None = None
    trace: str | None = None
