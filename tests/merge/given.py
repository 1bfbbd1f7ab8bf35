"""Two offender keys, registrants of either, and agencies' messages about them."""

from typing import Any

from msgspec.structs import replace

from processors.domain.event import Event
from processors.domain.merge import Merge
from processors.domain.registration import Enrolment
from processors.topics import EVENTS
from tests.hearing import hearing
from tests.two_partitions import TwoPartitions

A, B = "o000000000000000a", "o000000000000000b"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
HEARING = NOON + 15 * DAY


class Given(TwoPartitions):
    """Messages under one of two keys until they are merged; then identify sends all to the older key."""

    def __init__(self) -> None:
        super().__init__({A: 0, B: 1}, NOON)
        self.seq = 0
        self.merged = False

    def enrol(self, registration_id: str, registrant_id: str, key: str, expires_at: int | None = None) -> None:
        self.seq += 1
        owner = A if self.merged else key
        enrolment = Enrolment(
            offender=owner,
            seq=self.seq,
            received_at=self.now,
            registration_id=registration_id,
            registrant_id=registrant_id,
            expires_at=expires_at,
        )
        self.put(EVENTS, owner, enrolment)

    def message(self, key: str, message_id: str, operation: str = "Add", **more: Any) -> None:
        self.seq += 1
        owner = A if self.merged else key
        fields: dict[str, Any] = {
            "offender": owner,
            "formerly": (B,) if self.merged else (),
            "seq": self.seq,
            "received_at": self.now,
            "operation": operation,
            "action_at": HEARING,
            "validate": True,
            "case_number": "CR-1",
            "submission": b"{}",
        }
        self.put(EVENTS, owner, hearing(message_id, **(fields | more)))

    def merge(self) -> None:
        """Identify found that both keys are one person."""
        self.seq += 1
        self.merged = True
        marker = Merge(offender=B, into=A, seq=self.seq, received_at=self.now, detail="SID VA1 agrees")
        for key in (B, A):
            self.put(EVENTS, key, marker)

    def events(self) -> list[Event]:
        return [replace(each.event, submission=b"") for each in self.notifications]
