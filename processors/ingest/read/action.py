"""A reviewer's decision as accepted: on one review or on a group, by somebody, for a reason."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from processors.domain.review import ReviewAction
from processors.ingest.read.document import fields, typed
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.submission import check_id, unknown

ACTIONS: Final = frozenset({"release", "discard"})


class SentAction(msgspec.Struct, frozen=True):
    """An action as it was sent."""

    action: str
    reason: str
    reviewer: str
    review_id: str | None = None
    group: str | None = None


SHAPE: Final = fields(SentAction)


def accepted(document: Mapping[str, Any], received_at: int) -> ReviewAction:
    """Return the action with its receive time."""
    form = typed(document, SentAction, {})
    if form.action not in ACTIONS:
        raise unknown("review action", form.action)
    if (form.review_id is None) == (form.group is None):
        raise Rejection("bad_review_action", "A review action names either one review or one group.")
    check_id("review_id", form.review_id or "-")
    check_id("group", form.group or "-")
    return msgspec.convert(msgspec.to_builtins(form) | {"received_at": received_at}, ReviewAction)
