"""More events of one offender than the limit: the largest feed loses its oldest events, and nobody is missed."""

from collections.abc import Iterator

import pytest

from processors.dedupe import limits
from processors.dedupe.decide import STAGE
from processors.domain import limits as shared
from processors.domain.event import Event
from processors.topics import EVENTS, TALLY
from tests.dedupe.scene import DAY, HEARING, MINUTE, NOON, OFFENDER, Scene
from tests.many_records import ManyRecords

FEW = 30  # of room: ten events of one message each


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_SIZE", FEW)
    monkeypatch.setattr(shared, "MAX_WAITING", 3)
    monkeypatch.setattr(shared, "MAX_IN_REVIEW", 3)
    monkeypatch.setattr(shared, "CLOSED_AT_ONCE", 1)


def flood(scene: Scene, count: int, **more: str) -> list[str]:
    return [line for number in range(count) for line in scene.add(f"f{number}", action_at=HEARING + number * MINUTE, **more)]


@pytest.mark.usefixtures("small")
def test_a_flood_of_one_agency_pushes_out_only_its_own_oldest() -> None:
    scene = Scene()
    scene.add("other", ori="VA0020000")
    said = flood(scene, 20)
    assert "f19 noted crowded_out" in said
    assert scene.verdicts[-1].reason == "crowded_out"
    assert sum(map(limits.size, scene.known.events)) <= FEW
    assert "copy suppressed duplicate" in scene.add("copy", ori="VA0020000"), "the other agency's event is known"
    assert scene.add("f19", action_at=HEARING + 19 * MINUTE) == ["f19 suppressed duplicate"]
    assert len(scene.documents) == len(scene.known.events) + 1, "the messages of the forgotten events are forgotten"


@pytest.mark.usefixtures("small")
def test_what_was_forgotten_is_told_again_and_its_cancellation_goes_to_a_reviewer() -> None:
    scene = Scene()
    flood(scene, 20)
    assert scene.cancel("c0", "f0") == ["c0 waiting out_of_order_hold"]
    assert scene.later(15 * MINUTE) == ["c0 flagged unknown_reference"]
    assert "again passed first_sighting" in scene.add("again", action_at=HEARING + MINUTE)


@pytest.mark.usefixtures("small")
def test_a_held_cancel_that_is_pushed_out_is_told_at_once() -> None:
    scene = Scene()
    for number in range(12):
        scene.add(f"m{number}", action_at=HEARING + number * MINUTE)
        scene.cancel(f"c{number}", f"m{number}")
    told = [message for telling, message, _ in scene.told if telling == "cancellation"]
    assert told, "before their fifteen minutes are over"
    assert sum(map(limits.size, scene.known.events)) <= FEW + limits.HELD_CANCEL_SIZE + 3
    scene.later(15 * MINUTE)
    told = [message for telling, message, _ in scene.told if telling == "cancellation"]
    assert sorted(told) == sorted(f"c{number}" for number in range(12)), "each once"


@pytest.mark.usefixtures("small")
def test_of_those_that_wait_for_an_earlier_one_the_oldest_goes_to_a_reviewer_before_its_time() -> None:
    scene = Scene()
    for number in range(4):
        scene.update(f"u{number}", f"unknown-{number}")
    assert scene.later(0) == ["u0 flagged unknown_reference"]
    assert scene.review("release")[1:] == ["u0 noted released", "u0 passed first_sighting"] or scene.told == [("news", "u0", "unknown-0")]


@pytest.mark.usefixtures("small")
def test_the_oldest_review_beyond_the_room_is_closed_and_its_agency_hears_of_it() -> None:
    scene = Scene()
    for number in range(3):
        scene.update(f"u{number}", f"unknown-{number}")
    scene.later(15 * MINUTE)
    assert scene.add("m1") == ["u0 suppressed crowded_out", "m1 passed first_sighting"]
    assert [each.state for each in scene.reviews if each.message_id == "u0"] == ["open", "discarded"]
    assert [each.result for each in scene.written(TALLY)] == ["failed"]
    assert len([each for each in scene.known.waiting if each.review_id is not None]) == 2


def messages(count: int) -> Iterator[Event]:
    scene = Scene()
    for number in range(count):
        yield scene.event(f"m{number}", action_at=HEARING + number * MINUTE, past_from=HEARING + DAY, received_at=NOON)


@pytest.mark.slow
def test_messages_about_one_offender_many_times_what_there_is_room_for() -> None:
    count = 20 * limits.MAX_SIZE
    many = ManyRecords(STAGE, EVENTS.name, OFFENDER)
    results = many.feed(messages(count))
    many.check_linear()
    assert many.largest < 1_000_000
    assert sum(each.reason == "first_sighting" for result in results for each in result.verdicts) == count
