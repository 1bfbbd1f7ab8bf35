"""The front door in a test: records in, decisions out, states kept as the changelog would keep them."""

from typing import Any

import msgspec

from processors.domain.event import Event
from processors.domain.intake import Intake
from processors.domain.journal import Verdict
from processors.domain.policy import Policy
from processors.domain.registration import Enrolment, Reachable
from processors.domain.review import Review
from processors.ingest.identify.decide import IDENTIFY
from processors.stage import Context, Decision, Output, Record, Wake
from processors.topics import INTAKE, RECEIPTS, REGISTRATIONS, REVIEW_ACTIONS, SUBMISSIONS, Topic
from tests.ingest.records import NOW, RECAPTURE, RECEIPT, REGISTRATION, RULES, SEAL, changed, read
from tests.one_stage import timers_after


class Door:
    """Read and identify, one after the other, with a clock that the test moves."""

    def __init__(self, **policies: str) -> None:
        self.context = Context(
            RULES.with_policies([Policy(key=key.replace("_", "."), value=value) for key, value in policies.items()]), SEAL
        )
        self.now = NOW
        self.states: dict[str, bytes] = {}
        self.timers: dict[str, int] = {}
        self.offset = 0

    def submit(self, **changes: Any) -> "Passed":
        """Send a submission; each has an id of its own unless one is given."""
        return self.send(changed(RECAPTURE, **{"message_id": f"M-{self.offset}"} | changes))

    def register(self, registration_id: str = "IVINS-1", **changes: Any) -> "Passed":
        return self.send(changed(REGISTRATION, registration_id=registration_id, **changes), REGISTRATIONS, key=registration_id)

    def remove(self, registration_id: str = "IVINS-1") -> "Passed":
        return self.send(None, REGISTRATIONS, key=registration_id)

    def receipt(self, **changes: Any) -> "Passed":
        return self.send(changed(RECEIPT, **changes), RECEIPTS)

    def act(self, action: str, **named: str) -> "Passed":
        return self.send({"action": action, "reason": "looked into", "reviewer": "ann", **named}, REVIEW_ACTIONS)

    def send(self, value: Any, topic: Topic = SUBMISSIONS, *, key: str | None = None) -> "Passed":
        (output,) = read(value, topic, key=key, offset=self.offset, at=self.now).outputs
        assert isinstance(output.value, Intake), output.value
        found = Record(INTAKE.name, 0, self.offset, None, self.now, output.value)
        self.offset += 1
        return self.decide(found)

    def later(self, milliseconds: int) -> None:
        """Time goes on; timers that come due are decided."""
        self.now += milliseconds
        while due := min(((due, key) for key, due in self.timers.items() if due <= self.now), default=None):
            del self.timers[due[1]]
            self.decide(Wake(due[1], due[0]))

    def decide(self, found: Record | Wake) -> "Passed":
        states: dict[str, Any] = {}
        while True:
            wanted = [key for key in IDENTIFY.keys(found, states) if key in self.states and key not in states]
            if not wanted:
                break
            states |= {key: msgspec.json.decode(self.states[key], type=IDENTIFY.state) for key in wanted}
        before = msgspec.json.encode(states, order="deterministic")
        decision = IDENTIFY.decide(found, states, self.context)
        assert decision == IDENTIFY.decide(found, states, self.context)
        assert before == msgspec.json.encode(states, order="deterministic")
        for key, state in decision.states.items():
            if state is None:
                self.states.pop(key, None)
            else:
                self.states[key] = msgspec.json.encode(state)
        for key, due in timers_after(IDENTIFY, found, states, decision).items():
            self.timers.pop(key, None)
            if due is not None:
                self.timers[key] = due
        return Passed(decision)


class Passed:
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
