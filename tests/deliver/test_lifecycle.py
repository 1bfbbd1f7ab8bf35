"""The transition tables of attempts and contacts: what is legal, what changes nothing, what an end means for each kind of message."""

from typing import Any, get_args

import pytest

from processors.deliver.lifecycle import (
    ATTEMPT_TRANSITIONS,
    CONTACT_TRANSITIONS,
    FINAL,
    OUTCOMES,
    REFUSALS,
    UNDER_WAY,
    AttemptEvent,
    AttemptState,
    ContactEvent,
    ContactState,
    MessageKind,
    next_state,
)
from processors.domain.notification import ReceiptStatus

STATES = get_args(AttemptState)
RECEIPTS = get_args(ReceiptStatus)


@pytest.mark.parametrize("final", FINAL)
def test_a_final_state_of_an_attempt_is_never_left(final: Any) -> None:
    """Contract §5; case B20."""
    events: list[Any] = [*RECEIPTS, "lease_ended", "wait_ended"]
    assert {event: next_state(ATTEMPT_TRANSITIONS, final, event) for event in events} == dict.fromkeys(events)


@pytest.mark.parametrize("final", FINAL)
def test_a_final_receipt_counts_however_late_it_comes(final: Any) -> None:
    open_states = [state for state in STATES if state not in FINAL]
    assert open_states
    assert {state: next_state(ATTEMPT_TRANSITIONS, state, final) for state in open_states} == dict.fromkeys(open_states, final)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_ends_an_attempt_once(refusal: Any) -> None:
    assert next_state(ATTEMPT_TRANSITIONS, "accepted", refusal) == refusal
    assert [next_state(ATTEMPT_TRANSITIONS, refusal, again) for again in (*REFUSALS, "accepted", "lease_ended", "wait_ended")] == [None] * 8


def test_only_an_attempt_that_nobody_accepted_ends_with_its_lease_and_only_an_accepted_one_goes_unanswered() -> None:
    assert [state for state in STATES if next_state(ATTEMPT_TRANSITIONS, state, "lease_ended")] == ["sent"]
    assert [state for state in STATES if next_state(ATTEMPT_TRANSITIONS, state, "wait_ended")] == ["accepted"]


def test_the_tables_name_only_states_and_events_that_there_are() -> None:
    assert {state for state, _ in ATTEMPT_TRANSITIONS} | set(ATTEMPT_TRANSITIONS.values()) <= set(STATES)
    assert {event for _, event in ATTEMPT_TRANSITIONS} == {*RECEIPTS, "lease_ended", "wait_ended"}
    assert {*RECEIPTS, "lease_ended", "wait_ended"} == {*RECEIPTS, *[each for each in flat(AttemptEvent) if each not in RECEIPTS]}
    assert {state for state, _ in CONTACT_TRANSITIONS} | set(CONTACT_TRANSITIONS.values()) == set(get_args(ContactState))
    assert {event for _, event in CONTACT_TRANSITIONS} == set(get_args(ContactEvent))


def flat(union: Any) -> set[str]:
    return {part for each in get_args(union) for part in (get_args(each) or (each,))}


@pytest.mark.parametrize("kind", get_args(MessageKind))
def test_every_end_of_an_attempt_has_a_meaning_for_every_kind_of_message(kind: Any) -> None:
    assert set(OUTCOMES[kind]) == set(STATES) - {"sent"}


@pytest.mark.parametrize(
    ("state", "meanings"),
    [  # text, email, email in doubt, call, emergency call without PIN, call with PIN
        ("delivered", ["reached", "reached", "reached", "reached", "reached", "reached"]),
        ("unconfirmed", ["again", "again", "again", "reached", "reached", "again"]),
        ("voicemail", ["again", "again", "again", "reached", "again", "again"]),
        ("busy", ["again", "again", "again", "again", "again", "again"]),
        ("unanswered", ["silence", "reached", "silence", "again", "again", "again"]),
        ("expired", ["again", "again", "again", "again", "again", "again"]),
        ("permanent_failure", ["failed", "failed", "failed", "failed", "failed", "failed"]),
    ],
)
def test_what_an_end_means_depends_on_the_kind_of_message(state: Any, meanings: list[str]) -> None:
    """A machine taken for a person must not end an emergency (contract §5)."""
    assert [OUTCOMES[kind][state] for kind in get_args(MessageKind)] == meanings


def test_nothing_begins_again_at_a_contact_that_has_ended() -> None:
    """What a provider had taken before the contact was given up still waits for its receipt."""
    resumed = {pair for pair, to in CONTACT_TRANSITIONS.items() if pair[0] not in UNDER_WAY and to in UNDER_WAY}
    assert resumed == {("gave_up", "accepted")}
    assert CONTACT_TRANSITIONS["gave_up", "accepted"] == "trying"


def test_a_contact_that_opted_out_or_was_reached_stays_so() -> None:
    assert [pair for pair in CONTACT_TRANSITIONS if pair[0] in {"opted_out", "reached"}] == []
