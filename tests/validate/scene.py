"""Events as dedupe passes them on, and one offender before validate."""

from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from processors.domain.event import Event
from processors.domain.expectation import Expectation
from processors.domain.journal import Verdict
from processors.domain.policy import Policy
from processors.domain.review import Review, ReviewAction
from processors.rules.rule_set import Rules
from processors.stage import Decision
from processors.topics import CONFIRMED, DISTINCT, EXPECTATIONS, REVIEWS
from processors.validate.decide import STAGE
from processors.validate.state import OffenderState
from tests.one_stage import OneStage

OFFENDER = "o0123456789abcdef"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


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


class Scene(OneStage):
    """One offender before validate: events come, time passes, reviewers act."""

    def __init__(self) -> None:
        super().__init__(STAGE, 0)
        self.policies: tuple[Policy, ...] = ()
        self.received = 0

    def set(self, key: str, value: str, **scope: str) -> None:
        self.policies += (Policy(key=key, value=value, **scope),)
        self.set_policies(*self.policies)

    def receive(self, one: Event) -> Verdict:
        """Decide on an event after every timer that was due before it; return the last verdict on it."""
        self.received += 1
        one = msgspec.structs.replace(one, seq=one.seq or self.received, message_id=one.message_id or f"m{self.received}")
        self.until(one.received_at)
        decision = self.put(DISTINCT, one, OFFENDER)
        assert decision.verdicts, "every event has its verdict"
        self.last = one
        return self.verdict(one.message_id)

    def act(self, action: Literal["release", "discard"], review_id: str | None, at: str) -> Decision[Any]:
        said = ReviewAction(action=action, reason="seen the file", reviewer="r.reviewer", review_id=review_id, received_at=ms(at))
        self.until(said.received_at)
        return self.put(DISTINCT, said, OFFENDER)

    def until(self, instant: int) -> None:
        self.advance_to(instant)

    def verdict(self, message_id: str) -> Verdict:
        return next(each for each in reversed(self.verdicts) if each.message_id == message_id)

    @property
    def rules(self) -> Rules:
        return self.context.rules

    @property
    def confirmed(self) -> list[Event]:
        return self.written(CONFIRMED)

    @property
    def reviews(self) -> dict[str, Review]:
        return self.latest(REVIEWS)

    @property
    def expectations(self) -> dict[str, Expectation]:
        return self.latest(EXPECTATIONS)

    @property
    def known(self) -> OffenderState:
        found = self.state(OFFENDER)
        assert isinstance(found, OffenderState)
        return found

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


def outcome_of(verdict: Verdict) -> tuple[str, str]:
    return verdict.outcome, verdict.reason
