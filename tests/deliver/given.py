"""What the tests of deliver are given: rules, a seal, events, registrations, and a registrant's desk to hand them to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from processors.deliver.decide import STAGE, decide
from processors.deliver.state import Attempt, Piece, Registrant, Sent, State
from processors.domain.event import Event
from processors.domain.journal import Verdict
from processors.domain.notification import Notification, Outbound, Receipt
from processors.domain.person import Identifier, Name, Person
from processors.domain.policy import Policy
from processors.domain.registration import Contact, Contacts, Reachable
from processors.domain.seal import Seal
from processors.domain.submission import Agency, NotificationSubtype, Submission
from processors.domain.time import millis
from processors.rules.load import load_rules
from processors.stage import Context, Decision, Input, Record, Wake
from tests.one_stage import timers_after

RULES = load_rules()
SEAL = Seal(bytes(range(64)))
NOON = millis("2026-11-02T17:00:00Z")  # 12:00 in Virginia
DAY = 86_400_000
HOUR = 3_600_000
MINUTE = 60_000
SECOND = 1_000
ME = "R-1001"

JOHN = Person((Identifier("SID", "VA1234567"), Identifier("ICOTS", "1203344")), Name(given="John", middle="Q", sur="Sample"))
JANE = Person((Identifier("SID", "VA7654321"),), Name(given="Jane", sur="Specimen"))

SMS = Contact("sms", "+18045551007", verified=True)
EMAIL = Contact("email", "reg7@example.org", verified=True)
VOICE = Contact("voice", "+18045561007", verified=True)


def event(person: Person = JOHN, **more: Any) -> Event:
    """An event as match hands it on; `remarks` and `details` go into the submission alone."""
    submission = {name: more.pop(name) for name in ("remarks", "details", "agency_name") if name in more}
    given: dict[str, Any] = {
        "offender": "o" + (person.identifiers[0].value if person.identifiers else "0"),
        "seq": 10,
        "received_at": NOON,
        "message_id": "M-1",
        "ori": "VA0430000",
        "jurisdiction": "VA",
        "part": 0,
        "parts": 1,
        "operation": "Add",
        "event_type": "Court",
        "event_subtype": "Court Hearing",
        "notification_type": "Hearing Notice",
        "action_at": millis("2026-12-14T15:00:00Z"),
        "past_from": millis("2026-12-14T15:00:00Z"),
        "court": "Henrico Circuit Court",
        "case_number": "CR26-001432",
        **more,
    }
    whole = Submission(
        given["message_id"],
        Agency(given["ori"], submission.pop("agency_name", "Henrico Circuit Court Clerk"), given["jurisdiction"]),
        given["event_type"],
        given["event_subtype"],
        given["notification_type"],
        (NotificationSubtype("Validate"),),
        "2026-12-14T15:00:00Z",
        (*(Person(),) * given["part"], person),
        **submission,
    )
    return Event(**given, submission=msgspec.json.encode(whole))


def escape(person: Person = JOHN, **more: Any) -> Event:
    """An emergency."""
    given = {"event_type": "Jail", "event_subtype": "Escape", "notification_type": "Status Update", "court": None, "case_number": None}
    return event(person, **{**given, "action_at": NOON - HOUR, "past_from": NOON - HOUR, **more})


def piece(event_type: str, subtype: str, **more: Any) -> Piece:
    """What deliver keeps of one notification."""
    code = RULES.book("VA", NOON).code(event_type, subtype)
    given: dict[str, Any] = {
        "message_id": "M-1",
        "ori": "VA0430000",
        "offender": "o1",
        "part": 0,
        "root": "M-1",
        "registration_ids": ("REG-1",),
        "jurisdiction": "VA",
        "event_type": event_type,
        "event_subtype": subtype,
        "notification_type": code.notification_types[0] if code is not None else "Information",
        "received_at": NOON,
        "action_at": NOON - HOUR,
        "emergency": code is not None and code.emergency,
        "name": JOHN.name,
        "identifiers": JOHN.identifiers,
        **more,
    }
    return Piece(**given)


def reachable(*contacts: Contact, registration_id: str = "REG-1", pin: str | None = None, **more: Any) -> Reachable:
    """A registration as identify hands it to deliver."""
    kept = Contacts(contacts=contacts, pin=None if pin is None else SEAL.fingerprint(pin, f"pin:{ME}"))
    sealed = SEAL.close(msgspec.json.encode(kept), f"contacts:{ME}")
    return Reachable(**{"registrant_id": ME, "seq": 1, "received_at": NOON, "registration_id": registration_id, "sealed": sealed, **more})


def ended(registration_id: str = "REG-1", seq: int = 100) -> Reachable:
    return Reachable(registrant_id=ME, seq=seq, received_at=NOON, registration_id=registration_id, ended=True)


def receipt(reference: str, status: Any, **more: Any) -> Receipt:
    return Receipt(reference=reference, status=status, occurred_at=NOON, provider="example", **more)


@dataclass
class Desk:
    """One registrant at the stage, with a clock that the test moves and that wakes it as the runner would."""

    policies: tuple[Policy, ...] = ()
    now: int = NOON
    kept: dict[str, State] = field(default_factory=dict)
    wakes: dict[str, int] = field(default_factory=dict)
    sent: list[Outbound] = field(default_factory=list)
    others: list[Any] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    offset: int = 0

    @property
    def context(self) -> Context:
        return Context(RULES.with_policies(self.policies), SEAL)

    def tell(self, *events: Event, registrations: tuple[str, ...] = ("REG-1",)) -> "Desk":
        for each in events:
            self.take("notifications", Notification(registrant_id=ME, registration_ids=registrations, event=each))
        return self

    def register(self, *found: Reachable) -> "Desk":
        for each in found:
            self.take("registrants", each)
        return self

    def receive(self, *found: Receipt) -> "Desk":
        for each in found:
            self.take("registrants", each)
        return self

    def take(self, topic: str, value: Any) -> None:
        self.offset += 1
        self.decide(Record(topic, 0, self.offset, ME, self.now, value))

    def until(self, at: int) -> "Desk":
        """Move the clock; every timer due by then fires at its own time."""
        while (first := min(self.wakes, key=self.wakes.__getitem__, default=None)) is not None and self.wakes[first] <= at:
            self.now = max(self.now, self.wakes.pop(first))
            self.decide(Wake(first, self.now))
        self.now = at
        return self

    def after(self, span: int) -> "Desk":
        return self.until(self.now + span)

    @property
    def state(self) -> Registrant | None:
        found = self.kept.get(ME)
        assert found is None or isinstance(found, Registrant)
        return found

    def attempts(self) -> dict[str, Attempt]:
        """What left and may still have receipts."""
        return {reference: each for sent in self.kept.values() if isinstance(sent, Sent) for reference, each in sent.attempts.items()}

    def decide(self, given: Record | Wake) -> None:
        """The stage sees the states that it asks for, and no others."""
        asked = {key: self.kept[key] for key in STAGE.keys(given, {}) if key in self.kept}
        self.apply(given, asked, decide(given, asked, self.context))

    def apply(self, given: Input, asked: Mapping[str, State], decision: Decision[State]) -> None:
        for key, state in decision.states.items():
            self.kept.pop(key, None)
            if state is not None:
                self.kept[key] = msgspec.json.decode(msgspec.json.encode(state), type=State)
        for key, due in timers_after(STAGE, given, asked, decision).items():
            self.wakes.pop(key, None)
            if due is not None:
                self.wakes[key] = due
        for output in decision.outputs:
            (self.sent if isinstance(output.value, Outbound) else self.others).append(output.value)
        self.verdicts += decision.verdicts

    def reasons(self, *outcomes: str) -> list[str]:
        return [verdict.reason for verdict in self.verdicts if not outcomes or verdict.outcome in outcomes]


def policy(key: str, value: str) -> Policy:
    return Policy(key=key, value=value)


AT_ONCE = (policy("merge.window", "0s"),)
ALL_DAY = (*AT_ONCE, policy("quiet.hours", "none"))
