"""Who is told of news (contract §4)."""

import pytest

from processors.match.decide import STAGE
from processors.stage import Decision, TimerFired
from tests.match.scene import DAY, HOUR, NOON, OFFENDER, Scene


def test_everyone_registered_is_told_once_with_all_their_registrations() -> None:
    scene = Scene()
    scene.enrol("r2", "ann")
    scene.enrol("r1", "ann")
    scene.enrol("r3", "bob")
    assert scene.tell("m1") == {"ann": ("r1", "r2"), "bob": ("r3",)}
    assert scene.said == "m1 matched matched"
    assert scene.verdicts[-1].detail == "2 registrants to notify"


def test_registrants_come_in_one_order_whatever_the_order_of_registration() -> None:
    scene = Scene()
    for each in ("d", "a", "c", "b"):
        scene.enrol(f"r{each}", each)
    assert list(scene.tell("m1")) == ["a", "b", "c", "d"]


def test_nobody_registered_is_the_end_of_the_road() -> None:
    scene = Scene()
    assert scene.tell("m1") == {}
    assert scene.said == "m1 unmatched no_registration"
    assert (scene.documents, scene.timers) == ({}, {})


def test_a_registration_takes_effect_for_what_is_received_after_it() -> None:
    scene = Scene()
    early = scene.seq + 1
    scene.enrol("r1", "ann", seq=early + 1)
    assert scene.tell("m1", seq=early) == {}
    assert scene.tell("m2", seq=early + 1) == {}
    assert scene.tell("m3", seq=early + 2) == {"ann": ("r1",)}


def test_a_registration_that_ended_is_told_nothing_more() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.enrol("r2", "bob")
    scene.enrol("r1", "ann", ended=True)
    assert scene.said == "r1 noted registration_removed"
    assert scene.tell("m1") == {"bob": ("r2",)}


def test_the_last_registrations_end_leaves_nothing() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", expires_at=NOON + DAY)
    scene.enrol("r1", "ann", ended=True)
    assert (scene.documents, scene.timers) == ({}, {})


def test_the_end_of_an_unknown_registration_is_noted_and_changes_nothing() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", ended=True)
    assert scene.said == "r1 noted registration_removed"
    assert (scene.documents, scene.timers) == ({}, {})


def test_an_ended_registration_can_be_made_again() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    scene.enrol("r1", "ann", ended=True)
    scene.enrol("r1", "ann")
    assert scene.tell("m1") == {"ann": ("r1",)}


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ((), True),
        (("Court Hearing",), True),
        (("court  HEARING",), True),
        (("Escape", "Court Hearing"), True),
        (("Escape",), False),
    ],
    ids=["all", "this", "folded", "among others", "another"],
)
def test_the_choice_of_events(chosen: tuple[str, ...], told: object) -> None:
    scene = Scene()
    scene.enrol("r1", "ann", event_subtypes=chosen)
    assert bool(scene.tell("m1")) is told


@pytest.mark.parametrize(
    ("chosen", "event", "told"),
    [
        ((), {"case_number": "CR-26-001"}, True),
        (("CR-26-001",), {"case_number": "CR-26-001"}, True),
        (("cr 26/001",), {"case_number": "CR-26-001"}, True),
        (("CR-26-002", "CR-26-001"), {"case_number": "CR-26-001"}, True),
        (("CR-26-002",), {"case_number": "CR-26-001"}, False),
        (("CR-26-002",), {}, True),
        (("CR-26-002",), {"case_number": " - "}, True),
        (("CR-26-002",), {"compact_case": "IC-9"}, True),
        (("IC-9",), {"case_number": "CR-26-001", "compact_case": "IC-9"}, True),
        ((" ",), {"case_number": "CR-26-001"}, True),
    ],
    ids=[
        "all",
        "this",
        "blanks and punctuation",
        "among others",
        "another",
        "an event of no case",
        "an empty number",
        "a compact case is no court case",
        "the compact case",
        "an empty choice",
    ],
)
def test_the_choice_of_cases(chosen: tuple[str, ...], event: dict[str, str], told: object) -> None:
    scene = Scene()
    scene.enrol("r1", "ann", case_numbers=chosen)
    assert bool(scene.tell("m1", **event)) is told


def test_both_choices_must_be_met_by_one_registration() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", case_numbers=("1",), event_subtypes=("Escape",))
    scene.enrol("r2", "ann", case_numbers=("2",), event_subtypes=("Court Hearing",))
    assert scene.tell("m1", case_number="1") == {}
    assert scene.tell("m2", case_number="2") == {"ann": ("r2",)}


def test_a_registration_is_in_force_until_it_expires() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", expires_at=NOON + HOUR)
    scene.enrol("r2", "bob", expires_at=NOON + DAY)
    scene.advance(HOUR - 1)
    assert set(scene.tell("m1")) == {"ann", "bob"}
    scene.advance(1)
    assert set(scene.tell("m2")) == {"bob"}
    assert b"r1" not in scene.documents[OFFENDER]


def test_what_was_received_after_the_end_of_a_registration_is_not_told_even_before_its_timer() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", expires_at=NOON + HOUR)
    assert scene.tell("m1", received_at=NOON + HOUR) == {}


def test_a_changed_registration_counts_as_it_is_now() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", event_subtypes=("Escape",), expires_at=NOON + HOUR)
    scene.enrol("r1", "ann")
    scene.advance(DAY)
    assert scene.tell("m1") == {"ann": ("r1",)}


def test_an_event_that_waited_meets_the_registration_as_it_stood_when_it_was_received() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", event_subtypes=("Court Hearing",))
    waited = scene.event("m1")
    scene.enrol("r1", "ann", event_subtypes=("Escape",))
    assert scene.tell("m1", seq=waited.seq) == {"ann": ("r1",)}
    assert scene.tell("m2") == {}


def test_a_registration_sent_again_unchanged_writes_nothing() -> None:
    scene = Scene()
    scene.enrol("r1", "ann", case_numbers=("1",))
    waited = scene.event("m1", case_number="1")
    scene.enrol("r1", "ann", case_numbers=("1",))
    assert scene.decisions[-1].states == {}
    assert scene.tell("m1", seq=waited.seq, case_number="1") == {"ann": ("r1",)}


def test_a_registration_that_becomes_another_persons_brings_nothing_along() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    waited = scene.event("m1")
    scene.enrol("r1", "bob")
    assert scene.tell("m1", seq=waited.seq) == {}
    assert scene.tell("m2") == {"bob": ("r1",)}


def test_a_registration_changed_a_thousand_times_stays_small() -> None:
    scene = Scene()
    for each in range(1_000):
        scene.enrol("r1", "ann", case_numbers=(str(each),))
    assert len(scene.documents[OFFENDER]) < 500


def test_enrolments_are_noted() -> None:
    scene = Scene()
    scene.enrol("r1", "ann")
    assert scene.said == "r1 noted registered"
    assert scene.verdicts[-1].registrant_id == "ann"


def test_a_timer_with_nothing_left_to_forget_does_nothing() -> None:
    scene = Scene()
    decision = STAGE.decide(TimerFired(OFFENDER, NOON), {}, scene.context)
    assert decision == Decision()
