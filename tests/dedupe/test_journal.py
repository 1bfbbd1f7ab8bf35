"""What dedupe says of each decision, and what it asks for before it decides (contract §2: `vn.decisions`, `vn.reviews`)."""

import pytest
from msgspec.structs import replace

from processors.dedupe.decide import STAGE
from processors.dedupe.ledger import Ledger, Word
from processors.dedupe.state import Held, Kept, Sighting, Sightings, State, Waiting, deadline
from processors.domain.event import Event
from processors.domain.journal import Verdict
from processors.domain.registration import Enrolment
from processors.domain.review import Review, ReviewAction
from processors.stage import Input, Record, Wake
from processors.topics import REVIEWS
from tests.dedupe.scene import DAY, HEARING, MINUTE, NOON, OFFENDER, Scene, rules

HOLD = 15 * MINUTE
B = HEARING + DAY
A_TIME, B_TIME = "2026-12-07T15:20:00Z", "2026-12-08T15:20:00Z"


def said(scene: Scene) -> list[str]:
    return [f"{each.message_id} {each.reason}: {each.detail}" for each in scene.verdicts]


def test_every_decision_on_what_is_known_is_said_in_a_sentence() -> None:
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
    assert said(scene) == [
        "m1 first_sighting: no message of VA0010000 about this event is known",
        "m2 duplicate: the same event as message m1 of VA0010000",
        "u1 inconsequential: nothing that tells events of this kind apart differs from message m1",
        f"u2 changed: message m1 is changed: action_at from {A_TIME} to {B_TIME}, status from nothing to Charged, location_name",
        "u2 duplicate: this Update of message m1 was heard before",
        "c1 cancel_hold: the event of message m1 may be sent again until 2026-11-22T12:15:00Z",
        "c2 duplicate: the event of message m1 is cancelled already",
        "c1 cancelled: the event of message m1 was not sent again",
        "c3 duplicate: the event of message m1 is cancelled already",
        "u3 first_sighting: the event of message m1 was told as cancelled",
    ]


def test_a_status_that_is_no_more_is_said_to_be_nothing() -> None:
    scene = Scene()
    scene.add("m1", status="Charged", location_kind="Court")
    scene.update("u1", of="m1")
    assert said(scene)[-1] == "u1 changed: message m1 is changed: status from Charged to nothing, location_kind from Court to nothing"


def test_what_is_taken_back_is_said_of_both() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    scene.add("m2")
    scene.cancel("c2", of="m1")
    scene.update("u1", of="m1", action_at=B)
    assert said(scene)[2:4] + said(scene)[5:] == [
        "c1 resubmitted: the event was sent again as message m2",
        "m2 resubmitted: the event of message m1 was told and its Cancel taken back",
        "c2 superseded: the event was changed by message u1",
        "u1 changed: message m1 is changed: action_at from 2026-12-07T15:20:00Z to 2026-12-08T15:20:00Z",
    ]


def test_what_came_out_of_order_is_said() -> None:
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
    assert said(scene) == [
        "c1 out_of_order_hold: message m1 of VA0010000 is not known; it may come until 2026-11-22T12:15:00Z",
        "m1 superseded: a later message about m1 had come before it could be told",
        "c1 nothing_told: message m1 came after its Cancel and was not told",
        "u9 out_of_order_hold: message m9 of VA0010000 is not known; it may come until 2026-11-22T12:15:00Z",
        "u9 unknown_reference: the Update is about message m9, which VA0010000 has not sent by 2026-11-22T12:15:00Z",
        "u9 released: released by kim: checked",
        "u9 first_sighting: no message of VA0010000 about this event is known",
        "m9 superseded: a reviewer had released a later message about it before it came",
        "c7 out_of_order_hold: message m7 of VA0010000 is not known; it may come until 2026-11-22T12:30:00Z",
        "c7 unknown_reference: the Cancel is about message m7, which VA0010000 has not sent by 2026-11-22T12:30:00Z",
        "c7 released: released by kim: checked",
        "c7 cancelled: message m7 is not known here; those who were told of it are told",
        "c8 out_of_order_hold: message m8 of VA0010000 is not known; it may come until 2026-11-22T12:45:00Z",
        "c8 unknown_reference: the Cancel is about message m8, which VA0010000 has not sent by 2026-11-22T12:45:00Z",
        "c8 discarded: discarded by kim: checked",
    ]


def test_an_event_told_long_ago_is_said_to_have_been() -> None:
    scene = Scene(duplicate__window="1h")
    scene.add("m1")
    scene.later(60 * MINUTE)
    scene.add("m2")
    assert said(scene)[-1] == "m2 first_sighting: the event of message m1 was told longer ago than duplicate.window"


def test_a_verdict_is_whole() -> None:
    scene = Scene()
    scene.add("m1", part=3, parts=4)
    assert scene.verdicts == [
        Verdict(
            stage="dedupe",
            message_id="m1",
            outcome="passed",
            reason="first_sighting",
            detail="no message of VA0010000 about this event is known",
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
            detail="the Cancel is about message m1, which VA0010000 has not sent by 2026-11-22T12:15:00Z",
            since=NOON + HOLD,
            jurisdiction="VA",
            event_type="Court",
            event_subtype="Court Hearing",
        )
    ]


def test_an_action_on_no_review_is_noted_whole() -> None:
    scene = Scene()
    action = ReviewAction(action="release", reason="r", reviewer="kim", review_id=f"dedupe-{OFFENDER}-0", received_at=NOON, seq=1)
    scene.decide(Record("events", 0, 1, OFFENDER, NOON, action))
    assert scene.verdicts == [
        Verdict(
            stage="dedupe",
            message_id=f"dedupe-{OFFENDER}-0",
            outcome="noted",
            reason="unknown_review",
            detail=f"there is no open review dedupe-{OFFENDER}-0 to release",
            at=NOON,
            offender=OFFENDER,
            rules=scene.context.rules.version,
            review_id=f"dedupe-{OFFENDER}-0",
        )
    ]


def test_the_parts_of_one_submission_have_reviews_of_their_own() -> None:
    scene = Scene()
    scene.cancel("c1", of="m1", part=0, parts=2)
    scene.cancel("c1", of="m1", part=1, parts=2, court="Elsewhere")
    scene.later(HOLD)
    assert len({each.review_id for each in scene.reviews}) == 2


# --- what is asked for


def seen(seq: int, **more: object) -> Sighting:
    return Sighting(**({"seq": seq, "ori": "VA0010000", "root": f"m{seq}", "names": (f"m{seq}",)} | more))  # type: ignore[arg-type]


def waits(seq: int, **more: object) -> Waiting:
    fields = {"seq": seq, "ori": "VA0010000", "message_id": f"u{seq}", "reference": "m", "fingerprint": "f", "due": 10}
    return Waiting(**(fields | more))  # type: ignore[arg-type]


CANCEL = Scene().event("c", operation="Cancel", refers_to="m")
DOCUMENT = Sightings(
    sightings=(
        seen(1),
        seen(2, standing="cancelled"),
        seen(3, standing="held", held=Held(10, CANCEL)),
        seen(4, standing="held", held=Held(11, CANCEL)),
    ),
    waiting=(waits(5), waits(6, due=11), waits(7, review_id="r")),
)
KNOWN: dict[str, State] = {OFFENDER: DOCUMENT}


def heard(**more: object) -> Record:
    return Record("events", 0, 1, OFFENDER, 1, replace(CANCEL, **more))


@pytest.mark.parametrize(
    ("given", "seqs"),
    [
        (Wake(OFFENDER, 10), [3, 5]),
        (Wake(OFFENDER, 11), [3, 4, 5, 6]),
        (Wake(OFFENDER, 9), []),
        (heard(operation="Cancel"), []),
        (heard(operation="Add"), [1, 3, 4, 5, 6, 7]),
        (heard(operation="Update"), [1, 3, 4, 5, 6, 7]),
        (
            Record(
                "events",
                0,
                1,
                OFFENDER,
                1,
                ReviewAction(action="release", reason="r", reviewer="kim", review_id=f"dedupe-{OFFENDER}-0", received_at=1),
            ),
            [1, 3, 4, 5, 6, 7],
        ),
    ],
)
def test_only_the_messages_that_may_be_compared_are_asked_for(given: Input, seqs: list[int]) -> None:
    assert list(STAGE.keys(given, KNOWN)) == [OFFENDER, *(f"{OFFENDER}/{seq}" for seq in seqs)]
    assert list(STAGE.keys(given, {})) == [OFFENDER]


def test_an_event_for_which_nothing_waits_asks_only_for_those_whose_cancel_is_held() -> None:
    quiet: dict[str, State] = {OFFENDER: replace(DOCUMENT, waiting=())}
    assert list(STAGE.keys(heard(operation="Add"), quiet)) == [OFFENDER, f"{OFFENDER}/3", f"{OFFENDER}/4"]
    assert list(STAGE.keys(heard(operation="Update"), quiet)) == [OFFENDER, *(f"{OFFENDER}/{seq}" for seq in (1, 3, 4))]


@pytest.mark.parametrize("review_id", [None, "validate-o1-0", "", "dedupe"])
def test_a_review_of_another_stage_is_none_of_this_ones(review_id: str | None) -> None:
    action = Record(
        "events", 0, 1, OFFENDER, 1, ReviewAction(action="release", reason="r", reviewer="kim", review_id=review_id, received_at=1)
    )
    assert [each for each in STAGE.keys(action, {}) if each] == []


# --- what is looked up


def ledger(*sightings: Sighting, waiting: tuple[Waiting, ...] = (), at: int = 100, **kept: Event) -> Ledger:
    found: dict[str, State] = {OFFENDER: Sightings(sightings=sightings, waiting=waiting)}
    return Ledger(OFFENDER, at, rules(), found | {f"{OFFENDER}/{seq.removeprefix('at')}": Kept(each) for seq, each in kept.items()})


def word(fingerprint: str = "f", **more: object) -> Word:
    return Word(replace(CANCEL, **more), fingerprint)


def test_what_lies_under_a_messages_key_must_be_a_message() -> None:
    wrong: dict[str, State] = {f"{OFFENDER}/1": DOCUMENT}
    with pytest.raises(TypeError, match=f"no message lies under {OFFENDER}/1"):
        Ledger(OFFENDER, 0, rules(), wrong).message(1)


def test_a_message_without_a_reference_is_about_its_own_id() -> None:
    assert word(refers_to=None, message_id="x").reference == "x"
    assert word(refers_to="m", message_id="x").reference == "m"


def test_a_wording_is_recognised_to_the_millisecond_before_its_window_ends() -> None:
    for until, known in ((101, True), (100, False)):
        assert ledger().recognised(seen(1, versions={"f": until}), word()) is known
    assert not ledger().recognised(seen(1, versions={"g": 101}), word())


def test_the_same_event_is_the_newest_that_was_told_so_before_one_that_faded() -> None:
    add = word(operation="Add", refers_to=None)
    fresh, old = {"f": 101}, {"f": 100}
    one = ledger(seen(1, versions=fresh), seen(2, versions=fresh), seen(3, versions=old))
    assert one.same(add) == one.sightings[1]
    faded = ledger(seen(1, versions=old), seen(2, versions=old), seen(3, versions={"f": 100, "g": 101}))
    assert faded.same(add) == faded.sightings[1]
    held = ledger(seen(1, versions=old), seen(2, standing="held", versions=old), seen(3, standing="cancelled", versions=fresh))
    assert held.same(add) == held.sightings[1]
    assert ledger(seen(1, standing="cancelled", versions=fresh)).same(add) is None
    assert ledger(seen(1, ori="NC1", versions=fresh)).same(add) is None
    before_faded = ledger(seen(1, standing="held", versions=old), seen(2, versions=old))
    assert before_faded.same(add) == before_faded.sightings[0]
    older = ledger(seen(1, standing="held", versions={"f": 101, "g": 101}))
    assert older.same(add) == older.sightings[0]
    assert ledger(seen(1, standing="held", versions={"f": 100, "g": 101})).same(add) is None


def test_a_reference_means_the_newest_that_stands_and_else_the_newest() -> None:
    named = {"names": ("m",)}
    both = ledger(seen(1, **named), seen(2, **named), seen(3, standing="cancelled", **named), seen(4, ori="NC1", **named))
    assert both.referred(word()) == both.sightings[1]
    gone = ledger(seen(1, standing="cancelled", **named), seen(2, standing="cancelled", **named))
    assert gone.referred(word()) == gone.sightings[1]
    assert ledger(seen(1)).referred(word()) is None


def test_a_judged_sighting_is_that_of_the_agency() -> None:
    found = ledger(seen(1, ori="NC1", unseen="c"), seen(2, unseen="other"), seen(3, unseen="c"))
    assert found.judged(CANCEL) == found.sightings[2]
    assert ledger(seen(1)).judged(CANCEL) is None


@pytest.mark.parametrize(
    ("sightings", "waiting", "one", "repeated"),
    [
        ((), (waits(1, message_id="c"),), word(), True),
        ((), (waits(1, message_id="c"),), word("g"), False),
        ((), (waits(1, message_id="c", ori="NC1"),), word(), False),
        ((), (waits(1, message_id="d"),), word(), False),
        ((seen(1, cancels=("c",)),), (), word(), True),
        ((seen(1, cancels=("c",), ori="NC1"),), (), word(), False),
        ((seen(1, cancels=("d",)),), (), word(), False),
        ((seen(1, names=("c",), versions={"f": 1}),), (), word(), False),
        ((seen(1, names=("c",), versions={"f": 1}),), (), word(operation="Update"), True),
        ((seen(1, names=("c",), versions={"g": 1}),), (), word(operation="Update"), False),
        ((seen(1, names=("d",), versions={"f": 1}),), (), word(operation="Update"), False),
        ((seen(1, names=("c",), versions={"f": 1}, unseen="c"),), (), word(operation="Update"), False),
        ((seen(1, cancels=("c",)),), (), word(operation="Update"), False),
        ((seen(1, names=("c",), versions={"f": 1}),), (waits(1, message_id="c"),), word(operation="Add"), False),
    ],
)
def test_the_very_same_cancel_or_update_is_a_repetition(
    sightings: tuple[Sighting, ...], waiting: tuple[Waiting, ...], one: Word, *, repeated: bool
) -> None:
    assert ledger(*sightings, waiting=waiting).repeated(one) is repeated


def test_what_waited_follows_in_an_order_in_which_each_follows_what_it_is_about() -> None:
    update = replace(CANCEL, operation="Update")
    line = (
        waits(5, message_id="u5", reference="u4"),
        waits(4, message_id="u4", reference="c"),
        waits(6, message_id="u6", reference="c", review_id="r"),
        waits(7, message_id="u7", reference="c", ori="NC1"),
        waits(8, message_id="c8", reference="u4"),
        waits(9, message_id="u9", reference="c8"),
    )
    kept = {f"at{seq}": replace(update, message_id=f"u{seq}") for seq in (4, 5, 6, 7, 9)}
    found = ledger(waiting=line, **kept, at8=replace(CANCEL, message_id="c8"))
    assert [each.event.message_id for each in found.followers(replace(update, message_id="c"))] == ["u4", "u5", "c8"]
    assert found.followers(replace(CANCEL, message_id="c")) == []


def test_only_what_is_settled_stops_waiting_and_is_forgotten() -> None:
    found = ledger(waiting=(waits(5), waits(6)))
    found.settled((word(seq=9),))
    assert (found.changed, found.waiting, found.kept) == (False, [waits(5), waits(6)], {})
    found.settled((word(seq=5),))
    assert (found.changed, found.waiting, found.kept) == (True, [waits(6)], {f"{OFFENDER}/5": None})


def test_a_sighting_is_put_in_its_place_and_dropped_with_its_message() -> None:
    found = ledger(seen(1), seen(2), seen(3))
    found.put(seen(2, until=9))
    assert found.sightings == [seen(1), seen(2, until=9), seen(3)]
    found.put(seen(4))
    assert found.sightings[-1] == seen(4)
    found.drop(seen(2))
    assert (found.sightings, found.kept) == ([seen(1), seen(3), seen(4)], {f"{OFFENDER}/2": None})
    assert ledger(seen(1)).decision().states == {}


def test_the_first_to_be_forgotten_sets_the_timer() -> None:
    one = ledger(seen(1, until=50))
    assert one.decision().states == {}
    one.put(seen(2, until=60))
    assert deadline(one.decision().states[OFFENDER]) == 50  # type: ignore[arg-type]
    one.put(seen(2, until=40))
    assert deadline(one.decision().states[OFFENDER]) == 40  # type: ignore[arg-type]
    last = ledger(seen(1, until=50))
    last.drop(seen(1))
    assert last.decision().states == {OFFENDER: None, f"{OFFENDER}/1": None}


def test_what_is_told_lasts_for_the_window_and_until_its_date_is_past() -> None:
    scene = Scene()
    scene.add("m1")
    (told,) = scene.document.sightings
    assert (told.until, told.versions) == (NOON + 90 * DAY, {told.newest: NOON + 90 * DAY})
    far = Scene()
    far.add("m1", past_from=NOON + 100 * DAY)
    assert far.document.sightings[0].until == NOON + 100 * DAY  # date.past of a hearing is 0
    far.later(MINUTE)
    far.update("u1", of="m1", court="Elsewhere")
    assert far.document.sightings[0].until == NOON + 100 * DAY, "what a change shortens is kept as long as what it changed"


def test_what_is_told_again_has_all_its_names_wordings_and_cancels() -> None:
    scene = Scene()
    scene.add("m1")
    before = scene.document.sightings[0].versions
    scene.cancel("c1", of="m1")
    scene.later(HOLD)
    scene.update("u1", of="m1", court="Elsewhere")
    (heir,) = scene.document.sightings
    assert (heir.seq, heir.ori, heir.root, heir.standing) == (3, "VA0010000", "u1", "told")
    assert (heir.names, heir.cancels) == (("m1", "u1"), ("c1",))
    assert list(heir.versions)[:-1] == list(before)


def test_a_late_target_lends_its_words_for_the_window_from_now() -> None:
    scene = Scene()
    scene.update("u1", of="m1", court="Elsewhere")
    scene.later(MINUTE)
    scene.add("m1")
    (told,) = scene.document.sightings
    assert told.names == ("m1", "u1")
    assert set(told.versions.values()) == {NOON + MINUTE + 90 * DAY}
    assert told.newest == Ledger(OFFENDER, 0, rules(), {}).word(scene.passed[-1]).fingerprint


def test_what_was_never_told_is_remembered_for_the_window() -> None:
    scene = Scene(duplicate__window="1h")
    scene.cancel("c1", of="m1")
    scene.later(MINUTE)
    scene.add("m1")
    (never,) = scene.document.sightings
    assert (never.standing, never.until, never.cancels) == ("cancelled", NOON + 61 * MINUTE, ("c1",))
    gone = Scene(duplicate__window="1h")
    gone.cancel("c1", of="m1")
    gone.later(HOLD)
    gone.review("release")
    (never,) = gone.document.sightings
    assert (never.standing, never.until, never.cancels, never.names) == ("cancelled", NOON + HOLD + 60 * MINUTE, ("c1",), ("m1",))
    assert (never.root, never.unseen, never.seq) == ("m1", "m1", 1)


def test_a_held_cancel_is_kept_without_its_submission() -> None:
    scene = Scene()
    scene.add("m1")
    scene.cancel("c1", of="m1")
    (held,) = scene.document.sightings
    assert held.held is not None
    assert (held.held.due, held.held.cancel.submission, held.held.cancel.message_id) == (NOON + HOLD, b"", "c1")


def test_what_a_reviewer_decides_is_said_with_the_review_and_goes_under_its_name() -> None:
    for action in ("release", "discard"):
        scene = Scene()
        scene.cancel("c1", of="m1")
        scene.later(HOLD)
        (review,) = scene.reviews
        scene.review(action)
        assert scene.verdicts[2].review_id == review.review_id
        assert [each.key for each in scene.decision.outputs if each.topic is REVIEWS] == [review.review_id]


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
    (told,) = scene.document.sightings
    assert (told.names, told.cancels) == (("m1", "u1"), ("c1",))


def test_a_timer_that_comes_before_its_time_is_set_again() -> None:
    scene = Scene()
    scene.add("m1")
    scene.decide(Wake(OFFENDER, NOON + MINUTE))
    assert scene.wakes == {OFFENDER: NOON + 90 * DAY}
