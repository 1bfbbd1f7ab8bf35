"""Parts of a decision are values that combine in order."""

from processors.dedupe.effect import Effect, decision
from processors.dedupe.state import KnownEvents, StoredMessage
from processors.stage import Decision
from tests.dedupe.known import CANCEL, knowing, known, waiting
from tests.dedupe.scene import OFFENDER


def test_the_later_effect_holds_if_both_name_a_value_and_both_write() -> None:
    situation = knowing()
    first = Effect({1: known(1)}, {2: waiting(2)}, {1: CANCEL}, (), (situation.journal.verdict(CANCEL, "passed", "changed", "a"),))
    second = Effect({1: None, 3: known(3)}, {}, {1: None}, (), (situation.journal.verdict(CANCEL, "passed", "changed", "b"),))
    both = first.then(second)
    assert (both.events, both.waiting, both.messages) == ({1: None, 3: known(3)}, {2: waiting(2)}, {1: None})
    assert [each.detail for each in both.verdicts] == ["a", "b"]


def test_an_event_keeps_its_place_and_a_new_one_comes_last() -> None:
    before = KnownEvents((known(1), known(2), known(3)), (waiting(5), waiting(6)))
    after = before.with_changes({2: known(2, forget_at=9), 4: known(4), 3: None}, {5: waiting(5, due=7), 7: waiting(7), 8: None})
    assert after.events == (known(1), known(2, forget_at=9), known(4))
    assert after.waiting == (waiting(6), waiting(5, due=7), waiting(7))


def test_an_effect_that_changes_nothing_keeps_no_state() -> None:
    assert decision(Effect(), knowing(known(1))) == Decision()


def test_the_document_is_forgotten_with_its_last_event_and_a_message_with_its_event() -> None:
    one = knowing(known(1))
    assert decision(Effect(events={1: None}, messages={1: None}), one).states == {OFFENDER: None, f"{OFFENDER}/1": None}
    assert decision(Effect(messages={2: CANCEL}), one).states == {f"{OFFENDER}/2": StoredMessage(CANCEL)}
    assert decision(Effect(waiting={2: waiting(2)}), one).states == {OFFENDER: KnownEvents((known(1),), (waiting(2),))}
