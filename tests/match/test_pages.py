"""An offender of great public interest: 100,000 registrations, all notified of one event."""

from collections import Counter

import pytest

from processors.domain.merge import Merge
from processors.domain.registration import Enrolment
from processors.match import pages
from processors.match.decide import STAGE
from processors.runtime.decide.batch import OUTPUTS_PER_INPUT
from processors.topics import CONFIRMED, NOTIFICATIONS
from tests.many_records import BATCH, CODEC, MANY, ManyRecords
from tests.match.scene import DAY, NOON, OFFENDER, Scene

FEW = 5
COUNT = 23


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "REGISTRATIONS_PER_PAGE", FEW)
    monkeypatch.setattr(pages, "REGISTRANTS_PER_PAGE", FEW)


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
    scene = Scene()
    events = (
        scene.event("m1", seq=MANY + 1),
        scene.event("m2", seq=MANY + 2, root="m1", telling="change"),
        scene.event("m3", seq=MANY + 3, root="m1", telling="cancellation", operation="Cancel"),
    )
    results = many.feed(events)
    while many.task.queue or many.task.timers.next() == NOON:
        results.append(many.decide(watermark=NOON))
    assert max(len(each.outputs) for each in results) < OUTPUTS_PER_INPUT * BATCH + 2 * pages.REGISTRANTS_PER_PAGE
    told = [each for result in results for each in result.outputs if each.topic is NOTIFICATIONS]
    tellings = [CODEC.decode(each.value or b"").event.telling for each in told]
    assert tellings == ["news"] * MANY + ["change"] * MANY + ["cancellation"] * MANY
    for number in range(len(events)):
        assert len({each.key for each in told[number * MANY : (number + 1) * MANY]}) == MANY


@pytest.mark.usefixtures("small_pages")
def test_what_is_said_of_the_offender_while_many_are_being_told_comes_after_it() -> None:
    """A cancellation must not overtake the news, nor an Update the values it changes."""
    scene = enrolled()
    scene.put(CONFIRMED, scene.event("m1"), OFFENDER)
    assert len(scene.written(NOTIFICATIONS)) == FEW, "a page at once"
    scene.put(CONFIRMED, scene.event("m2", root="m1", telling="cancellation", operation="Cancel"), OFFENDER)
    scene.advance(0)
    for number in range(COUNT):
        mine = [each.event.telling for each in scene.written(NOTIFICATIONS) if each.registrant_id == f"p{number}"]
        assert mine == ["news", "cancellation"]


@pytest.mark.usefixtures("small_pages")
def test_who_registers_or_ends_while_many_are_being_told_changes_nothing_of_it() -> None:
    scene = enrolled()
    scene.put(CONFIRMED, scene.event("m1"), OFFENDER)
    scene.enrol("r7", "p7", ended=True)
    scene.enrol("r100", "p100")
    scene.advance(0)
    assert sorted(each.registrant_id for each in scene.written(NOTIFICATIONS)) == sorted(f"p{number}" for number in range(COUNT))


@pytest.mark.usefixtures("small_pages")
def test_news_to_some_of_those_told_before_goes_to_nobody_else() -> None:
    """An event told again under its root: pages of those told before, and not now, are kept and not told."""
    scene = enrolled()
    assert len(scene.tell("m1")) == COUNT
    for number in range(FEW - 1):
        scene.enrol(f"r{number}", f"p{number}", ended=True)
    assert len(scene.tell("m2", root="m1")) == COUNT - FEW + 1
    assert len(scene.tell("m3", root="m1", telling="cancellation", operation="Cancel")) == COUNT


@pytest.mark.usefixtures("small_pages")
def test_a_merge_waits_until_everyone_has_been_told() -> None:
    scene = enrolled()
    scene.put(CONFIRMED, scene.event("m1"), OFFENDER)
    scene.put(CONFIRMED, Merge(offender=OFFENDER, into="o0000000000000000", seq=1_000, received_at=NOON, detail=""), OFFENDER)
    assert len(scene.written(NOTIFICATIONS)) == COUNT
    assert scene.documents == {}


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("lost", range(COUNT // FEW + 2))
def test_killed_while_many_are_told_it_goes_on_where_it_was_and_tells_each_once(lost: int) -> None:
    """One batch is not committed: its outputs and changes are as if they had never been."""
    many = ManyRecords(STAGE, CONFIRMED.name, OFFENDER)
    many.feed(
        Enrolment(offender=OFFENDER, seq=number, received_at=NOON, registration_id=f"r{number}", registrant_id=f"p{number}")
        for number in range(COUNT)
    )
    many.most = 1
    event = many.record(Scene().event("m1", seq=COUNT + 1))
    told: Counter[bytes | None] = Counter()
    for batch in range(COUNT):
        left = [] if told else [event]
        killed = batch == lost
        result = many.decide(left, NOON, killed=killed)
        told.update(each.key for each in result.outputs if each.topic is NOTIFICATIONS and not killed)
    assert len(told) == COUNT
    assert set(told.values()) == {1}


@pytest.mark.usefixtures("small_pages")
def test_a_record_that_waits_for_the_last_page_makes_no_batch_larger() -> None:
    many = ManyRecords(STAGE, CONFIRMED.name, OFFENDER)
    many.feed(
        Enrolment(offender=OFFENDER, seq=number, received_at=NOON, registration_id=f"r{number}", registrant_id=f"p{number}")
        for number in range(COUNT)
    )
    many.most = 1
    scene = Scene()
    news = scene.event("m1", seq=COUNT + 1)
    cancelled = scene.event("m2", seq=COUNT + 2, root="m1", telling="cancellation", operation="Cancel")
    results = [many.decide([many.record(news), many.record(cancelled)])]
    while many.task.queue:
        results.append(many.decide())
    assert {each.records + each.timers for each in results} == {1}
    assert [each.records for each in results] == [1] + [0] * (COUNT // FEW) + [1]
