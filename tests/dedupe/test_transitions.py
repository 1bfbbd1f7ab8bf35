"""Every pair of the table does what it declares; a missing pair is an error and changes nothing."""

from typing import get_args

import pytest
from msgspec.structs import replace

from processors.dedupe.state import EventState, HeldCancel, KnownEvent
from processors.dedupe.transitions import DEADLINE_TRANSITIONS, TRANSITIONS, State, send_held_cancel, take_effect
from processors.domain.event import Operation
from processors.domain.transition import MissingTransitionError
from tests.dedupe.known import CANCEL, knowing, known, message
from tests.dedupe.scene import HEARING, MINUTE

TOLD = replace(CANCEL, message_id="m1", operation="Add", refers_to=None)
STATES: dict[State, KnownEvent] = {
    "new": known(1, state="new", fingerprints={}),
    "told": known(1, fingerprints={"f": 101}),
    "expired": known(1, fingerprints={"f": 100}),
    "held": known(1, state="held", fingerprints={"f": 101}, held=HeldCancel(200, CANCEL)),
    "cancelled": known(1, state="cancelled", fingerprints={"f": 101}),
    "overtaken": known(1, fingerprints={"f": 101}, overtaken="c"),
}


@pytest.mark.parametrize(("state", "operation"), TRANSITIONS)
@pytest.mark.parametrize("other", [{}, {"action_at": HEARING + MINUTE}, {"released_by": "kim"}], ids=["same", "changed", "released"])
def test_a_pair_leads_where_it_declares_for_the_reasons_it_declares(state: State, operation: Operation, other: dict[str, object]) -> None:
    situation = knowing(STATES[state], stored={1: TOLD})
    effect = take_effect(situation, STATES[state], message(operation=operation, **other), operation)
    declared = TRANSITIONS[state, operation]
    stands = {each.state for each in effect.events.values() if each is not None} or {STATES[state].state}
    assert stands <= set(declared.to)
    assert all((each.held is not None) == (each.state == "held") for each in effect.events.values() if each is not None)
    assert effect.verdicts[-1].reason in declared.reasons


def test_every_declared_end_and_reason_is_reached() -> None:
    reached: dict[tuple[State, Operation], set[str]] = {}
    for pair in TRANSITIONS:
        for other in ({}, {"action_at": HEARING + MINUTE}, {"released_by": "kim"}):
            situation = knowing(STATES[pair[0]], stored={1: TOLD})
            effect = take_effect(situation, STATES[pair[0]], message(operation=pair[1], **other), pair[1])
            reached.setdefault(pair, set()).add(effect.verdicts[-1].reason)
    assert reached == {pair: set(declared.reasons) for pair, declared in TRANSITIONS.items()}


@pytest.mark.parametrize("pair", [("cancelled", "Add"), ("expired", "Update"), ("expired", "Cancel"), ("overtaken", "Cancel")])
def test_a_pair_that_is_not_there_cannot_happen(pair: tuple[State, Operation]) -> None:
    assert pair not in TRANSITIONS


def test_a_missing_pair_is_an_error_that_names_it() -> None:
    cancelled = STATES["cancelled"]
    with pytest.raises(MissingTransitionError, match="no Add in the state cancelled"):
        take_effect(knowing(cancelled), cancelled, message(operation="Add"), "Add")


def test_time_does_something_to_every_state_that_is_kept() -> None:
    assert set(DEADLINE_TRANSITIONS) == set(get_args(EventState)) - {"new"}


@pytest.mark.parametrize(("forget_at", "after"), [(199, None), (200, None), (201, "cancelled")])
def test_with_the_end_of_a_hold_an_event_that_has_expired_is_forgotten(forget_at: int, after: EventState | None) -> None:
    held = replace(STATES["held"], forget_at=forget_at)
    effect = send_held_cancel(knowing(held, at=200, stored={1: TOLD}), held)
    left = effect.events[1]
    assert (left and left.state, effect.messages) == (after, {1: None})
    assert [each.reason for each in effect.verdicts] == ["cancelled"]


def test_a_hold_without_a_cancel_is_an_error_that_names_the_event() -> None:
    with pytest.raises(TypeError, match="no Cancel is held of the event of message m1"):
        send_held_cancel(knowing(STATES["told"]), STATES["told"])
