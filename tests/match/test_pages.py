"""An offender of great public interest: 100,000 registrations, and all of them told of an event."""

import pytest

from processors.domain.registration import Enrolment
from processors.match import pages
from processors.match.decide import STAGE
from processors.topics import CONFIRMED, NOTIFICATIONS
from tests.many import MANY, ManyRecords
from tests.match.scene import DAY, NOON, OFFENDER, Scene

FEW = 5
COUNT = 23


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "REGISTRATIONS", FEW)
    monkeypatch.setattr(pages, "REGISTRANTS", FEW)


def enrolled(**more: int) -> Scene:
    scene = Scene()
    for number in range(COUNT):
        scene.enrol(f"r{number}", f"p{number}", **more)
    return scene


@pytest.mark.usefixtures("small_pages")
def test_a_long_list_of_registrations_is_told_as_a_short_one_is() -> None:
    scene = enrolled()
    assert len(scene.documents) > COUNT / FEW, "it is in pages"
    assert scene.tell("m1") == {each: (each.replace("p", "r"),) for each in sorted(f"p{number}" for number in range(COUNT))}
    scene.enrol("r7", "p7", ended=True)
    scene.enrol("r8", "p8", case_numbers=("CR-1",))
    told = scene.tell("m2", case_number="CR-2")
    assert len(told) == COUNT - 2
    assert not {"p7", "p8"} & told.keys()


@pytest.mark.usefixtures("small_pages")
def test_a_change_and_a_cancellation_go_to_everyone_who_was_told_and_nothing_is_left() -> None:
    scene = enrolled()
    before = len(scene.documents)
    assert len(scene.tell("m1")) == COUNT
    there = len(scene.documents)
    assert there > before + COUNT / FEW, "those told are in pages"
    assert len(scene.tell("m2", root="m1", telling="change")) == COUNT
    assert len(scene.documents) == there
    assert len(scene.tell("m3", root="m1", telling="cancellation", operation="Cancel")) == COUNT
    assert len(scene.documents) == before


@pytest.mark.usefixtures("small_pages")
def test_registrations_of_a_long_list_expire_page_by_page() -> None:
    scene = enrolled(expires_at=NOON + DAY)
    scene.advance(2 * DAY)
    assert len(scene.documents) == 1, "only the number of pages is left"
    assert scene.tell("m1", received_at=scene.now) == {}
    scene.enrol("r1", "p1")
    assert scene.tell("m2", received_at=scene.now) == {"p1": ("r1",)}


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_hundred_thousand_registrations_for_one_offender() -> None:
    many = ManyRecords(STAGE, CONFIRMED.name, OFFENDER)
    many.feed(
        Enrolment(offender=OFFENDER, seq=number, received_at=NOON, registration_id=f"registration-{number}", registrant_id=f"p{number}")
        for number in range(MANY)
    )
    many.check_linear()
    (told,) = many.feed([Scene().event("m1", seq=MANY + 1)])
    assert sum(each.topic is NOTIFICATIONS for each in told.outputs) == MANY
