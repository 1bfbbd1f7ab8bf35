"""The states of two offender keys become that of one person: expectations, clocks, cases, and events with two ids."""

from typing import Any

import pytest
from msgspec.structs import replace

from processors.domain.event import Change
from processors.domain.expectation import Expectation
from processors.domain.merge import Merge, SameEvent
from processors.stage import Context
from processors.topics import CONFIRMED, EXPECTATIONS, STANDINGS
from processors.validate import clocks, compact
from processors.validate.clocks import Clock, ClockState, PastActivity
from processors.validate.compact import Case, CompactState, Step
from processors.validate.merge import (
    is_same_clock,
    joined_cases,
    joined_clocks,
    joined_expectations,
    joined_history,
    merge_states,
    move_pending,
    rename_event,
    state_keys,
)
from processors.validate.reviews import pending_key
from processors.validate.state import MAX_EXPECTED, MAX_HISTORY, ExpectedEvent, HeldMessage, HistoryEntry, OffenderState, Pending
from processors.validate.timeline import latest_entries
from tests.one_stage import SEAL, rules
from tests.validate.scene import Scene, escape, hearing, ms

AT = ms("2026-11-20 12:00")
MERGE = Merge(offender="young", into="old", seq=9, received_at=AT, detail="SID")
OLD_CHAIN, NEW_CHAIN = "VA0010000\nm-also", "VA0010000\nm-root"
SAME = SameEvent(offender="old", ori="VA0010000", root="m-root", also="m-also", seq=9, received_at=AT)
CLOCK = Clock("transfer reply", "c1", "m1", "VA0010000", "VA", "1203344", "VA", "NC", AT, AT + 10)


def expected(chain: str, offender: str, since: int = 1, met_by: str | None = None) -> ExpectedEvent:
    state: Any = "open" if met_by is None else "met"
    record = Expectation(
        expectation_id=f"{offender}-{chain}",
        message_id="m1",
        ori="VA0010000",
        offender=offender,
        jurisdiction="VA",
        state=state,
        expects="Recapture",
        owed_by="any agency",
        rule="r",
        text="t",
        since=since,
        deadline=None,
        settled_by=met_by and "m2",
        settled_at=met_by and 5,  # type: ignore[arg-type]
    )
    return ExpectedEvent(chain, "Recapture", None, record, met_by)


def step(number: int, chain: str, at: int = 0) -> Step:
    return Step(at, at, number, chain, "transfer request", "Request ICOTS Transfer")


def entry(at: int, seq: int, chain: str) -> HistoryEntry:
    return HistoryEntry(at, seq, chain, "Jail", "Escape", at, told=True)


def test_the_states_of_an_offender_are_its_document_and_its_pending_messages() -> None:
    known = OffenderState(pending=(Pending("k1", "c", "r", 1, 2), Pending("k2", "c", "r", 1, 2)))
    assert list(state_keys("o", {"o": known})) == ["o", "k1", "k2"]
    assert list(state_keys("o", {})) == ["o"]


def test_histories_are_joined_by_action_time_each_event_once_and_bounded() -> None:
    mine, theirs = (entry(3, 1, "a"), entry(5, 2, "b")), (entry(4, 3, "c"), entry(3, 0, "d"), entry(9, 9, "b"))
    assert joined_history(mine, theirs) == (entry(3, 0, "d"), entry(3, 1, "a"), entry(4, 3, "c"), entry(5, 2, "b"))
    many = tuple(entry(number, number, str(number)) for number in range(MAX_HISTORY + 2))
    assert joined_history(many[:3], many[2:]) == many
    assert latest_entries(many, ()) == (many[2:], ((None, "Jail", None),))
    assert latest_entries(many[2:], ()) == (many[2:], ())


def test_an_expectation_of_the_younger_key_goes_on_under_the_older() -> None:
    kept, changed = joined_expectations((expected("a", "old", 2),), (expected("b", "young", 1),), MERGE)
    assert [(each.chain, each.record.offender, each.record.expectation_id) for each in kept] == [
        ("b", "old", "young-b"),
        ("a", "old", "old-a"),
    ]
    assert changed == (kept[0].record,)
    kept, changed = joined_expectations((), (expected("b", "young", 1), expected("c", "young", 2)), MERGE)
    assert [each.chain for each in kept] == ["b", "c"]
    assert changed == tuple(each.record for each in kept)


def test_of_two_expectations_of_one_event_the_older_keys_stays_and_is_met_if_either_was() -> None:
    theirs = expected("a", "young", met_by="z")
    kept, changed = joined_expectations((expected("a", "old"),), (theirs,), MERGE)
    (one,) = kept
    assert (one.met_by, one.record.state, one.record.expectation_id) == ("z", "met", "old-a")
    assert (one.record.settled_by, one.record.settled_at) == ("m2", 5)
    assert changed == (replace(theirs.record, state="cancelled", settled_at=AT), one.record)
    mine = expected("a", "old", met_by="y")
    kept, changed = joined_expectations((mine,), (theirs,), MERGE)
    assert kept == (mine,)
    assert [each.state for each in changed] == ["cancelled"]
    kept, changed = joined_expectations((mine,), (expected("a", "young"),), MERGE)
    assert kept == (mine,)
    assert [each.state for each in changed] == ["cancelled"]


def test_the_latest_expectations_are_kept() -> None:
    mine = tuple(expected(f"a{number}", "old", number) for number in range(MAX_EXPECTED))
    kept, _ = joined_expectations(mine, (expected("b", "young", 5_000),), MERGE)
    assert [each.chain for each in kept] == [*(each.chain for each in mine[1:]), "b"]


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"chain": "c2"}, True),
        ({"chain": "c2", "state": "overdue"}, True),
        ({"chain": "c2", "state": "met"}, False),
        ({"state": "met"}, True),
        ({"key": "other"}, False),
        ({"case": "9"}, False),
        ({"case": None}, True),
        ({"case": "120-33 44"}, True),
    ],
)
def test_two_clocks_are_one_by_rule_and_case_if_both_run_or_one_message_started_both(changes: dict[str, Any], same: bool) -> None:  # noqa: FBT001
    other = replace(CLOCK, **changes)
    assert is_same_clock(CLOCK, other) is same
    assert is_same_clock(other, CLOCK) is same


def test_of_two_clocks_of_one_rule_the_older_runs_on_and_the_younger_is_cancelled() -> None:
    younger = replace(CLOCK, chain="c2", begin=AT + 5)
    ours, theirs = ClockState("old", (younger,)), ClockState("young", (CLOCK,))
    after, changed = joined_clocks(ours, theirs, MERGE, rules())
    assert after.offender == "old"
    assert after.clocks == (CLOCK,)
    assert after.formerly == {clocks.id_of(CLOCK): f"young-{clocks.id_of(CLOCK)}"}
    assert [(each.state, each.expectation_id, each.offender, each.settled_at) for each in changed] == [
        ("open", f"young-{clocks.id_of(CLOCK)}", "old", None),
        ("cancelled", f"old-{clocks.id_of(younger)}", "old", AT),
    ]


def test_a_clock_that_both_keys_have_is_published_by_the_older_key_alone() -> None:
    met = replace(CLOCK, state="met", by="m2", at=AT + 1)
    after, changed = joined_clocks(ClockState("old", (CLOCK,), (), {"x": "y"}), ClockState("young", (met,), (), {"z": "w"}), MERGE, rules())
    assert after.clocks == (CLOCK,)
    assert after.formerly == {"x": "y", "z": "w"}
    assert changed == ()


def test_without_clocks_and_activities_nothing_changes() -> None:
    ours = ClockState("old", (CLOCK,))
    assert joined_clocks(ours, ClockState("young"), MERGE, rules()) == (ours, ())
    assert joined_clocks(ours, ClockState("young"), MERGE, rules())[0] is ours


def test_activities_of_both_are_kept_by_receipt_each_once_and_the_latest() -> None:
    def heard(chain: str, at: int) -> PastActivity:
        return PastActivity("departure", chain, "m", None, at, at)

    after, _ = joined_clocks(
        ClockState("old", (), (heard("a", 3),)), ClockState("young", (), (heard("b", 1), heard("a", 2))), MERGE, rules()
    )
    assert after.activities == (heard("b", 1), heard("a", 3))
    many = tuple(heard(str(number), number) for number in range(clocks.MAX_ACTIVITIES))
    after, _ = joined_clocks(ClockState("old", (), many), ClockState("young", (), (heard("last", 9_999),)), MERGE, rules())
    assert after.activities == (*many[1:], heard("last", 9_999))


def test_two_cases_with_one_number_become_one_with_the_steps_of_both() -> None:
    mine = CompactState((Case("7", (step(1, "a", 10),)), Case("12-033", (step(2, "b", 20),))))
    theirs = CompactState((Case("9", (step(5, "d", 30),)), Case("12033", (step(3, "c", 15), step(4, "b", 20)))))
    joined = joined_cases(mine, theirs, rules(), MERGE)
    assert [each.number for each in joined.cases] == ["7", "12-033", "9"]
    assert joined.cases[1].steps == (step(3, "c", 15), step(2, "b", 20))
    assert joined_cases(mine, CompactState(), rules(), MERGE) is mine


def test_cases_without_a_number_stay_apart_and_the_latest_are_kept() -> None:
    both = joined_cases(CompactState((Case(None, (step(1, "a", 1),)),)), CompactState((Case(None, (step(2, "b", 2),)),)), rules(), MERGE)
    assert len(both.cases) == 2
    many = CompactState(tuple(Case(str(number), (step(number, str(number), number),)) for number in range(1, compact.MAX_CASES + 1)))
    joined = joined_cases(many, CompactState((Case("x", (step(99, "x", 99),)),)), rules(), MERGE)
    assert [each.number for each in joined.cases] == [*(str(number) for number in range(2, compact.MAX_CASES + 1)), "x"]


def test_a_pending_message_moves_under_the_present_key_and_its_review_keeps_its_id() -> None:
    one = replace(escape(), offender="young", formerly=("younger",))
    pending = Pending("young#1", "c", "workflow", 1, 2, "validate-young-1")
    moved, held = move_pending(pending, {"young#1": HeldMessage(one, "why")}, MERGE)
    assert (held.event.offender, held.event.formerly, held.detail) == ("old", ("younger", "young"), "why")
    assert moved == replace(pending, key=pending_key(held.event))
    with pytest.raises(TypeError, match="young#1 holds no message"):
        move_pending(pending, {"young#1": OffenderState()}, MERGE)


def folded(ours: OffenderState, theirs: OffenderState, *held: tuple[str, HeldMessage]) -> Any:
    return merge_states(MERGE, {"old": ours}, {"young": theirs, **dict(held)}, Context(rules(), SEAL))


def test_all_that_was_known_under_the_younger_key_is_known_under_the_older() -> None:
    scene = Scene()
    scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00"))
    (pending,) = scene.known.pending
    held = scene.state(pending.key)
    held = replace(held, event=replace(held.event, offender="young"))
    theirs = OffenderState(
        history=(entry(1, 1, "a"),),
        pending=(replace(pending, key="young#1"),),
        told_until={"a": 9, "b": 3},
        untold={"a": (Change("court", "x", "y"),)},
        expected=(expected("e", "young"),),
        compact=CompactState((Case("7", (step(1, "s", 10),)),)),
        clocks=ClockState("young", (CLOCK,)),
    )
    decision = folded(OffenderState(told_until={"c": 5}), theirs, ("young#1", held))
    known, key = decision.states["old"], pending_key(replace(held.event, offender="old"))
    assert known.history == theirs.history
    assert known.pending == (replace(pending, key=key),)
    assert decision.states[key].event.offender == "old"
    assert list(known.told_until.items()) == [("b", 3), ("c", 5), ("a", 9)]
    assert known.untold == theirs.untold
    assert [each.record.offender for each in known.expected] == ["old"]
    assert known.compact == theirs.compact
    assert known.clocks.clocks == (CLOCK,)
    assert known.clock_due == CLOCK.deadline
    assert [(each.topic, each.key) for each in decision.outputs if each.value is None] == [(STANDINGS, "young")]
    assert {each.key for each in decision.outputs if each.topic is EXPECTATIONS} == {"young-e", f"young-{clocks.id_of(CLOCK)}"}


def test_a_pending_message_that_the_merge_releases_is_sent_on() -> None:
    scene = Scene()
    scene.receive(hearing("2027-09-20 09:00", received="2026-11-20 09:00"))
    (pending,) = scene.known.pending
    later = replace(MERGE, received_at=ms("2027-09-20 00:00"))
    context = Context(rules(), SEAL)
    decision: Any = merge_states(later, {}, {"young": OffenderState(pending=(pending,)), pending.key: scene.state(pending.key)}, context)
    assert [each.value.offender for each in decision.outputs if each.topic is CONFIRMED] == ["old"]
    assert decision.states["old"].pending == ()
    assert [each.reason for each in decision.verdicts] == ["in_range"]


def test_a_standing_is_taken_back_if_there_was_one() -> None:
    outputs = folded(OffenderState(), OffenderState(history=(entry(1, 1, "a"),))).outputs
    assert [each.key for each in outputs if each.value is None] == ["young"]
    assert folded(OffenderState(), OffenderState(told_until={"a": 1})).outputs == ()


def test_an_event_with_two_ids_is_known_by_one_everywhere() -> None:
    change = (Change("court", "a", "b"),)
    clock = replace(CLOCK, chain=OLD_CHAIN)
    settled = replace(CLOCK, key="other", by_chain=OLD_CHAIN)
    known = OffenderState(
        history=(entry(1, 1, OLD_CHAIN), entry(2, 2, "x")),
        pending=(Pending("k", OLD_CHAIN, "r", 1, 2), Pending("l", "x", "r", 1, 2)),
        told_until={OLD_CHAIN: 5, "x": 6},
        untold={OLD_CHAIN: change},
        expected=(expected(OLD_CHAIN, "old"), expected("x", "old", met_by=OLD_CHAIN)),
        compact=CompactState((Case("7", (step(1, OLD_CHAIN), step(2, "x"))),)),
        clocks=ClockState(
            "old", (clock, settled), (PastActivity("a", OLD_CHAIN, "m", None, 1, 1), PastActivity("a", "x", "m", None, 1, 1))
        ),
    )
    after: Any = rename_event(SAME, {"old": known}).states["old"]
    assert [each.chain for each in after.history] == [NEW_CHAIN, "x"]
    assert [each.chain for each in after.pending] == [NEW_CHAIN, "x"]
    assert after.told_until == {NEW_CHAIN: 5, "x": 6}
    assert after.untold == {NEW_CHAIN: change}
    assert [(each.chain, each.met_by) for each in after.expected] == [(NEW_CHAIN, None), ("x", NEW_CHAIN)]
    assert [each.chain for each in after.compact.cases[0].steps] == [NEW_CHAIN, "x"]
    assert [(each.chain, each.by_chain) for each in after.clocks.clocks] == [(NEW_CHAIN, None), ("c1", NEW_CHAIN)]
    assert [each.chain for each in after.clocks.activities] == [NEW_CHAIN, "x"]
    assert after.clocks.formerly == {clocks.id_of(replace(clock, chain=NEW_CHAIN)): f"old-{clocks.id_of(clock)}"}
    assert rename_event(SAME, {"old": after}).states == {}
    assert rename_event(SAME, {}).states == {}


def test_what_both_ids_have_is_that_of_the_one_that_stays() -> None:
    clock = replace(CLOCK, chain=OLD_CHAIN)
    known = OffenderState(
        history=(entry(1, 1, OLD_CHAIN), entry(2, 2, NEW_CHAIN)),
        told_until={OLD_CHAIN: 5, NEW_CHAIN: 7},
        compact=CompactState((Case("7", (step(1, OLD_CHAIN), step(2, NEW_CHAIN))),)),
        clocks=ClockState("old", (clock,), (), {clocks.id_of(clock): "young-1"}),
    )
    after: Any = rename_event(SAME, {"old": known}).states["old"]
    assert after.history == (entry(2, 2, NEW_CHAIN),)
    assert after.told_until == {NEW_CHAIN: 7}
    assert after.compact.cases[0].steps == (step(2, NEW_CHAIN),)
    assert after.clocks.formerly == {clocks.id_of(replace(clock, chain=NEW_CHAIN)): "young-1"}
