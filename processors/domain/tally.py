"""
The records from which the one response to a submission is computed (contract §5, Responses).

A submission has one part for each event that identify made of it (`leaves`), and every part ends once: without a
notification, or with a number of registrants, each of whom is reached or not. `submission` names it: its offset in
`vn.intake`, or, if `read` refused it, its position in the topic it came by.
"""

from typing import Literal

from msgspec import Struct

TallyResult = Literal["reached", "nobody", "failed", "copy"]


class PartEnded(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """
    A part of a submission ended.

    `nobody` was to be told; it `failed`, refused or discarded; it is a `copy` of a message sent before under the same id,
    which is answered once; or it repeats another submission, all of whose registrants were `reached`.
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
    """A part of a submission is to be told to so many registrants."""

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
    """One registrant's notification of one part of a submission has its first final outcome."""

    submission: str
    received_at: int
    result: TallyResult


class PartRepeated(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A part of the submission `repeated_by` is the same event as a part of `submission`, and is answered as that one is."""

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
