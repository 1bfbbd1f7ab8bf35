"""
Merges the events of two offender keys that turned out to be one person.

Events of one agency with the same last content under both keys become one event, told if either was; later
stages are sent the message id by which it is known from now on. Different events stay apart: each is changed and cancelled for
those who were told of it. A Cancel or Update that waited for a message under the other key takes effect.
"""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from processors.dedupe.effect import Effect, apply, decision
from processors.dedupe.fingerprint import changes
from processors.dedupe.room import make_room
from processors.dedupe.situation import Message, Situation, event_meant, situation
from processors.dedupe.state import KnownEvent, KnownEvents, State, WaitingMessage, message_key
from processors.dedupe.telling import output
from processors.dedupe.transitions import cancel_ended, set_event, take_effect
from processors.dedupe.waiting import stop_waiting
from processors.domain.event import Event
from processors.domain.merge import Merge, SameEvent
from processors.stage import Context, Decision, Output
from processors.tally import part_ended
from processors.topics import DISTINCT


def documents(offender: str, found: Mapping[str, State]) -> Iterator[str]:
    """Yield the keys of every state of an offender."""
    yield offender
    known = found.get(offender)
    if isinstance(known, KnownEvents):
        yield from (message_key(offender, each.seq) for each in known.events if each.state != "cancelled")
        yield from (message_key(offender, each.seq) for each in known.waiting)


def fold(merge: Merge, mine: Mapping[str, State], theirs: Mapping[str, State], context: Context) -> Decision[State]:
    """Return the decision that merges the events of `merge.offender` into those of `merge.into`."""
    now = situation(merge.into, merge.received_at, context.rules, mine)
    others = situation(merge.offender, merge.received_at, context.rules, theirs)
    effect = Effect()
    for other in others.known.events:
        message = None if other.state == "cancelled" else under_one_key(others.stored_message(other.seq), merge)
        moved = add_event(now, with_one_key(other, merge), message, merge)
        effect, now = effect.then(moved), apply(moved, now)
    seqs = {each.seq for each in now.known.waiting}
    for waiting in others.known.waiting:
        message = under_one_key(others.stored_message(waiting.seq), merge)
        if waiting.seq in seqs:  # of two parts of one message, one waits for both
            moved = Effect(outputs=part_ended(message))
        else:
            moved = Effect(waiting={waiting.seq: waiting}, messages={waiting.seq: message})
        effect, now = effect.then(moved), apply(moved, now)
    for waiting in sorted(now.known.waiting, key=lambda each: each.seq):
        freed = try_again(now, waiting)
        effect, now = effect.then(freed), apply(freed, now)
    effect = effect.then(make_room(now))
    folded = decision(effect, situation(merge.into, merge.received_at, context.rules, mine))
    after = folded.states.get(merge.into)
    if not isinstance(after, KnownEvents):
        return folded
    in_order = replace(after, events=tuple(sorted(after.events, key=lambda each: each.seq)))
    return folded.then(Decision(states={merge.into: in_order}))


def add_event(now: Situation, other: KnownEvent, message: Event | None, merge: Merge) -> Effect:
    """Return the effect of adding one event: on its own, or combined with one that is the same."""
    same = next((each for each in now.known.events if are_same(each, other)), None)
    if same is None:
        return Effect(events={other.seq: other}, messages={} if message is None else {other.seq: message})
    stored = None if same.state == "cancelled" else now.stored_message(same.seq)
    older, newer = (same, other) if same.seq <= other.seq else (other, same)
    last, before = (message, stored) if seq_of(message) > seq_of(stored) else (stored, message)
    latest, earlier = (other, same) if last is message else (same, other)
    one = KnownEvent(
        seq=same.seq,
        ori=same.ori,
        root=same.root,
        state="told" if "told" in {same.state, other.state} else same.state,
        message_ids=tuple(dict.fromkeys((*older.message_ids, *newer.message_ids))),
        fingerprints=joined_fingerprints(earlier.fingerprints, latest.fingerprints),
        cancel_ids=tuple(dict.fromkeys((*older.cancel_ids, *newer.cancel_ids))),
        overtaken=older.overtaken or newer.overtaken,
        forget_at=max(same.forget_at, other.forget_at),
        last=0 if seq_of(last) in {-1, same.seq} else seq_of(last),
    )
    effect = hold_of_both(now, one, older, newer, last)
    if last is not None:
        effect = effect.then(Effect(messages={one.seq: last}))
    if older.root != newer.root:
        alias = SameEvent(offender=merge.into, ori=one.ori, root=older.root, also=newer.root, seq=merge.seq, received_at=merge.received_at)
        effect = effect.then(Effect(outputs=(Output(DISTINCT, merge.into, alias),)))
    return effect if before is None or last is None else effect.then(told_late(now, one, before, last))


def are_same(one: KnownEvent, other: KnownEvent) -> bool:
    """Whether two events of one agency are the same: begun by the same message, or with the same last content and not cancelled."""
    if one.ori != other.ori:
        return False
    if one.root == other.root:
        return True
    return "cancelled" not in {one.state, other.state} and one.newest is not None and one.newest == other.newest


def hold_of_both(now: Situation, one: KnownEvent, older: KnownEvent, newer: KnownEvent, last: Event | None) -> Effect:
    """
    Return the effect of combining two events that may have a held Cancel.

    A Cancel held under one key cancels the event, unless the event was sent again under the other key after it.
    """
    held = sorted((each for each in (older, newer) if each.held is not None), key=lambda each: each.deadline)
    if not held or held[0].held is None:
        return set_event(one)
    cancel = held[0].held
    effect = Effect()
    for each in held[1:]:
        effect = effect.then(cancel_ended(now, each, "duplicate", f"the event of message {one.root} is cancelled already"))
    if one.state == "told" and last is not None and last.seq > cancel.cancel.seq:
        again = cancel_ended(now, held[0], "resubmitted", f"the event was sent again as message {last.message_id}")
        return effect.then(again).then(set_event(one))
    return effect.then(set_event(replace(one, state="held", held=cancel)))


def told_late(now: Situation, one: KnownEvent, before: Event, last: Event) -> Effect:
    """Send the last content of an event to those who were told an earlier one, if it was changed under one key only."""
    changed = changes(before, last, now.book(last))
    if not changed:
        return Effect()
    return Effect(outputs=(output(now, replace(last, telling="change", changes=changed, root=one.root)),))


def try_again(now: Situation, waiting: WaitingMessage) -> Effect:
    """Let a waiting message take effect if its target came under the other key; one in review stays in review."""
    if waiting.review_id is not None:
        return Effect()
    message = Message(now.stored_message(waiting.seq), waiting.fingerprint)
    known = event_meant(now, message)
    if known is None:
        return Effect()
    return stop_waiting(now, {waiting.seq}).then(take_effect(now, known, message, message.event.operation))


def joined_fingerprints(earlier: Mapping[str, int], latest: Mapping[str, int]) -> dict[str, int]:
    """Return the fingerprints of both, the latest last, each with the later expiry."""
    kept = {each: until for each, until in earlier.items() if each not in latest}
    return kept | {each: max(until, earlier.get(each, until)) for each, until in latest.items()}


def with_one_key(known: KnownEvent, merge: Merge) -> KnownEvent:
    if known.held is None:
        return known
    return replace(known, held=replace(known.held, cancel=under_one_key(known.held.cancel, merge)))


def under_one_key(event: Event, merge: Merge) -> Event:
    """Return the event as one of the offender that its own was merged into."""
    return replace(event, offender=merge.into, formerly=(*event.formerly, merge.offender))


def seq_of(message: Event | None) -> int:
    return -1 if message is None else message.seq
