"""Rules, events, registrations, receipts and one registrant, for the tests of deliver."""

from typing import Any

import msgspec

from processors.deliver.decide import STAGE
from processors.deliver.state import Attempt, Delivery, Notice, Registrant
from processors.domain.event import Event
from processors.domain.intake import Intake, Kind
from processors.domain.notification import Notification, Outbound, Receipt, ReceiptStatus
from processors.domain.offender import OffenderStanding
from processors.domain.person import Identifier, Name, Person
from processors.domain.policy import Policy
from processors.domain.registration import (
    Contact,
    Contacts,
    PresentStanding,
    Reachable,
    RegistrationStatus,
    StandingRequest,
    VerificationPermit,
    VerificationRequest,
)
from processors.domain.submission import Agency, NotificationSubtype, Submission
from processors.domain.tally import RegistrantTold
from processors.domain.time import millis
from processors.topics import INTAKE, NOTIFICATIONS, REGISTRANTS, REGISTRATION_STATUS, TALLY
from tests.one_stage import SEAL, OneStage, rules

RULES = rules()
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


def notice(event_type: str, subtype: str, **more: Any) -> Notice:
    """What deliver keeps of one notification."""
    code = RULES.rule_set("VA", NOON).code(event_type, subtype)
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
    return Notice(**given)


def reachable(*contacts: Contact, registration_id: str = "REG-1", pin: str | None = None, **more: Any) -> Reachable:
    """A registration as identify hands it to deliver."""
    kept = Contacts(contacts=contacts, pin=None if pin is None else SEAL.fingerprint(pin, f"pin:{ME}"))
    sealed = SEAL.close(msgspec.json.encode(kept), f"contacts:{ME}")
    return Reachable(**{"registrant_id": ME, "seq": 1, "received_at": NOON, "registration_id": registration_id, "sealed": sealed, **more})


def ended(registration_id: str = "REG-1", seq: int = 100) -> Reachable:
    return Reachable(registrant_id=ME, seq=seq, received_at=NOON, registration_id=registration_id, ended=True)


def receipt(reference: str, status: Any, **more: Any) -> Receipt:
    return Receipt(reference=reference, status=status, occurred_at=NOON, provider="example", **more)


class AtDeliver(OneStage):
    """
    One registrant at the stage, with a clock that the test moves.

    `answers` is what providers say of every attempt at once, nothing where it is None. Requests to verify are permitted,
    as identify permits the first three of a day. Where the offender stands is answered at once, unless `knows_standing` is not.
    """

    def __init__(self, policies: tuple[Policy, ...] = (), now: int = NOON, answers: ReceiptStatus | None = "delivered") -> None:
        super().__init__(STAGE, now, policies)
        self.answers = answers
        self.knows_standing = True
        self.standing: OffenderStanding | None = None
        self._seen = 0

    def tell(self, *events: Event, registrations: tuple[str, ...] = ("REG-1",)) -> "AtDeliver":
        for each in events:
            self.put(NOTIFICATIONS, Notification(registrant_id=ME, registration_ids=registrations, event=each), ME)
            self._answer()
        return self

    def register(self, *found: Reachable) -> "AtDeliver":
        return self.receive(*found)

    def receive(self, *found: Any) -> "AtDeliver":
        for each in found:
            self.put(REGISTRANTS, each, ME)
            self._answer()
        return self

    def until(self, at: int) -> "AtDeliver":
        """Move the clock from timer to timer, so that what leaves is answered before anything else comes due."""
        while (due := min(self.timers.values(), default=at)) < at:
            self.advance_to(max(due, self.now))
            self._answer()
        self.advance_to(at)
        self._answer()
        return self

    def after(self, span: int) -> "AtDeliver":
        return self.until(self.now + span)

    def _answer(self) -> None:
        while self._seen < len(self.outputs):
            value = self.outputs[self._seen].value
            self._seen += 1
            if isinstance(value, Intake) and value.kind == "verification_request":
                contact = msgspec.json.decode(value.body, type=VerificationRequest).contact
                self.put(REGISTRANTS, VerificationPermit(registrant_id=ME, contact=contact, received_at=self.now), ME)
            if isinstance(value, Intake) and value.kind == "standing_request" and self.knows_standing:
                named = msgspec.json.decode(value.body, type=StandingRequest).registration_id
                said = PresentStanding(registrant_id=ME, registration_id=named, received_at=self.now, standing=self.standing)
                self.put(NOTIFICATIONS, said, ME)
            if isinstance(value, Outbound) and self.answers is not None:
                self.put(REGISTRANTS, receipt(value.reference, self.answers), ME)

    @property
    def outbound(self) -> list[Outbound]:
        """Every attempt."""
        return [output.value for output in self.outputs if isinstance(output.value, Outbound)]

    @property
    def sent(self) -> list[Outbound]:
        """The attempts that tell of an event."""
        return [each for each in self.outbound if each.event is not None]

    @property
    def messages(self) -> list[Outbound]:
        """The attempts that tell of none."""
        return [each for each in self.outbound if each.event is None]

    @property
    def others(self) -> list[Any]:
        """What was written besides attempts, statuses of registrations, outcomes and what goes to identify."""
        return [each.value for each in self.outputs if not isinstance(each.value, Outbound | RegistrationStatus | RegistrantTold | Intake)]

    def to_identify(self, kind: Kind) -> list[Intake]:
        """What identify is told or asked, of one kind."""
        return [each for each in self.written(INTAKE) if each.kind == kind]

    @property
    def results(self) -> list[tuple[str, str]]:
        """The submissions, by their place in the intake, and how one registrant's part of each ended."""
        return [(each.submission, each.result) for each in self.written(TALLY)]

    @property
    def statuses(self) -> list[str]:
        return [each.status for each in self.written(REGISTRATION_STATUS)]

    @property
    def registrant(self) -> Registrant:
        found = self.state(ME)
        assert isinstance(found, Registrant)
        return found

    def deliveries(self) -> list[Delivery]:
        kept = [self.state(key) for key in self.documents]
        return [each for each in kept if isinstance(each, Delivery)]

    def attempts(self) -> dict[str, Attempt]:
        """What left and may still have receipts."""
        return {reference: each for delivery in self.deliveries() for reference, each in delivery.attempts.items()}

    def reasons(self, *outcomes: str) -> list[str]:
        return [verdict.reason for verdict in self.verdicts if not outcomes or verdict.outcome in outcomes]


def policy(key: str, value: str) -> Policy:
    return Policy(key=key, value=value)


AT_ONCE = (policy("merge.window", "0s"),)
ALL_DAY = (*AT_ONCE, policy("quiet.hours", "none"))
