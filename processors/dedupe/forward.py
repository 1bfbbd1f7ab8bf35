"""Forwards an event to validate, as news, as a change, or as a cancellation."""

from typing import Final

from msgspec.structs import replace

from processors.dedupe.effect import Effect
from processors.dedupe.situation import Message, Situation
from processors.dedupe.state import KnownEvent, append_id, with_newest
from processors.domain.event import Change, Event, with_hold_until
from processors.domain.journal import Verdict
from processors.stage import Output
from processors.topics import DISTINCT

CANCEL_FIELDS: Final = (
    "seq",
    "received_at",
    "message_id",
    "operation",
    "refers_to",
    "validate",
    "do_not_validate",
    "expect",
    "asked",
    "waived",
    "released_by",
    "formerly",
    "leaves",
)


def forward_message(
    situation: Situation, known: KnownEvent, message: Message, verdict: Verdict, changed: tuple[Change, ...] = ()
) -> Effect:
    """Forward the message, as a change if something `changed`, otherwise as news; its content becomes the event's last content."""
    event, scope = message.event, message.event.scope
    until = situation.window_end(scope)
    past = event.past_from + situation.rules.duration("date.past", scope)
    after = replace(
        known,
        state="told",
        message_ids=append_id(known.message_ids, event.message_id),
        fingerprints=with_newest(known.fingerprints, message.fingerprint, until),
        forget_at=max(until, past, known.forget_at),
        last=0 if event.seq == known.seq else event.seq,
    )
    # News under its own message id is forwarded as the same object, so that its bytes stay the same.
    untouched = not changed and known.root == event.message_id
    sent = event if untouched else replace(event, telling="change" if changed else "news", changes=changed, root=known.root)
    return Effect({known.seq: after}, {}, {known.seq: event}, (output_event(situation, sent),), (verdict,))


def forward_cancellation(situation: Situation, known: KnownEvent, cancel: Event) -> Effect:
    """
    Forward the cancellation with the values that were told last, so that the text can say what was cancelled.

    `part` stays that of the message told last, because the offender's name comes from that message's submission.
    """
    of_the_cancel = {name: getattr(cancel, name) for name in CANCEL_FIELDS}
    sent = replace(situation.stored_message(known.seq), **of_the_cancel, telling="cancellation", root=known.root)
    return Effect(
        events={known.seq: replace(known, state="cancelled", held=None)},
        messages={known.seq: None},
        outputs=(output_event(situation, sent),),
        verdicts=(situation.journal.verdict(cancel, "passed", "cancelled", f"the event of message {known.root} was not sent again"),),
    )


def output_event(situation: Situation, event: Event) -> Output:
    return Output(DISTINCT, situation.offender, with_hold_until(event, situation.at))
