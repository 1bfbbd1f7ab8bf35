"""What a message changes when it takes effect, what is reverted, and for how long it is remembered as told."""

import msgspec
import pytest

from processors.domain.event import Event
from processors.validate import effect, registrant_knowledge
from processors.validate.chain import chain_of, is_later
from processors.validate.compact import CompactState
from processors.validate.facts import RulesInForce, rules_in_force
from processors.validate.state import MAX_HISTORY, MAX_TOLD, ExpectedEvent, HistoryEntry, OffenderState, Pending
from tests.one_stage import rules
from tests.validate.scene import DAY, HOUR, Scene, cancel, escape, event, hearing, intake, jailed, ms, recapture, update
from tests.validate.test_compact import step

NOON = "2026-11-20 12:00"


def named(one: Event, message_id: str, seq: int = 1) -> Event:
    return msgspec.structs.replace(one, message_id=message_id, seq=seq)


def in_force(one: Event) -> RulesInForce:
    return rules_in_force(one, rules(), one.received_at)


def taken(known: OffenderState, *events: Event, told: bool = True) -> OffenderState:
    for each in events:
        known, _ = effect.apply_event(known, each, in_force(each), told=told)
    return known


def test_a_message_stands_in_the_history_with_what_it_brought_about() -> None:
    one = named(escape(NOON, case_number="A", location_name="Richmond"), "m1", 7)
    (entry,) = taken(OffenderState(), one).history
    assert entry == HistoryEntry(
        ms(NOON), 7, "VA0010000\nm1", "Corrections", "Escape", ms(NOON), told=True, case_number="A", status="Escapee", kind="At Large",
        place="Richmond", jurisdiction="VA",
    )  # fmt: skip
    (entry,) = taken(OffenderState(), named(hearing("2026-11-20", location_name="Court 4"), "m1"), told=False).history
    assert (entry.told, entry.kind, entry.place, entry.past_from) == (False, None, None, ms("2026-11-21 00:00"))


def test_only_what_was_told_is_in_the_ledger() -> None:
    one = named(escape(NOON), "m1")
    assert taken(OffenderState(), one, told=False).told_until == {}
    assert taken(OffenderState(), one).told_until == {"VA0010000\nm1": ms(NOON) + 90 * DAY}


def test_what_is_told_is_remembered_until_its_date_is_past_if_that_is_later() -> None:
    far = named(event("Corrections", "Release", "Status Update", "2027-11-19 12:00", received=NOON), "m1")
    assert taken(OffenderState(), far).told_until == {"VA0010000\nm1": ms("2027-11-19 12:00") + 24 * HOUR}
    trial = named(hearing("2027-01-10 12:00", received=NOON), "m1")
    assert taken(OffenderState(), trial).told_until == {"VA0010000\nm1": ms(NOON) + 90 * DAY}


def test_what_is_told_again_is_remembered_longer_and_what_has_expired_is_forgotten() -> None:
    one = named(escape(NOON), "m1")
    now = one.received_at
    old = {"a": now, "b": now + 1, "VA0010000\nm1": now + 5}
    assert list(registrant_knowledge.with_told(old, one, rules()).items()) == [("b", now + 1), ("VA0010000\nm1", now + 90 * DAY)]
    full = {str(number): now + 1 for number in range(MAX_TOLD)}
    assert list(registrant_knowledge.with_told(full, one, rules())) == [*(str(number) for number in range(1, MAX_TOLD)), "VA0010000\nm1"]


def test_what_was_told_is_known_to_the_millisecond_before_it_is_forgotten() -> None:
    one = named(escape(NOON), "m1")
    for until, known in ((one.received_at + 1, True), (one.received_at, False)):
        assert registrant_knowledge.was_told({"VA0010000\nm1": until}, one) is known
    assert not registrant_knowledge.was_told({}, one)
    assert registrant_knowledge.without_told({"VA0010000\nm1": 1, "other": 2}, one) == {"other": 2}


def test_a_change_takes_the_place_of_what_it_changes_and_leaves_the_rest() -> None:
    first, other = named(escape(NOON), "m1"), named(recapture("2026-11-20 13:00"), "m2", 2)
    known = taken(OffenderState(), first, other, update(first, action_at=ms("2026-11-20 14:00"), seq=3))
    assert [(each.chain, each.at) for each in known.history] == [
        ("VA0010000\nm2", ms("2026-11-20 13:00")),
        ("VA0010000\nm1", ms("2026-11-20 14:00")),
    ]


def test_a_change_that_still_expects_is_expected_once() -> None:
    first = named(escape(NOON, expect=True), "m1")
    known = taken(OffenderState(), first, update(first, seq=2))
    (expected,) = known.expected
    assert isinstance(expected, ExpectedEvent)
    assert (expected.record.message_id, expected.record.state) == ("m1-update", "open")


def test_what_meets_and_what_is_raised_by_one_message_are_both_published() -> None:
    known = taken(OffenderState(), named(escape(NOON, expect=True), "m1"))
    both = named(recapture("2026-11-20 13:00", expect=True), "m2", 2)
    after, published = effect.apply_event(known, both, in_force(both), told=True)
    assert [(each.message_id, each.state) for each in published] == [("m1", "met"), ("m2", "open")]
    assert [each.met_by for each in after.expected] == ["VA0010000\nm2", None]


def test_a_changed_message_meets_again_what_it_met_before() -> None:
    recaptured = named(recapture("2026-11-20 13:00"), "m2", 2)
    known = taken(OffenderState(), named(escape(NOON, expect=True), "m1"), recaptured)
    change = update(recaptured, seq=3)
    after, published = effect.apply_event(known, change, in_force(change), told=True)
    assert [each.state for each in published] == ["open", "met"]
    assert [(each.met_by, each.record.settled_by) for each in after.expected] == [("VA0010000\nm2", "m2-update")]


def test_taking_back_publishes_what_it_opened_and_forgets_that_it_was_told() -> None:
    recaptured = named(recapture("2026-11-20 13:00"), "m2", 2)
    known = taken(OffenderState(), named(escape(NOON, expect=True), "m1"), recaptured)
    after, published = effect.revert_event(known, cancel(recaptured), in_force(recaptured))
    assert [each.chain for each in after.history] == ["VA0010000\nm1"]
    assert list(after.told_until) == ["VA0010000\nm1"]
    assert [(each.state, each.settled_by) for each in published] == [("open", None)]


def test_taking_back_what_never_took_effect_changes_no_more_than_the_ledger() -> None:
    known = taken(OffenderState(), named(step("transfer request", NOON), "m1"))
    other = named(step("transfer request", NOON), "m9")
    assert effect.revert_event(known, cancel(other), in_force(other)) == (known, ())
    held = msgspec.structs.replace(known, told_until={**known.told_until, "VA0010000\nm9": 1})
    assert effect.revert_event(held, cancel(other), in_force(other)) == (known, ())


def test_a_step_moves_the_compacts_case_and_its_clocks_and_back() -> None:
    one = named(step("transfer request", NOON), "m1")
    known, published = effect.apply_event(OffenderState(), one, in_force(one), told=True)
    assert [len(case.steps) for case in known.compact.cases] == [1]
    assert {each.state for each in published} == {"open"}
    assert known.clock_due == min(each.deadline for each in known.clocks.clocks)
    after, published = effect.revert_event(known, cancel(one), in_force(one))
    assert (after.compact, after.clocks.clocks, after.clocks.activities, after.clock_due) == (CompactState(), (), (), None)
    assert {each.state for each in published} == {"cancelled"}


def test_a_step_whose_place_in_the_history_was_given_up_is_taken_back_with_its_clocks() -> None:
    one = named(step("transfer request", NOON), "m1")
    many = [named(escape(NOON, action_at=ms(NOON) + number), f"x{number}", number) for number in range(2, MAX_HISTORY + 2)]
    known = taken(OffenderState(), one, *many)
    assert one.message_id not in [each.chain.partition("\n")[2] for each in known.history]
    after, published = effect.revert_event(known, cancel(one), in_force(one))
    assert (after.compact, after.clocks.clocks) == (CompactState(), ())
    assert {each.state for each in published} == {"cancelled"}


def test_clocks_that_strike_are_published_and_the_next_is_waited_for() -> None:
    one = named(step("transfer request", NOON), "m1")
    known, _ = effect.apply_event(OffenderState(), one, in_force(one), told=True)
    assert known.clock_due is not None
    after, published = effect.expire_clocks(known, known.clock_due, rules())
    assert published
    assert {each.settled_at for each in published} == {known.clock_due}
    assert after.clock_due is not None
    assert after.clock_due > known.clock_due
    struck = [each for each in after.clocks.clocks if each.at is not None]
    assert [(each.deadline, each.at) for each in struck] == [(known.clock_due, known.clock_due)] * len(published)
    assert after.compact == known.compact
    assert after.history == known.history


def test_what_is_not_of_the_compact_leaves_its_cases_and_clocks_as_they_are() -> None:
    known, _ = effect.apply_event(
        OffenderState(), named(step("transfer request", NOON), "m1"), in_force(step("transfer request", NOON)), told=True
    )
    other = named(intake("2026-11-20 13:00"), "m2", 2)
    after, published = effect.apply_event(known, other, in_force(other), told=True)
    assert after.compact is known.compact
    assert after.clocks is known.clocks
    assert after.clock_due == known.clock_due
    assert published == ()


def pending(due: int | None) -> Pending:
    return Pending(str(due), "c", "r", 0, due)


@pytest.mark.parametrize(
    ("waiting", "clock", "due"),
    [
        ((), None, None),
        ((), 5, 5),
        ((3, 4), 5, 3),
        ((3, 4), 2, 2),
        ((4, 3), None, 3),
        ((None, 4), None, 4),
        ((None,), None, None),
        ((None,), 5, 5),
    ],
)
def test_a_dossier_is_due_at_the_first_of_its_times(waiting: tuple[int | None, ...], clock: int | None, due: int | None) -> None:
    assert OffenderState(pending=tuple(pending(each) for each in waiting), clock_due=clock).deadline == due


def test_the_wait_of_one_message_and_the_clocks_of_another_are_both_kept() -> None:
    scene = Scene()
    scene.receive(step("progress report request", "2026-11-02 12:00"))
    end = scene.known.clock_due
    scene.receive(recapture("2026-11-20 12:00", asked=("Previous Event",)))
    assert list(scene.timers.values()) == [ms("2026-11-20 12:15")]
    scene.until(ms("2026-11-20 12:15"))
    assert list(scene.timers.values()) == [end]


def test_which_messages_are_about_one_event() -> None:
    one = named(escape(NOON), "m1")
    for more, later, chain in (
        ({}, False, "m1"),
        ({"root": "m1"}, False, "m1"),
        ({"root": "m0"}, True, "m0"),
        ({"operation": "Update"}, True, "m1"),
        ({"operation": "Cancel", "refers_to": "m0"}, True, "m0"),
        ({"operation": "Update", "refers_to": "m1", "root": "m0"}, True, "m0"),
    ):
        each = msgspec.structs.replace(one, **more)
        assert (is_later(each), chain_of(each)) == (later, f"VA0010000\n{chain}")


def test_what_moves_no_case_and_starts_no_clock_is_heard_all_the_same() -> None:
    custody = named(jailed(NOON, compact_case="A", receiving_state="NC"), "m1")
    assert [each.activity for each in taken(OffenderState(), custody).clocks.activities] == ["custody"]
