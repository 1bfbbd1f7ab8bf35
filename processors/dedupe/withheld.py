"""Sends an event again, for registrants of another key of its offender, once a reviewer has said that both keys are one person."""

from msgspec.structs import replace

from processors.dedupe.effect import Effect
from processors.dedupe.forward import output_event
from processors.dedupe.situation import Situation
from processors.dedupe.state import KnownEvent, KnownEvents
from processors.dedupe.transitions import suppress
from processors.domain.event import Event


def event_sent_before(known: KnownEvents, event: Event) -> KnownEvent | None:
    """Return the event that a message opened or changed, unless it was cancelled or is about to be."""
    ours = [each for each in known.events if each.ori == event.ori and event.message_id in each.message_ids]
    return next((each for each in reversed(ours) if each.state == "told"), None)


def forward_withheld(situation: Situation, event: Event) -> Effect:
    """Send the event on with its last content; the response to the message `event` waits for it."""
    known = event_sent_before(situation.known, event)
    if known is None:
        return suppress(situation, event, "nothing_told", "it is no longer known, or was cancelled")
    sent = replace(
        situation.stored_message(known.seq),
        seq=event.seq,
        received_at=event.received_at,
        message_id=event.message_id,
        leaves=event.leaves,
        trace=event.trace,
        held_until=event.held_until,
        withheld=True,
        telling="news",
        changes=(),
        root=None if known.root == event.message_id else known.root,
    )
    detail = f"message {known.root} goes to those registered for this person who were not notified of it"
    verdict = situation.journal.verdict(event, "passed", "released", detail)
    return Effect(outputs=(output_event(situation, sent),), verdicts=(verdict,))
