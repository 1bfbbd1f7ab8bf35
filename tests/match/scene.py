"""One offender before match: registrants come and go, events are to be told. State goes through its codec each time."""

from functools import cache
from typing import Any

import msgspec

from processors.domain.event import Event
from processors.domain.journal import Verdict
from processors.domain.notification import Notification
from processors.domain.registration import Enrolment
from processors.domain.seal import Seal
from processors.match.decide import STAGE
from processors.match.state import State
from processors.rules.book import Rules
from processors.rules.load import load_rules
from processors.stage import Context, Decision, Input, Record, Wake

OFFENDER = "o0123456789abcdef"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z


@cache
def rules() -> Rules:
    return load_rules()


class Scene:
    """`tell` answers with the registrants who are to be told, each with the registrations by which they are."""

    def __init__(self) -> None:
        self.context = Context(rules(), Seal(bytes(64)))
        self.now = NOON
        self.seq = 0
        self.states: dict[str, bytes] = {}
        self.wakes: dict[str, int] = {}
        self.verdicts: list[Verdict] = []
        self.decision: Decision[State] = Decision()

    def enrol(self, registration_id: str, registrant_id: str, **more: Any) -> None:
        self.seq += 1
        fields: dict[str, Any] = {
            "offender": OFFENDER,
            "seq": self.seq,
            "received_at": self.now,
            "registration_id": registration_id,
            "registrant_id": registrant_id,
        }
        self.decide(Record("events.confirmed", 0, self.seq, OFFENDER, self.now, Enrolment(**(fields | more))))

    def tell(self, message_id: str, **more: Any) -> dict[str, tuple[str, ...]]:
        event = self.event(message_id, **more)
        self.decide(Record("events.confirmed", 0, event.seq, OFFENDER, event.received_at, event))
        notifications = [each.value for each in self.decision.outputs]
        for output, notification in zip(self.decision.outputs, notifications, strict=True):
            assert isinstance(notification, Notification)
            assert notification.event is event
            assert output.key == notification.registrant_id
        return {each.registrant_id: each.registration_ids for each in notifications if isinstance(each, Notification)}

    def event(self, message_id: str, **more: Any) -> Event:
        self.seq += 1
        fields: dict[str, Any] = {
            "offender": OFFENDER,
            "seq": self.seq,
            "received_at": self.now,
            "message_id": message_id,
            "ori": "VA0010000",
            "jurisdiction": "VA",
            "part": 0,
            "parts": 1,
            "operation": "Add",
            "event_type": "Court",
            "event_subtype": "Court Hearing",
            "notification_type": "Hearing Notice",
            "action_at": NOON + 20 * DAY,
            "past_from": NOON + 20 * DAY,
        }
        return Event(**(fields | more))

    def later(self, millis: int) -> None:
        self.now += millis
        while self.wakes and (first := min((at, key) for key, at in self.wakes.items()))[0] <= self.now:
            del self.wakes[first[1]]
            self.decide(Wake(first[1], first[0]))

    def decide(self, given: Input) -> None:
        asked = set(STAGE.keys(given, {}))
        found = {key: msgspec.json.decode(self.states[key], type=STAGE.state) for key in asked if key in self.states}
        self.decision = STAGE.decide(given, found, self.context)
        assert STAGE.decide(given, found, self.context) == self.decision
        assert set(self.decision.states) <= asked
        for key, state in self.decision.states.items():
            self.states.pop(key, None)
            if state is not None:
                self.states[key] = msgspec.json.encode(state)
        for key, at in self.decision.wakes.items():
            self.wakes.pop(key, None)
            if at is not None:
                self.wakes[key] = at
        self.verdicts += self.decision.verdicts

    @property
    def said(self) -> str:
        verdict = self.verdicts[-1]
        return f"{verdict.message_id} {verdict.outcome} {verdict.reason}"
