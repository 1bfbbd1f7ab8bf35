"""
Runs one unit of the pipeline, exactly once.

One turn of `Runner` is one batch (the numbers are found in the body):

1. Take what is there, of partitions that are ours; then at once the group's metadata, whose generation is the fence.
2. Decide: states are read with their stamp in one command and used only if it is the expected one. Pure, in memory.
3. Begin a transaction.
4. Produce outputs, the journal, the changes of state, and last of all on each changelog partition its position.
5. Flush, or the offsets that follow wait for partitions that are still being added.
6. Send the offsets of every partition that was touched, moved or not: a transaction without offsets has no fence.
7. Commit. The answer is "yes" or "don't know".
8. On "yes" move each partition's cache by compare-and-set from the stamp it was decided on.

Whatever else happens, in any step, has one answer: throw the producer and the tasks away, and settle: a new producer,
the committed offsets, the caches caught up (catchup.py), and on from there. While broker or store are away nothing is
assigned to be fetched, but the group goes on being polled, so that the partitions stay ours.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from msgspec import structs

from processors.domain.journal import Verdict, Verdicts
from processors.domain.seal import Seal
from processors.rules.book import Rules
from processors.runtime import metrics
from processors.runtime.clock import Clock, WallClock
from processors.runtime.decide.task import Task, Work
from processors.runtime.errors import Restart, Retry, Stop
from processors.runtime.kafka.broadcast import ClockReader, PolicyReader
from processors.runtime.kafka.clients import (
    CALL_DEADLINE,
    REQUEST_TIMEOUT,
    Broker,
    Fenced,
    Place,
    Unavailable,
    call_with_deadline,
    committed_offsets,
    message_kind,
    poll_batch,
    translated_errors,
)
from processors.runtime.run.catchup import Changelog
from processors.runtime.run.faults import Faults
from processors.runtime.run.slots import Slot
from processors.runtime.run.store import STAMP, Store
from processors.runtime.run.telemetry import Telemetry, told
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec, Undecodable
from processors.stage import Context, Record, Stage
from processors.topics import DEAD_LETTERS, DECISIONS, POLICIES

MOST: Final = 5_000  # records in one transaction
LEAST: Final = 250
QUICK, SLOW = 0.5, 1.5  # seconds that a batch should take, so that a backlog does not cost latency
TURN: Final = 0.2  # seconds without a record until timers, settings and signals are looked at
TICK: Final = TURN / 20  # the same under the topic clock, whose ticks come by a reader of their own
QUIET: Final = 0.2  # seconds of silence after which offsets that moved by themselves are committed
LAG_EVERY: Final = 2.0
JOURNAL: Final = 1 << 20  # bytes of verdicts in one record
FIRST_WAIT, LONGEST_WAIT = 0.02, 1.0


@dataclass(frozen=True, slots=True)
class House:
    """What all units of a process share."""

    settings: Settings
    codec: Codec
    rules: Rules
    seal: Seal


class Runner:
    """One copy of one unit: run it in a process of its own, `stop` it from a signal handler."""

    def __init__(self, stage: Stage[Any], house: House) -> None:
        settings = house.settings
        prefix = settings.topic_prefix
        self._stage = stage
        self._house = house
        self._topics = {prefix + topic.name: topic for topic in stage.inputs}
        self._names = {topic.name: prefix + topic.name for topic in (*stage.outputs, *stage.inputs, DECISIONS, DEAD_LETTERS)}
        self._prefix = prefix
        self._broker = Broker(settings)
        self._store = Store(settings.redis()) if stage.changelog else None
        self._changelog: Changelog | None = None
        self._telemetry = Telemetry(stage.name)
        self._fault = Faults(settings.faults).point(stage.name)
        self._slot = Slot(f"{prefix}{stage.name}")
        self._transactional_id = f"{prefix}{stage.name}.{socket.gethostname()}.{self._slot.number}"
        self._assigned: list[TopicPartition] = []
        self._generation = 0
        self._tasks: dict[int, Task] = {}
        self._stamps: dict[int, bytes] = {}
        self._producer: Producer | None = None
        self._settings_in_force: PolicyReader | None = None
        self._ticking: ClockReader | None = None
        self._told: int | None = None
        self._pace = 500
        self._wait = FIRST_WAIT
        self._last_record = self._last_look = self._last_lag = monotonic()
        self._stopping = self._checked = False

    def stop(self) -> None:
        """The batch in hand is finished, and no other is begun."""
        self._stopping = True

    def run(self) -> None:
        """Runs until `stop`; leaves the group, so that others take over at once."""
        member = self._broker.group_consumer(f"{self._prefix}{self._stage.name}", self._topics, self._on_assigned, self._on_revoked)
        self._member = member
        try:
            while not self._stopping:
                try:
                    if self._tasks or self._settle(member):
                        self._turn(member)
                except (Retry, Restart) as error:
                    self._start_over(member, error)
        finally:
            self._tasks.clear()
            self._producer = None
            member.close()
            self._close()

    def _close(self) -> None:
        for each in (self._settings_in_force, self._ticking, self._store, self._slot):
            if each is not None:
                each.close()

    # -- whose partitions

    def _on_assigned(self, partitions: list[TopicPartition]) -> None:
        """Inside `poll`: note what is ours; nothing is fetched before it is settled."""
        self._assigned = partitions
        self._generation += 1
        self._tasks.clear()
        self._member.assign([])
        self._fault("assigned")

    def _on_revoked(self) -> None:
        """Inside `poll`: whatever is in hand is not ours any more."""
        self._assigned = []
        self._generation += 1
        self._tasks.clear()

    # -- settling: from nothing, after a rebalance, after any doubt

    def _settle(self, member: Consumer) -> bool:
        """Whether there are tasks to work on, caught up to what Kafka holds."""
        if not self._checked:  # first of all: of topics that are not there nothing is ever assigned
            check_topics(self._broker, self._stage, self._prefix)
            self._checked = True
        self._heartbeat(member, 0 if self._assigned else TURN)
        if not self._assigned:
            return False
        generation = self._generation

        def alive() -> None:
            self._heartbeat(member, 0)
            if generation != self._generation or self._stopping:
                raise Restart("the partitions were given to others meanwhile")

        self._listen()
        if self._clock().now() is None:
            self._heartbeat(member, TURN)
            return False
        self._producer = self._broker.producer(self._transactional_id)  # always a new one: what the last one has open ends here
        places = [(each.topic, each.partition) for each in self._assigned]
        partitions = shared(places, self._topics)
        offsets = committed_offsets(member, places)
        tasks = self._caught_up(offsets, partitions, alive)
        alive()
        member.assign([TopicPartition(topic, task.partition, offset) for task in tasks for topic, offset in task.positions.items()])
        self._tasks = {task.partition: task for task in tasks}
        self._wait = FIRST_WAIT
        self._last_record = monotonic()
        self._telemetry.ready(now=True)
        self._telemetry.log.info("settled", partitions=partitions)
        self._fault("restored")
        return True

    def _caught_up(self, offsets: dict[Place, int | None], partitions: list[int], alive: Callable[[], None]) -> list[Task]:
        """Return the partitions' tasks, as of the committed offsets; where there never were any, as of the beginning."""
        begins = self._broker.start_offsets(place for place, offset in offsets.items() if offset is None)
        restored = {}
        if self._stage.changelog is not None and self._store is not None:
            if self._changelog is None:
                name = self._prefix + self._stage.changelog.name
                self._changelog = Changelog(self._broker, self._store, self._house.codec, name, self._stage.name)
            restored = self._changelog.restore(offsets, partitions, alive)
            self._stamps = {partition: each.stamp for partition, each in restored.items()}
        tasks = []
        for partition in partitions:
            known = {topic: offsets[topic, partition] for topic in self._topics}
            positions = {topic: begins[topic, partition] if offset is None else offset for topic, offset in known.items()}
            before = Position(0, {topic: offset for topic, offset in known.items() if offset is not None})
            position, timers = (restored[partition].position, restored[partition].timers) if restored else (before, {})
            tasks.append(Task(self._stage, partition, position, positions, timers))
        return tasks

    def _start_over(self, member: Consumer, error: Retry | Restart) -> None:
        """Nothing is in hand, nothing is fetched, and the group has been polled for a while."""
        self._telemetry.ready(now=False)
        self._telemetry.log.warning("start_over", **told(error))
        metrics.RESTARTS.labels(self._stage.name).inc()
        for kind_of, counter in ((Fenced, metrics.FENCED), (Unavailable, metrics.BROKER_DOWN), (Retry, metrics.STORE_DOWN)):
            if isinstance(error, kind_of):
                counter.labels(self._stage.name).inc()
        self._tasks.clear()
        self._told = None
        self._producer = None
        member.assign([])
        self._heartbeat(member, self._wait)
        self._wait = min(2 * self._wait, LONGEST_WAIT)

    def _heartbeat(self, member: Consumer, seconds: float) -> None:
        """The group knows that we live; nothing is assigned, so nothing but news of the group can come, which ends the wait."""
        until, generation = monotonic() + seconds, self._generation
        while True:
            message = member.poll(max(0.0, until - monotonic()))
            if message is not None:
                message_kind(message)
            if monotonic() >= until or self._stopping or generation != self._generation:
                return

    # -- one turn

    def _turn(self, member: Consumer) -> None:
        messages = poll_batch(member, self._pace, self._patience())  # 1
        metadata = member.consumer_group_metadata()
        started = monotonic()
        if started - self._last_lag >= LAG_EVERY:
            self._last_lag = started
            self._look_around(member)
        if not self._tasks:
            return  # they were given to others meanwhile
        if not member.memberid():
            raise Restart("the group has dropped us: offsets sent without a member's id would not be fenced")
        self._listen(to_the_end=bool(messages))  # a record was sent after the tick of its step
        records = self._owned(messages)
        self._fault("read")
        works = self._decide(records)  # 2
        heard = self._heard()
        if not works and heard == self._told:
            return
        self._fault("decided")
        self._commit(works, metadata, heard)
        self._told = heard
        seconds = monotonic() - started
        self._pace = paced(self._pace, sum(len(each) for each in records.values()), seconds)
        self._telemetry.batch(works, seconds, self._context().rules.version)

    def _patience(self) -> float:
        """Return how long a turn may wait for its first record."""
        now = self._clock().now()
        due = [at for task in self._tasks.values() if task.caught_up and (at := task.timers.next()) is not None]
        if self._ticking is not None or not due or now is None:
            return TURN if self._ticking is None else TICK
        return min(TURN, max(0.0, (min(due) - now) / 1000))

    def _owned(self, messages: Iterable[Message]) -> dict[int, list[Record]]:
        """Return the records of partitions that are ours, those not yet decided; ends of partitions are noted."""
        owned: dict[int, list[Record]] = {}
        for message in messages:
            what = message_kind(message)
            task = self._tasks.get(message.partition() or 0)
            if task is None or what == "noise":
                continue
            topic, offset = message.topic() or "", message.offset() or 0
            if what == "end":
                task.end(topic, offset)
            elif task.pass_over(topic, offset):
                owned.setdefault(task.partition, []).append(self._record(message, topic, offset))
        if owned:
            self._last_record = monotonic()
        return owned

    def _record(self, message: Message, name: str, offset: int) -> Record:
        topic, raw, key = self._topics[name], message.value(), message.key()
        value: Any = None
        if raw is not None:
            try:
                value = self._house.codec.decode_external(raw) if topic.external else self._house.codec.decode(raw)
            except Undecodable as error:
                value = error.unreadable
        at = message.timestamp()[1]
        if self._ticking is not None:
            at = self._ticking.clock.now() or at  # whatever is read at this step happens at this step, also when it is read again
        text = None if key is None else key.decode(errors="replace")
        return Record(topic.name, message.partition() or 0, offset, text, at, value, raw)

    def _decide(self, records: dict[int, list[Record]]) -> list[tuple[Task, Work]]:
        """Return what the batch comes to: partitions with records, with timers due, or that only moved and have been quiet since."""
        now = self._clock().now() or 0
        quiet = monotonic() - self._last_record >= (QUIET if self._ticking is None else 0)
        context = self._context()
        version = context.rules.version
        works = []
        for partition, task in self._tasks.items():
            mine = records.get(partition, [])
            if mine or task.due(now, version) or (task.moved and quiet):
                works.append((task, task.decide(mine, now, self._pace, self._reading(partition), self._house.codec, context)))
        return works

    def _reading(self, partition: int) -> Callable[[Sequence[bytes]], Sequence[bytes | None]]:
        def read(fields: Sequence[bytes]) -> Sequence[bytes | None]:
            if self._store is None or self._changelog is None:
                raise TypeError(f"{self._stage.name} keeps no state")
            stamp, values = self._store.read(self._changelog.key(partition), fields)
            if stamp != self._stamps[partition]:
                metrics.STALE.labels(self._stage.name).inc()
                raise Restart(f"the cache of partition {partition} is not the one that the last batch left")
            return values

        return read

    def _heard(self) -> int | None:
        """
        Return the topic clock's offset to commit, so that others can tell from Kafka when time may move on; None by the wall's clock.

        It is the end where every timer due by the last tick was decided, one before where there may be more to do.
        """
        if self._ticking is None:
            return None
        now, version = self._clock().now() or 0, self._context().rules.version
        done = all(task.caught_up and not task.due(now, version) for task in self._tasks.values())
        return self._ticking.position - (not done)

    def _commit(self, works: Sequence[tuple[Task, Work]], metadata: Any, heard: int | None) -> None:
        """The works are Kafka's, all of them, and then the store's."""
        producer = self._producer
        if producer is None:
            raise Restart("there is no producer")
        places: dict[int, int] = {}
        with translated_errors("the outcome of the transaction is not known"):
            producer.begin_transaction()  # 3
            self._fault("begun")
            for task, work in works:  # 4
                self._write(producer, task, work, places)
            self._fault("produced")
            if producer.flush(REQUEST_TIMEOUT):  # 5
                raise Unavailable("the outcome of the transaction is not known: the broker takes no records")
            offsets = [
                TopicPartition(topic, task.partition, offset) for task, work in works for topic, offset in work.position.positions.items()
            ]
            if self._ticking is not None and heard is not None:
                offsets.append(TopicPartition(*self._ticking.place, heard))
            call_with_deadline(CALL_DEADLINE, producer.send_offsets_to_transaction, offsets, metadata, REQUEST_TIMEOUT)  # 6
            self._fault("sent")
            call_with_deadline(CALL_DEADLINE, producer.commit_transaction, REQUEST_TIMEOUT)  # 7
        self._fault("committed")
        for task, work in works:
            task.moved = False
            self._apply(task, work, places)  # 8
        self._fault("applied")

    def _write(self, producer: Producer, task: Task, work: Work, places: dict[int, int]) -> None:
        for topic, key, value in work.outputs:
            producer.produce(self._names[topic.name], value, key)
        version = self._context().rules.version
        for journal in journals(
            [each if each.rules else structs.replace(each, rules=version) for each in work.verdicts], self._house.codec.encode
        ):
            producer.produce(
                self._names[DECISIONS.name], journal, f"{self._stage.name}-{task.partition}"
            )  # keeps a message's verdicts in order
        if self._changelog is None:
            return
        for field, state in work.changes.items():
            producer.produce(self._changelog.topic, state, field, task.partition)
        producer.produce(
            self._changelog.topic,
            self._house.codec.encode(work.position),
            STAMP,
            task.partition,
            on_delivery=lambda _, message: places.update({message.partition() or 0: message.offset() or 0}),
        )

    def _apply(self, task: Task, work: Work, places: dict[int, int]) -> None:
        if self._changelog is None or self._store is None:
            return
        stamp = self._changelog.stamp(work.position, places[task.partition])
        if not self._store.swap(self._changelog.key(task.partition), self._stamps[task.partition], stamp, work.changes):
            metrics.STALE.labels(self._stage.name).inc()
            raise Restart(f"the cache of partition {task.partition} is not the one that the batch was decided on")
        self._stamps[task.partition] = stamp

    # -- what the stages are told besides

    def _look_around(self, member: Consumer) -> None:
        """The metrics say how far behind each input is, from what the last fetch said of its end."""
        for task in self._tasks.values():
            for topic, position in task.positions.items():
                ends = member.get_watermark_offsets(TopicPartition(topic, task.partition), cached=True)
                if ends[1] >= 0:
                    self._telemetry.lag(self._topics[topic].name, task.partition, max(0, ends[1] - position))
        if all(task.caught_up for task in self._tasks.values()):
            self._telemetry.oldest(0)

    def _listen(self, *, to_the_end: bool = True) -> None:
        """Settings and the topic clock are those of now, or the clock is as last heard; applied here only, between batches."""
        if self._settings_in_force is None:
            self._settings_in_force = PolicyReader(self._broker, self._house.codec, self._house.rules, self._prefix)
        if self._ticking is None and self._house.settings.clock == "topic":
            self._ticking = ClockReader(self._broker, self._house.codec, self._prefix)
        elif self._ticking is not None:
            self._ticking.refresh(to_the_end=to_the_end)
        if monotonic() - self._last_look < TURN:
            return
        self._last_look = monotonic()
        if self._settings_in_force.refresh():
            self._telemetry.log.info("settings", rules=self._settings_in_force.rules.version)

    def _clock(self) -> Clock:
        return WallClock() if self._ticking is None else self._ticking.clock

    def _context(self) -> Context:
        settled = self._settings_in_force
        return Context(self._house.rules if settled is None else settled.rules, self._house.seal)


def check_topics(broker: Broker, stage: Stage[Any], prefix: str) -> None:
    """Every topic of the stage is there, and those that must have the same partitions have; raises Stop where not."""
    changelog = [stage.changelog] if stage.changelog else []
    together = {prefix + topic.name for topic in (*stage.inputs, *changelog)}
    counts = broker.partition_counts({*together, *(prefix + topic.name for topic in (*stage.outputs, DECISIONS, DEAD_LETTERS, POLICIES))})
    if missing := sorted(name for name, count in counts.items() if count == 0):
        raise Stop(f"there is no topic {', '.join(missing)}: run `vn topics create`")
    if len({counts[name] for name in together}) > 1:
        unlike = {name: counts[name] for name in sorted(together)}
        raise Stop(f"the inputs and the changelog of {stage.name} must have the same number of partitions, and have {unlike}")


def shared(places: Iterable[Place], topics: Iterable[str]) -> list[int]:
    """Return the partitions; of each, every input must be ours."""
    found = set(places)
    partitions = sorted({partition for _, partition in found})
    if any((topic, partition) not in found for topic in topics for partition in partitions):
        raise Restart("the inputs of one partition were given to different members: another copy reads other topics")
    return partitions


def paced(pace: int, records: int, seconds: float) -> int:
    """Return how many records the next batch may have: fewer when this one took long, more when it was full and quick."""
    if seconds > SLOW:
        return max(LEAST, pace // 2)
    return min(MOST, 2 * pace) if records >= pace and seconds < QUICK else pace


def journals(verdicts: Sequence[Verdict], encode: Callable[[Verdicts], bytes]) -> list[bytes]:
    """Return the verdicts as few records, none much larger than it should be."""
    if not verdicts:
        return []
    record = encode(Verdicts(tuple(verdicts)))
    if len(record) <= JOURNAL or len(verdicts) == 1:
        return [record]
    middle = len(verdicts) // 2
    return [*journals(verdicts[:middle], encode), *journals(verdicts[middle:], encode)]
