"""One offender before match: registrations begin and end, events arrive."""

from typing import Any

from processors.domain.event import Event
from processors.domain.notification import Notification
from processors.domain.registration import Enrolment
from processors.match.decide import STAGE
from processors.topics import CONFIRMED, TALLY
from tests.hearing import OFFENDER, hearing
from tests.one_stage import OneStage

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z


class Scene(OneStage):
    """`tell` answers with the registrants who are to be told, each with the registrations by which they are."""

    def __init__(self) -> None:
        super().__init__(STAGE, NOON)
        self.seq = 0

    def enrol(self, registration_id: str, registrant_id: str, **more: Any) -> None:
        self.seq += 1
        fields: dict[str, Any] = {
            "offender": OFFENDER,
            "seq": self.seq,
            "received_at": self.now,
            "registration_id": registration_id,
            "registrant_id": registrant_id,
        }
        self.put(CONFIRMED, Enrolment(**(fields | more)), OFFENDER)

    def tell(self, message_id: str, **more: Any) -> dict[str, tuple[str, ...]]:
        event = self.event(message_id, **more)
        found: dict[str, tuple[str, ...]] = {}
        first = self.put(CONFIRMED, event, OFFENDER)
        rest = self.advance(0)  # where there are many, they are told a page at a time
        for output in (output for decision in (first, *rest) for output in decision.outputs):
            notification = output.value
            if output.topic is TALLY:
                continue
            assert isinstance(notification, Notification)
            assert notification.event == event
            assert output.key == notification.registrant_id
            assert notification.registrant_id not in found, "told once"
            found[notification.registrant_id] = notification.registration_ids
        return found

    def event(self, message_id: str, **more: Any) -> Event:
        self.seq += 1
        fields: dict[str, Any] = {"seq": self.seq, "received_at": self.now, "action_at": NOON + 20 * DAY, "past_from": NOON + 20 * DAY}
        return hearing(message_id, **(fields | more))

    @property
    def said(self) -> str:
        verdict = self.verdicts[-1]
        return f"{verdict.message_id} {verdict.outcome} {verdict.reason}"
