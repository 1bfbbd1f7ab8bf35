"""Exactly one response a submission, through the whole pipeline (contract §5, Responses)."""

import json
from datetime import timedelta

from processors.runtime.decide.driver import PipelineDriver
from processors.topics import RESPONSES
from tests.stories.builders import registration, submission

DELIVERED, FAILED = "Message Successfully Delivered", "Failed to Deliver Message"


def answers(driver: PipelineDriver) -> list[tuple[str, str]]:
    return [(each.message_id, each.event_subtype) for each in driver.records(RESPONSES)]


def test_if_nobody_is_registered_the_agency_is_answered_at_once(driver: PipelineDriver) -> None:
    driver.submit(submission(message_id="M-1"))
    assert answers(driver) == [("M-1", DELIVERED)]


def test_what_is_refused_at_the_door_is_answered_as_failed(driver: PipelineDriver) -> None:
    driver.submit(submission(message_id="M-1", event_subtype="Knighthood"))
    assert answers(driver) == [("M-1", FAILED)]


def test_what_cannot_be_read_has_nobody_to_answer(driver: PipelineDriver) -> None:
    driver.submit("no message at all")
    assert answers(driver) == []


def test_a_copy_under_the_same_id_is_not_answered_again_and_one_under_another_id_is(driver: PipelineDriver) -> None:
    first = submission(message_id="M-1")
    driver.submit(first, first, submission(message_id="M-2"))
    assert answers(driver) == [("M-1", DELIVERED), ("M-2", DELIVERED)]


def test_what_waits_is_answered_when_it_ends(driver: PipelineDriver) -> None:
    driver.submit(submission(message_id="C-1", operation="Cancel", refers_to="M-1"))
    driver.advance(timedelta(days=1))
    assert answers(driver) == []
    (review,) = driver.reviews()
    driver.review("discard", review.review_id)
    assert answers(driver) == [("C-1", FAILED)]


def test_a_message_response_is_never_answered(driver: PipelineDriver) -> None:
    received = submission(
        message_id="R-1",
        event_type="Message Response",
        event_subtype="Message Successfully Delivered",
        notification_type="Internal",
    )
    driver.submit(received, json.dumps(received | {"offenders": []}))
    assert answers(driver) == []


def test_a_response_names_no_registrant(driver: PipelineDriver) -> None:
    driver.register(registration("Registrant-9"))
    driver.submit(submission(message_id="M-1"))
    driver.advance(timedelta(days=5))
    (response,) = driver.entries(RESPONSES)
    assert response.value is not None
    assert b"Registrant-9" not in response.value
