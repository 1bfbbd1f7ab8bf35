"""Read and identify together: documents in, decisions out, with a clock that the test moves."""

from typing import Any

from processors.domain.event import Event
from processors.domain.intake import Intake
from processors.domain.journal import Verdict
from processors.domain.policy import Policy
from processors.domain.registration import Enrolment, Reachable
from processors.domain.review import Review
from processors.ingest.identify.decide import IDENTIFY
from processors.stage import Decision, Output
from processors.topics import INBOUND, INTAKE, RECEIPTS, REGISTRATIONS, REVIEW_ACTIONS, SUBMISSIONS, VERIFICATIONS, Topic
from tests.ingest.records import NOW, RECAPTURE, RECEIPT, REGISTRATION, read, with_changes
from tests.one_stage import OneStage


class ReadAndIdentify(OneStage):
    """Every call sends one document and returns what identify decided on it."""

    def __init__(self, **policies: str) -> None:
        super().__init__(IDENTIFY, NOW, [Policy(key=key.replace("_", "."), value=value) for key, value in policies.items()])
        self.offset = 0

    def submit(self, **changes: Any) -> "Decided":
        """Send a submission; each has an id of its own unless one is given."""
        return self.send(with_changes(RECAPTURE, **{"message_id": f"M-{self.offset}"} | changes))

    def register(self, registration_id: str = "IVINS-1", **changes: Any) -> "Decided":
        return self.send(with_changes(REGISTRATION, registration_id=registration_id, **changes), REGISTRATIONS, key=registration_id)

    def remove(self, registration_id: str = "IVINS-1") -> "Decided":
        return self.send(None, REGISTRATIONS, key=registration_id)

    def send_receipt(self, **changes: Any) -> "Decided":
        return self.send(with_changes(RECEIPT, **changes), RECEIPTS)

    def verify(self, registration_id: str = "IVINS-1", code: str = "048210") -> "Decided":
        sent = {"registration_id": registration_id, "code": code, "at": "2026-11-02T18:20:00Z"}
        return self.send(sent, VERIFICATIONS, key=registration_id)

    def answer(self, body: str, address: str = "8045551007", channel: str = "sms", **more: str) -> "Decided":
        sent = {"provider": "example", "channel": channel, "from": address, "to": "8045550000", "body": body}
        return self.send({**sent, "occurred_at": "2026-11-02T18:20:00Z", **more}, INBOUND)

    def act(self, action: str, **named: str) -> "Decided":
        return self.send({"action": action, "reason": "looked into", "reviewer": "ann", **named}, REVIEW_ACTIONS)

    def send(self, value: Any, topic: Topic = SUBMISSIONS, *, key: str | None = None) -> "Decided":
        (output,) = read(value, topic, key=key, offset=self.offset, at=self.now).outputs
        assert isinstance(output.value, Intake), output.value
        self.offset += 1
        return Decided(self.put(INTAKE, output.value))

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the states that begin so."""
        return [key for key in self.documents if key.startswith(prefix)]


class Decided:
    """What identify decided, by kind."""

    def __init__(self, decision: Decision[Any]) -> None:
        self.outputs: tuple[Output, ...] = decision.outputs
        self.verdicts: tuple[Verdict, ...] = decision.verdicts
        assert all(output.topic in IDENTIFY.outputs for output in decision.outputs)

    def of(self, kind: type) -> list[Any]:
        return [each.value for each in self.outputs if isinstance(each.value, kind)]

    @property
    def events(self) -> list[Event]:
        return self.of(Event)

    @property
    def offenders(self) -> list[str]:
        return [each.offender for each in self.events]

    @property
    def offender(self) -> str:
        (found,) = self.offenders
        return found

    @property
    def enrolled(self) -> list[tuple[str, str, bool]]:
        """Return registration, offender and whether it ended, of each enrolment."""
        return [(each.registration_id, each.offender, each.ended) for each in self.of(Enrolment)]

    @property
    def reachable(self) -> list[Reachable]:
        return self.of(Reachable)

    @property
    def reviews(self) -> list[Review]:
        return self.of(Review)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(each.outcome, each.reason) for each in self.verdicts]
