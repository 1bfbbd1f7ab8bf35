"""
Merges two offender keys in a stage: the state moves from the younger key to the older, which decides nothing meanwhile.

`with_handover` adds this to a stage whose records and states are keyed by offender. A Merge record is the marker. The protocol:

1. At the younger key, everything before the marker has been decided. One decision sends all states to the older key, deletes
   them, and forwards the marker.
2. At the older key, from the marker until the states have arrived, records are queued and timers are suspended: otherwise an
   event that was already told under the younger key would be told again.
3. Then the stage merges both states and decides the queued records in order, at their own times, with the timers that were
   due between them. The result does not depend on which of the two partitions was ahead.

A merge into a key that is itself being handed over waits in that key's queue like any record. The younger key always becomes
the older one, so no two keys wait for each other.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import Struct, structs

from processors.domain.event import Event
from processors.domain.journal import Journal
from processors.domain.merge import Handover, Merge, SameEvent
from processors.domain.registration import Enrolment
from processors.domain.review import ReviewAction
from processors.stage import Context, Decision, Input, Output, Record, Stage, TimerFired, combine
from processors.topics import Topic

S = TypeVar("S")


class Merging(Struct, frozen=True, gc=False, tag="merging"):
    """
    An offender who waits for the states of `merge.offender`: the number of queued records, and the state of the offender's own key.

    The offender's other states with timers stay under their keys as `Resting`, since together they may be too large for one record.
    """

    merge: Merge
    queued: int = 0
    states: dict[str, bytes] = {}


class Resting(Struct, frozen=True, gc=False, tag="resting"):
    """A state whose timer is suspended until the states of another offender have arrived."""

    state: bytes


class QueuedRecord(Struct, frozen=True, gc=False, tag="queued", omit_defaults=True):
    """One record that waits for a handover; exactly one of the last five fields is set."""

    topic: str
    partition: int
    offset: int
    key: str
    timestamp: int
    event: Event | None = None
    enrolment: Enrolment | None = None
    action: ReviewAction | None = None
    merge: Merge | None = None
    same: SameEvent | None = None

    @property
    def record(self) -> Record:
        value = self.event or self.enrolment or self.action or self.merge or self.same
        return Record(self.topic, self.partition, self.offset, self.key, self.timestamp, value)


class HandedOver(Struct, frozen=True, gc=False, tag="handed_over"):
    """One state that arrived before the marker, or before the rest of the states."""

    handover: Handover


AFTER_OFFENDER: Final = re.compile(r"[^0-9A-Za-z_.:-]")
FIELDS: Final[Mapping[type, str]] = {Event: "event", Enrolment: "enrolment", ReviewAction: "action", Merge: "merge", SameEvent: "same"}


@dataclass(frozen=True, slots=True)
class Merger(Generic[S]):
    """
    What a stage defines for merging two offenders.

    `state_keys` names every state of an offender, given those found so far. `merge_states` takes the states of both offenders and
    returns the decision that merges them: all states that change under `merge.into`. `timed` says that other states than the
    one under the offender's own key have timers.
    """

    topic: Topic
    onward: Topic | None
    state_keys: Callable[[str, Mapping[str, S]], Iterable[str]]
    merge_states: Callable[[Merge, Mapping[str, S], Mapping[str, S], Context], Decision[S]]
    timed: bool = False


def with_handover(stage: Stage[Any], merger: Merger[Any]) -> Stage[Any]:
    """Return the stage with merging added; the stage's `deadline` must return None for the state types defined here."""
    logic = _HandoverLogic(stage, merger)
    return replace(
        stage,
        inputs=(*stage.inputs, merger.topic),
        outputs=(*stage.outputs, merger.topic),
        state=stage.state | Merging | QueuedRecord | HandedOver | Resting
        if merger.timed
        else stage.state | Merging | QueuedRecord | HandedOver,
        keys=logic.keys,
        decide=logic.decide,
        owner=offender_of,
    )


def handover_key(merge: Merge | Handover, part: int) -> str:
    """Return the key of a state that was handed over and not merged yet."""
    return f"{merge.into}<{merge.offender}/{part}"


def queue_key(offender: str, number: int) -> str:
    return f"{offender}>{number}"


def offender_of(state_key: str) -> str:
    """Return the offender key that a state key begins with: it ends at the first character that no offender key contains."""
    return AFTER_OFFENDER.split(state_key, 1)[0]


@dataclass(frozen=True, slots=True)
class _HandoverLogic:
    """`keys` and `decide` of a stage that merges offenders."""

    stage: Stage[Any]
    merger: Merger[Any]

    # -- keys

    def keys(self, given: Input, found: Mapping[str, Any]) -> Iterable[str]:
        if not isinstance(given, Record):
            return self.stage.keys(given, found)
        value, owner = given.value, given.key or ""
        if type(value) is Handover:
            return self._keys_of_handover(value, found)
        if type(found.get(owner)) is Merging:
            return (owner,)
        if type(value) is Merge:
            return self._keys_of_merge(value, owner, found)
        named = tuple(self.stage.keys(given, found))
        return named if owner in named else (owner, *named)

    def _keys_of_merge(self, merge: Merge, owner: str, found: Mapping[str, Any]) -> Iterator[str]:
        yield from self.merger.state_keys(owner, found)
        if owner == merge.into:
            yield from parts_of(merge, found)

    def _keys_of_handover(self, handover: Handover, found: Mapping[str, Any]) -> Iterator[str]:
        yield handover.into
        merging = awaiting_offender(handover, found)
        if merging is None:
            return
        yield from (handover_key(handover, part) for part in range(handover.parts - 1))
        yield from self.merger.state_keys(handover.into, self._with_resumed_timers(found, merging))
        for number in range(merging.queued):
            yield queue_key(handover.into, number)
            queued = found.get(queue_key(handover.into, number))
            if isinstance(queued, QueuedRecord) and queued.merge is not None and queued.merge.into == handover.into:
                yield from parts_of(queued.merge, found)

    # -- decide

    def decide(self, given: Input, states: Mapping[str, Any], context: Context) -> Decision[Any]:
        if not isinstance(given, Record):
            return self.stage.decide(given, states, context)
        value, owner = given.value, given.key or ""
        if type(value) is Handover:
            return self._receive(value, states, context)
        merging = states.get(owner)
        if type(merging) is Merging:
            return self._queue(given, owner, merging, context)
        if type(value) is not Merge:
            return self.stage.decide(given, states, context)
        return self._hand_over(value, states) if owner == value.offender else self._await_states(value, states, context)

    def _hand_over(self, merge: Merge, states: Mapping[str, Any]) -> Decision[Any]:
        """Send every state of the younger key to the older key's partition, and forward the marker."""
        found = [(key, states[key]) for key in self.merger.state_keys(merge.offender, states) if key in states]
        common = {"offender": merge.offender, "into": merge.into, "seq": merge.seq, "received_at": merge.received_at}
        parts = [
            Handover(**common, part=part, parts=len(found), state_key=key, state=msgspec.json.encode(state))  # type: ignore[arg-type]
            for part, (key, state) in enumerate(found)
        ] or [Handover(**common, part=0, parts=1)]  # type: ignore[arg-type]
        outputs = tuple(Output(self.merger.topic, merge.into, each) for each in parts)
        return Decision((*outputs, *self._forwarded_marker(merge.offender, merge)), dict.fromkeys(key for key, _ in found))

    def _await_states(self, merge: Merge, states: Mapping[str, Any], context: Context) -> Decision[Any]:
        """Merge at once if the states have arrived; otherwise suspend the offender's timers and queue its records."""
        passed = Decision[Any](tuple(self._forwarded_marker(merge.into, merge)))
        parts = [states.get(key) for key in parts_of(merge, states)]
        handed = [each.handover for each in parts if isinstance(each, HandedOver)]
        mine = {key: states[key] for key in self.merger.state_keys(merge.into, states) if key in states}
        if handed and len(handed) == handed[0].parts:
            return combine((passed, self._merge_states(merge, mine, handed, context)))
        own = {merge.into: msgspec.json.encode(mine[merge.into])} if merge.into in mine else {}
        timed = {key: state for key, state in mine.items() if key != merge.into and self.stage.deadline(state) is not None}
        resting = {key: Resting(msgspec.json.encode(state)) for key, state in timed.items()}
        return passed.then(Decision(states={**resting, merge.into: Merging(merge, 0, own)}))

    def _queue(self, record: Record, owner: str, merging: Merging, context: Context) -> Decision[Any]:
        value = record.value
        queued = QueuedRecord(record.topic, record.partition, record.offset, owner, record.timestamp, **{FIELDS[type(value)]: value})
        after = {queue_key(owner, merging.queued): queued, owner: structs.replace(merging, queued=merging.queued + 1)}
        if not isinstance(value, Event):
            return Decision(states=after)
        detail = f"the offender is the one known as {merging.merge.offender}, whose state is on its way"
        journal = Journal(self.stage.name, value.received_at, context.rules.version)
        return Decision(states=after, verdicts=(journal.verdict(value, "waiting", "merging", detail),))

    def _receive(self, handover: Handover, states: Mapping[str, Any], context: Context) -> Decision[Any]:
        """Store a state that was handed over; once all have arrived, merge, then decide the queued records."""
        merging = awaiting_offender(handover, states)
        if merging is None:
            return Decision(states={handover_key(handover, handover.part): HandedOver(handover)})
        earlier = [states[handover_key(handover, part)].handover for part in range(handover.parts - 1)]
        all_states = self._with_resumed_timers(states, merging)
        mine = {key: all_states[key] for key in self.merger.state_keys(handover.into, all_states) if key in all_states}
        queue = {queue_key(handover.into, number): states[queue_key(handover.into, number)] for number in range(merging.queued)}
        merged = self._merge_states(merging.merge, mine, (*earlier, handover), context)
        resumed = {key: state for key, state in mine.items() if key in merging.states or type(states.get(key)) is Resting}
        merged = Decision[Any](states={handover.into: None, **dict.fromkeys(queue), **resumed}).then(merged)
        left = {key: state for key, state in states.items() if key not in queue}
        return merged.then(self._decide_queued((each.record for each in queue.values()), {**left, **merged.states}, context))

    def _merge_states(self, merge: Merge, mine: Mapping[str, Any], handed: Iterable[Handover], context: Context) -> Decision[Any]:
        theirs = {
            each.state_key: msgspec.json.decode(each.state, type=self.stage.state)
            for each in handed
            if each.state_key is not None and each.state is not None
        }
        arrived = dict.fromkeys(handover_key(each, each.part) for each in handed)
        return Decision[Any](states=arrived).then(self.merger.merge_states(merge, mine, theirs, context))

    def _decide_queued(self, records: Iterable[Record], states: Mapping[str, Any], context: Context) -> Decision[Any]:
        """Decide the queued records, each after the timers that were due before it."""
        now = {key: state for key, state in states.items() if state is not None}
        decisions: list[Decision[Any]] = []

        def decide_next(given: Input) -> None:
            decision = self.decide(given, now, context)
            decisions.append(decision)
            for key, state in decision.states.items():
                if state is None:
                    now.pop(key, None)
                else:
                    now[key] = state

        for record in records:
            while (timer := self._first_due(now, record.value.received_at)) is not None:
                decide_next(timer)
            decide_next(record)
        return combine(decisions)

    def _first_due(self, states: Mapping[str, Any], until: int) -> TimerFired | None:
        due = [(at, key) for key, state in states.items() if (at := self.stage.deadline(state)) is not None and at <= until]
        if not due:
            return None
        at, key = min(due)
        return TimerFired(key, at)

    def _with_resumed_timers(self, states: Mapping[str, Any], merging: Merging) -> dict[str, Any]:
        """Return the states as they were before timers were suspended."""
        suspended = {key: state.state for key, state in states.items() if type(state) is Resting} | merging.states
        return {**states, **{key: msgspec.json.decode(state, type=self.stage.state) for key, state in suspended.items()}}

    def _forwarded_marker(self, key: str, merge: Merge) -> Iterator[Output]:
        if self.merger.onward is not None:
            yield Output(self.merger.onward, key, merge)


def awaiting_offender(handover: Handover, states: Mapping[str, Any]) -> Merging | None:
    """Return the waiting offender if this is the last missing state; None while more are missing."""
    merging = states.get(handover.into)
    waits = isinstance(merging, Merging) and merging.merge.offender == handover.offender
    return merging if waits and handover.part == handover.parts - 1 else None


def parts_of(merge: Merge, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the keys of the states to be handed over; once the first has arrived, it says how many there are."""
    yield handover_key(merge, 0)
    first = found.get(handover_key(merge, 0))
    if isinstance(first, HandedOver):
        yield from (handover_key(merge, part) for part in range(1, first.handover.parts))
