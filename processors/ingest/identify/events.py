"""Converts a submission into events, one per offender, with the fields that the stages decide on and the whole message."""

from typing import Final

from processors.domain.event import Event, Operation
from processors.domain.intake import Intake
from processors.domain.submission import Case, Compact, Place, Submission
from processors.domain.trace import trace_in
from processors.stage import Record

VALIDATE: Final = "Validate"
DO_NOT_VALIDATE: Final = "Do Not Validate"
EXPECT: Final = "Expect Subsequent Event"
OPERATIONS: Final[dict[str, Operation]] = {"Add": "Add", "Update": "Update", "Cancel": "Cancel"}

_NO_CASE, _NO_PLACE, _NO_COMPACT = Case(), Place(), Compact()


def event(  # noqa: PLR0913, PLR0917  what a message is made of
    record: Record, submission: Submission, where: str, offender: str, part: tuple[int, int, int], formerly: tuple[str, ...] = ()
) -> Event:
    """Return one offender's part of a submission. `part` is (index, number of parts, number of events); `formerly` are merged keys."""
    intake: Intake = record.value
    case, place, before = submission.case or _NO_CASE, submission.location or _NO_PLACE, submission.from_location or _NO_PLACE
    compact = submission.compact or _NO_COMPACT
    tied: dict[str, dict[str, None]] = {}
    for tag in submission.notification_subtypes:
        tied.setdefault(tag.subtype, {}).update(dict.fromkeys(tag.validations))
    return Event(
        offender=offender,
        seq=record.offset,
        received_at=intake.received_at,
        message_id=submission.message_id,
        ori=submission.agency.ori,
        jurisdiction=where,
        part=part[0],
        parts=part[1],
        operation=OPERATIONS[submission.operation],
        refers_to=submission.refers_to,
        event_type=submission.event_type,
        event_subtype=submission.event_subtype,
        notification_type=submission.notification_type,
        validate=VALIDATE in tied,
        do_not_validate=DO_NOT_VALIDATE in tied,
        expect=EXPECT in tied,
        asked=tuple(tied.get(VALIDATE, ())),
        waived=tuple(tied.get(DO_NOT_VALIDATE, ())),
        action_at=intake.action_at,
        past_from=intake.past_from,
        date_only=intake.date_only,
        case_number=case.number,
        court=case.court,
        status=submission.status,
        location_kind=place.kind,
        location_name=place.name,
        from_kind=before.kind,
        from_name=before.name,
        sending_state=compact.sending_state,
        receiving_state=compact.receiving_state,
        compact_case=compact.case_number,
        report_by=compact.report_by,
        leaves=part[2],
        formerly=formerly,
        trace=trace_in(record.traceparent),
        submission=intake.body,
    )
