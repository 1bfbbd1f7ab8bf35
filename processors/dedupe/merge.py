"""
Merges the events of two offender keys that turned out to be one person.

If one agency's events have the same last content under both keys, they become one event, which counts as told if either was. Later
stages are sent the message id by which that event is known from then on. Different events stay separate, each with its own
changes and cancellations. A Cancel or Update that waited for a message under the other key takes effect.
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from processors.dedupe.effect import Effect, apply, decision
from processors.dedupe.fingerprint import changes
from processors.dedupe.forward import output_event
from processors.dedupe.limits import make_room
from processors.dedupe.situation import Message, Situation, situation_of, target_event
from processors.dedupe.state import KnownEvent, KnownEvents, State, WaitingMessage, message_key
from processors.dedupe.transitions import set_event, suppress_held_cancel, take_effect
from processors.dedupe.waiting import stop_waiting
from processors.domain.event import Event
from processors.domain.merge import Merge, SameEvent
from processors.stage import Context, Decision, Output
from processors.tally import part_ended
from processors.topics import DISTINCT


def state_keys(offender: str, found: Mapping[str, State]) -> Iterator[str]:
    """Yield the keys of every state of an offender."""
    yield offender
    known = found.get(offender)
    if isinstance(known, KnownEvents):
        yield from (message_key(offender, each.seq) for each in known.events if each.state != "cancelled")
        yield from (message_key(offender, each.seq) for each in known.waiting)


def merge_states(merge: Merge, mine: Mapping[str, State], theirs: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision that merges the events of `merge.offender` (`theirs`) into those of `merge.into` (`mine`)."""
    situation = situation_of(merge.into, merge.received_at, context.rules, mine)
    others = situation_of(merge.offender, merge.received_at, context.rules, theirs)
    effect = Effect()
    for other in others.known.events:
        message = None if other.state == "cancelled" else event_under_merged_key(others.stored_message(other.seq), merge)
        moved = add_event(situation, under_merged_key(other, merge), message, merge)
        effect, situation = effect.then(moved), apply(moved, situation)
    seqs = {each.seq for each in situation.known.waiting}
    for waiting in others.known.waiting:
        message = event_under_merged_key(others.stored_message(waiting.seq), merge)
        if waiting.seq in seqs:  # both keys had a part of the same message: one waits for both
            moved = Effect(outputs=part_ended(message))
        else:
            moved = Effect(waiting={waiting.seq: waiting}, messages={waiting.seq: message})
        effect, situation = effect.then(moved), apply(moved, situation)
    for waiting in sorted(situation.known.waiting, key=lambda each: each.seq):
        freed = retry_waiting(situation, waiting)
        effect, situation = effect.then(freed), apply(freed, situation)
    effect = effect.then(make_room(situation))
    folded = decision(effect, situation_of(merge.into, merge.received_at, context.rules, mine))
    after = folded.states.get(merge.into)
    if not isinstance(after, KnownEvents):
        return folded
    in_order = replace(after, events=tuple(sorted(after.events, key=lambda each: each.seq)))
    return folded.then(Decision(states={merge.into: in_order}))


def add_event(situation: Situation, other: KnownEvent, message: Event | None, merge: Merge) -> Effect:
    """Return the effect of adding one event, combined with the same event under the other key if there is one."""
    same = next((each for each in situation.known.events if is_same_event(each, other)), None)
    if same is None:
        return Effect(events={other.seq: other}, messages={} if message is None else {other.seq: message})
    stored = None if same.state == "cancelled" else situation.stored_message(same.seq)
    older, newer = (same, other) if same.seq <= other.seq else (other, same)
    last, before = (message, stored) if seq_of(message) > seq_of(stored) else (stored, message)
    latest, earlier = (other, same) if last is message else (same, other)
    one = KnownEvent(
        seq=same.seq,
        ori=same.ori,
        root=same.root,
        state="told" if "told" in {same.state, other.state} else same.state,
        message_ids=tuple(dict.fromkeys((*older.message_ids, *newer.message_ids))),
        fingerprints=merged_fingerprints(earlier.fingerprints, latest.fingerprints),
        cancel_ids=tuple(dict.fromkeys((*older.cancel_ids, *newer.cancel_ids))),
        overtaken=older.overtaken or newer.overtaken,
        forget_at=max(same.forget_at, other.forget_at),
        last=0 if seq_of(last) in {-1, same.seq} else seq_of(last),
    )
    effect = merge_held_cancels(situation, one, older, newer, last)
    if last is not None:
        effect = effect.then(Effect(messages={one.seq: last}))
    if older.root != newer.root:
        alias = SameEvent(offender=merge.into, ori=one.ori, root=older.root, also=newer.root, seq=merge.seq, received_at=merge.received_at)
        effect = effect.then(Effect(outputs=(Output(DISTINCT, merge.into, alias),)))
    return effect if before is None or last is None else effect.then(forward_missed_change(situation, one, before, last))


def is_same_event(one: KnownEvent, other: KnownEvent) -> bool:
    """Whether two events of one agency are the same: opened by the same message, or not cancelled and with the same last content."""
    if one.ori != other.ori:
        return False
    if one.root == other.root:
        return True
    return "cancelled" not in {one.state, other.state} and one.newest is not None and one.newest == other.newest


def merge_held_cancels(situation: Situation, one: KnownEvent, older: KnownEvent, newer: KnownEvent, last: Event | None) -> Effect:
    """
    Return the effect of storing the merged event `one` with the Cancels held for either of its origins.

    A Cancel held under one key cancels the event, unless the event was sent again under the other key after it.
    """
    held = sorted((each for each in (older, newer) if each.held is not None), key=lambda each: each.deadline)
    if not held or held[0].held is None:
        return set_event(one)
    cancel = held[0].held
    effect = Effect()
    for each in held[1:]:
        effect = effect.then(suppress_held_cancel(situation, each, "duplicate", f"the event of message {one.root} is cancelled already"))
    if one.state == "told" and last is not None and last.seq > cancel.cancel.seq:
        again = suppress_held_cancel(situation, held[0], "resubmitted", f"the event was sent again as message {last.message_id}")
        return effect.then(again).then(set_event(one))
    return effect.then(set_event(replace(one, state="held", held=cancel)))


def forward_missed_change(situation: Situation, one: KnownEvent, before: Event, last: Event) -> Effect:
    """Send a change if the event was changed under only one of the keys, since registrants of the other key know the old content."""
    changed = changes(before, last, situation.rule_set(last))
    if not changed:
        return Effect()
    return Effect(outputs=(output_event(situation, replace(last, telling="change", changes=changed, root=one.root)),))


def retry_waiting(situation: Situation, waiting: WaitingMessage) -> Effect:
    """Let a waiting message take effect if its target arrived under the other key; a message in review stays there."""
    if waiting.review_id is not None:
        return Effect()
    message = Message(situation.stored_message(waiting.seq), waiting.fingerprint)
    known = target_event(situation, message)
    if known is None:
        return Effect()
    return stop_waiting(situation, {waiting.seq}).then(take_effect(situation, known, message, message.event.operation))


def merged_fingerprints(earlier: Mapping[str, int], latest: Mapping[str, int]) -> dict[str, int]:
    """Return the fingerprints of both events, those of `latest` last, each with the later expiry."""
    kept = {each: until for each, until in earlier.items() if each not in latest}
    return kept | {each: max(until, earlier.get(each, until)) for each, until in latest.items()}


def under_merged_key(known: KnownEvent, merge: Merge) -> KnownEvent:
    if known.held is None:
        return known
    return replace(known, held=replace(known.held, cancel=event_under_merged_key(known.held.cancel, merge)))


def event_under_merged_key(event: Event, merge: Merge) -> Event:
    """Return the event under the key that its offender was merged into."""
    return replace(event, offender=merge.into, formerly=(*event.formerly, merge.offender))


def seq_of(message: Event | None) -> int:
    return -1 if message is None else message.seq
