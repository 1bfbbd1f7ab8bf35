"""Check a reviewer's action: on one review or on a group, by a named reviewer, for a reason."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from processors.domain.review import ReviewAction
from processors.ingest.read.document import convert, fields_of
from processors.ingest.read.ids import check_id
from processors.ingest.read.rejection import Rejection
from processors.ingest.read.submission import unknown_code

ACTIONS: Final = frozenset({"release", "discard"})


class SentAction(msgspec.Struct, frozen=True):
    """An action as it was sent."""

    action: str
    reason: str
    reviewer: str
    review_id: str | None = None
    group: str | None = None


SHAPE: Final = fields_of(SentAction)


def check(document: Mapping[str, Any], received_at: int) -> ReviewAction:
    """Return the action with its receive time; raises Rejection where it names nothing or nobody."""
    form = convert(document, SentAction, {})
    if form.action not in ACTIONS:
        raise unknown_code("review action", form.action)
    if (form.review_id is None) == (form.group is None):
        raise Rejection("bad_review_action", "A review action names either one review or one group.")
    check_id("review_id", form.review_id or "-")
    check_id("group", form.group or "-")
    return msgspec.convert(msgspec.to_builtins(form) | {"received_at": received_at}, ReviewAction)
