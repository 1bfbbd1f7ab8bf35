"""Exactly one response a submission, once all its parts ended (contract §5, Responses)."""

from typing import Any

import pytest

from processors.deliver.answer.decide import DELIVERED, FAILED, STAGE
from processors.domain.policy import Policy
from processors.domain.tally import PartEnded, PartMatched, PartRepeated, RegistrantTold, TallyResult
from processors.topics import RESPONSES, TALLY
from tests.one_stage import OneStage

NOON = 1_795_348_800_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
OURS = {"message_id": "m1", "ori": "VA0010000", "received_at": NOON, "jurisdiction": "VA"}


class Given(OneStage):
    """Records of the tally, and what was answered, each as (message id, subtype)."""

    def __init__(self, *policies: Policy) -> None:
        super().__init__(STAGE, NOON, policies)

    def ended(self, result: TallyResult = "nobody", *, leaves: int = 1, submission: str = "1", **more: Any) -> None:
        self.put(TALLY, PartEnded(submission=submission, result=result, leaves=leaves, **(OURS | more)), submission)

    def matched(self, registrants: int, *, leaves: int = 1) -> None:
        self.put(TALLY, PartMatched(submission="1", registrants=registrants, leaves=leaves, **OURS), "1")

    def told(self, result: TallyResult = "reached") -> None:
        self.put(TALLY, RegistrantTold(submission="1", received_at=NOON, result=result), "1")

    def repeated(self, by: str = "2", leaves: int = 1) -> None:
        value = PartRepeated(submission="1", repeated_by=by, leaves=leaves, **(OURS | {"message_id": f"m{by}"}))
        self.put(TALLY, value, "1")

    @property
    def answers(self) -> list[tuple[str, str]]:
        return [(each.message_id, each.event_subtype) for each in self.written(RESPONSES)]

    @property
    def passed_on(self) -> list[tuple[str, str]]:
        return [(each.submission, each.result) for each in self.written(TALLY)]


@pytest.mark.parametrize(("result", "subtype"), [("nobody", DELIVERED), ("failed", FAILED), ("reached", DELIVERED)])
def test_a_part_that_ends_without_a_notification_is_answered_at_once(result: TallyResult, subtype: str) -> None:
    given = Given()
    given.ended(result)
    assert given.answers == [("m1", subtype)]
    (response,) = given.written(RESPONSES)
    assert (response.ori, response.event_type, response.notification_type) == ("VA0010000", "Message Response", "Internal")
    assert response.responded_at == NOON


def test_it_is_answered_once_every_registrant_has_an_outcome() -> None:
    given = Given()
    given.matched(2)
    given.told()
    assert given.answers == []
    given.told()
    assert given.answers == [("m1", DELIVERED)]


def test_one_registrant_who_was_not_reached_fails_it() -> None:
    given = Given()
    given.matched(2)
    given.told("failed")
    given.told("reached")
    assert given.answers == [("m1", FAILED)]


def test_an_outcome_may_come_before_the_number() -> None:
    given = Given()
    given.told()
    given.told("nobody")
    assert given.answers == []
    given.matched(2)
    assert given.answers == [("m1", DELIVERED)]


def test_every_part_must_have_ended() -> None:
    given = Given()
    given.matched(1, leaves=3)
    given.told()
    given.ended(leaves=3)
    assert given.answers == []
    given.ended("failed", leaves=3)
    assert given.answers == [("m1", FAILED)]


def test_it_is_answered_once_whatever_comes_after() -> None:
    given = Given()
    given.matched(1)
    given.told()
    given.told("failed")
    given.matched(1)
    assert given.answers == [("m1", DELIVERED)]


def test_a_copy_is_not_answered_again() -> None:
    given = Given()
    given.ended("copy")
    assert given.answers == []
    given.ended("copy", leaves=2, submission="3")
    given.ended("nobody", leaves=2, submission="3")
    assert given.answers == [("m1", DELIVERED)]


@pytest.mark.parametrize(("told", "result"), [("failed", "failed"), ("reached", "reached"), ("nobody", "reached")])
def test_what_repeats_a_submission_ends_as_it_did_before_and_after_it_closed(told: TallyResult, result: str) -> None:
    given = Given()
    given.matched(1)
    given.repeated("2")
    assert given.passed_on == []
    given.told(told)
    assert given.passed_on == [("2", result)]
    given.repeated("3")
    assert given.passed_on == [("2", result), ("3", result)]
    assert len(given.answers) == 1


def test_the_answer_to_what_repeats_is_sent_when_its_end_comes() -> None:
    given = Given()
    given.repeated("2")
    given.ended("failed")
    for each in given.written(TALLY):
        given.put(TALLY, each, each.submission)
    assert given.answers == [("m1", FAILED), ("m2", FAILED)]


def test_a_result_is_kept_for_the_window_and_then_nothing_is() -> None:
    given = Given()
    given.ended("failed")
    given.advance(90 * DAY - 1)
    given.repeated("2")
    assert given.passed_on == [("2", "failed")]
    given.advance(90 * DAY)
    assert given.documents == {}


def test_what_is_open_is_kept_however_long_it_takes() -> None:
    given = Given()
    given.matched(1)
    given.advance(400 * DAY)
    given.told()
    assert given.answers == [("m1", DELIVERED)]


def test_what_repeats_a_submission_that_is_never_heard_of_is_answered_in_the_end() -> None:
    given = Given()
    given.repeated("2")
    given.advance(90 * DAY)
    assert given.passed_on == [("2", "reached")]
    assert given.documents == {}


def test_a_response_may_be_held_and_leaves_at_its_time() -> None:
    given = Given(Policy(key="response.hold", value="1h"))
    given.ended()
    given.advance(HOUR - 1)
    assert given.answers == []
    given.advance(1)
    assert given.answers == [("m1", DELIVERED)]
    (response,) = given.written(RESPONSES)
    assert response.responded_at == NOON + HOUR
    given.advance(DAY)
    assert len(given.answers) == 1


def test_no_agency_is_answered_if_responses_are_off() -> None:
    given = Given(Policy(key="responses", value="false", jurisdiction="VA"))
    given.ended()
    assert given.answers == []
    given.ended(submission="2", jurisdiction="NC")
    assert given.answers == [("m1", DELIVERED)]
