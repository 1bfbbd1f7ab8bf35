"""What is published of an agency's activity: its newest message at most once a minute, and the end of a silence at once."""

from processors.domain.agency import AgencyHeard
from processors.domain.intake import Intake
from processors.ingest.identify.silence import note_activity
from processors.ingest.identify.state import AgencyActivity
from processors.rules.load import load_rules
from processors.stage import Context
from processors.topics import AGENCIES
from tests.one_stage import SEAL

CONTEXT = Context(load_rules(None), SEAL)
AT = 1_793_628_000_000
AGENCY = ("VA0430000", "VA")


def intake(message_id: str, at: int) -> Intake:
    return Intake(kind="submission", message_id=message_id, received_at=at, body=b"{}")


def published(before: AgencyActivity | None, message_id: str, at: int) -> tuple[list[AgencyHeard], AgencyActivity]:
    decision = note_activity({} if before is None else {"a": before}, "a", intake(message_id, at), AGENCY, CONTEXT)
    after = decision.states["a"]
    assert isinstance(after, AgencyActivity)
    return [each.value for each in decision.outputs if each.topic is AGENCIES and isinstance(each.value, AgencyHeard)], after


def test_an_agency_is_published_at_most_once_a_minute() -> None:
    first, known = published(None, "M-1", AT)
    assert [(each.ori, each.message_id, each.heard_at) for each in first] == [("VA0430000", "M-1", AT)]
    second, known = published(known, "M-2", AT + 59_999)
    assert second == []
    third, _ = published(known, "M-3", AT + 60_000)
    assert [each.message_id for each in third] == ["M-3"]


def test_a_message_that_came_in_before_the_newest_sets_nothing_back() -> None:
    _, known = published(None, "M-1", AT)
    again, known = published(known, "M-0", AT - 5_000)
    assert again == []
    assert known.at == AT
