"""
The job by which stream processors are compared: one Avro record in, one state an offender, two sinks, exactly once.

A record that repeats one of its offender's last sixteen ids is dropped. The others are accepted or rejected by the status
that the offender had, and written again with the decision. Here the job is a stage under the real runner, without a
journal because the other systems have none. `python -m bench.peers.job` runs it until it is stopped.
"""

import gc
import random
import signal
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from confluent_kafka import TopicPartition
from msgspec import Struct

from bench.cluster import PARTITIONS, Deployment
from processors.rules.load import load_rules
from processors.runtime.kafka.clients import message_kind
from processors.runtime.key_file import KeyFile
from processors.runtime.run.runner import Environment, Runner
from processors.runtime.run.supervise import GC_THRESHOLD
from processors.runtime.settings import Settings
from processors.runtime.wire.avro import Compiler
from processors.runtime.wire.codec import SINGLE_OBJECT, Codec
from processors.stage import Context, Decision, Input, Output, Record, Stage
from processors.topics import FOREVER, Topic

NAME: Final = "peers"
LAST: Final = 16  # ids kept of each offender
EACH: Final = 10  # records an offender
REPEATED, INVALID = 0.05, 0.03  # of the records
NEXT: Final = {"": "booked", "booked": "held", "held": "furlough", "furlough": "released", "released": "booked"}
SEED: Final = 1


class Change(Struct, frozen=True, gc=False):
    """What an agency reports about an offender's status; some 285 bytes."""

    event_id: str
    offender: str
    status: str
    at: int
    agency: str
    place: str
    remarks: str


class DecidedChange(Change, frozen=True, gc=False):
    """The same with the decision."""

    decision: str


class KnownOffender(Struct, frozen=True, tag="offender"):
    """An offender's status and the last ids."""

    status: str = ""
    ids: tuple[str, ...] = ()


def sinks(system: str) -> tuple[Topic, Topic]:
    """Return a system's topics for what it accepts and what it rejects."""
    return Topic(f"{system}.accepted", (DecidedChange,), "offender"), Topic(f"{system}.rejected", (DecidedChange,), "offender")


CHANGES: Final = Topic("peers.changes", (Change,), "offender")
ACCEPTED, REJECTED = sinks(NAME)
COPIED: Final = Topic("peers.copied", (Change,), "offender")
CHANGELOG: Final = Topic("peers.state", (), "offender", retention=FOREVER, compacted=True)
TOPICS: Final = (CHANGES, COPIED, CHANGELOG)


def schema(kind: type[Struct]) -> dict[str, Any]:
    """Return the Avro schema of a flat record."""
    fields = [{"name": name, "type": "long" if name == "at" else "string"} for name in kind.__struct_fields__]
    return {"type": "record", "name": f"bench.{kind.__name__}", "fields": fields}


def compiled(kind: type[Struct]) -> Compiler:
    return Compiler(schema(kind), {kind.__name__: kind}, {})


WRITE_CHANGE: Final = compiled(Change).write()
READ_CHANGE: Final = compiled(Change).read()
WRITE_DECIDED: Final = compiled(DecidedChange).write()
READ_DECIDED: Final = compiled(DecidedChange).read()


class ChangeCodec(Codec):
    """The pipeline's codec, which also knows the job's records: plain Avro without a header, as in the other systems."""

    def encode(self, record: Struct) -> bytes:
        return WRITE_DECIDED(record) if type(record) is DecidedChange else super().encode(record)

    def decode(self, raw: bytes) -> Any:
        return super().decode(raw) if raw.startswith(SINGLE_OBJECT) else READ_CHANGE(raw, 0)[0]


def keys(given: Input, _: Mapping[str, KnownOffender]) -> Iterable[str]:
    return (given.key or "",)


def decide(given: Input, states: Mapping[str, KnownOffender], _: Context) -> Decision[KnownOffender]:
    """Drop the change, or write it with the decision."""
    if not isinstance(given, Record):
        raise TypeError("the job sets no timers")
    change: Change = given.value
    known = states.get(change.offender, KnownOffender())
    decision = judge(known, change)
    if decision is None:
        return Decision()
    sink = ACCEPTED if decision == "accepted" else REJECTED
    return Decision((Output(sink, change.offender, decided(change, decision)),), {change.offender: after(known, change, decision)})


def judge(known: KnownOffender, change: Change) -> str | None:
    if change.event_id in known.ids:
        return None
    return "accepted" if NEXT[known.status] == change.status else "rejected"


def after(known: KnownOffender, change: Change, decision: str) -> KnownOffender:
    return KnownOffender(change.status if decision == "accepted" else known.status, (*known.ids, change.event_id)[-LAST:])


def decided(change: Change, decision: str) -> DecidedChange:
    return DecidedChange(change.event_id, change.offender, change.status, change.at, change.agency, change.place, change.remarks, decision)


STAGE: Final[Stage[KnownOffender]] = Stage(
    name=NAME, inputs=(CHANGES,), outputs=(ACCEPTED, REJECTED), changelog=CHANGELOG, state=KnownOffender, keys=keys, decide=decide
)


def changes(count: int) -> Iterator[Change]:
    """Yield the job's input: every offender's statuses in order, some repeated, some out of turn."""
    chance = random.Random(SEED)
    people = max(1, count // EACH)
    status, newest = [""] * people, [Change("", "", "", 0, "", "", "")] * people
    for number in range(count):
        person = number % people
        if newest[person].event_id and chance.random() < REPEATED:
            yield newest[person]
            continue
        follows = NEXT[status[person]]
        if chance.random() < INVALID:
            follows = NEXT[NEXT[follows]]
        else:
            status[person] = follows
        newest[person] = Change(
            event_id=f"{number:012d}-{person:08x}",
            offender=f"offender-{person:010d}",
            status=follows,
            at=1_790_000_000_000 + number,
            agency="VA0760000",
            place="Riverside Regional Jail, Hopewell",
            remarks="Sent by the records system of the agency; nothing in it is true. ".ljust(184, "."),
        )
        yield newest[person]


def expected(sent: Iterable[Change]) -> Counter[tuple[str, str]]:
    """Return what the job must write, computed in plain Python."""
    known: dict[str, KnownOffender] = {}
    found: Counter[tuple[str, str]] = Counter()
    for change in sent:
        before = known.get(change.offender, KnownOffender())
        decision = judge(before, change)
        if decision is not None:
            known[change.offender] = after(before, change, decision)
            found[change.event_id, decision] += 1
    return found


def written(deployment: Deployment, system: str) -> Counter[tuple[str, str]]:
    """Return what is in both sinks of a system, read-committed."""
    places = [(deployment.prefix + topic.name, partition) for topic in sinks(system) for partition in range(PARTITIONS)]
    ends = deployment.broker.end_offsets(places)
    consumer = deployment.broker.partition_consumer()
    consumer.assign([TopicPartition(*place, 0) for place in places])
    found: Counter[tuple[str, str]] = Counter()
    left = {place for place in places if ends[place] > 0}
    while left:
        for message in consumer.consume(5_000, 0.5):
            if message_kind(message) == "record":
                record = READ_DECIDED(message.value() or b"", 0)[0]
                found[record.event_id, record.decision] += 1
            else:
                left.discard((message.topic() or "", message.partition() or 0))
    consumer.close()
    return found


def main() -> None:
    settings = Settings()
    rules, keys_file = load_rules(settings.rules_dir), KeyFile(settings.keys_at())
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    runner = Runner(STAGE, Environment(settings, ChangeCodec(), rules, keys_file))
    signal.signal(signal.SIGTERM, lambda *_: runner.stop())
    runner.run()


if __name__ == "__main__":
    main()
