"""
The transition tables: what a message does to an event in each of its states (contract §3.1.1; specification §4).

`TRANSITIONS` has the states of `KnownEvent`, and three that depend on the message: `new` (the event is unknown), `expired` (its
content is no longer recognized) and `overtaken` (a reviewer released a later message before this one arrived).
`DEADLINE_TRANSITIONS` says what happens at a deadline. docs/duplicates.md draws both.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from processors.dedupe.effect import Effect
from processors.dedupe.fingerprint import changes
from processors.dedupe.forward import forward_cancellation, forward_message
from processors.dedupe.situation import Message, Situation
from processors.dedupe.state import EventState, HeldCancel, KnownEvent
from processors.domain.event import Change, Event, Operation
from processors.domain.journal import Outcome
from processors.domain.time import iso
from processors.domain.transition import transition
from processors.stage import Output
from processors.tally import part_ended, part_repeated

State = EventState | Literal["expired", "overtaken"]
Handler = Callable[[Situation, KnownEvent, Message], Effect]

FIELDS_SHOWN_IN_JOURNAL: Final = {"event_type", "event_subtype", "notification_type", "action_at", "status", "location_kind"}


class Transition(NamedTuple):
    """One transition: its handler, the possible next states of the event, and the possible reasons in the journal."""

    handler: Handler
    to: tuple[EventState, ...]
    reasons: tuple[str, ...]


class DeadlineTransition(NamedTuple):
    """The transition of an event at its deadline."""

    handler: Callable[[Situation, KnownEvent], Effect]
    to: tuple[EventState | Literal["forgotten"], ...]


def take_effect(situation: Situation, known: KnownEvent, message: Message, operation: Operation) -> Effect:
    """Return the effect of a message on an event."""
    found = transition(TRANSITIONS, state_for(situation, known, message, operation), operation)
    return found.handler(situation, known, message)


def state_for(situation: Situation, known: KnownEvent, message: Message, operation: Operation) -> State:
    """Return the state of the event with regard to this message."""
    if known.overtaken == message.event.message_id and operation != "Cancel":
        return "overtaken"
    if known.state == "told" and operation == "Add" and not situation.is_recognized(known, message):
        return "expired"
    return known.state


def forward_news(situation: Situation, known: KnownEvent, message: Message) -> Effect:
    detail = f"no message of {message.event.ori} about this event is known"
    return forward_message(situation, known, message, situation.journal.verdict(message.event, "passed", "first_sighting", detail))


def forward_as_news(situation: Situation, known: KnownEvent, message: Message) -> Effect:
    """Tell the event as news. It keeps its old message ids: a later message that refers to one of them is about the new event."""
    event = message.event
    why = "was told as cancelled" if known.state == "cancelled" else "was told longer ago than duplicate.window"
    successor = KnownEvent(
        seq=event.seq,
        ori=event.ori,
        root=event.message_id,
        message_ids=known.message_ids,
        fingerprints=known.fingerprints,
        cancel_ids=known.cancel_ids,
    )
    verdict = situation.journal.verdict(event, "passed", "first_sighting", f"the event of message {known.root} {why}")
    return forget_event(situation, known).then(forward_message(situation, successor, message, verdict))


def suppress_copy(situation: Situation, known: KnownEvent, message: Message) -> Effect:
    event = message.event
    suppressed = suppress_repeat(situation, known, event, "duplicate", f"the same event as message {known.root} of {known.ori}")
    return suppressed if event.message_id in known.message_ids else set_event(known.with_message_id(event.message_id)).then(suppressed)


def suppress_second_cancel(situation: Situation, known: KnownEvent, message: Message) -> Effect:
    detail = f"the event of message {known.root} is cancelled already"
    return set_event(known.with_cancel_id(message.event.message_id)).then(suppress(situation, message.event, "duplicate", detail))


def forward_change(situation: Situation, known: KnownEvent, message: Message) -> Effect:
    """Send an Update as a change if it changes a field that distinguishes events (contract §3.1.1)."""
    event = message.event
    if changed := changes(situation.stored_message(known.seq), event, situation.rule_set(event)):
        detail = f"message {known.root} is changed: {list_changes(changed)}"
        return forward_message(situation, known, message, situation.journal.verdict(event, "passed", "changed", detail), changed)
    detail = f"nothing that tells events of this kind apart differs from message {known.root}"
    suppressed = suppress_repeat(situation, known, event, "inconsequential", detail)
    return set_event(known.with_message_id(event.message_id)).then(suppressed)


def hold_cancel(situation: Situation, known: KnownEvent, message: Message) -> Effect:
    """Hold a Cancel, in case the event is resubmitted; one that a reviewer released is sent at once."""
    event = message.event
    known = known.with_cancel_id(event.message_id)
    if event.released_by is not None:
        return forward_cancellation(situation, known, event)
    due = max(event.received_at + situation.rules.duration("cancel.hold", event.scope), situation.at)
    held = replace(known, state="held", held=HeldCancel(due, replace(event, submission=b"")))
    detail = f"the event of message {known.root} may be sent again until {iso(due)}"
    return set_event(held).then(verdict(situation, message, "waiting", "cancel_hold", detail))


def revoke_cancel(situation: Situation, known: KnownEvent, message: Message) -> Effect:
    """
    Revoke a held Cancel, since the event was sent again with a content it had before, or by an Update.

    If nothing differs from what was told last, neither the Cancel nor this message is sent (specification §4); a
    difference is sent as a change.
    """
    event = message.event
    if changes(situation.stored_message(known.seq), event, situation.rule_set(event)):
        changed = forward_change(situation, replace(known, held=None), message)
        return suppress_held_cancel(situation, known, "superseded", f"the event was changed by message {event.message_id}").then(changed)
    restored = set_event(replace(known.with_message_id(event.message_id), state="told", held=None))
    detail = f"the event of message {known.root} was sent and its Cancel withdrawn"
    return restored.then(
        suppress_held_cancel(situation, known, "resubmitted", f"the event was sent again as message {event.message_id}")
    ).then(verdict(situation, message, "suppressed", "resubmitted", detail))


def cancel_before_news(situation: Situation, known: KnownEvent, message: Message) -> Effect:
    """Suppress an event that was cancelled before it was told, and its cancellation."""
    event = message.event
    cancelled = replace(known.with_cancel_id(event.message_id), state="cancelled", forget_at=situation.window_end(event.scope))
    detail = f"message {known.root} came after its Cancel and was not told"
    return set_event(cancelled).then(suppress(situation, event, "nothing_told", detail))


def suppress_overtaken(situation: Situation, known: KnownEvent, message: Message) -> Effect:
    """Suppress a message that arrived after a reviewer had released a later one."""
    event = message.event
    named = known.with_earlier_content(event.message_id, message.fingerprint, situation.window_end(event.scope))
    detail = "a reviewer had released a later message about it before it came"
    return set_event(replace(named, overtaken=None)).then(suppress(situation, event, "superseded", detail))


def set_event(known: KnownEvent) -> Effect:
    """Return the effect that stores the event."""
    return Effect(events={known.seq: known})


def forget_event(_: Situation, known: KnownEvent) -> Effect:
    return Effect(events={known.seq: None}, messages={known.seq: None})


def suppress_held_cancel(situation: Situation, known: KnownEvent, reason: str, detail: str) -> Effect:
    """Return the verdict on a held Cancel that is not sent."""
    if known.held is None:
        return Effect()
    return suppress(situation, known.held.cancel, reason, detail)


def verdict(situation: Situation, message: Message, outcome: Outcome, reason: str, detail: str) -> Effect:
    return Effect(verdicts=(situation.journal.verdict(message.event, outcome, reason, detail),))


def suppress(situation: Situation, event: Event, reason: str, detail: str, end: tuple[Output, ...] | None = None) -> Effect:
    """Suppress a message: write the verdict, and the end of its part for the response (`end`, by default: nobody to tell)."""
    outputs = part_ended(event) if end is None else end
    return Effect(outputs=outputs, verdicts=(situation.journal.verdict(event, "suppressed", reason, detail),))


def suppress_repeat(situation: Situation, known: KnownEvent, event: Event, reason: str, detail: str) -> Effect:
    """Suppress a message without news. Its response is that of the message told last; a copy under the same id gets none."""
    if event.message_id in known.message_ids:
        return suppress(situation, event, reason, detail, part_ended(event, "copy"))
    return suppress(situation, event, reason, detail, part_repeated(event, known.last or known.seq))


def list_changes(changed: tuple[Change, ...]) -> str:
    """Return the changes for the journal, without the values of courts, cases and places."""
    return ", ".join(
        f"{each.field} from {each.old or 'nothing'} to {each.new or 'nothing'}" if each.field in FIELDS_SHOWN_IN_JOURNAL else each.field
        for each in changed
    )


def send_held_cancel(situation: Situation, known: KnownEvent) -> Effect:
    """Send a held Cancel that was not followed by a resubmission; forget the event if it has expired."""
    if known.held is None:
        raise TypeError(f"no Cancel is held of the event of message {known.root}")
    told = forward_cancellation(situation, known, known.held.cancel)
    return told.then(forget_event(situation, known)) if known.forget_at <= situation.at else told


TRANSITIONS: Final[Mapping[tuple[State, Operation], Transition]] = {
    ("new", "Add"): Transition(forward_news, ("told",), ("first_sighting",)),
    ("new", "Update"): Transition(forward_news, ("told",), ("first_sighting",)),
    ("new", "Cancel"): Transition(cancel_before_news, ("cancelled",), ("nothing_told",)),
    ("told", "Add"): Transition(suppress_copy, ("told",), ("duplicate",)),
    ("told", "Update"): Transition(forward_change, ("told",), ("changed", "inconsequential")),
    ("told", "Cancel"): Transition(hold_cancel, ("held", "cancelled"), ("cancel_hold", "cancelled")),
    ("expired", "Add"): Transition(forward_as_news, ("told",), ("first_sighting",)),
    ("held", "Add"): Transition(revoke_cancel, ("told",), ("resubmitted", "changed")),
    ("held", "Update"): Transition(revoke_cancel, ("told",), ("resubmitted", "changed")),
    ("held", "Cancel"): Transition(suppress_second_cancel, ("held",), ("duplicate",)),
    ("cancelled", "Update"): Transition(forward_as_news, ("told",), ("first_sighting",)),
    ("cancelled", "Cancel"): Transition(suppress_second_cancel, ("cancelled",), ("duplicate",)),
    ("overtaken", "Add"): Transition(suppress_overtaken, ("told", "held", "cancelled"), ("superseded",)),
    ("overtaken", "Update"): Transition(suppress_overtaken, ("told", "held", "cancelled"), ("superseded",)),
}

DEADLINE_TRANSITIONS: Final[Mapping[EventState, DeadlineTransition]] = {
    "told": DeadlineTransition(forget_event, ("forgotten",)),
    "held": DeadlineTransition(send_held_cancel, ("cancelled", "forgotten")),
    "cancelled": DeadlineTransition(forget_event, ("forgotten",)),
}
