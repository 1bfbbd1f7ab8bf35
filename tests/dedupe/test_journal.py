"""What dedupe writes to the journal and to reviews (contract §2: `vn.decisions`, `vn.reviews`); the sentences are in golden_journal.txt."""

from pathlib import Path

from processors.domain.journal import Verdict
from processors.domain.review import Review, ReviewAction
from processors.topics import EVENTS, REVIEWS
from tests.dedupe.scene import DAY, HEARING, MINUTE, NOON, OFFENDER, Scene

GOLDEN = Path(__file__).parent / "golden_journal.txt"
HOLD = 15 * MINUTE
B = HEARING + DAY


def reasons(scene: Scene) -> list[str]:
    return [f"{each.message_id} {each.reason}" for each in scene.verdicts]


def corrections() -> Scene:
    """A scene of what is told, repeated, changed and cancelled."""
    scene = Scene(duplicate__window="1h")
    scene.add("m1", past_from=scene.now)
    scene.add("m2")
    scene.update("u1", of="m1")
    scene.update("u2", of="m1", action_at=B, location_name="Room 4", status="Charged")
    scene.update("u2", of="m1", action_at=B, location_name="Room 4", status="Charged")
    scene.cancel("c1", of="m1")
    scene.cancel("c2", of="m1")
    scene.later(HOLD)
    scene.cancel("c3", of="m1")
    scene.update("u3", of="m1", past_from=scene.now)
    scene.later(60 * MINUTE)
    return scene


def taken_back() -> Scene:
    """A scene of a Cancel that is taken back by a copy, and one by a change."""
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    scene.add("m2")
    scene.cancel("c2", of="m1")
    scene.update("u1", of="m1", action_at=B)
    return scene


def out_of_order() -> Scene:
    """A scene of messages that came before what they are about, and of reviews."""
    scene = Scene()
    scene.cancel("c1", of="m1")
    scene.add("m1")
    scene.update("u9", of="m9")
    scene.later(HOLD)
    scene.review("release")
    scene.add("m9")
    scene.cancel("c7", of="m7")
    scene.later(HOLD)
    scene.review("release")
    scene.cancel("c8", of="m8")
    scene.later(HOLD)
    scene.review("discard")
    return scene


def sentences() -> str:
    return "".join(f"{each.message_id} {each.reason}: {each.detail}\n" for scene in SCENES for each in scene().verdicts)


SCENES = (corrections, taken_back, out_of_order)


def test_every_sentence_is_as_it_was() -> None:
    assert sentences().splitlines() == GOLDEN.read_text().splitlines()


def test_every_decision_on_what_is_known_has_its_reason() -> None:
    scene = corrections()
    assert reasons(scene) == [
        "m1 first_sighting",
        "m2 duplicate",
        "u1 inconsequential",
        "u2 changed",
        "u2 duplicate",
        "c1 cancel_hold",
        "c2 duplicate",
        "c1 cancelled",
        "c3 duplicate",
        "u3 first_sighting",
    ]


def test_a_status_or_place_that_is_no_more_is_a_change() -> None:
    scene = Scene()
    scene.add("m1", status="Charged", location_kind="Court")
    scene.update("u1", of="m1")
    assert scene.changes == [("status", "Charged", ""), ("location_kind", "Court", "")]
    assert scene.verdicts[-1].detail == "message m1 is changed: status from Charged to nothing, location_kind from Court to nothing"


def test_a_cancel_taken_back_and_what_takes_it_back_both_have_a_reason() -> None:
    scene = taken_back()
    assert reasons(scene)[2:4] + reasons(scene)[5:] == ["c1 resubmitted", "m2 resubmitted", "c2 superseded", "u1 changed"]


def test_what_came_out_of_order_has_its_reason() -> None:
    scene = out_of_order()
    assert reasons(scene) == [
        "c1 out_of_order_hold",
        "m1 superseded",
        "c1 nothing_told",
        "u9 out_of_order_hold",
        "u9 unknown_reference",
        "u9 released",
        "u9 first_sighting",
        "m9 superseded",
        "c7 out_of_order_hold",
        "c7 unknown_reference",
        "c7 released",
        "c7 cancelled",
        "c8 out_of_order_hold",
        "c8 unknown_reference",
        "c8 discarded",
    ]


def test_a_verdict_is_whole() -> None:
    scene = Scene()
    scene.add("m1", part=3, parts=4)
    assert scene.verdicts == [
        Verdict(
            stage="dedupe",
            message_id="m1",
            outcome="passed",
            reason="first_sighting",
            detail=scene.verdicts[0].detail,
            at=NOON,
            ori="VA0010000",
            offender=OFFENDER,
            part=3,
            rules=scene.context.rules.version,
        )
    ]


def test_a_review_is_whole_and_its_name_stays_the_same_from_release_to_release() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1", part=2, parts=3)
    scene.later(HOLD)
    assert scene.reviews == [
        Review(
            review_id=f"dedupe-{OFFENDER}-c454fdd5ad73",
            message_id="c1",
            ori="VA0010000",
            stage="dedupe",
            offender=OFFENDER,
            state="open",
            reason="unknown_reference",
            detail=scene.reviews[0].detail,
            since=NOON + HOLD,
            jurisdiction="VA",
            event_type="Court",
            event_subtype="Court Hearing",
        )
    ]


def test_an_action_on_no_review_is_noted_whole() -> None:
    scene = Scene()
    action = ReviewAction(
        action="release", reason="r", reviewer="kim", review_id=f"dedupe-{OFFENDER}-0123456789ab", received_at=NOON, seq=1
    )
    scene.put(EVENTS, action, OFFENDER)
    assert scene.verdicts == [
        Verdict(
            stage="dedupe",
            message_id=f"dedupe-{OFFENDER}-0123456789ab",
            outcome="noted",
            reason="unknown_review",
            detail=scene.verdicts[0].detail,
            at=NOON,
            offender=OFFENDER,
            rules=scene.context.rules.version,
            review_id=f"dedupe-{OFFENDER}-0123456789ab",
        )
    ]


def test_the_parts_of_one_submission_have_reviews_of_their_own() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1", part=0, parts=2)
    scene.cancel("c1", of="m1", part=1, parts=2, court="Elsewhere")
    scene.later(HOLD)
    assert len({each.review_id for each in scene.reviews}) == 2


def test_what_a_reviewer_decides_is_said_with_the_review_and_goes_under_its_name() -> None:
    for action in ("release", "discard"):
        scene = Scene()
        scene.cancel("c1", of="m1")
        scene.later(HOLD)
        (review,) = scene.reviews
        scene.review(action)
        assert scene.verdicts[2].review_id == review.review_id
        assert [each.key for each in scene.decision.outputs if each.topic is REVIEWS] == [review.review_id]
