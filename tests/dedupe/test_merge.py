"""The decision that merges the events of two offenders who are one person, at the older key (processors/dedupe/merge.py)."""

from typing import Any

import pytest
from msgspec.structs import replace

from processors.dedupe.merge import merge_states, state_keys
from processors.dedupe.state import KnownEvent, KnownEvents, State, StoredMessage, message_key
from processors.domain.event import Event
from processors.domain.merge import Merge, SameEvent
from processors.stage import Decision
from processors.topics import DISTINCT
from tests.dedupe.scene import DAY, HEARING, HOUR, MINUTE, NOON, OFFENDER, Scene, lines

OTHER = "o9999999999999999"
MERGE = Merge(offender=OTHER, into=OFFENDER, seq=99, received_at=NOON, detail="a number agrees")


def scene(seq: int) -> Scene:
    """Return an offender of whom messages come from this place in the intake on."""
    made = Scene()
    made.seq = seq
    return made


def states_of(known: Scene, offender: str) -> dict[str, State]:
    return {key.replace(OFFENDER, offender): with_offender(known.state(key), offender) for key in known.documents}


def with_offender(state: State, offender: str) -> State:
    """Return the state with its messages as this offender's."""
    if isinstance(state, StoredMessage):
        return StoredMessage(replace(state.event, offender=offender))
    events = (
        each if each.held is None else replace(each, held=replace(each.held, cancel=replace(each.held.cancel, offender=offender)))
        for each in state.events
    )
    return replace(state, events=tuple(events))


def merged(mine: Scene, theirs: Scene) -> Decision[State]:
    return merge_states(MERGE, states_of(mine, OFFENDER), states_of(theirs, OTHER), mine.context)


def only_event(decision: Decision[State]) -> KnownEvent:
    after = decision.states[OFFENDER]
    assert isinstance(after, KnownEvents)
    (event,) = after.events
    return event


def stored(decision: Decision[State], event: KnownEvent) -> Event:
    found = decision.states[message_key(OFFENDER, event.seq)]
    assert isinstance(found, StoredMessage)
    return found.event


def sent(decision: Decision[State]) -> list[Any]:
    return [each.value for each in decision.outputs if each.topic is DISTINCT]


def cancelled(seq: int, cancel_id: str) -> Scene:
    """Return an offender of whom an event was told and, by this Cancel, cancelled."""
    made = scene(seq)
    made.add("m1")
    made.cancel(cancel_id, "m1")
    made.later(HOUR)
    return made


def test_one_event_under_both_keys_is_one_known_by_either_id() -> None:
    mine, theirs = scene(0), scene(10)
    mine.add("m1")
    theirs.add("m2")
    decision = merged(mine, theirs)
    event = only_event(decision)
    assert (event.seq, event.root, event.state, event.message_ids, event.last) == (1, "m1", "told", ("m1", "m2"), 11)
    kept = stored(decision, event)
    assert (kept.message_id, kept.offender, kept.formerly) == ("m2", OFFENDER, (OTHER,))
    assert sent(decision) == [SameEvent(offender=OFFENDER, ori="VA0010000", root="m1", also="m2", seq=99, received_at=NOON)]


def test_the_event_that_came_first_names_it_though_it_is_the_other_offenders() -> None:
    mine, theirs = scene(10), scene(0)
    mine.add("m2")
    theirs.add("m1")
    decision = merged(mine, theirs)
    event = only_event(decision)
    assert (event.seq, event.root, event.message_ids, event.last) == (11, "m2", ("m1", "m2"), 0)
    assert stored(decision, event).message_id == "m2"
    assert [(each.root, each.also) for each in sent(decision)] == [("m1", "m2")]


def test_what_was_changed_under_one_key_is_told_as_a_change() -> None:
    mine, theirs = scene(0), scene(10)
    mine.add("m1")
    theirs.add("m1")
    theirs.update("u1", "m1", action_at=HEARING + DAY)
    decision = merged(mine, theirs)
    event = only_event(decision)
    assert (event.message_ids, event.last, len(event.fingerprints)) == (("m1", "u1"), 12, 2)
    (change,) = sent(decision)
    assert (change.telling, change.message_id, [each.field for each in change.changes]) == ("change", "u1", ["action_at"])


@pytest.mark.parametrize("key", [OFFENDER, OTHER], ids=["under the older key", "under the younger key"])
def test_a_cancel_held_under_one_key_cancels_the_event(key: str) -> None:
    mine, theirs = scene(0), scene(10)
    mine.add("m1")
    theirs.add("m1")
    held_at = mine if key == OFFENDER else theirs
    held_at.seq = 20
    held_at.cancel("c1", "m1")
    event = only_event(decision := merged(mine, theirs))
    assert event.held is not None
    assert (event.state, event.cancel_ids, event.held.cancel.message_id) == ("held", ("c1",), "c1")
    assert (event.held.cancel.offender, event.held.cancel.formerly) == (OFFENDER, () if key == OFFENDER else (OTHER,))
    assert decision.verdicts == ()


def test_an_event_of_the_other_offender_alone_is_added_in_order_with_its_message() -> None:
    mine, theirs = scene(10), scene(0)
    mine.add("m2", case_number="CR-26-002")
    theirs.add("m1")
    decision = merged(mine, theirs)
    after = decision.states[OFFENDER]
    assert isinstance(after, KnownEvents)
    assert [each.root for each in after.events] == ["m1", "m2"]
    assert stored(decision, after.events[0]).offender == OFFENDER


def test_no_message_is_stored_of_a_cancelled_event() -> None:
    known = KnownEvents(events=(KnownEvent(seq=1, ori="VA1", root="m1"), KnownEvent(seq=2, ori="VA1", root="m2", state="cancelled")))
    assert list(state_keys(OFFENDER, {OFFENDER: known})) == [OFFENDER, message_key(OFFENDER, 1)]
    mine = {OFFENDER: KnownEvents(events=(KnownEvent(seq=3, ori="VA1", root="m3", forget_at=NOON + DAY),))}
    decision = merge_states(MERGE, mine, {OTHER: KnownEvents(events=known.events[1:])}, Scene().context)
    assert decision.states.keys() == {OFFENDER}


def test_a_held_cancel_is_taken_back_if_the_event_was_sent_again_under_the_other_key_after_it() -> None:
    mine, theirs = scene(0), scene(10)
    mine.add("m1")
    mine.cancel("c1", "m1")
    theirs.add("m2")
    event = only_event(decision := merged(mine, theirs))
    assert (event.state, event.held, event.cancel_ids) == ("told", None, ("c1",))
    assert lines([decision]) == ["c1 suppressed resubmitted"]
    assert decision.verdicts[0].detail == "the event was sent again as message m2"


def test_of_two_held_cancels_the_one_due_first_cancels_and_the_other_is_a_duplicate() -> None:
    mine, theirs = scene(0), scene(10)
    mine.add("m1")
    mine.cancel("c1", "m1")
    theirs.later(MINUTE)
    theirs.add("m1")
    theirs.cancel("c2", "m1")
    event = only_event(decision := merged(mine, theirs))
    assert event.held is not None
    assert (event.state, event.held.cancel.message_id, event.cancel_ids) == ("held", "c1", ("c1", "c2"))
    assert lines([decision]) == ["c2 suppressed duplicate"]
    assert decision.verdicts[0].detail == "the event of message m1 is cancelled already"


def test_an_event_cancelled_under_both_keys_is_cancelled_and_has_no_message() -> None:
    decision = merged(cancelled(4, "c1"), cancelled(10, "c2"))
    event = only_event(decision)
    assert (event.seq, event.state, event.cancel_ids, event.last) == (5, "cancelled", ("c1", "c2"), 0)
    assert decision.states.keys() == {OFFENDER}
    assert decision.outputs == ()


def test_an_event_cancelled_under_one_key_and_told_under_the_other_is_told() -> None:
    theirs = scene(10)
    theirs.add("m1")
    decision = merged(cancelled(0, "c1"), theirs)
    event = only_event(decision)
    assert (event.seq, event.state, event.last) == (1, "told", 11)
    assert stored(decision, event).seq == 11
    assert decision.outputs == ()


@pytest.mark.parametrize("key", [OFFENDER, OTHER], ids=["held under the older key", "held under the younger key"])
def test_an_event_cancelled_under_one_key_whose_cancel_is_held_under_the_other_is_held(key: str) -> None:
    held = scene(10)
    held.add("m1")
    held.cancel("c2", "m1")
    scenes = (held, cancelled(0, "c1")) if key == OFFENDER else (cancelled(0, "c1"), held)
    event = only_event(decision := merged(*scenes))
    assert event.held is not None
    assert (event.state, event.held.cancel.message_id, event.cancel_ids) == ("held", "c2", ("c1", "c2"))
    assert (decision.verdicts, decision.outputs) == ((), ())


@pytest.mark.parametrize("key", [OFFENDER, OTHER], ids=["under the older key", "under the younger key"])
def test_the_content_told_last_is_the_events_last(key: str) -> None:
    mine, theirs = scene(0), scene(10)
    mine.add("m1")
    theirs.add("m1")
    changed = mine if key == OFFENDER else theirs
    changed.seq = 20
    changed.update("u1", "m1", action_at=HEARING + DAY)
    newest = changed.known.events[0].newest
    decision = merged(mine, theirs)
    event = only_event(decision)
    assert (event.last, event.newest, len(event.fingerprints)) == (21, newest, 2)
    assert decision.states.get(message_key(OFFENDER, 1)) == StoredMessage(stored(decision, event))
    assert [each.telling for each in sent(decision)] == ["change"]


def test_what_was_told_under_one_key_is_recognized_though_something_else_was_told_last_under_the_other() -> None:
    mine, theirs = scene(0), scene(10)
    mine.add("m1")
    first, *_ = mine.known.events[0].fingerprints
    mine.update("u1", "m1", action_at=HEARING + DAY)
    changed = mine.known.events[0].newest
    theirs.add("m1")
    decision = merged(mine, theirs)
    event = only_event(decision)
    assert (list(event.fingerprints), event.message_ids, event.last) == ([changed, first], ("m1", "u1"), 11)
    assert [(each.telling, each.seq) for each in sent(decision)] == [("change", 11)]


def test_of_two_parts_of_one_message_the_older_offenders_comes_first() -> None:
    mine, theirs = scene(0), scene(0)
    mine.add("m1")
    mine.add("m2")
    theirs.add("m1")
    theirs.add("m3")
    decision = merged(mine, theirs)
    event = only_event(decision)
    assert (event.seq, event.message_ids, event.last) == (1, ("m1", "m2", "m3"), 0)
    assert stored(decision, event).formerly == ()
    assert sent(decision) == []


def test_a_message_that_has_not_arrived_under_one_key_is_expected_still() -> None:
    mine, theirs = scene(0), scene(10)
    mine.update("u1", "m1")
    mine.later(30 * DAY)
    mine.review("release")
    theirs.add("m2")
    event = only_event(merged(mine, theirs))
    assert (event.root, event.overtaken, event.message_ids) == ("m1", "m1", ("m1", "u1", "m2"))


def test_events_of_two_agencies_stay_apart_though_their_messages_have_one_id() -> None:
    mine, theirs = scene(0), scene(10)
    mine.add("m1")
    theirs.add("m1", ori="VA0020000")
    after = merged(mine, theirs).states[OFFENDER]
    assert isinstance(after, KnownEvents)
    assert [(each.seq, each.ori, each.message_ids) for each in after.events] == [(1, "VA0010000", ("m1",)), (11, "VA0020000", ("m1",))]


@pytest.mark.parametrize("key", [OFFENDER, OTHER], ids=["cancelled under the older key", "cancelled under the younger key"])
def test_an_event_with_the_content_of_a_cancelled_one_stays_apart(key: str) -> None:
    told = scene(10)
    told.add("m2")
    scenes = (cancelled(0, "c1"), told) if key == OFFENDER else (told, cancelled(0, "c1"))
    after = merged(*scenes).states[OFFENDER]
    assert isinstance(after, KnownEvents)
    assert [(each.root, each.state) for each in after.events] == [("m1", "cancelled"), ("m2", "told")]
