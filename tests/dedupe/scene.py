"""One offender before dedupe: agencies speak, time passes, reviewers judge. State goes through its codec each time."""

from functools import cache
from typing import Any

import msgspec

from processors.dedupe.decide import STAGE
from processors.dedupe.state import Sightings, State
from processors.domain.event import Event
from processors.domain.journal import Verdict
from processors.domain.policy import Policy
from processors.domain.review import Review, ReviewAction
from processors.domain.seal import Seal
from processors.rules.book import Rules
from processors.rules.load import load_rules
from processors.stage import Context, Decision, Input, Record, Wake
from processors.topics import DISTINCT, REVIEWS
from tests.one_stage import timers_after

OFFENDER = "o0123456789abcdef"
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
HEARING = 1_796_656_800_000  # 2026-12-07T15:20:00Z


@cache
def rules() -> Rules:
    return load_rules()


class Scene:
    """What is heard is decided on at once; `told` is what went on, each as (telling, message id, root)."""

    def __init__(self, **settings: str) -> None:
        policies = [Policy(key=key.replace("__", "."), value=value) for key, value in settings.items()]
        self.context = Context(rules().with_policies(policies), Seal(bytes(64)))
        self.now = NOON
        self.seq = 0
        self.states: dict[str, bytes] = {}
        self.wakes: dict[str, int] = {}
        self.passed: list[Event] = []
        self.reviews: list[Review] = []
        self.verdicts: list[Verdict] = []
        self.decision: Decision[State] = Decision()

    def event(self, message_id: str, **more: Any) -> Event:
        """Return a message as identify makes it, received now."""
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
            "validate": True,
            "action_at": HEARING,
            "past_from": more.get("action_at", HEARING),
            "case_number": "CR-26-001",
            "court": "Richmond Circuit Court",
            "submission": b'{"message_id":"%s"}' % message_id.encode(),
        }
        return Event(**(fields | more))

    def add(self, message_id: str, **more: Any) -> list[str]:
        return self.hear(self.event(message_id, **more))

    def update(self, message_id: str, of: str | None, **more: Any) -> list[str]:
        return self.hear(self.event(message_id, operation="Update", refers_to=of, **more))

    def cancel(self, message_id: str, of: str | None, **more: Any) -> list[str]:
        return self.hear(self.event(message_id, operation="Cancel", refers_to=of, **more))

    def hear(self, event: Event) -> list[str]:
        """Decide on a message, after what was due until then; return what was said, each as "id outcome reason"."""
        return self.decide(Record("events", 0, event.seq, event.offender, event.received_at, event))

    def review(self, action: str, review: Review | None = None) -> list[str]:
        """Release or discard a review, by default the one flagged last."""
        self.seq += 1
        review_id = (review or self.reviews[-1]).review_id
        value = ReviewAction(action=action, reason="checked", reviewer="kim", review_id=review_id, received_at=self.now, seq=self.seq)
        return self.decide(Record("events", 0, self.seq, OFFENDER, self.now, value))

    def later(self, millis: int) -> list[str]:
        """Let time pass; return what was said meanwhile."""
        said: list[str] = []
        self.now += millis
        while self.wakes and (first := min((at, key) for key, at in self.wakes.items()))[0] <= self.now:
            del self.wakes[first[1]]
            said += self.decide(Wake(first[1], first[0]))
        return said

    def decide(self, given: Input) -> list[str]:
        """Decide twice on what the stage asks for, as the runner does, and keep what follows."""
        found = self.asked(given)
        self.decision = STAGE.decide(given, found, self.context)
        assert STAGE.decide(given, self.asked(given), self.context) == self.decision
        for key, state in self.decision.states.items():
            self.states.pop(key, None)
            if state is not None:
                self.states[key] = msgspec.json.encode(state)
                assert msgspec.json.decode(self.states[key], type=STAGE.state) == state, "what is kept can be read again"
        for key, at in timers_after(STAGE, given, found, self.decision).items():
            self.wakes.pop(key, None)
            if at is not None:
                self.wakes[key] = at
        for each in self.decision.outputs:
            assert msgspec.convert(msgspec.to_builtins(each.value), type(each.value)) == each.value, "what is written can be read"
        self.passed += [each.value for each in self.decision.outputs if each.topic is DISTINCT and isinstance(each.value, Event)]
        self.reviews += [each.value for each in self.decision.outputs if each.topic is REVIEWS and isinstance(each.value, Review)]
        self.verdicts += self.decision.verdicts
        return [f"{each.message_id} {each.outcome} {each.reason}" for each in self.decision.verdicts]

    def asked(self, given: Input) -> dict[str, State]:
        found: dict[str, State] = {}
        while new := [key for key in STAGE.keys(given, found) if key not in found and key in self.states]:
            found |= {key: msgspec.json.decode(self.states[key], type=STAGE.state) for key in new}
        return found

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(each.telling, each.message_id, each.root or each.message_id) for each in self.passed]

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """What the last message that went on says was changed."""
        return [(each.field, each.old, each.new) for each in self.passed[-1].changes]

    @property
    def document(self) -> Sightings:
        found = msgspec.json.decode(self.states[OFFENDER], type=STAGE.state)
        assert isinstance(found, Sightings)
        return found
