from typing import Any

import msgspec
import pytest

from processors.domain.review import ReviewAction
from processors.topics import REVIEW_ACTIONS
from tests.ingest.records import NOW, accepted_record, rejection, with_changes

ACTION = {"action": "release", "reason": "looked into", "reviewer": "ann", "review_id": "validate-o0123456789abcdef-0123456789ab"}


def test_an_action_is_taken_with_its_time() -> None:
    found = msgspec.json.decode(accepted_record(ACTION, REVIEW_ACTIONS).body, type=ReviewAction)
    assert found == ReviewAction(**ACTION, received_at=NOW)  # type: ignore[arg-type]
    assert accepted_record(with_changes(ACTION, review_id=None, group="surge-1"), REVIEW_ACTIONS).message_id == "surge-1"


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("unknown_code", {"action": "forget"}),
        ("missing_field", {"reason": " "}),
        ("missing_field", {"reviewer": None}),
        ("bad_review_action", {"review_id": None}),
        ("bad_review_action", {"group": "surge-1"}),
        ("bad_id", {"review_id": "x" * 300}),
    ],
)
def test_an_action_on_nothing_by_nobody_is_refused(reason: str, changes: dict[str, Any]) -> None:
    assert rejection(with_changes(ACTION, **changes), REVIEW_ACTIONS) == reason
