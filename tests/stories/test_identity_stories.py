"""People whose numbers are linked late, through the whole pipeline (contract §3.2)."""

from datetime import timedelta
from itertools import pairwise, permutations
from typing import Any

import pytest

from processors.deliver.answer.decide import DELIVERED
from processors.pipeline import PIPELINE
from processors.rules.rule_set import Rules
from processors.runtime.decide.driver import PipelineDriver
from processors.topics import RESPONSES
from tests.examples import quarter
from tests.stories.builders import registration, submission
from tests.stories.conftest import KEY

HOUR = timedelta(hours=1)
AGENCIES = {
    "jail": {"ori": "VA0430000", "name": "Riverside Jail", "state": "VA"},
    "prison": {"ori": "VADOC0001", "name": "Virginia DOC", "state": "VA"},
    "compact": {"ori": "VAICOTS01", "name": "Virginia Interstate Compact", "state": "VA"},
    "federal": {"ori": "VAFED0001", "name": "Federal Attorney", "state": "VA"},
}


def person(*identifiers: str, **described: Any) -> dict[str, Any]:
    numbers = [dict(zip(("scheme", "value"), each.split(":"), strict=True)) for each in identifiers]
    return {"identifiers": numbers, **described}


def told(driver: PipelineDriver) -> list[tuple[str, tuple[str, ...]]]:
    """Return to whom which messages were told, once a notification."""
    return sorted({(each.registrant_id, tuple(each.message_ids)) for each in driver.outbound() if each.kind == "notification"})


@pytest.mark.parametrize("order", quarter(permutations(range(4))))
def test_four_agencies_know_one_person_by_numbers_that_meet_late(rules: Rules, order: tuple[int, ...]) -> None:
    """Whoever registered under whichever number hears of every event after the numbers met, once; nobody hears anything twice."""
    driver = PipelineDriver(PIPELINE, rules, KEY)
    numbers = ("SID:VA7700123", "DOC:0733210", "ICOTS:1203344", "FBI:551234AB1")
    agencies = [AGENCIES[each] for each in ("jail", "prison", "compact", "federal")]
    for each in order:
        driver.submit(submission(message_id=f"FIRST-{each}", agency=agencies[each], offenders=[person(numbers[each])], remarks="before"))
    driver.advance(HOUR)
    driver.register(*(registration(f"R-{each}", offender=person(numbers[each], birth_date="1979-02-11")) for each in range(4)))
    driver.advance(HOUR)
    for one, other in pairwise(order):
        driver.submit(
            submission(
                message_id=f"MEET-{one}{other}",
                event_subtype="Recapture" if (one + other) % 2 else "Release",
                action_at="2026-11-02T13:30:00-05:00",
                agency=agencies[one],
                offenders=[person(numbers[one], numbers[other])],
                notification_subtypes=[{"subtype": "Do Not Validate", "validations": ["Date"]}],
            )
        )
    driver.advance(HOUR)
    before = told(driver)
    assert len(before) == len(set(before))
    driver.submit(
        submission(
            message_id="ALL",
            action_at="2026-11-02T14:30:00-05:00",
            offenders=[person(numbers[order[0]])],
            notification_subtypes=[{"subtype": "Do Not Validate", "validations": ["Date"]}],
        )
    )
    driver.advance(HOUR)
    assert [each for each in told(driver) if each not in before] == [(f"R-{each}", ("ALL",)) for each in range(4)]
    assert driver.reviews() == []


def test_an_event_told_under_the_one_key_is_not_told_again_under_the_other(driver: PipelineDriver) -> None:
    driver.register(registration("R-1", offender=person("SID:VA7700123", "FBI:551234AB1")))
    escape = submission(message_id="A", offenders=[person("SID:VA7700123")])
    driver.submit(escape)
    driver.submit(submission(message_id="OTHER", event_subtype="Intake", offenders=[person("FBI:551234AB1")]))
    driver.advance(HOUR)
    driver.submit({**escape, "message_id": "B", "offenders": [person("SID:VA7700123", "FBI:551234AB1")]})
    driver.submit({**escape, "message_id": "C", "offenders": [person("FBI:551234AB1")]})
    driver.advance(HOUR)
    assert [each for each in told(driver) if each[1] != ("OTHER",)] == [("R-1", ("A",))]


def test_a_reviewer_decides_what_the_evidence_leaves_open(driver: PipelineDriver) -> None:
    carl = person("SID:VA1", "FBI:551234AB1", name={"given": "Carl", "sur": "Muster"}, birth_date="1988-01-09")
    dana = person("SID:VA2", "FBI:551234AB1", name={"given": "Dana", "sur": "Other"}, birth_date="1965-07-30")
    driver.register(registration("R-CARL", offender=person("SID:VA1")), registration("R-DANA", offender=person("SID:VA2")))
    driver.submit(submission(message_id="A", offenders=[carl]))
    driver.submit(submission(message_id="B", offenders=[dana]))
    driver.advance(HOUR)
    assert told(driver) == [("R-CARL", ("A",)), ("R-DANA", ("B",))]
    (review,) = driver.reviews()
    assert review.reason == "identity_conflict"
    driver.review("release", review.review_id)
    driver.submit(submission(message_id="C", event_subtype="Recapture", action_at="2026-11-02T12:30:00-05:00", offenders=[dana]))
    driver.advance(HOUR)
    assert [each for each in told(driver) if each[1] == ("C",)] == [("R-CARL", ("C",)), ("R-DANA", ("C",))]


ESCAPED = {"name": {"given": "Carl", "sur": "Muster"}, "birth_date": "1988-01-09"}
MISTYPED = {"name": {"given": "Karel", "sur": "Munster"}, "birth_date": "1988-09-01"}


def conflict(driver: PipelineDriver) -> str:
    """Tell R-1 of an escape, send the recapture with a wrong name and birth date, and return the review that it opens."""
    driver.register(registration("R-1", offender=person("SID:VA1")))
    driver.submit(submission(message_id="A", offenders=[person("SID:VA1", **ESCAPED)]))
    driver.submit(recapture("B", person("SID:VA1", **MISTYPED)))
    driver.advance(HOUR)
    (review,) = driver.reviews()
    assert (review.reason, told(driver)) == ("identity_conflict", [("R-1", ("A",))])
    return review.review_id


def recapture(message_id: str, offender: dict[str, Any], **more: Any) -> dict[str, Any]:
    return submission(message_id=message_id, event_subtype="Recapture", action_at="2026-11-02T12:30:00-05:00", offenders=[offender], **more)


def answered(driver: PipelineDriver) -> list[str]:
    """Return the messages that were answered as delivered, in order."""
    return [each.message_id for each in driver.records(RESPONSES) if each.event_subtype == DELIVERED]


def test_what_a_conflict_kept_from_a_registrant_is_told_once_it_is_released(driver: PipelineDriver) -> None:
    review = conflict(driver)
    assert answered(driver) == ["A"]
    driver.review("release", review)
    driver.submit(recapture("C", person("SID:VA1", **ESCAPED)))
    driver.advance(HOUR)
    assert told(driver) == [("R-1", ("A",)), ("R-1", ("B",))]
    assert sorted(answered(driver)) == ["A", "B", "C"]


def test_a_discarded_conflict_tells_nobody_more_and_is_answered(driver: PipelineDriver) -> None:
    driver.review("discard", conflict(driver))
    driver.advance(HOUR)
    assert told(driver) == [("R-1", ("A",))]
    assert answered(driver) == ["A", "B"]


def test_what_was_sent_again_correctly_before_the_release_is_not_told_twice(driver: PipelineDriver) -> None:
    review = conflict(driver)
    driver.submit(recapture("C", person("SID:VA1", **ESCAPED)))
    driver.advance(HOUR)
    assert told(driver) == [("R-1", ("A",)), ("R-1", ("C",))]
    driver.review("release", review)
    driver.advance(HOUR)
    assert told(driver) == [("R-1", ("A",)), ("R-1", ("C",))]
    assert sorted(answered(driver)) == ["A", "B", "C"]


def test_what_was_cancelled_before_the_release_is_not_told(driver: PipelineDriver) -> None:
    review = conflict(driver)
    driver.submit(recapture("X", person("SID:VA1", **MISTYPED), operation="Cancel", refers_to="B"))
    driver.advance(24 * HOUR)
    driver.review("release", review)
    driver.advance(HOUR)
    assert told(driver) == [("R-1", ("A",))]
    assert sorted(answered(driver)) == ["A", "B", "X"]


def test_what_another_stage_asks_about_goes_to_everybody_once_it_is_released_there(driver: PipelineDriver) -> None:
    driver.register(registration("R-1", offender=person("SID:VA1")))
    driver.submit(submission(message_id="A", offenders=[person("SID:VA1", **ESCAPED)]))
    driver.submit(recapture("B", person("SID:VA1", **MISTYPED), location={"kind": "Nowhere known"}))
    driver.advance(HOUR)
    reviews = {each.reason: each.review_id for each in driver.reviews()}
    driver.review("release", reviews.pop("identity_conflict"))
    driver.advance(HOUR)
    assert told(driver) == [("R-1", ("A",))]
    driver.review("release", *reviews.values())
    driver.advance(HOUR)
    assert told(driver) == [("R-1", ("A",)), ("R-1", ("B",))]
    assert sorted(answered(driver)) == ["A", "B"]


def test_a_registration_that_the_merged_person_contradicts_hears_nothing_more(driver: PipelineDriver) -> None:
    driver.submit(submission(message_id="A", offenders=[person("SID:VA1")]))
    driver.submit(submission(message_id="B", event_subtype="Intake", offenders=[person("FBI:551234AB1")]))
    driver.register(registration("R-1", offender=person("SID:VA2", "FBI:551234AB1")))
    both = [person("SID:VA1", "FBI:551234AB1")]
    driver.submit(submission(message_id="C", event_subtype="Recapture", action_at="2026-11-02T12:30:00-05:00", offenders=both))
    driver.advance(HOUR)
    driver.submit(submission(message_id="D", action_at="2026-11-02T13:30:00-05:00", offenders=both))
    driver.advance(HOUR)
    assert told(driver) == []


def test_the_registration_site_hears_while_a_reviewer_is_asked_whom_a_registration_is_for(driver: PipelineDriver) -> None:
    """The day and month of the birth date are swapped: nobody is told on the strength of that."""
    born = {"name": {"given": "Thomas", "sur": "Walker"}, "birth_date": "1979-11-02"}
    driver.register(registration("R-1", registration_id="REG-1", offender=born))
    driver.submit(submission(message_id="M-1"))
    (review,) = driver.reviews()
    assert review.reason == "possible_match"

    def statuses() -> list[str]:
        return [each.status for each in driver.records("registration.status")]

    assert (statuses(), driver.outbound()) == (["active", "possible_match"], [])
    driver.review("release", review.review_id)
    assert statuses() == ["active", "possible_match", "active"]
    driver.submit(submission(message_id="M-2", event_subtype="Recapture", action_at="2026-11-02T11:30:00-05:00"))
    driver.advance(timedelta(days=1))
    assert [each.message_ids for each in driver.outbound() if each.kind == "notification"] == [("M-2",)]
