"""One offender before dedupe: agencies send messages, time passes, reviewers decide."""

from typing import Any, Literal

from processors.dedupe.decide import STAGE
from processors.dedupe.state import KnownEvents
from processors.domain.event import Event
from processors.domain.policy import Policy
from processors.domain.review import Review, ReviewAction
from processors.stage import Decision
from processors.topics import DISTINCT, EVENTS, REVIEWS
from tests.hearing import OFFENDER, hearing
from tests.one_stage import OneStage

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
NOON = 1_795_348_800_000  # 2026-11-22T12:00:00Z
HEARING = 1_796_656_800_000  # 2026-12-07T15:20:00Z


class Scene(OneStage):
    """What is put in is decided at once; the lines that come back are the verdicts, each as "id outcome reason"."""

    def __init__(self, **settings: str) -> None:
        super().__init__(STAGE, NOON, [Policy(key=key.replace("__", "."), value=value) for key, value in settings.items()])
        self.seq = 0

    def event(self, message_id: str, **more: Any) -> Event:
        """Return a message as identify makes it, received now."""
        self.seq += 1
        fields: dict[str, Any] = {
            "seq": self.seq,
            "received_at": self.now,
            "action_at": HEARING,
            "validate": True,
            "case_number": "CR-26-001",
            "court": "Richmond Circuit Court",
            "submission": b'{"message_id":"%s"}' % message_id.encode(),
        }
        return hearing(message_id, **(fields | more))

    def add(self, message_id: str, **more: Any) -> list[str]:
        return self.receive(self.event(message_id, **more))

    def update(self, message_id: str, of: str | None, **more: Any) -> list[str]:
        return self.receive(self.event(message_id, operation="Update", refers_to=of, **more))

    def cancel(self, message_id: str, of: str | None, **more: Any) -> list[str]:
        return self.receive(self.event(message_id, operation="Cancel", refers_to=of, **more))

    def receive(self, event: Event) -> list[str]:
        return lines([self.put(EVENTS, event, event.offender)])

    def review(self, action: Literal["release", "discard"], review: Review | None = None) -> list[str]:
        """Release or discard a review, by default the one flagged last."""
        self.seq += 1
        review_id = (review or self.reviews[-1]).review_id
        value = ReviewAction(action=action, reason="checked", reviewer="kim", review_id=review_id, received_at=self.now, seq=self.seq)
        return lines([self.put(EVENTS, value, OFFENDER)])

    def later(self, milliseconds: int) -> list[str]:
        """Let time pass; return what was decided meanwhile."""
        return lines(self.advance(milliseconds))

    @property
    def decision(self) -> Decision[Any]:
        """The last decision."""
        return self.decisions[-1]

    @property
    def passed(self) -> list[Event]:
        """The events that went on to validate."""
        return [each for each in self.written(DISTINCT) if isinstance(each, Event)]

    @property
    def reviews(self) -> list[Review]:
        return self.written(REVIEWS)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """What went on, each as (telling, message id, root)."""
        return [(each.telling, each.message_id, each.root or each.message_id) for each in self.passed]

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """What the last message that went on says was changed."""
        return [(each.field, each.old, each.new) for each in self.passed[-1].changes]

    @property
    def known(self) -> KnownEvents:
        found = self.state(OFFENDER)
        assert isinstance(found, KnownEvents)
        return found


def lines(decisions: list[Decision[Any]]) -> list[str]:
    return [f"{each.message_id} {each.outcome} {each.reason}" for decision in decisions for each in decision.verdicts]
