"""What dedupe makes of the events of two offenders who are one: the decision at the older key (processors/dedupe/merge.py)."""

from typing import Any

import pytest

from processors.dedupe.merge import documents, fold
from processors.dedupe.state import KnownEvent, KnownEvents, State, StoredMessage, message_key
from processors.domain.event import Event
from processors.domain.merge import Merge, SameEvent
from processors.stage import Decision
from processors.topics import DISTINCT
from tests.dedupe.scene import DAY, HEARING, NOON, OFFENDER, Scene

OTHER = "o9999999999999999"
MERGE = Merge(offender=OTHER, into=OFFENDER, seq=99, received_at=NOON, detail="a number agrees")


def scene(seq: int) -> Scene:
    """Return an offender of whom messages come from this place in the intake on."""
    made = Scene()
    made.seq = seq
    return made


def states_of(known: Scene, offender: str) -> dict[str, State]:
    return {key.replace(OFFENDER, offender): known.state(key) for key in known.documents}


def merged(mine: Scene, theirs: Scene) -> Decision[State]:
    return fold(MERGE, states_of(mine, OFFENDER), states_of(theirs, OTHER), mine.context)


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
    assert (event.state, event.cancel_ids, event.held.cancel.message_id, event.held.cancel.offender) == ("held", ("c1",), "c1", OFFENDER)
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
    assert list(documents(OFFENDER, {OFFENDER: known})) == [OFFENDER, message_key(OFFENDER, 1)]
    mine = {OFFENDER: KnownEvents(events=(KnownEvent(seq=3, ori="VA1", root="m3", forget_at=NOON + DAY),))}
    decision = fold(MERGE, mine, {OTHER: KnownEvents(events=known.events[1:])}, Scene().context)
    assert decision.states.keys() == {OFFENDER}
