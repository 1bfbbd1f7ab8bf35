"""Two offender keys that turn out to be one person: nothing is lost, told twice or told to a stranger, whichever partition is ahead."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.handover import HandedOver, Merging, QueuedRecord, Resting
from processors.match import pages
from tests.examples import examples
from tests.merge.given import DAY, HEARING, MINUTE, NOON, A, B, Given

HOLD = 15 * MINUTE
FIRST_A, FIRST_B = [0] * 200, [1, 1, 1, 1, 1, 1] * 40  # which of the partitions gets ahead
both_orders = pytest.mark.parametrize("turns", [FIRST_A, FIRST_B, [2, 1, 3, 0, 5, 4] * 30], ids=["A ahead", "B ahead", "mixed"])


def registered() -> Given:
    world = Given()
    world.enrol("r1", "ann", A)
    world.enrol("r2", "bob", B)
    return world


@both_orders
def test_after_a_merge_everybody_hears_of_the_person(turns: list[int]) -> None:
    world = registered()
    world.merge()
    world.message(A, "m1")
    world.run(turns)
    assert sorted(world.told) == [("ann", "news", "m1"), ("bob", "news", "m1")]


@both_orders
def test_what_was_told_under_one_key_is_not_told_again_when_it_comes_under_the_other(turns: list[int]) -> None:
    world = registered()
    world.message(B, "m1")
    world.merge()
    world.message(A, "m2")
    world.run(turns)
    assert world.told == [("bob", "news", "m1")]


@both_orders
def test_a_cancellation_reaches_those_who_were_told_under_the_other_key(turns: list[int]) -> None:
    world = registered()
    world.message(B, "m1")
    world.merge()
    world.message(A, "c1", "Cancel", refers_to="m1")
    world.run(turns)
    world.advance(HOLD)
    assert world.told == [("bob", "news", "m1"), ("bob", "cancellation", "c1")]
    assert (world.events()[-1].offender, world.events()[-1].formerly) == (A, (B,))


@both_orders
def test_an_event_announced_under_both_keys_is_cancelled_for_all_and_by_either_id(turns: list[int]) -> None:
    for target in ("m1", "m2"):
        world = registered()
        world.message(A, "m1")
        world.message(B, "m2")
        world.merge()
        world.message(A, "c1", "Cancel", refers_to=target)
        world.run(turns)
        world.advance(HOLD)
        assert sorted(world.told) == [
            ("ann", "cancellation", "c1"),
            ("ann", "news", "m1"),
            ("bob", "cancellation", "c1"),
            ("bob", "news", "m2"),
        ]


@both_orders
def test_a_change_is_told_to_those_told_under_either_key_once(turns: list[int]) -> None:
    world = registered()
    world.message(A, "m1")
    world.message(B, "m2")
    world.merge()
    world.message(A, "u1", "Update", refers_to="m2", action_at=HEARING + DAY)
    world.run(turns)
    assert sorted(world.told)[::2] == [("ann", "change", "u1"), ("bob", "change", "u1")]


@both_orders
def test_a_cancel_that_waited_under_one_key_for_a_message_under_the_other_takes_effect(turns: list[int]) -> None:
    world = registered()
    world.message(A, "m1")
    world.message(B, "c1", "Cancel", refers_to="m1")
    world.merge()
    world.run(turns)
    world.advance(HOLD)
    assert world.told == [("ann", "news", "m1"), ("ann", "cancellation", "c1")]


@both_orders
def test_a_cancel_held_under_one_key_is_taken_back_under_the_other(turns: list[int]) -> None:
    world = registered()
    world.message(B, "m1")
    world.message(B, "c1", "Cancel", refers_to="m1")
    world.merge()
    world.message(A, "m2")
    world.run(turns)
    world.advance(DAY)
    assert world.told == [("bob", "news", "m1")]


@both_orders
def test_a_registration_that_ends_after_the_merge_ends_for_both_keys(turns: list[int]) -> None:
    world = registered()
    world.message(B, "m1")
    world.merge()
    world.message(A, "m2", action_at=HEARING + DAY)
    world.run(turns)
    assert sorted(world.told) == [("ann", "news", "m2"), ("bob", "news", "m1"), ("bob", "news", "m2")]


def test_status_and_place_under_one_key_are_what_the_other_is_checked_against() -> None:
    world = registered()
    escape = {"event_type": "Corrections", "event_subtype": "Escape", "notification_type": "Status Update", "case_number": None}
    world.message(B, "m1", action_at=world.now, **escape)
    world.merge()
    world.message(A, "m2", action_at=world.now + MINUTE, **escape)
    world.run(FIRST_A)
    assert world.told == [("bob", "news", "m1")]
    assert "validate m2 status_transition" in world.reasons


def test_while_it_waits_records_are_queued_and_timers_rest() -> None:
    world = registered()
    world.message(A, "m1")
    world.message(A, "c1", "Cancel", refers_to="m1")
    world.run()
    world.merge()
    (dedupe_a, *_) = world.partitions
    record = world.topics["events", 0][-1]
    dedupe_a.task.advance("events", record.offset)
    world.decide(dedupe_a, [record])
    merging = world.kept("dedupe")[A]
    assert isinstance(merging, Merging)
    assert set(merging.states) == {A}
    assert dedupe_a.task.timers.next() is None
    world.message(A, "m2")
    record = world.topics["events", 0][-1]
    dedupe_a.task.advance("events", record.offset)
    world.decide(dedupe_a, [record])
    assert world.reasons[-1].partition(" m2 ") == ("dedupe", " m2 ", "merging")
    world.run()
    world.advance(DAY)
    assert world.told == [("ann", "news", "m1")], "m2 takes the Cancel back"


# --- whatever was said, whichever partition is ahead

MESSAGES = st.tuples(
    st.sampled_from([A, B]),
    st.sampled_from(["Add", "Add", "Update", "Cancel"]),
    st.integers(1, 6),  # what it refers to
    st.integers(0, 1),  # its content
    st.sampled_from([0, MINUTE, HOLD]),  # how long before the next
)


def say(world: Given, said: list[tuple[str, str, int, int, int]], merge_after: int, run: Callable[[], None]) -> None:
    for number, (key, operation, target, content, pause) in enumerate(said):
        if number == merge_after:
            world.merge()
        refers_to = None if operation == "Add" else f"m{target}"
        world.message(key, f"m{number + 1}", operation, refers_to=refers_to, action_at=HEARING + content * DAY)
        if pause:
            run()
            world.advance(pause)
    if not world.merged:
        world.merge()
    run()
    world.advance(DAY)


@settings(max_examples=examples(80))
@given(
    said=st.lists(MESSAGES, min_size=1, max_size=8),
    merge_after=st.integers(0, 8),
    turns=st.lists(st.integers(0, 11), max_size=80),
)
def test_what_comes_out_does_not_depend_on_which_partition_is_ahead(
    said: list[tuple[str, str, int, int, int]], merge_after: int, turns: list[int]
) -> None:
    worlds = []
    for order in ([], turns):
        world = registered()
        world.enrol("r3", "cid", A)
        world.enrol("r3", "cid", B)
        say(world, said, merge_after, lambda world=world, order=order: world.run(order))
        worlds.append(world)
    plain, other = worlds
    assert sorted(plain.told) == sorted(other.told)
    for stage in ("dedupe", "validate", "match"):
        assert plain.kept(stage) == other.kept(stage)
        assert not [key for key, state in other.kept(stage).items() if isinstance(state, Merging | QueuedRecord | HandedOver)]
        assert not [key for key in other.kept(stage) if key.startswith(B)], "nothing is left under the younger key"


@settings(max_examples=examples(80))
@given(said=st.lists(MESSAGES, min_size=1, max_size=8), turns=st.lists(st.integers(0, 11), max_size=80))
def test_a_merge_before_anything_was_said_is_as_if_there_had_been_one_key(
    said: list[tuple[str, str, int, int, int]], turns: list[int]
) -> None:
    one, two = Given(), registered()
    one.merged = True
    one.enrol("r1", "ann", A)
    one.enrol("r2", "bob", A)
    one.seq += 1
    say(one, said, -1, one.run)
    say(two, said, 0, lambda: two.run(turns))
    assert one.told == two.told


def test_an_offender_with_many_registrations_waits_in_documents_none_of_which_holds_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """All their timers are suspended until the other states have come, and run again afterwards."""
    monkeypatch.setattr(pages, "REGISTRATIONS_PER_PAGE", 5)
    world = Given()
    for number in range(60):
        world.enrol(f"r{number}", f"p{number}", A, expires_at=NOON + DAY)
    world.enrol("other", "bob", B)
    world.run()
    world.merge()
    ahead = [each for each in world.partitions if each.number == 0]
    for each in (*ahead, *ahead):  # partition 0 of each stage, the older key's, gets ahead
        world.read_all(each)
    kept = world.kept("match")
    assert isinstance(kept[A], Merging)
    resting = [each for each in kept.values() if isinstance(each, Resting)]
    assert len(resting) >= 60 / 5
    largest = max(len(msgspec.json.encode(each)) for each in kept.values())
    assert largest < 5 * 400, "no document holds more than a page"
    (match,) = (each for each in ahead if each.stage.name == "match")
    assert len(match.task.timers) == 0
    world.message(A, "m1")
    world.run()
    assert len(world.told) == 61
    world.advance(2 * DAY)
    world.message(A, "m2", action_at=HEARING + DAY)
    world.run()
    assert [who for who, _, message in world.told if message == "m2"] == ["bob"], "the others have expired"
