"""Small records for the tests of the commands."""

from collections.abc import Callable
from typing import Any

from processors.domain.journal import DeadLetter, Outcome, Verdict
from processors.domain.notification import Channel, Outbound, OutboundEvent, OutboundOffender

Run = Callable[..., tuple[int, str, str]]  # the words of a command and its settings -> exit code, stdout, stderr

AT = 1_793_628_000_000


def verdict(stage: str, outcome: Outcome, reason: str = "valid", **fields: Any) -> Verdict:
    given = {"message_id": "M-1", "ori": "VA0430000", "offender": "o1", "detail": "", "at": AT}
    return Verdict(stage=stage, outcome=outcome, reason=reason, **(given | fields))


def outbound(channel: Channel, **fields: Any) -> Outbound:
    given = {
        "reference": "R-1.x",
        "notification_id": "N-1",
        "attempt": 1,
        "registrant_id": "R-1",
        "kind": "notification",
        "to": "",
        "language": "en",
        "subject": None,
        "body": "",
        "emergency": True,
        "event": OutboundEvent("Corrections", "Escape", AT),
        "offenders": (OutboundOffender("Dean Colton", ()),),
        "agency": None,
        "message_ids": ("M-1",),
        "created_at": AT,
        "not_before": None,
        "expires_at": AT,
        "confirm": False,
    }
    return Outbound(channel=channel, **(given | fields))


def letter(reason: str) -> DeadLetter:
    return DeadLetter(
        dead_letter_id="submissions-0-1",
        reason=reason,
        detail="",
        stage="read",
        topic="submissions",
        partition=0,
        offset=1,
        received_at=AT,
        sha256="",
        encrypted=False,
        original=b"",
    )
