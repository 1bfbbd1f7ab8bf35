"""One offender before the stage: hears events, lets time pass, and shows what came of it. State goes through its codec each time."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.domain.journal import Verdict
from processors.domain.policy import Policy
from processors.domain.review import Review, ReviewAction
from processors.domain.seal import Seal
from processors.rules.book import Rules
from processors.rules.load import load_rules
from processors.stage import Context, Decision, Input, Record, Wake
from processors.topics import CONFIRMED, EXPECTATIONS, REVIEWS
from processors.validate.decide import STAGE
from processors.validate.state import Dossier
from tests.one_stage import timers_after

OFFENDER = "o0123456789abcdef"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SEAL = Seal(bytes(64))


@cache
def rules() -> Rules:
    return load_rules()


def ms(text: str, zone: str = "America/New_York") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def day_end(text: str, zone: str = "America/New_York") -> int:
    return round(datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), ZoneInfo(zone)).timestamp() * 1000)


def event(
    kind: str, subtype: str, notification_type: str, at: str, *, received: str | None = None, zone: str = "America/New_York", **more: Any
) -> Event:
    """Return an event as dedupe passes it on; `at` is a date or a date-time in `zone`, and by default it is received then."""
    date_only = len(at) == len("2026-11-20")
    action_at = ms(f"{at} 00:00" if date_only else at, zone)
    fields: dict[str, Any] = {
        "offender": OFFENDER,
        "seq": 0,
        "received_at": ms(received or at, zone),
        "message_id": "",
        "ori": "VA0010000",
        "jurisdiction": "VA",
        "part": 0,
        "parts": 1,
        "operation": "Add",
        "event_type": kind,
        "event_subtype": subtype,
        "notification_type": notification_type,
        "validate": True,
        "action_at": action_at,
        "past_from": day_end(at, zone) if date_only else action_at,
        "date_only": date_only,
        "submission": b'{"message_id":"x"}',
    }
    return Event(**(fields | more))


def escape(at: str = "2026-11-20 10:00", **more: Any) -> Event:
    return event("Corrections", "Escape", "Status Update", at, **more)


def recapture(at: str = "2026-11-20 12:00", **more: Any) -> Event:
    return event("Corrections", "Recapture", "Status Update", at, **more)


def intake(at: str = "2026-11-20 09:00", **more: Any) -> Event:
    return event("Corrections", "Intake", "Movement", at, **more)


def jailed(at: str = "2026-11-19 09:00", **more: Any) -> Event:
    return event("Jail", "Intake", "Movement", at, **more)


def jail_release(at: str = "2026-11-20 08:00", **more: Any) -> Event:
    return event("Jail", "Release", "Status Update", at, **({"location_kind": "State Prison"} | more))


def hearing(at: str, **more: Any) -> Event:
    return event("Court", "Court Hearing", "Hearing Notice", at, **more)


def cancel(of: Event, **more: Any) -> Event:
    """Return the Cancel of an event as dedupe passes it on, with the original's fields."""
    root = of.root or of.message_id
    fields = {"message_id": f"{of.message_id}-cancel", "operation": "Cancel", "refers_to": root, "root": root, "telling": "cancellation"}
    return msgspec.structs.replace(of, **(fields | more))


def update(of: Event, **more: Any) -> Event:
    """Return an Update of an event as dedupe passes it on."""
    root = of.root or of.message_id
    fields = {"message_id": f"{of.message_id}-update", "operation": "Update", "refers_to": root, "root": root, "telling": "change"}
    return msgspec.structs.replace(of, **(fields | more))


@dataclass
class Scene:
    policies: tuple[Policy, ...] = ()
    documents: dict[str, bytes] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    confirmed: list[Event] = field(default_factory=list)
    reviews: dict[str, Review] = field(default_factory=dict)
    expectations: dict[str, Expectation] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    heard: int = 0
    rules: Rules = field(default_factory=rules)

    def set(self, key: str, value: str, **scope: str) -> None:
        self.policies += (Policy(key=key, value=value, **scope),)
        self.rules = rules().with_policies(self.policies)

    def hear(self, one: Event) -> Verdict:
        """Hear one event after every timer that was due before it; return the last verdict on it."""
        self.heard += 1
        one = msgspec.structs.replace(one, seq=one.seq or self.heard, message_id=one.message_id or f"m{self.heard}")
        self.until(one.received_at)
        self.run(Record("events.distinct", 0, self.heard, OFFENDER, one.received_at, one))
        self.last = one
        return self.verdict(one.message_id)

    def act(self, action: str, review_id: str, at: str) -> None:
        said = ReviewAction(action=action, reason="seen the file", reviewer="r.reviewer", review_id=review_id, received_at=ms(at))
        self.until(said.received_at)
        self.run(Record("events.distinct", 0, 0, OFFENDER, said.received_at, said))

    def until(self, instant: int) -> None:
        while self.timers and min(self.timers.values()) <= instant:
            key, due = min(self.timers.items(), key=lambda each: each[1])
            del self.timers[key]
            self.run(Wake(key, due))

    def run(self, given: Input) -> Decision[Any]:
        states: dict[str, Any] = {}
        while wanted := [key for key in STAGE.keys(given, states) if key not in states and key in self.documents]:
            states |= {key: msgspec.json.decode(self.documents[key], type=STAGE.state) for key in wanted}
        context = Context(self.rules, SEAL)
        decision = STAGE.decide(given, states, context)
        assert STAGE.decide(given, states, context) == decision, "the same input decides the same"
        for output in decision.outputs:
            self.write(output)
        for key, state in decision.states.items():
            if state is None:
                self.documents.pop(key, None)
            else:
                self.documents[key] = msgspec.json.encode(state)
                assert msgspec.json.decode(self.documents[key], type=STAGE.state) == state, "what is kept can be read again"
        for key, due in timers_after(STAGE, given, states, decision).items():
            self.timers.pop(key, None)
            if due is not None:
                self.timers[key] = due
        self.verdicts.extend(decision.verdicts)
        assert isinstance(given, Wake) or not isinstance(given.value, Event) or decision.verdicts, "every event has its verdict"
        return decision

    def write(self, output: Any) -> None:
        assert output.topic in {CONFIRMED, REVIEWS, EXPECTATIONS}
        assert msgspec.convert(msgspec.to_builtins(output.value), type(output.value)) == output.value, "what is written can be read"
        if output.topic is CONFIRMED:
            self.confirmed.append(output.value)
        elif output.topic is REVIEWS:
            assert output.key == output.value.review_id
            self.reviews[output.key] = output.value
        else:
            assert output.key == output.value.expectation_id
            self.expectations[output.key] = output.value

    def verdict(self, message_id: str) -> Verdict:
        return next(each for each in reversed(self.verdicts) if each.message_id == message_id)

    @property
    def dossier(self) -> Dossier:
        return msgspec.json.decode(self.documents[OFFENDER], type=Dossier)

    @property
    def told(self) -> list[str]:
        return [f"{each.event_subtype} {each.telling}" if each.telling != "news" else each.event_subtype for each in self.confirmed]

    @property
    def review(self) -> Review:
        (only,) = self.reviews.values()
        return only

    @property
    def expectation(self) -> Expectation:
        (only,) = self.expectations.values()
        return only


def ruling(verdict: Verdict) -> tuple[str, str]:
    return verdict.outcome, verdict.reason
