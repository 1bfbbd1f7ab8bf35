"""Records that count how the parts of a submission end, for the one response to its agency (contract §5)."""

from typing import Any, Final

from processors.domain.event import Event
from processors.domain.tally import PartEnded, PartMatched, PartRepeated, TallyResult
from processors.stage import Output
from processors.topics import TALLY

MESSAGE_RESPONSE: Final = "Message Response"  # never answered: two systems would answer each other forever


def part_ended(event: Event, result: TallyResult = "nobody") -> tuple[Output, ...]:
    """Return the record that a part ended without a notification."""
    if event.event_type == MESSAGE_RESPONSE:
        return ()
    return tally_record(PartEnded(submission=str(event.seq), result=result, **sender(event)))


def submission_refused(position: str, message_id: str, ori: str, received_at: int, trace: str | None) -> tuple[Output, ...]:
    """Return the record that `read` refused a submission, which its position identifies."""
    return tally_record(
        PartEnded(submission=position, message_id=message_id, ori=ori, leaves=1, received_at=received_at, result="failed", trace=trace)
    )


def part_matched(event: Event, registrants: int) -> tuple[Output, ...]:
    """Return the record that says how many registrants a part will notify."""
    if event.event_type == MESSAGE_RESPONSE:
        return ()
    return tally_record(PartMatched(submission=str(event.seq), registrants=registrants, **sender(event)))


def part_repeated(event: Event, original: int) -> tuple[Output, ...]:
    """Return the record that a part repeats one of the submission whose `seq` is `original`, and shares its response."""
    if event.event_type == MESSAGE_RESPONSE:
        return ()
    return tally_record(PartRepeated(submission=str(original), repeated_by=str(event.seq), **sender(event)))


def sender(event: Event) -> dict[str, Any]:
    return {
        "message_id": event.message_id,
        "ori": event.ori,
        "leaves": event.leaves,
        "received_at": event.received_at,
        "jurisdiction": event.jurisdiction,
        "notification_type": event.notification_type,
        "event_subtype": event.event_subtype,
        "trace": event.trace,
    }


def tally_record(record: PartEnded | PartMatched | PartRepeated) -> tuple[Output, ...]:
    return (Output(TALLY, record.submission, record),)
