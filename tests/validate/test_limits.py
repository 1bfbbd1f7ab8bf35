"""More messages about one offender than may wait or be in review: the agency with the most loses its oldest, with a verdict."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from processors.domain import limits
from processors.domain.event import Event
from processors.topics import DISTINCT, TALLY
from processors.validate.decide import STAGE
from tests.many_records import MANY, ManyRecords
from tests.validate.scene import OFFENDER, Scene, escape, event, intake, jail_release, jailed, ms, outcome_of

FEW = 3


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_WAITING", FEW)
    monkeypatch.setattr(limits, "MAX_IN_REVIEW", FEW)
    monkeypatch.setattr(limits, "CLOSED_AT_ONCE", 1)


def too_far_ahead(number: int, **more: str) -> Event:
    return event("Court", "Court Hearing", "Hearing Notice", f"2028-01-{number + 1:02} 09:00", received="2026-11-20 09:00", **more)


@pytest.mark.usefixtures("small")
def test_the_oldest_review_beyond_the_room_is_closed_and_its_agency_hears_of_it() -> None:
    scene = Scene()
    scene.receive(too_far_ahead(0, ori="VA0020000"))
    for number in range(1, FEW + 2):
        scene.receive(too_far_ahead(number))
    assert scene.verdict("m1").reason == "too_far_ahead", "the other agency's stays"
    assert outcome_of(scene.verdict("m2")) == ("suppressed", "crowded_out")
    assert scene.verdict("m2").reason == "crowded_out"
    states = {each.message_id: each.state for each in scene.reviews.values()}
    assert states["m2"] == "discarded"
    assert states["m1"] == states["m5"] == "open"
    assert len(scene.known.pending) == FEW
    assert [each.result for each in scene.written(TALLY)] == ["failed"] * 2
    assert len(scene.documents) == FEW + 1


@pytest.mark.usefixtures("small")
def test_of_those_that_wait_the_oldest_is_decided_as_at_the_end_of_its_hold() -> None:
    """A release to another facility waits eight hours for the intake there, and is then told."""
    scene = Scene()
    scene.receive(jailed())
    for number in range(FEW + 1):
        release = jail_release(f"2026-11-20 08:0{number}")
        assert scene.receive(replace(release, action_at=ms("2026-11-20 08:00"), past_from=ms("2026-11-20 08:00"))).reason == "transfer_hold"
    assert scene.told == ["Intake", "Release"]
    assert scene.confirmed[-1].message_id == "m2"
    assert (scene.confirmed[-1].held_until or 0) <= ms("2026-11-20 08:03"), "not a time that has not come"
    assert sum(each.review_id is None for each in scene.known.pending) == FEW


def contradictions(count: int) -> Iterator[Event]:
    """An escape, and many more of somebody who has escaped already."""
    yield replace(intake("2026-11-20 09:00"), seq=1, message_id="m1")
    first = escape("2026-11-20 10:00")
    for number in range(2, count):
        yield replace(first, seq=number, message_id=f"m{number}")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_thousand_messages_about_one_offender_that_are_flagged() -> None:
    many = ManyRecords(STAGE, DISTINCT.name, OFFENDER)
    results = many.feed(contradictions(MANY))
    many.check_linear()
    assert many.largest < 1_000_000
    said = [each.reason for result in results for each in result.verdicts]
    assert said.count("status_transition") == MANY - 3
    assert MANY - limits.MAX_IN_REVIEW <= said.count("crowded_out") <= MANY - limits.MAX_IN_REVIEW + limits.CLOSED_AT_ONCE
