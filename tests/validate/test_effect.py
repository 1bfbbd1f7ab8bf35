"""What a message changes when it takes effect, and what is taken back; how long it is remembered that it was told."""

import msgspec
import pytest

from processors.domain.event import Event
from processors.validate import effect, ledger
from processors.validate.chain import chain_of, is_later
from processors.validate.compact import CompactState
from processors.validate.decide import terms_for
from processors.validate.facts import Terms
from processors.validate.state import HISTORY, TOLD, Dossier, Entry, Expected, Pending
from tests.validate.scene import DAY, HOUR, Scene, cancel, escape, event, hearing, intake, jailed, ms, recapture, rules, update
from tests.validate.test_compact import step

NOON = "2026-11-20 12:00"


def named(one: Event, message_id: str, seq: int = 1) -> Event:
    return msgspec.structs.replace(one, message_id=message_id, seq=seq)


def terms(one: Event) -> Terms:
    return terms_for(one, rules(), one.received_at)


def taken(dossier: Dossier, *events: Event, told: bool = True) -> Dossier:
    for each in events:
        dossier, _ = effect.taken(dossier, each, terms(each), told=told)
    return dossier


def test_a_message_stands_in_the_history_with_what_it_brought_about() -> None:
    one = named(escape(NOON, case_number="A", location_name="Richmond"), "m1", 7)
    (entry,) = taken(Dossier(), one).history
    assert entry == Entry(
        ms(NOON), 7, "VA0010000\nm1", "Corrections", "Escape", ms(NOON), told=True, case_number="A", status="Escapee", kind="At Large",
        place="Richmond",
    )  # fmt: skip
    (entry,) = taken(Dossier(), named(hearing("2026-11-20", location_name="Court 4"), "m1"), told=False).history
    assert (entry.told, entry.kind, entry.place, entry.past_from) == (False, None, None, ms("2026-11-21 00:00"))


def test_only_what_was_told_is_in_the_ledger() -> None:
    one = named(escape(NOON), "m1")
    assert taken(Dossier(), one, told=False).told == {}
    assert taken(Dossier(), one).told == {"VA0010000\nm1": ms(NOON) + 90 * DAY}


def test_what_is_told_is_remembered_until_its_date_is_past_where_that_is_later() -> None:
    far = named(event("Corrections", "Release", "Status Update", "2027-11-19 12:00", received=NOON), "m1")
    assert taken(Dossier(), far).told == {"VA0010000\nm1": ms("2027-11-19 12:00") + 24 * HOUR}
    trial = named(hearing("2027-01-10 12:00", received=NOON), "m1")
    assert taken(Dossier(), trial).told == {"VA0010000\nm1": ms(NOON) + 90 * DAY}


def test_what_is_told_again_is_remembered_anew_and_what_is_over_goes() -> None:
    one = named(escape(NOON), "m1")
    now = one.received_at
    old = {"a": now, "b": now + 1, "VA0010000\nm1": now + 5}
    assert list(ledger.noted(old, one, rules()).items()) == [("b", now + 1), ("VA0010000\nm1", now + 90 * DAY)]
    full = {str(number): now + 1 for number in range(TOLD)}
    assert list(ledger.noted(full, one, rules())) == [*(str(number) for number in range(1, TOLD)), "VA0010000\nm1"]


def test_what_was_told_is_known_to_the_millisecond_before_it_is_forgotten() -> None:
    one = named(escape(NOON), "m1")
    for until, known in ((one.received_at + 1, True), (one.received_at, False)):
        assert ledger.told({"VA0010000\nm1": until}, one) is known
    assert not ledger.told({}, one)
    assert ledger.struck({"VA0010000\nm1": 1, "other": 2}, one) == {"other": 2}


def test_a_change_takes_the_place_of_what_it_changes_and_leaves_the_rest() -> None:
    first, other = named(escape(NOON), "m1"), named(recapture("2026-11-20 13:00"), "m2", 2)
    dossier = taken(Dossier(), first, other, update(first, action_at=ms("2026-11-20 14:00"), seq=3))
    assert [(each.chain, each.at) for each in dossier.history] == [
        ("VA0010000\nm2", ms("2026-11-20 13:00")),
        ("VA0010000\nm1", ms("2026-11-20 14:00")),
    ]


def test_a_change_that_still_expects_is_expected_once() -> None:
    first = named(escape(NOON, expect=True), "m1")
    dossier = taken(Dossier(), first, update(first, seq=2))
    (expected,) = dossier.expected
    assert isinstance(expected, Expected)
    assert (expected.record.message_id, expected.record.state) == ("m1-update", "open")


def test_what_meets_and_what_is_raised_by_one_message_are_both_published() -> None:
    dossier = taken(Dossier(), named(escape(NOON, expect=True), "m1"))
    both = named(recapture("2026-11-20 13:00", expect=True), "m2", 2)
    after, published = effect.taken(dossier, both, terms(both), told=True)
    assert [(each.message_id, each.state) for each in published] == [("m1", "met"), ("m2", "open")]
    assert [each.met_by for each in after.expected] == ["VA0010000\nm2", None]


def test_a_changed_message_meets_again_what_it_met_before() -> None:
    recaptured = named(recapture("2026-11-20 13:00"), "m2", 2)
    dossier = taken(Dossier(), named(escape(NOON, expect=True), "m1"), recaptured)
    change = update(recaptured, seq=3)
    after, published = effect.taken(dossier, change, terms(change), told=True)
    assert [each.state for each in published] == ["open", "met"]
    assert [(each.met_by, each.record.settled_by) for each in after.expected] == [("VA0010000\nm2", "m2-update")]


def test_taking_back_publishes_what_it_opened_and_forgets_that_it_was_told() -> None:
    recaptured = named(recapture("2026-11-20 13:00"), "m2", 2)
    dossier = taken(Dossier(), named(escape(NOON, expect=True), "m1"), recaptured)
    after, published = effect.taken_back(dossier, cancel(recaptured), terms(recaptured))
    assert [each.chain for each in after.history] == ["VA0010000\nm1"]
    assert list(after.told) == ["VA0010000\nm1"]
    assert [(each.state, each.settled_by) for each in published] == [("open", None)]


def test_taking_back_what_never_took_effect_changes_no_more_than_the_ledger() -> None:
    dossier = taken(Dossier(), named(step("transfer request", NOON), "m1"))
    other = named(step("transfer request", NOON), "m9")
    assert effect.taken_back(dossier, cancel(other), terms(other)) == (dossier, ())
    held = msgspec.structs.replace(dossier, told={**dossier.told, "VA0010000\nm9": 1})
    assert effect.taken_back(held, cancel(other), terms(other)) == (dossier, ())


def test_a_step_moves_the_compacts_case_and_its_clocks_and_back() -> None:
    one = named(step("transfer request", NOON), "m1")
    dossier, published = effect.taken(Dossier(), one, terms(one), told=True)
    assert [len(case.steps) for case in dossier.compact.cases] == [1]
    assert {each.state for each in published} == {"open"}
    assert dossier.clock_due == min(each.deadline for each in dossier.clocks.running)
    after, published = effect.taken_back(dossier, cancel(one), terms(one))
    assert (after.compact, after.clocks.running, after.clocks.heard, after.clock_due) == (CompactState(), (), (), None)
    assert {each.state for each in published} == {"cancelled"}


def test_a_step_whose_place_in_the_history_was_given_up_is_taken_back_with_its_clocks() -> None:
    one = named(step("transfer request", NOON), "m1")
    many = [named(escape(NOON, action_at=ms(NOON) + number), f"x{number}", number) for number in range(2, HISTORY + 2)]
    dossier = taken(Dossier(), one, *many)
    assert one.message_id not in [each.chain.partition("\n")[2] for each in dossier.history]
    after, published = effect.taken_back(dossier, cancel(one), terms(one))
    assert (after.compact, after.clocks.running) == (CompactState(), ())
    assert {each.state for each in published} == {"cancelled"}


def test_clocks_that_strike_are_published_and_the_next_is_waited_for() -> None:
    one = named(step("transfer request", NOON), "m1")
    dossier, _ = effect.taken(Dossier(), one, terms(one), told=True)
    assert dossier.clock_due is not None
    after, published = effect.struck(dossier, dossier.clock_due, rules())
    assert published
    assert {each.settled_at for each in published} == {dossier.clock_due}
    assert after.clock_due is not None
    assert after.clock_due > dossier.clock_due
    struck = [each for each in after.clocks.running if each.at is not None]
    assert [(each.deadline, each.at) for each in struck] == [(dossier.clock_due, dossier.clock_due)] * len(published)
    assert after.compact == dossier.compact
    assert after.history == dossier.history


def test_what_is_not_of_the_compact_leaves_its_cases_and_clocks_as_they_are() -> None:
    dossier, _ = effect.taken(Dossier(), named(step("transfer request", NOON), "m1"), terms(step("transfer request", NOON)), told=True)
    other = named(intake("2026-11-20 13:00"), "m2", 2)
    after, published = effect.taken(dossier, other, terms(other), told=True)
    assert after.compact is dossier.compact
    assert after.clocks is dossier.clocks
    assert after.clock_due == dossier.clock_due
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
    assert Dossier(pending=tuple(pending(each) for each in waiting), clock_due=clock).due == due


def test_the_wait_of_one_message_and_the_clocks_of_another_are_both_kept() -> None:
    scene = Scene()
    scene.hear(step("progress report request", "2026-11-02 12:00"))
    end = scene.dossier.clock_due
    scene.hear(recapture("2026-11-20 12:00", asked=("Previous Event",)))
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
    assert [each.activity for each in taken(Dossier(), custody).clocks.heard] == ["custody"]
