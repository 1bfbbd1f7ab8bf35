"""A bulk update is not 8,000 releases (contract §6)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.domain.submission import Submission
from processors.ingest.identify.pages import PAGE
from processors.ingest.identify.state import MessageRate, State, TimesBlock
from processors.ingest.identify.surge import BLOCK, block_keys, count_message
from processors.rules.rule_set import Surge
from processors.stage import combine
from tests.ingest.identify.read_and_identify import Decided, ReadAndIdentify
from tests.ingest.records import MINUTE, offender


def flood(ingest: ReadAndIdentify, count: int, **changes: object) -> list[Decided]:
    return [ingest.submit(offenders=[offender(f"SID:VA{number}")], **changes) for number in range(count)]


def held(passed: list[Decided]) -> list[bool]:
    return [not each.events for each in passed]


def test_every_message_beyond_the_limit_gets_a_review_of_one_group() -> None:
    ingest = ReadAndIdentify(surge_limit="3/10m")
    passed = flood(ingest, 6)
    assert held(passed) == [False] * 3 + [True] * 3
    reviews = [review for each in passed for review in each.reviews]
    assert [each.message_id for each in reviews] == ["M-3", "M-4", "M-5"]
    assert {(each.reason, each.state, each.stage) for each in reviews} == {("surge", "open", "identify")}
    assert len({each.review_id for each in reviews}) == 3
    assert len({each.group for each in reviews}) == 1
    (verdict,) = passed[5].verdicts
    assert (verdict.outcome, verdict.reason, verdict.review_id) == ("flagged", "surge", reviews[2].review_id)
    assert "More than 3 messages" in verdict.detail
    assert "600 s" in verdict.detail


def test_the_rest_flows() -> None:
    ingest = ReadAndIdentify(surge_limit="1/10m")
    flood(ingest, 2)
    assert held(flood(ingest, 1, agency={"ori": "NC0010000", "state": "NC"})) == [False]
    assert held(flood(ingest, 1, event_subtype="Release")) == [False]
    assert held(flood(ingest, 1)) == [True]


def test_the_window_slides_by_receive_time() -> None:
    ingest = ReadAndIdentify(surge_limit="2/10m")
    assert held(flood(ingest, 1)) == [False]
    ingest.advance(6 * MINUTE)
    assert held(flood(ingest, 1)) == [False]
    ingest.advance(4 * MINUTE - 1)
    assert held(flood(ingest, 1)) == [True]  # within ten minutes of both
    ingest.advance(1)
    assert held(flood(ingest, 1)) == [True]  # what was held counts too
    ingest.advance(9 * MINUTE + 59_999)
    assert held(flood(ingest, 1)) == [False]


def test_a_flood_that_goes_on_stays_one_group_and_a_later_one_is_another() -> None:
    ingest = ReadAndIdentify(surge_limit="1/10m")
    first = {review.group for each in flood(ingest, 3) for review in each.reviews}
    ingest.advance(9 * MINUTE)
    first |= {review.group for each in flood(ingest, 2) for review in each.reviews}
    assert len(first) == 1
    ingest.advance(10 * MINUTE)
    second = {review.group for each in flood(ingest, 3) for review in each.reviews}
    assert len(second) == 1
    assert first.isdisjoint(second)


def test_none_is_off() -> None:
    ingest = ReadAndIdentify(surge_limit="none")
    assert not any(held(flood(ingest, 30)))
    assert not any(key.startswith("s") for key in ingest.documents)


def test_released_one_by_one_a_message_goes_on_as_it_came() -> None:
    ingest, free = ReadAndIdentify(surge_limit="1/10m"), ReadAndIdentify()
    passed = flood(ingest, 3)
    expected = flood(free, 3)
    ingest.advance(MINUTE)
    released = ingest.act("release", review_id=passed[2].reviews[0].review_id)
    assert released.events == [msgspec.structs.replace(each, held_until=released.verdicts[0].at) for each in expected[2].events]
    assert msgspec.json.decode(released.events[0].submission, type=Submission).message_id == "M-2"
    assert [(each.review_id, each.state, each.reviewer, each.comment) for each in released.reviews] == [
        (passed[2].reviews[0].review_id, "released", "ann", "looked into")
    ]
    assert released.reasons == [("noted", "released"), ("passed", "released")]
    assert released.verdicts[1].message_id == "M-2"
    assert "ann" in released.verdicts[1].detail
    assert "looked into" in released.verdicts[1].detail
    assert ingest.act("release", review_id=passed[2].reviews[0].review_id).reasons == [("noted", "unknown_review")]


def test_discarded_it_is_told_to_nobody() -> None:
    ingest = ReadAndIdentify(surge_limit="1/10m")
    passed = flood(ingest, 2)
    discarded = ingest.act("discard", review_id=passed[1].reviews[0].review_id)
    assert discarded.events == []
    assert [each.state for each in discarded.reviews] == ["discarded"]
    assert discarded.reasons == [("noted", "discarded"), ("suppressed", "discarded")]


@pytest.mark.parametrize("action", ["release", "discard"])
def test_the_group_is_settled_as_one_in_its_order(action: str) -> None:
    ingest = ReadAndIdentify(surge_limit="2/10m")
    passed = flood(ingest, 250)
    group = passed[2].reviews[0].group
    assert group is not None
    ingest.act("release", review_id=passed[5].reviews[0].review_id)
    other = "discard" if action == "release" else "release"
    for first in (other, action, action):  # one reviewer is not two, and the two must agree
        waiting = ingest.act(first, group=group, reviewer="ann")
        assert (waiting.reviews, waiting.events, waiting.reasons) == ([], [], [("noted", "second_reviewer_needed")])
    assert ingest.act(other, group=group, reviewer="ben").reasons == [("noted", "second_reviewer_needed")]
    settled = ingest.act(action, group=group, reviewer="ann")
    assert settled.reasons == [("noted", "second_reviewer_needed")]
    assert ingest.act(action, group=group, reviewer="cat").reviews == []
    parts = ingest.advance(0)
    assert [len(part.states) > 2 for part in parts] == [True] * 3, "one page of the group after another"
    settled = Decided(combine(parts))
    assert {each.reviewer for each in settled.reviews} == {"ann and cat"}
    rest = [f"M-{number}" for number in range(2, 250) if number != 5]
    assert [each.message_id for each in settled.reviews] == rest
    assert [each.message_id for each in settled.events] == (rest if action == "release" else [])
    assert ingest.act(action, group=group).reasons == [("noted", "unknown_review")]
    assert not any(key.startswith("v") or key.endswith(".decision") for key in ingest.documents)


def test_what_is_held_after_the_decision_on_a_large_group_waits_for_another() -> None:
    ingest = ReadAndIdentify(surge_limit="2/10m")
    group = flood(ingest, 2 * PAGE)[2].reviews[0].group or ""
    flood(ingest, PAGE)
    for reviewer in ("ann", "ben"):
        ingest.act("release", group=group, reviewer=reviewer)
    (late,) = flood(ingest, 1)
    released = Decided(combine(ingest.advance(0)))
    assert len(released.events) == 3 * PAGE - 2
    assert late.reviews[0].review_id not in {each.review_id for each in released.reviews}
    assert ingest.act("release", group=group).events[0].message_id == late.reviews[0].message_id


def test_a_group_that_one_reviewer_may_decide_needs_no_second() -> None:
    ingest = ReadAndIdentify(surge_limit="2/10m")
    passed = flood(ingest, 27)
    assert len(ingest.act("release", group=passed[2].reviews[0].group or "").events) == 25


def test_every_offender_of_a_held_message_waits_with_it() -> None:
    ingest = ReadAndIdentify(surge_limit="1/10m")
    ingest.submit()
    passed = ingest.submit(offenders=[offender("SID:VA1"), offender("SID:VA2")])
    assert passed.reasons == [("flagged", "surge")] * 2
    (review,) = passed.reviews
    assert [each.part for each in ingest.act("release", review_id=review.review_id).events] == [0, 1]


def test_a_cancel_of_a_held_message_takes_it_out_of_the_group_and_goes_no_further() -> None:
    ingest = ReadAndIdentify(surge_limit="1/10m")
    reviews = [review for each in flood(ingest, 3) for review in each.reviews]
    ingest.advance(20 * MINUTE)
    cancelled = ingest.submit(message_id="C", operation="Cancel", refers_to="M-1", offenders=[offender("SID:VA1")])
    assert [(each.review_id, each.state) for each in cancelled.reviews] == [(reviews[0].review_id, "superseded")]
    assert cancelled.reasons == [("suppressed", "superseded"), ("suppressed", "nothing_told")]
    assert cancelled.events == []
    released = ingest.act("release", group=reviews[0].group or "")
    assert [each.message_id for each in released.events] == ["M-2"]


def test_an_update_of_a_held_message_waits_in_its_place_and_is_news() -> None:
    ingest = ReadAndIdentify(surge_limit="1/10m")
    (before,) = [review for each in flood(ingest, 2) for review in each.reviews]
    ingest.advance(20 * MINUTE)
    updated = ingest.submit(message_id="U", operation="Update", refers_to="M-1", offenders=[offender("SID:VA1")])
    assert [(each.message_id, each.state) for each in updated.reviews] == [("M-1", "superseded"), ("U", "open")]
    assert {each.group for each in updated.reviews} == {before.group}
    (told,) = ingest.act("release", group=before.group or "").events
    assert (told.message_id, told.operation, told.refers_to) == ("U", "Add", None)
    ingest.advance(20 * MINUTE)
    again = ingest.submit(message_id="C", operation="Cancel", refers_to="U", offenders=[offender("SID:VA1")])
    assert [each.message_id for each in again.events] == ["C"], "it was released: its cancellation is told"


def test_a_cancel_for_one_offender_leaves_the_others_of_a_held_message() -> None:
    ingest = ReadAndIdentify(surge_limit="1/10m")
    flood(ingest, 1)
    two = [offender("SID:VA7"), offender("SID:VA8")]
    (review,) = ingest.submit(message_id="BOTH", offenders=two).reviews
    ingest.advance(20 * MINUTE)
    assert ingest.submit(message_id="C", operation="Cancel", refers_to="BOTH", offenders=[two[0]]).reviews == []
    (left,) = ingest.act("release", review_id=review.review_id).events
    assert left.message_id == "BOTH"


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 40, 180]), st.sampled_from([0, 7, 700]), st.sampled_from([1, 99, 100, 101, 250])),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([600, 30_000]),
)
def test_a_rate_in_blocks_counts_as_all_the_times_would(bursts: list[tuple[int, int, int]], window: int) -> None:
    states: dict[str, State] = {}
    times: list[int] = []
    at, least = 0, 1 << 30
    for count, apart, most in bursts:
        least = min(most, least)
        for _ in range(count):
            at += apart
            rate = states.get("s")
            blocks = block_keys("s", rate) if isinstance(rate, MessageRate) else ()
            read = {key: states[key] for key in ("s", *blocks) if key in states}
            group, counted = count_message(read, "s", Surge(most, window), at, len(times))
            beyond = group is not None
            truly = sum(each > at - window for each in times) >= most
            # What a limit does not need is forgotten, so that one that is raised counts from what is left.
            assert beyond is truly if most == least else beyond <= truly
            times.append(at)
            for key, state in counted.states.items():
                if state is None:
                    states.pop(key, None)
                else:
                    states[key] = state
    assert len(states) <= 2 + max(most for _, _, most in bursts) // BLOCK
    assert all(len(each.times) <= BLOCK for each in states.values() if isinstance(each, MessageRate | TimesBlock))


def test_after_a_pause_a_rate_is_one_time() -> None:
    ingest = ReadAndIdentify(surge_limit="500/10m")
    flood(ingest, 2 * BLOCK + 3)
    assert len([key for key in ingest.documents if key.startswith("s")]) == 3
    ingest.advance(10 * MINUTE)
    flood(ingest, 1)
    (key,) = ingest.keys("s")
    assert ingest.state(key) == MessageRate(1, (ingest.now,))
