"""A reviewer's commands: the records that they send, processed by the stages in memory."""

from collections.abc import Iterable
from typing import Any

import pytest

from processors.cli import review
from processors.domain.review import ReviewAction
from processors.pipeline import PIPELINE
from processors.rules.load import load_rules
from processors.runtime.decide.driver import PipelineDriver
from processors.runtime.errors import UsageError, UserError
from processors.topics import DEAD_LETTERS, Topic
from tests.stories.builders import submission


class Desk:
    """A client of the pipeline in memory, in place of one of the broker."""

    def __init__(self, driver: PipelineDriver) -> None:
        self._driver = driver
        self.codec = driver.codec

    def table(self, topic: Topic) -> dict[str, Any]:
        return self._driver.latest(topic)

    def send(self, topic: Topic, records: Iterable[tuple[str | None, bytes | None]]) -> None:
        for key, value in records:
            self._driver.send(topic, value, key)


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> PipelineDriver:
    """A pipeline that holds the last three of four messages of one kind, as one group."""
    made = PipelineDriver(PIPELINE, load_rules(), bytes(range(64)))
    monkeypatch.setattr(review, "UserClient", lambda _: Desk(made))
    made.set_policy("surge.limit", "1/10m")
    made.submit(*(submission(offenders=[{"identifiers": [{"scheme": "SID", "value": f"VA{number}"}]}]) for number in range(4)))
    return made


@pytest.mark.parametrize(("command", "state"), [(review.release, "released"), (review.discard, "discarded")])
def test_a_group_is_settled_as_one(driver: PipelineDriver, capsys: pytest.CaptureFixture[str], command: Any, state: str) -> None:
    held = driver.reviews()
    (group,) = {each.group for each in held}
    command(None, reason="a test of the jail's system", group=group, reviewer="desk 2")
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(each.review_id for each in held)
    assert driver.records(DEAD_LETTERS) == []
    settled = driver.reviews(state)
    assert {each.review_id for each in settled} == {each.review_id for each in held}
    assert {(each.reviewer, each.comment) for each in settled} == {("desk 2", "a test of the jail's system")}
    with pytest.raises(UserError, match="no open review belongs to group"):
        command(None, reason="again", group=group, reviewer="desk 2")


def test_one_review_is_settled_by_its_id_and_only_once(driver: PipelineDriver) -> None:
    first, *others = driver.reviews()
    review.discard(first.review_id, reason="sent twice", group=None, reviewer=None)
    assert driver.reviews() == others
    with pytest.raises(UserError, match="is discarded already"):
        review.release(first.review_id, reason="after all", group=None, reviewer=None)


def test_an_action_is_about_one_review_or_one_group() -> None:
    with pytest.raises(UsageError, match="not both"):
        review.release("X", reason="r", group="G", reviewer=None)
    with pytest.raises(UsageError, match="name a review, or --group"):
        review.release(None, reason="r", group=None, reviewer=None)
    with pytest.raises(UserError, match="there is no review X"):
        review.matching_reviews(ReviewAction(action="release", reason="r", reviewer="a", review_id="X"), [])
