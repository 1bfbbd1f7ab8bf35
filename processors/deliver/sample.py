"""The text message of an event that nobody reported, for who reads or reviews the texts."""

from typing import Final

from processors.deliver.state import Notice
from processors.deliver.wording.templates import message_for
from processors.domain.person import Name
from processors.rules.book import EventCode, Rules

HEARINGS: Final = ("Hearing Notice",)
AHEAD: Final = 14 * 86_400_000 + 10 * 3_600_000  # a hearing is a fortnight ahead, at ten in the morning


def sample_text(rules: Rules, jurisdiction: str, code: EventCode, at: int, language: str) -> str | None:
    """Return what is told of a code, with an offender, a place and a time made up; None where the language has no text for it."""
    hearing = code.notification_types == HEARINGS
    notice = Notice(
        message_id="SAMPLE",
        ori="",
        offender="",
        part=0,
        root="SAMPLE",
        registration_ids=(),
        jurisdiction=jurisdiction,
        event_type=code.event_type,
        event_subtype=code.subtype,
        notification_type=code.notification_types[0] if code.notification_types else "",
        received_at=at,
        action_at=at + AHEAD if hearing else at,
        date_only=not hearing,
        emergency=code.emergency,
        name=Name(given="John", sur="Sample"),
        sending_state="VA",
        receiving_state="NC",
    )
    message = message_for((notice,), rules, at, language, "sms")
    return message.body if message is not None and message.language == language else None
