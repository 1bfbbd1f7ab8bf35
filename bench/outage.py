"""
The order in which open attempts are made after an outage: `python -m bench.outage [N]`.

N registrants have an attempt that failed temporarily: nine of ten about a hearing, the others, who come last, about an escape. The
stage is then down for three hours, in which every retry becomes due. Its next owner restores it from the changelog and
decides batch by batch, as the runner does. Without broker and store: the task, the codec and the wire bytes are the real ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Annotated, Any, Final

import msgspec
import typer

from processors.deliver.decide import STAGE
from processors.domain.event import Event
from processors.domain.notification import Notification, Outbound, Receipt, ReceiptStatus
from processors.domain.person import Identifier, Name, Person
from processors.domain.policy import Policy
from processors.domain.registration import Contact, Contacts, Reachable
from processors.domain.seal import Seal
from processors.domain.submission import Agency, NotificationSubtype, Submission
from processors.domain.time import millis
from processors.rules.load import load_rules
from processors.runtime.decide.driver import StatesInMemory, repeatable_bytes
from processors.runtime.decide.task import Task
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec
from processors.stage import Context, Record
from processors.topics import NOTIFICATIONS, OUTBOUND, REGISTRANTS, Topic

NOON: Final = millis("2026-11-02T17:00:00Z")
HOUR: Final = 3_600_000
MINUTES: Final = 300_000
BATCH: Final = 500
URGENT: Final = 10  # one registrant in ten is notified of an emergency
SEAL: Final = Seal(bytes(range(64)))
POLICIES: Final = {"quiet.hours": "none", "merge.window": "0s"}
ESCAPE: Final = ("Jail", "Escape", "Status Update")
HEARING: Final = ("Court", "Court Hearing", "Hearing Notice")


@dataclass(frozen=True, slots=True)
class SentAfterOutage:
    """The attempts sent after the outage: whether each was an emergency's, in order; CPU seconds, in all and until the last emergency's."""

    urgent: tuple[bool, ...]
    seconds: float
    seconds_until_last_urgent: float
    shortest_lease: int

    @property
    def last_urgent(self) -> int:
        """The index of the last emergency."""
        return max(index for index, urgent in enumerate(self.urgent) if urgent)


class Partition:
    """One partition of deliver, with everybody in it."""

    def __init__(self) -> None:
        self.codec = Codec()
        self.states = StatesInMemory()
        rules = load_rules(None).with_policies([Policy(key=key, value=value) for key, value in POLICIES.items()])
        self.context = Context(rules, SEAL, draw=repeatable_bytes)
        self.now = NOON
        positions = {topic.name: 0 for topic in STAGE.inputs}
        self.task = Task(STAGE, 0, Position(0, positions, settled=rules.version), dict(positions), {})

    def decide_records(self, topic: Topic, values: Sequence[tuple[str, Any]]) -> list[Outbound]:
        """Decide records that arrive now; return the attempts."""
        outbound: list[Outbound] = []
        for start in range(0, len(values), BATCH):
            records = [self._record(topic, *each) for each in values[start : start + BATCH]]
            outbound += self._decide(records, None)
        return outbound

    def _record(self, topic: Topic, key: str, value: Any) -> Record:
        offset = self.task.positions[topic.name]
        self.task.advance(topic.name, offset)
        return Record(topic.name, 0, offset, key, self.now, value, self.codec.encode(value), clock=self.now)

    def _decide(self, records: Sequence[Record], watermark: int | None) -> list[Outbound]:
        result = self.task.decide(records, watermark, BATCH, self.states.read, self.codec, self.context)
        self.states.apply(result.changes)
        self._position = result.position
        topics = set(OUTBOUND.values())
        return [self.codec.decode(each.value) for each in result.outputs if each.topic in topics and each.value is not None]

    def take_over(self) -> None:
        """Create the task again from the changelog."""
        timers = {name[1:].decode(): self.codec.decode(value) for name, value in self.states.fields.items() if name.startswith(b"@")}
        due = {key: timer.due_at for key, timer in timers.items()}
        urgent = [key for key, timer in timers.items() if timer.urgent]
        table = self.task.table
        self.task = Task(STAGE, 0, self._position, dict(self._position.positions), due, urgent=urgent)
        self.task.table = table

    def fire_due_timers(self, now: int) -> Iterator[list[Outbound]]:
        """Yield the attempts of each batch until no timer is due any more."""
        self.now = self.task.now = now
        while self.task.has_due(now, now, self.context.rules.version):
            yield self._decide([], now)


def event_of(kind: tuple[str, str, str]) -> Event:
    """Return news of one offender as match passes it on."""
    person = Person((Identifier("SID", "VA1234567"),), Name(given="John", sur="Sample"))
    event_type, subtype, notification_type = kind
    at = NOON - HOUR if kind is ESCAPE else NOON + 720 * HOUR
    agency = Agency("VA0430000", "Riverside Jail", "VA")
    told = Submission("M-1", agency, event_type, subtype, notification_type, (NotificationSubtype("Validate"),), "2026-11-02", (person,))
    return Event(
        offender="oVA1234567",
        seq=10,
        received_at=NOON,
        message_id="M-1",
        ori=agency.ori,
        jurisdiction="VA",
        part=0,
        parts=1,
        operation="Add",
        event_type=event_type,
        event_subtype=subtype,
        notification_type=notification_type,
        action_at=at,
        past_from=at,
        submission=msgspec.json.encode(told),
    )


def registration_of(registrant: str, number: int) -> Reachable:
    """Return the registration of somebody with one number for text messages."""
    contacts = Contacts(contacts=(Contact("sms", f"+1804{2_000_000 + number:07}", verified=True),))
    sealed = SEAL.close(msgspec.json.encode(contacts), f"contacts:{registrant}")
    return Reachable(registrant_id=registrant, seq=1, received_at=NOON, registration_id=f"V-{registrant}", sealed=sealed)


def open_attempts(count: int) -> Partition:
    """Return a partition in which this many registrants have an attempt that failed temporarily."""
    partition = Partition()
    names = [f"R{number}" for number in range(count)]
    partition.decide_records(REGISTRANTS, [(name, registration_of(name, number)) for number, name in enumerate(names)])
    confirmed = [each for batch in partition.fire_due_timers(NOON + MINUTES) for each in batch]
    partition.decide_records(REGISTRANTS, [receipt_of(each, "delivered") for each in confirmed])
    hearing, escape, ordinary = event_of(HEARING), event_of(ESCAPE), count - count // URGENT
    news = [
        (name, Notification(registrant_id=name, registration_ids=(f"V-{name}",), event=hearing if number < ordinary else escape))
        for number, name in enumerate(names)
    ]
    partition.decide_records(REGISTRANTS, [receipt_of(each, "temporary_failure") for each in partition.decide_records(NOTIFICATIONS, news)])
    return partition


def receipt_of(outbound: Outbound, status: ReceiptStatus) -> tuple[str, Receipt]:
    """Return a provider's receipt for an attempt, with its registrant as the key."""
    return outbound.registrant_id, Receipt(reference=outbound.reference, status=status, occurred_at=NOON, provider="relay")


def after_outage(partition: Partition, hours: int = 3) -> SentAfterOutage:
    """Return what is sent once the stage runs again."""
    began, urgent, until_last, lease = process_time(), list[bool](), 0.0, HOUR
    partition.take_over()
    now = partition.now + hours * HOUR
    for batch in partition.fire_due_timers(now):
        urgent += [each.emergency for each in batch]
        lease = min([lease, *(each.expires_at - now for each in batch)])
        if any(each.emergency for each in batch):
            until_last = process_time() - began
    return SentAfterOutage(tuple(urgent), process_time() - began, until_last, lease)


def main(count: Annotated[int, typer.Argument(metavar="N", min=100, help="Open attempts.")] = 100_000) -> None:
    """Measure and print the order and the time."""
    began = process_time()
    partition = open_attempts(count)
    print(f"{count:,} open attempts, made in {process_time() - began:.0f} CPU s, {count // URGENT:,} of them at an emergency", flush=True)
    left = after_outage(partition)
    print(
        f"After three hours {len(left.urgent):,} attempts left in {left.seconds:.1f} CPU s. The last emergency was number "
        f"{left.last_urgent + 1:,}, after {left.seconds_until_last_urgent:.1f} CPU s; the shortest lease was of "
        f"{left.shortest_lease // 1000} s."
    )


if __name__ == "__main__":
    typer.run(main)
