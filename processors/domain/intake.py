"""What the front door let in: one record a message, in the one order that everything after keeps."""

from typing import Literal

from msgspec import Struct

Kind = Literal["submission", "registration", "removal", "receipt", "review_action"]


class Intake(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """
    One accepted message of any kind.

    `message_id` is the submission's, registration's or review's id, or the receipt's reference. `received_at` is the
    broker's time of the original record. `body` is the JSON of the checked Submission, Registration, Receipt or
    ReviewAction (of a removal: empty). For submissions `action_at`, `past_from` and `date_only` are as in Event, and
    `notes` names the fields that were ignored.
    """

    kind: Kind
    message_id: str
    received_at: int
    body: bytes = b""
    action_at: int = 0
    past_from: int = 0
    date_only: bool = False
