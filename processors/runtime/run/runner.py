"""
Runs one stage of the pipeline, exactly once.

One batch takes these steps (the numbers are found in the body):

1. Poll records of our partitions; then at once the group's metadata, whose generation is the fence.
2. Decide. States are read with their stamp in one command and used only if the stamp is the expected one.
3. Begin a transaction.
4. Produce outputs, the journal, the state changes and, last on each changelog partition, its position.
5. Flush; otherwise sending the offsets waits for partitions that are still being added to the transaction.
6. Send the offsets of every partition in the batch, moved or not: a transaction without offsets has no fence.
7. Commit. The answer is "yes" or "don't know".
8. On "yes" move each partition's cache by compare-and-set from the stamp it was decided on.

Any error in any step has the same answer: discard the producer and the tasks, and restore: a new producer, the committed
offsets, the caches caught up (catchup.py). While the broker or the store is unavailable nothing is fetched, but the group is
still polled, so that the partitions stay ours.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from time import monotonic, time_ns
from typing import Any, Final

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from msgspec import structs

from processors.domain.journal import Verdict, Verdicts
from processors.rules.book import Rules
from processors.runtime import metrics
from processors.runtime.clock import AHEAD, Clock, WallClock, wall
from processors.runtime.decide.attempts import ENDED, Attempts
from processors.runtime.decide.task import BatchResult, Task
from processors.runtime.errors import Poison, Restart, Retry, Stop
from processors.runtime.kafka.broadcast import ClockReader, PolicyReader, QuarantineReader
from processors.runtime.kafka.clients import (
    CALL_DEADLINE,
    REQUEST_TIMEOUT,
    Broker,
    Fenced,
    Place,
    Unavailable,
    UnknownTopic,
    call_with_deadline,
    committed_offsets,
    committed_progress,
    message_kind,
    poll_batch,
    traceparent_of,
    translated_errors,
)
from processors.runtime.key_file import KEY_BYTES, KeyFile
from processors.runtime.run.catchup import Changelog, read_latest
from processors.runtime.run.faults import Faults
from processors.runtime.run.in_work import InWorkFile, count_death
from processors.runtime.run.inputs import Bookmark, Origin, check_bookmarks, check_identities, check_not_lost
from processors.runtime.run.keys import check_key
from processors.runtime.run.slots import Slot
from processors.runtime.run.store import STAMP, Store
from processors.runtime.run.telemetry import Telemetry, error_fields
from processors.runtime.run.tracing import Tracing
from processors.runtime.run.watermark import Watermarks, next_timer_metadata
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import Position
from processors.runtime.wire.codec import Codec, Undecodable
from processors.stage import Context, MemoryTable, Record, Stage
from processors.topics import DEAD_LETTERS, DECISIONS, KEY_IDS, POLICIES, QUARANTINE

MAX_BATCH: Final = 5_000  # records in one transaction
MIN_BATCH: Final = 250  # a slow batch shrinks no further; one that failed does
SHRINK: Final = 4  # a batch that could not be committed is tried again at a quarter of the size
SLOWEST_WRITE: Final = 4_000_000  # bytes a second that the broker takes, or is given up on
FAST, SLOW = 0.5, 1.5  # seconds that a batch should take, so that a backlog does not cost latency
POLL_TIMEOUT: Final = 0.2  # seconds without a record until timers, settings and signals are looked at
DUE_TIMEOUT: Final = 0.02  # the same while a timer that is due waits for the watermark
TICK_TIMEOUT: Final = POLL_TIMEOUT / 20  # the same under the topic clock, whose ticks come by a reader of their own
QUIET_TIME: Final = 0.2  # seconds of silence after which offsets that moved by themselves are committed
LAG_EVERY: Final = 2.0
JOURNAL_BYTES: Final = 1 << 20  # bytes of verdicts in one record
FIRST_WAIT, LONGEST_WAIT = 0.02, 1.0


@dataclass(frozen=True, slots=True)
class Environment:
    """What a stage runs with: settings, wire codec, rules, the keys of contact data."""

    settings: Settings
    codec: Codec
    rules: Rules
    keys: KeyFile


class Runner:
    """One copy of one stage: run it in a process of its own, `stop` it from a signal handler."""

    def __init__(self, stage: Stage[Any], environment: Environment, upstream: Sequence[Stage[Any]] = ()) -> None:
        settings = environment.settings
        prefix = settings.topic_prefix
        self._stage = stage
        self._environment = environment
        self._topics = {prefix + topic.name: topic for topic in stage.inputs}
        self._names = {topic.name: prefix + topic.name for topic in (*stage.outputs, *stage.inputs, DECISIONS, DEAD_LETTERS)}
        self._prefix = prefix
        self._broker = Broker(settings)
        self._store = Store(settings.redis()) if stage.changelog else None
        self._changelog: Changelog | None = None
        self._telemetry = Telemetry(stage.name)
        self._tracing = Tracing(settings.otlp_endpoint, stage.name, settings.trace_share) if settings.otlp_endpoint else None
        self._fault = self._telemetry.timed(Faults(settings.faults).point(stage.name))
        self._slot = Slot(f"{prefix}{stage.name}")
        self._transactional_id = f"{prefix}{stage.name}.{self._slot.host}.{self._slot.number}"
        self._assigned: list[TopicPartition] = []
        self._generation = 0
        self._tasks: dict[int, Task] = {}
        self._stamps: dict[int, bytes] = {}
        self._producer: Producer | None = None
        self._policies: PolicyReader | None = None
        self._upstream = upstream
        self._watermarks: Watermarks | None = None
        self._attempts = Attempts()
        self._in_work: InWorkFile | None = None
        self._quarantine: QuarantineReader | None = None
        self._ticking: ClockReader | None = None
        self._clock_committed: int | None = None
        self._batch_size = 500
        self._wait = FIRST_WAIT
        self._last_record = self._last_refresh = self._last_lag = monotonic()
        self._checked = -1  # the generation for which the topics were checked
        self._partition_count = 0
        self._key_checked = False
        self._identities: dict[str, str] = {}
        self._bookmarks: dict[Place, Bookmark] = {}
        self._stopping = False

    def stop(self) -> None:
        """Finish the current batch and begin no other."""
        self._stopping = True

    def run(self) -> None:
        """Run until `stop`; then leave the group, so that others take over at once."""
        self._count_deaths()
        member = self._broker.group_consumer(f"{self._prefix}{self._stage.name}", self._topics, self._on_assigned, self._on_revoked)
        self._member = member
        try:
            while not self._stopping:
                try:
                    if self._tasks or self._restore(member):
                        self._run_batch(member)
                except (Retry, Restart) as error:
                    if isinstance(error, UnknownTopic):
                        self._checked = -1
                    self._start_over(member, error)
        finally:
            self._tasks.clear()
            self._producer = None
            member.close()
            self._close()

    def _count_deaths(self) -> None:
        """Count the input that was in work when the process before this one ended, if it ended so, as a failure on it."""
        self._in_work = InWorkFile(self._slot.path("in-work"))
        name = self._in_work.get()
        if name:
            self._telemetry.log.warning("ended_while_deciding", input=name)
        for each, deaths in count_death(self._slot.shared_path("deaths"), name).items():
            self._attempts.fail(each, ENDED, deaths)
        self._in_work.put("")
        self._attempts.in_work = self._in_work

    def _close(self) -> None:
        for each in (
            self._policies,
            self._quarantine,
            self._ticking,
            self._watermarks,
            self._store,
            self._slot,
            self._in_work,
            self._tracing,
        ):
            if each is not None:
                each.close()

    # -- assignment

    def _on_assigned(self, partitions: list[TopicPartition]) -> None:
        """Inside `poll`: note the assignment; nothing is fetched before it is restored."""
        self._assigned = partitions
        self._generation += 1
        self._tasks.clear()
        self._member.assign([])
        self._telemetry.assigned()
        self._telemetry.ready(now=not partitions)  # a member without partitions stands by: there are more copies than partitions
        self._fault("assigned")

    def _on_revoked(self) -> None:
        """Inside `poll`: drop all uncommitted work; the partitions are no longer ours."""
        self._assigned = []
        self._generation += 1
        self._tasks.clear()
        self._telemetry.ready(now=False)

    # -- restoring: at start, after a rebalance, after any error

    def _restore(self, member: Consumer) -> bool:
        """Make the tasks of the assigned partitions, caught up to what Kafka holds; return whether there are any."""
        if self._checked != self._generation:  # also before the first: a topic that does not exist is never assigned
            self._partition_count = check_topics(self._broker, self._stage, self._prefix)
            self._identities = self._broker.topic_identities(self._topics)
            self._checked = self._generation
        self._heartbeat(member, 0 if self._assigned else POLL_TIMEOUT)
        if not self._assigned:
            return False
        generation = self._generation

        def keep_alive() -> None:
            self._heartbeat(member, 0)
            if generation != self._generation or self._stopping:
                raise Restart("the partitions were reassigned meanwhile")

        self._refresh()
        if self._clock().now() is None:
            self._heartbeat(member, POLL_TIMEOUT)
            return False
        self._producer = self._broker.producer(self._transactional_id)  # always a new one: it aborts whatever the last one left open
        if not self._key_checked:
            seal = self._environment.keys.seal
            check_key(self._broker, self._environment.codec, self._prefix, seal, self._producer, keep_alive)
            self._key_checked = True
        places = [(each.topic, each.partition) for each in self._assigned]
        partitions = common_partitions(places, self._topics)
        offsets = self._checked_offsets(member, places, keep_alive)
        tasks = self._restored_tasks(offsets, partitions, keep_alive)
        keep_alive()
        member.assign([TopicPartition(topic, task.partition, offset) for task in tasks for topic, offset in task.positions.items()])
        self._tasks = {task.partition: task for task in tasks}
        self._wait = FIRST_WAIT
        self._last_record = monotonic()
        self._telemetry.ready(now=True)
        self._telemetry.log.info("ready", partitions=partitions)
        self._fault("restored")
        return True

    def _checked_offsets(self, member: Consumer, places: list[Place], keep_alive: Callable[[], None]) -> dict[Place, int | None]:
        """Return the committed offsets; raises Stop if they were made on other logs than the present ones, or are lost."""
        progress = committed_progress(member, places)
        offsets = {place: offset for place, (offset, _) in progress.items()}
        origins = {place: Origin.parse(metadata) for place, (offset, metadata) in progress.items() if offset is not None}
        check_identities(origins, self._identities)
        check_bookmarks(self._broker, origins, keep_alive)
        self._bookmarks = {place: each.bookmark for place, each in origins.items() if each is not None and each.bookmark is not None}
        if self._stage.changelog is None and not origins:
            everywhere = [(topic, partition) for topic in self._topics for partition in range(self._partition_count)]
            own = [topic for topic in self._stage.outputs if topic is not DEAD_LETTERS]
            counts = self._broker.partition_counts(self._names[topic.name] for topic in own)
            ends = self._broker.end_offsets((topic, each) for topic, count in counts.items() for each in range(count))
            committed = any(offset is not None for offset in committed_offsets(member, everywhere).values())
            check_not_lost(self._stage.name, ends.values(), committed=committed)
        return offsets

    def _restored_tasks(self, offsets: dict[Place, int | None], partitions: list[int], keep_alive: Callable[[], None]) -> list[Task]:
        """Return the partitions' tasks as of the committed offsets, or from the start of the log if none were ever committed."""
        begins = self._broker.start_offsets(place for place, offset in offsets.items() if offset is None)
        restored = {}
        if self._stage.changelog is not None and self._store is not None:
            if self._changelog is None:
                name = self._prefix + self._stage.changelog.name
                self._changelog = Changelog(self._broker, self._store, self._environment.codec, name, self._stage.name)
            restored = self._changelog.restore(offsets, partitions, keep_alive)
            self._stamps = {partition: each.stamp for partition, each in restored.items()}
        tasks = []
        for partition in partitions:
            known = {topic: offsets[topic, partition] for topic in self._topics}
            positions = {topic: begins[topic, partition] if offset is None else offset for topic, offset in known.items()}
            before = Position(0, {topic: offset for topic, offset in known.items() if offset is not None})
            position, timers = (restored[partition].position, restored[partition].timers) if restored else (before, {})
            if position.partitions not in {0, self._partition_count}:
                raise Stop(
                    f"the state of {self._stage.name} was written with {position.partitions} partitions and its topics have "
                    f"{self._partition_count}: partitions were added by hand; see deploy/runbook.md"
                )
            due = {key: each.due_at for key, each in timers.items()}
            urgent = (key for key, each in timers.items() if each.urgent)
            task = Task(self._stage, partition, position, positions, due, self._partition_count, urgent)
            task.attempts = self._attempts
            tasks.append(task)
        if self._stage.table is not None:
            self._load(self._stage.table, tasks, keep_alive)
        return tasks

    def _load(self, table: MemoryTable, tasks: Sequence[Task], keep_alive: Callable[[], None]) -> None:
        """Give the tasks their memory tables; raises Stop if something is there again that was destroyed."""
        name, partitions = self._prefix + table.topic.name, [task.partition for task in tasks]
        found = read_latest(self._broker, self._environment.codec, name, partitions, keep_alive)
        marks = read_latest(self._broker, self._environment.codec, self._prefix + table.marks.name, [0], keep_alive)[0]
        context = self._context()
        for task in tasks:
            task.table = found[task.partition]
            if count := table.count_destroyed(task.table, marks, context):
                raise Stop(
                    f"{name}[{task.partition}] holds {count} records that were destroyed: a backup of it was "
                    "restored, which must not be made; see deploy/runbook.md"
                )

    def _start_over(self, member: Consumer, error: Retry | Restart) -> None:
        """Discard all uncommitted work, stop fetching, and poll the group for a while."""
        self._telemetry.ready(now=False)
        self._telemetry.log.warning("start_over", **error_fields(error))
        if self._tasks:  # otherwise broker or store is still away, and nothing was in hand
            metrics.RESTARTS.labels(self._stage.name).inc()
        for kind_of, counter in ((Fenced, metrics.FENCED), (Unavailable, metrics.BROKER_DOWN), (Retry, metrics.STORE_DOWN)):
            if isinstance(error, kind_of):
                counter.labels(self._stage.name).inc()
        self._tasks.clear()
        self._batch_size = 1 if isinstance(error, Poison) else max(1, self._batch_size // SHRINK)
        self._clock_committed = None
        self._producer = None
        member.assign([])
        self._heartbeat(member, self._wait)
        self._wait = min(2 * self._wait, LONGEST_WAIT)

    def _heartbeat(self, member: Consumer, seconds: float) -> None:
        """Poll the group so that we stay a member; nothing is assigned to fetch, so only a rebalance can end the wait early."""
        until, generation = monotonic() + seconds, self._generation
        while True:
            self._telemetry.beat()
            message = member.poll(max(0.0, until - monotonic()))
            if message is not None:
                message_kind(message)
            if monotonic() >= until or self._stopping or generation != self._generation:
                return

    # -- one batch

    def _run_batch(self, member: Consumer) -> None:
        queued = sum(len(task.queue) for task in self._tasks.values())
        messages = poll_batch(member, max(1, self._batch_size - queued), 0 if queued else self._poll_timeout())  # 1
        self._telemetry.beat()
        metadata = member.consumer_group_metadata()
        started = monotonic()
        if started - self._last_lag >= LAG_EVERY:
            self._last_lag = started
            self._report_lag(member)
        if not self._tasks:
            return  # they were reassigned meanwhile
        if not member.memberid():
            raise Restart("the group has dropped us: offsets sent without a member's id would not be fenced")
        self._refresh(to_the_end=bool(messages))  # a record was sent after the tick of its step
        self._take_in(messages)
        self._fault("read")
        results = self._decide()  # 2
        clock_offset = self._clock_offset()
        if not results and clock_offset == self._clock_committed:
            return
        self._fault("decided")
        self._commit(results, metadata, clock_offset)
        self._clock_committed = clock_offset
        seconds = monotonic() - started
        inputs = max((result.records + result.wakes for _, result in results), default=0)
        self._batch_size = next_batch_size(self._batch_size, inputs, seconds)
        if self._tracing is not None:
            ended = time_ns()
            for _, result in results:
                self._tracing.record(result.verdicts, result.traceparents, ended - int(seconds * 1e9), ended)
        self._telemetry.batch(results, seconds, self._context().rules.version)

    def _poll_timeout(self) -> float:
        """Return how long to wait for the first record."""
        if self._ticking is not None:
            return TICK_TIMEOUT
        due = [at for task in self._tasks.values() if (at := task.timers.next()) is not None]
        return min([POLL_TIMEOUT, *(max(DUE_TIMEOUT, (at - wall()) / 1000) for at in due)])

    def _take_in(self, messages: Iterable[Message]) -> None:
        """Queue the records of our partitions that were not read before; note ends of partitions."""
        last: dict[Place, Message] = {}
        for message in messages:
            what = message_kind(message)
            task = self._tasks.get(message.partition() or 0)
            if task is None or what == "noise":
                continue
            topic, offset = message.topic() or "", message.offset() or 0
            if what == "end":
                task.reach_end(topic, offset)
            elif task.enqueue(topic, self._record(message, topic, offset)):
                last[topic, task.partition] = message
        self._bookmarks.update((place, Bookmark.of(message)) for place, message in last.items())
        if last:
            self._last_record = monotonic()

    def _record(self, message: Message, name: str, offset: int) -> Record:
        topic, raw, key = self._topics[name], message.value(), message.key()
        value: Any = None
        if raw is not None:
            try:
                value = self._environment.codec.decode_external(raw) if topic.external else self._environment.codec.decode(raw)
            except Undecodable as error:
                value = error.unreadable
        at = self._timestamp(message)
        text = None if key is None else key.decode(errors="replace")
        return Record(topic.name, message.partition() or 0, offset, text, at, value, raw, traceparent_of(message))

    def _timestamp(self, message: Message) -> int:
        """Return the time that the record counts from; one that lies too far ahead of our clock is taken for now."""
        at = message.timestamp()[1]
        if self._ticking is not None:
            return self._ticking.clock.now() or at  # a record read at this step happens at this step, also when it is read again
        now = wall()
        if at <= now + AHEAD:
            return at
        metrics.TIME_AHEAD.labels(self._stage.name).inc()
        self._telemetry.log.warning("time_ahead", topic=message.topic(), partition=message.partition(), offset=message.offset())
        return now

    def _decide(self) -> list[tuple[Task, BatchResult]]:
        """Decide every partition that has something to decide; one whose next input is to be set aside alone."""
        now = self._clock().now() or 0
        self._want_watermark(now)
        quiet = monotonic() - self._last_record >= (QUIET_TIME if self._ticking is None else 0)
        results = []
        for task in sorted(self._tasks.values(), key=Task.sets_aside_next, reverse=True):
            result = self._decide_partition(task, now, quiet=quiet)
            if result is not None:
                results.append((task, result))
                if result.set_aside:
                    break
        return results

    def _decide_partition(self, task: Task, now: int, *, quiet: bool) -> BatchResult | None:
        """Decide a partition that has records or due timers, or that moved past transaction markers and has been quiet since."""
        context = self._context()
        mine = [record for _, record in islice(task.queue, self._batch_size)]
        task.now = now if self._ticking is None else None
        watermark = self._watermark(task, now)
        due = task.has_due(watermark, now, context.rules.version)
        if not (mine or due or (task.moved and quiet) or task.has_renewals(context)):
            return None
        return task.decide(mine, watermark, self._batch_size, self._state_reader(task.partition), self._environment.codec, context)

    def _want_watermark(self, now: int) -> None:
        """Have the watermark measured that the first timers wait for."""
        if self._watermarks is not None:
            version = self._context().rules.version
            awaited = [at for task in self._tasks.values() if (at := task.awaited(now, version)) is not None]
            if awaited:
                self._watermarks.want(max(awaited))

    def _watermark(self, task: Task, now: int) -> int | None:
        """
        Return the time up to which everything received has been decided once the records in hand are; None if not known.

        Under the topic clock it is the last tick: nobody moves the clock before all that was sent has been decided.
        """
        if self._watermarks is None:
            task.watermark = now
            return now
        latest = self._watermarks.latest
        return latest.time if latest.reached(task.partition, task.fetched) else None

    def _state_reader(self, partition: int) -> Callable[[Sequence[bytes]], Sequence[bytes | None]]:
        def read(fields: Sequence[bytes]) -> Sequence[bytes | None]:
            if self._store is None or self._changelog is None:
                raise TypeError(f"{self._stage.name} keeps no state")
            stamp, values = self._store.read(self._changelog.key(partition), fields)
            if stamp != self._stamps[partition]:
                metrics.STALE.labels(self._stage.name).inc()
                raise Restart(f"the cache of partition {partition} is not the one that the last batch left")
            return values

        return read

    def _clock_offset(self) -> int | None:
        """
        Return the topic clock's offset to commit, from which others see when time may move on; None by the wall's clock.

        It is the end if every timer due by the last tick was decided, one before it if there may be more to do.
        """
        if self._ticking is None:
            return None
        now, version = self._clock().now() or 0, self._context().rules.version
        done = all(task.caught_up and not task.has_due(now, now, version) for task in self._tasks.values())
        return self._ticking.position - (not done)

    def _commit(self, results: Sequence[tuple[Task, BatchResult]], metadata: Any, clock_offset: int | None) -> None:
        """Commit the batch to Kafka, then update Redis."""
        producer = self._producer
        if producer is None:
            raise Restart("there is no producer")
        places: dict[int, int] = {}
        with self._counted(), translated_errors("the outcome of the transaction is not known"):
            producer.begin_transaction()  # 3
            self._fault("begun")
            for task, result in results:  # 4
                self._write(producer, task, result, places)
            self._fault("produced")
            written = sum(result.bytes for _, result in results)
            if producer.flush(REQUEST_TIMEOUT + written / SLOWEST_WRITE):  # 5
                raise Unavailable("the outcome of the transaction is not known: the broker takes no records")
            offsets = [
                TopicPartition(topic, task.partition, offset, self._offset_metadata(topic, task))
                for task, result in results
                for topic, offset in result.position.positions.items()
            ]
            if self._ticking is not None and clock_offset is not None:
                offsets.append(TopicPartition(*self._ticking.place, clock_offset))
            call_with_deadline(CALL_DEADLINE, producer.send_offsets_to_transaction, offsets, metadata, REQUEST_TIMEOUT)  # 6
            self._fault("sent")
            call_with_deadline(CALL_DEADLINE, producer.commit_transaction, REQUEST_TIMEOUT)  # 7
        self._fault("committed")
        for task, result in results:
            task.moved = False
            for name in result.set_aside:
                self._attempts.forget(name)
            self._apply(task, result, places)  # 8
        self._fault("applied")

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count the transaction by how it ended."""
        try:
            yield
        except Exception:
            self._telemetry.transaction("in_doubt")
            raise
        self._telemetry.transaction("committed")

    def _offset_metadata(self, topic: str, task: Task) -> str:
        """Return what goes with a committed offset: when the next timer is due, and which log the offset belongs to."""
        origin = Origin(self._identities[topic], self._bookmarks.get((topic, task.partition)))
        return f"{next_timer_metadata(task.timers.next())} {origin.metadata()}".strip()

    def _write(self, producer: Producer, task: Task, result: BatchResult, places: dict[int, int]) -> None:
        produce, names = producer.produce, self._names
        for topic, key, value, headers in result.outputs:
            if headers:
                produce(names[topic.name], value, key, headers=[*headers])
            else:  # an empty list nearly doubles what a record costs
                produce(names[topic.name], value, key)
        version = self._context().rules.version
        for journal in split_journal(
            [each if each.rules else structs.replace(each, rules=version) for each in result.verdicts], self._environment.codec.encode
        ):
            producer.produce(
                self._names[DECISIONS.name], journal, f"{self._stage.name}-{task.partition}"
            )  # one key per partition keeps a message's verdicts in order
        if self._changelog is None:
            return
        changelog, partition = self._changelog.topic, task.partition
        for field, state in result.changes.items():
            produce(changelog, state, field, partition)
        producer.produce(
            self._changelog.topic,
            self._environment.codec.encode(result.position),
            STAMP,
            task.partition,
            on_delivery=lambda _, message: places.update({message.partition() or 0: message.offset() or 0}),
        )

    def _apply(self, task: Task, result: BatchResult, places: dict[int, int]) -> None:
        if self._changelog is None or self._store is None:
            return
        stamp = self._changelog.stamp(result.position, places[task.partition])
        if not self._store.swap(self._changelog.key(task.partition), self._stamps[task.partition], stamp, result.changes):
            metrics.STALE.labels(self._stage.name).inc()
            raise Restart(f"the cache of partition {task.partition} is not the one that the batch was decided on")
        self._stamps[task.partition] = stamp

    # -- metrics, settings, clock

    def _report_lag(self, member: Consumer) -> None:
        """Report the lag of every input, by the ends that the last fetch reported."""
        for task in self._tasks.values():
            for topic, position in task.positions.items():
                ends = member.get_watermark_offsets(TopicPartition(topic, task.partition), cached=True)
                if ends[1] >= 0:
                    self._telemetry.lag(self._topics[topic].name, task.partition, max(0, ends[1] - position))
        if all(task.caught_up for task in self._tasks.values()):
            self._telemetry.oldest(0)
        due = [at for task in self._tasks.values() if (at := task.timers.next()) is not None]
        self._telemetry.overdue(max([0, *(wall() - at for at in due)]) / 1000 if self._ticking is None else 0)

    def _refresh(self, *, to_the_end: bool = True) -> None:
        """Read pending settings and clock ticks, all of them with `to_the_end`; only here, between batches."""
        if self._policies is None:
            self._policies = PolicyReader(self._broker, self._environment.codec, self._environment.rules, self._prefix)
            self._quarantine = QuarantineReader(self._broker, self._environment.codec, self._prefix)
            self._attempts.by_hand = self._quarantine.reasons
        if self._ticking is None and self._environment.settings.clock == "topic":
            self._ticking = ClockReader(self._broker, self._environment.codec, self._prefix)
        elif self._ticking is None and self._watermarks is None:
            self._watermarks = Watermarks(self._broker, self._prefix, self._stage, self._upstream)
        elif self._ticking is not None:
            self._ticking.refresh(to_the_end=to_the_end)
        if monotonic() - self._last_refresh < POLL_TIMEOUT:
            return
        self._last_refresh = monotonic()
        if self._environment.keys.refresh():
            self._telemetry.log.info("keys", newest=self._environment.keys.seal.key_id)
        if self._quarantine is not None:
            self._quarantine.refresh()
        if self._policies.refresh():
            self._telemetry.log.info("settings", rules=self._policies.rules.version)

    def _clock(self) -> Clock:
        return WallClock() if self._ticking is None else self._ticking.clock

    def _context(self) -> Context:
        policies = self._policies
        rules = self._environment.rules if policies is None else policies.rules
        return Context(rules, self._environment.keys.seal, draw=lambda _: secrets.token_bytes(KEY_BYTES))


def check_topics(broker: Broker, stage: Stage[Any], prefix: str) -> int:
    """Return the number of partitions of the inputs; raises Stop unless every topic of the stage exists and those that must agree do."""
    changelog = [stage.changelog] if stage.changelog else []
    tables = [stage.table.topic] if stage.table else []
    together = {prefix + topic.name for topic in (*stage.inputs, *changelog, *tables)}
    counts = broker.partition_counts(
        {*together, *(prefix + topic.name for topic in (*stage.outputs, DECISIONS, DEAD_LETTERS, POLICIES, KEY_IDS, QUARANTINE))}
    )
    if missing := sorted(name for name, count in counts.items() if count == 0):
        raise Stop(f"there is no topic {', '.join(missing)}: run `vn topics create`")
    if len({counts[name] for name in together}) > 1:
        unlike = {name: counts[name] for name in sorted(together)}
        raise Stop(f"the inputs and the changelog of {stage.name} must have the same number of partitions, and have {unlike}")
    return max(counts[name] for name in together)


def common_partitions(places: Iterable[Place], topics: Iterable[str]) -> list[int]:
    """Return the partitions of which every input is assigned to us; raises Restart if one is only partly ours."""
    found = set(places)
    partitions = sorted({partition for _, partition in found})
    if any((topic, partition) not in found for topic in topics for partition in partitions):
        raise Restart("the inputs of one partition were given to different members: another copy reads other topics")
    return partitions


def next_batch_size(pace: int, records: int, seconds: float) -> int:
    """Return the next batch's size: smaller if this one was slow, larger if it was full and fast."""
    if seconds > SLOW:
        return max(min(pace, MIN_BATCH), pace // 2)
    return min(MAX_BATCH, 2 * pace) if records >= pace and seconds < FAST else pace


def split_journal(verdicts: Sequence[Verdict], encode: Callable[[Verdicts], bytes]) -> list[bytes]:
    """Return the verdicts encoded as few records, none much larger than JOURNAL_BYTES."""
    if not verdicts:
        return []
    record = encode(Verdicts(tuple(verdicts)))
    if len(record) <= JOURNAL_BYTES or len(verdicts) == 1:
        return [record]
    middle = len(verdicts) // 2
    return [*split_journal(verdicts[:middle], encode), *split_journal(verdicts[middle:], encode)]
