"""What is known of an event after its messages, and for how long."""

from processors.dedupe.decide import STAGE
from processors.dedupe.fingerprint import compared_fields, fingerprint
from processors.domain.registration import Enrolment
from processors.stage import Decision, Record, TimerFired
from tests.dedupe.scene import DAY, HEARING, MINUTE, NOON, OFFENDER, Scene
from tests.one_stage import rules

HOLD = 15 * MINUTE
B = HEARING + DAY


def test_what_is_told_lasts_for_the_window_and_until_its_date_is_past() -> None:
    scene = Scene()
    scene.add("m1")
    (told,) = scene.known.events
    assert (told.forget_at, told.fingerprints) == (NOON + 90 * DAY, {told.newest: NOON + 90 * DAY})
    far = Scene()
    far.add("m1", past_from=NOON + 100 * DAY)
    assert far.known.events[0].forget_at == NOON + 100 * DAY  # date.past of a hearing is 0
    far.later(MINUTE)
    far.update("u1", of="m1", court="Elsewhere")
    assert far.known.events[0].forget_at == NOON + 100 * DAY, "what a change shortens is kept as long as what it changed"


def test_what_is_told_again_has_all_its_names_wordings_and_cancels() -> None:
    scene = Scene()
    scene.add("m1")
    before = scene.known.events[0].fingerprints
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    scene.update("u1", of="m1", court="Elsewhere")
    (successor,) = scene.known.events
    assert (successor.seq, successor.ori, successor.root, successor.state) == (3, "VA0010000", "u1", "told")
    assert (successor.message_ids, successor.cancel_ids) == (("m1", "u1"), ("c1",))
    assert list(successor.fingerprints)[:-1] == list(before)


def test_a_late_target_lends_its_words_for_the_window_from_now() -> None:
    scene = Scene()
    scene.update("u1", of="m1", court="Elsewhere")
    scene.later(MINUTE)
    scene.add("m1")
    (told,) = scene.known.events
    assert told.message_ids == ("m1", "u1")
    assert set(told.fingerprints.values()) == {NOON + MINUTE + 90 * DAY}
    assert told.newest == fingerprint(scene.passed[-1], compared_fields(scene.passed[-1], rules().rule_set("VA", NOON)))


def test_what_was_never_told_is_remembered_for_the_window() -> None:
    scene = Scene(duplicate__window="1h")
    scene.cancel("c1", of="m1")
    scene.later(MINUTE)
    scene.add("m1")
    (never,) = scene.known.events
    assert (never.state, never.forget_at, never.cancel_ids) == ("cancelled", NOON + 61 * MINUTE, ("c1",))
    gone = Scene(duplicate__window="1h")
    gone.cancel("c1", of="m1")
    gone.later(HOLD)
    gone.review("release")
    (never,) = gone.known.events
    assert (never.state, never.forget_at, never.cancel_ids, never.message_ids) == ("cancelled", NOON + HOLD + 60 * MINUTE, ("c1",), ("m1",))
    assert (never.root, never.overtaken, never.seq) == ("m1", "m1", 1)


def test_a_held_cancel_is_kept_without_its_submission() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    (held,) = scene.known.events
    assert held.held is not None
    assert (held.held.due, held.held.cancel.submission, held.held.cancel.message_id) == (NOON + HOLD, b"", "c1")


def test_what_only_passes_through_keeps_its_key() -> None:
    enrolment = Enrolment(offender=OFFENDER, seq=1, received_at=1, registration_id="r", registrant_id="p")
    decision = STAGE.decide(Record("events", 0, 1, "its key", 1, enrolment), {}, Scene().context)
    assert [each.key for each in decision.outputs] == ["its key"]


def test_a_cancel_that_bears_the_id_of_what_a_reviewer_judged_cancels_it() -> None:
    scene = Scene()
    scene.update("u1", of="m1", action_at=B)
    scene.later(HOLD)
    scene.review("release")
    assert scene.cancel("m1", of=None) == ["m1 waiting cancel_hold"]


def test_a_cancel_that_was_overtaken_is_remembered_as_a_cancel() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.update("u1", of="m1", court="Elsewhere")
    assert scene.add("m1") == ["m1 suppressed superseded", "c1 suppressed superseded", "u1 passed first_sighting"]
    (told,) = scene.known.events
    assert (told.message_ids, told.cancel_ids) == (("m1", "u1"), ("c1",))


def test_a_timer_that_comes_before_its_time_changes_nothing() -> None:
    scene = Scene()
    scene.add("m1")
    assert STAGE.decide(TimerFired(OFFENDER, NOON + MINUTE), {OFFENDER: scene.known}, scene.context) == Decision()
