"""A correction goes to exactly those who were told (contract §3.1.1)."""

import pytest

from processors.domain.event import Change
from processors.match import pages
from processors.match.state import told_events_key
from tests.match.scene import DAY, HOUR, NOON, OFFENDER, Scene

CHANGED = {"operation": "Update", "telling": "change", "changes": (Change("court", "Here", "There"),), "root": "m1"}
CANCELLED = {"operation": "Cancel", "telling": "cancellation", "root": "m1"}


def test_a_change_goes_to_those_told_and_those_registered_since() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m1")
    scene.enrol("r2", "bob")
    scene.enrol("r3", "ann")
    assert scene.tell("u1", **CHANGED) == {"ann": ("r1", "r3"), "bob": ("r2",)}
    assert scene.verdicts[-1].detail == "2 registrants to notify; 1 of them already notified"


def test_a_change_goes_to_one_told_whose_choice_it_no_longer_is() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", event_subtypes=("Court Hearing",))
    scene.tell("m1")
    assert scene.tell("u1", event_subtype="Arraignment", **CHANGED) == {"ann": ("r1",)}


def test_a_cancellation_goes_to_exactly_those_told() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m1")
    scene.enrol("r2", "bob")
    assert scene.tell("c1", **CANCELLED) == {"ann": ("r1",)}
    assert scene.said == "c1 matched matched"


def test_a_cancellation_goes_to_those_told_of_any_message_of_the_chain() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m1")
    scene.enrol("r2", "bob")
    scene.tell("u1", **CHANGED)
    scene.enrol("r3", "cid")
    assert set(scene.tell("c1", **CANCELLED)) == {"ann", "bob"}


def test_a_cancellation_goes_to_one_whose_registration_ended_since() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m1")
    scene.enrol("r1", "ann", ended=True)
    assert scene.tell("c1", **CANCELLED) == {"ann": ("r1",)}  # deliver knows that it ended


def test_a_cancellation_of_what_nobody_was_told_ends_here() -> None:
    scene = Scene()
    scene.tell("m1")
    scene.enrol("r1", "ann")
    assert scene.tell("c1", **CANCELLED) == {}
    assert scene.said == "c1 unmatched nothing_told"


def test_a_change_that_concerns_nobody_ends_here() -> None:
    scene = Scene()
    assert scene.tell("u1", **CHANGED) == {}
    assert scene.said == "u1 unmatched no_registration"


def test_after_a_cancellation_nobody_counts_as_told() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m1")
    scene.tell("c1", **CANCELLED)
    assert set(scene.documents) == {OFFENDER}
    assert scene.timers == {}
    assert scene.tell("c2", **CANCELLED) == {}


def test_those_told_of_another_event_or_agency_are_not_corrected() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m2")
    scene.tell("m1", ori="VA0020000")
    assert scene.tell("c1", **CANCELLED) == {}


def test_news_of_an_event_told_before_adds_to_those_told() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m1")
    scene.enrol("r1", "ann", ended=True)
    scene.enrol("r2", "bob")
    assert scene.tell("u1", operation="Update", root="m1") == {"bob": ("r2",)}
    assert set(scene.tell("c1", **CANCELLED)) == {"ann", "bob"}


def test_those_told_are_forgotten_with_the_window() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m1")
    scene.advance(90 * DAY - 1)
    assert len(scene.documents) == 3
    scene.advance(1)
    assert set(scene.documents) == {OFFENDER}
    assert scene.tell("c1", **CANCELLED) == {}


def test_those_told_of_an_event_far_ahead_are_remembered_until_it_is_past() -> None:
    scene = Scene()
    release = {"event_subtype": "Release", "notification_type": "Status Update", "past_from": NOON + 300 * DAY}
    scene.enrol("r1", "ann")
    scene.tell("m1", **release)
    scene.advance(301 * DAY - 1)  # its date, and date.past of 24 hours
    assert len(scene.documents) == 3
    scene.advance(1)
    assert set(scene.documents) == {OFFENDER}


def test_a_change_lengthens_the_memory_and_never_shortens_it() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m1", past_from=NOON + 300 * DAY)
    scene.advance(DAY)
    scene.tell("u1", past_from=NOON + 2 * DAY, **CHANGED)
    scene.advance(298 * DAY)
    assert set(scene.tell("c1", **CANCELLED)) == {"ann"}


def test_of_told_events_a_merge_takes_along_as_many_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MAX_TOLD_EVENTS", 2)
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m0", ori="NC0010000")
    for number in range(1, 5):
        scene.tell(f"m{number}", received_at=NOON + number)
        assert len(scene.state(told_events_key(OFFENDER)).until) <= 2
    listed = [key.split("\t")[1:] for key in scene.state(told_events_key(OFFENDER)).until]
    assert listed == [["NC0010000", "m0"], ["VA0010000", "m4"]], "the agency that has most loses its oldest"
    assert scene.tell("c1", **CANCELLED) == {"ann": ("r1",)}, "what is not listed is remembered under its own key"


def test_the_document_of_registrations_is_not_written_for_an_event() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.tell("m1")
    assert OFFENDER not in scene.decisions[-1].states


def test_the_journal_and_the_states_hold_nothing_of_the_message() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", expires_at=NOON + HOUR)
    scene.tell("m1", submission=b"Jane Roe")
    assert all(b"Roe" not in state for state in scene.documents.values())
    assert all("ann" not in each.detail for each in scene.verdicts)
