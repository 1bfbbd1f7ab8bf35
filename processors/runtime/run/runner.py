"""
Runs one stage of the pipeline, exactly once.

One batch takes these steps (their numbers are in the code, from the third on in transaction.py):

1. Poll records of our partitions; right after that get the group's metadata, whose generation fences us.
2. Decide. States are read with their stamp in one command, and used only if it is the expected stamp.
3. Begin a transaction.
4. Produce the outputs, the journal, the state changes and, last on each changelog partition, its position.
5. Send the offsets of every partition in the batch, moved or not: a transaction without offsets has no fence.
6. Flush meanwhile; continue when both are done.
7. Commit. The answer is "yes" or "don't know".
8. On "yes", update each partition's cache by compare-and-set on the stamp it was decided on, while the next batch is polled.

Any error in any step is handled the same way: discard the producer and the tasks, and restore: create a new producer, read the
committed offsets (restore.py), catch up the caches (catchup.py). While the broker or the store is unavailable nothing is
fetched, but the group is still polled, so that we keep our partitions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from math import inf
from time import monotonic, time_ns
from typing import Any, Final

from confluent_kafka import Consumer, Message, TopicPartition

from processors.rules.rule_set import Rules
from processors.runtime import metrics
from processors.runtime.clock import wall_time
from processors.runtime.decide.batch import BatchResult
from processors.runtime.decide.failures import PROCESS_ENDED, FailureLog
from processors.runtime.decide.task import Task
from processors.runtime.errors import PoisonInput, Restart, Retry
from processors.runtime.kafka.clients import Broker, Fenced, TopicAndPartition, Unavailable, UnknownTopic, message_kind, poll_batch
from processors.runtime.kafka.group_member import GroupMember, MemberWork
from processors.runtime.key_file import KeyFile
from processors.runtime.run.broadcasts import Broadcasts
from processors.runtime.run.caches import Caches
from processors.runtime.run.current_input import CurrentInputFile, add_death
from processors.runtime.run.faults import Faults
from processors.runtime.run.inputs import Origins
from processors.runtime.run.keys import check_digest_key
from processors.runtime.run.pace import (
    FIRST_BATCH,
    ORDER_TIMEOUT,
    POLL_TIMEOUT,
    SHRINK_FACTOR,
    TICK_TIMEOUT,
    linger_time,
    next_batch_size,
    poll_timeout,
)
from processors.runtime.run.receive_order import ReceiveOrder
from processors.runtime.run.records import RecordReader
from processors.runtime.run.restore import Restorer
from processors.runtime.run.slots import ProcessSlot
from processors.runtime.run.telemetry import Telemetry, error_fields
from processors.runtime.run.tracing import Tracing
from processors.runtime.run.transaction import DecidedBatch, Transactions
from processors.runtime.run.watermark import Watermarks
from processors.runtime.settings import Settings
from processors.runtime.wire.codec import Codec
from processors.stage import Context, Stage

QUIET_SECONDS: Final = 0.2  # without records, until offsets that moved past transaction markers are committed
LAG_INTERVAL: Final = 2.0


@dataclass(frozen=True, slots=True)
class Environment:
    """What a stage needs to run: settings, wire codec, rules, and the keys of contact data."""

    settings: Settings
    codec: Codec
    rules: Rules
    keys: KeyFile


class Runner:
    """Runs one copy of one stage in this process; `stop` may be called from a signal handler."""

    def __init__(self, stage: Stage[Any], environment: Environment, upstream: Sequence[Stage[Any]] = ()) -> None:
        settings, codec = environment.settings, environment.codec
        prefix = settings.topic_prefix
        self._stage = stage
        self._environment = environment
        self._upstream = upstream
        self._topics = {prefix + topic.name: topic for topic in stage.inputs}
        self._prefix = prefix
        self._broker = Broker(settings)
        self._telemetry = Telemetry(stage.name)
        self._tracing = Tracing(settings.otlp_endpoint, stage.name, settings.trace_share) if settings.otlp_endpoint else None
        self._fault = self._telemetry.time_steps(Faults(settings.faults).point(stage.name))
        self._slot = ProcessSlot(f"{prefix}{stage.name}")
        self._transactional_id = f"{prefix}{stage.name}.{self._slot.host}.{self._slot.number}"
        self._failures = FailureLog()
        self._current_input: CurrentInputFile | None = None
        self._caches = Caches(self._broker, settings.redis(), codec, prefix + stage.changelog.name, stage.name) if stage.changelog else None
        self._reader = RecordReader(self._topics, codec, self._telemetry, stage.name)
        self._restorer = Restorer(self._broker, stage, prefix, codec, self._caches, self._failures)
        self._transactions = Transactions(stage, prefix, codec, self._caches, self._telemetry, self._fault)
        self._order = ReceiveOrder(prefix + stage.main_input.name) if stage.main_input else None
        self._broadcasts: Broadcasts | None = None
        self._watermarks: Watermarks | None = None  # None by the topic clock
        self._member = GroupMember(
            self._broker,
            f"{prefix}{stage.name}",
            self._topics,
            MemberWork(self._step, self._start_over, self._on_assigned, self._on_revoked, self._on_leave, self._telemetry.beat),
            self._telemetry.log,
        )
        self._topics_checked_for = -1  # the generation
        self._key_checked = False
        self._tasks: dict[int, Task] = {}
        self._origins = Origins({}, {})
        self._clock_committed: int | None = None
        self._batch_size = FIRST_BATCH
        self._inputs = 0  # records and timers of the last batch
        self._waits = False  # whether none of the queued records may be decided yet
        self._last_record = self._last_lag = monotonic()

    def stop(self) -> None:
        """Finish the current batch, then stop."""
        self._member.stop()

    def run(self) -> None:
        """Run until `stop`; then leave the group, so that other copies take over at once."""
        self._count_deaths()
        try:
            self._member.run()
        finally:
            self._close()

    def _step(self, consumer: Consumer) -> None:
        if self._tasks or self._restore(consumer):
            self._run_batch(consumer)

    def _count_deaths(self) -> None:
        """Count a failure on every input that a process died on, including the one that the previous process was deciding."""
        self._current_input = CurrentInputFile(self._slot.path("in-work"))
        name = self._current_input.get()
        if name:
            self._telemetry.log.warning("ended_while_deciding", input=name)
        for each, deaths in add_death(self._slot.shared_path("deaths"), name).items():
            self._failures.count_failure(each, PROCESS_ENDED, deaths)
        self._current_input.set("")
        self._failures.current_input = self._current_input

    def _close(self) -> None:
        for each in (self._broadcasts, self._watermarks, self._caches, self._slot, self._current_input, self._tracing):
            if each is not None:
                each.close()

    # -- assignment

    def _on_assigned(self) -> None:
        self._tasks.clear()
        self._telemetry.count_rebalance()
        self._telemetry.ready(now=not self._member.assigned)  # without partitions it is on standby: more copies than partitions
        self._fault("assigned")

    def _on_revoked(self) -> None:
        self._tasks.clear()
        self._telemetry.ready(now=False)

    def _on_leave(self) -> None:
        self._transactions.use_producer(None)

    # -- restoring: at start, after a rebalance, after any error

    def _restore(self, consumer: Consumer) -> bool:
        """Create the tasks of the assigned partitions from what Kafka holds; return whether there are any."""
        if self._topics_checked_for != self._member.generation:  # also before the first: a missing topic is never assigned
            self._restorer.check_topics()
            self._topics_checked_for = self._member.generation
        if not self._member.is_assigned():
            return False
        broadcasts = self._refreshed_broadcasts()
        if broadcasts.clock.now() is None:
            broadcasts.report_unset_clock()
            self._member.heartbeat(POLL_TIMEOUT)
            return False
        keep_alive = self._member.keep_alive()
        producer = self._broker.producer(self._transactional_id)  # always a new one: it aborts what the last one left open
        self._transactions.use_producer(producer)
        if not self._key_checked:
            seal = self._environment.keys.seal
            check_digest_key(self._broker, self._environment.codec, self._prefix, seal, producer, keep_alive)
            self._key_checked = True
        topic_partitions: list[TopicAndPartition] = [(each.topic, each.partition) for each in self._member.assigned]
        tasks, self._origins = self._restorer.restore(consumer, topic_partitions, broadcasts.context(), keep_alive)
        keep_alive()
        self._member.fetch_from({(topic, task.partition): offset for task in tasks for topic, offset in task.positions.items()})
        self._tasks = {task.partition: task for task in tasks}
        if self._order is not None:
            self._order.begin()
        self._last_record = monotonic()
        self._telemetry.ready(now=True)
        self._telemetry.log.info("ready", partitions=[*self._tasks])
        self._fault("restored")
        return True

    def _refreshed_broadcasts(self) -> Broadcasts:
        """Return settings, quarantine and clock as of now; the first call begins to read them."""
        if self._broadcasts is not None:
            self._broadcasts.refresh()
            return self._broadcasts
        by_topic, prefix, env = self._environment.settings.clock == "topic", self._prefix, self._environment
        broadcasts = Broadcasts(self._broker, env.codec, env.rules, env.keys, prefix, self._telemetry, by_topic=by_topic)
        if not by_topic:
            self._watermarks = Watermarks(self._broker, prefix, self._stage, self._upstream)
        self._failures.by_hand = broadcasts.by_hand
        self._broadcasts = broadcasts
        return broadcasts

    def _start_over(self, error: Retry | Restart) -> None:
        self._telemetry.ready(now=False)
        self._telemetry.log.warning("start_over", **error_fields(error))
        if self._tasks:  # otherwise broker or store is still unavailable, and there was no uncommitted work
            metrics.RESTARTS.labels(self._stage.name).inc()
        for error_type, counter in ((Fenced, metrics.FENCED), (Unavailable, metrics.BROKER_DOWN), (Retry, metrics.STORE_DOWN)):
            if isinstance(error, error_type):
                counter.labels(self._stage.name).inc()
        self._tasks.clear()
        self._batch_size = 1 if isinstance(error, PoisonInput) else max(1, self._batch_size // SHRINK_FACTOR)
        self._clock_committed = None
        self._transactions.use_producer(None)
        if isinstance(error, UnknownTopic):
            self._topics_checked_for = -1

    # -- one batch

    def _run_batch(self, consumer: Consumer) -> None:
        broadcasts = self._current_broadcasts()
        queued = sum(len(task.queue) for task in self._tasks.values())
        linger = 0.0 if queued or broadcasts.topic_clock is not None else linger_time(self._stage.linger, self._inputs)
        timeout = (ORDER_TIMEOUT if self._waits else 0) if queued else self._poll_timeout(broadcasts)
        messages = poll_batch(consumer, max(1, self._batch_size - queued), timeout, linger)  # 1
        if not messages:
            self._inputs = 0  # no longer under load: the next records do not linger
        self._telemetry.beat()
        metadata = consumer.consumer_group_metadata()
        started = monotonic()
        if started - self._last_lag >= LAG_INTERVAL:
            self._last_lag = started
            self._report_lag(consumer, broadcasts)
        if not self._tasks:
            self._transactions.finish()
            return  # the partitions were reassigned meanwhile
        if not consumer.memberid():
            raise Restart("the group has dropped us: offsets sent without a member's id would not be fenced")
        broadcasts.refresh(to_the_end=bool(messages))  # a record is sent after the tick of its step
        context = broadcasts.context()
        self._enqueue(messages, broadcasts)
        self._fault("read")
        self._transactions.finish()
        results = self._decide(broadcasts, context)  # 2
        clock_offset = self._clock_offset(broadcasts, context)
        if not results and clock_offset == self._clock_committed:
            return
        self._fault("decided")
        clock = (
            [TopicPartition(*broadcasts.topic_clock.topic_partition, clock_offset)]
            if broadcasts.topic_clock and clock_offset is not None
            else []
        )
        self._transactions.commit(DecidedBatch(results, context.rules.version), self._origins, metadata, clock)
        for task, result in results:
            task.moved = False
            for name in result.quarantined:
                self._failures.forget(name)
        self._clock_committed = clock_offset
        self._report(results, monotonic() - started, context)

    def _report(self, results: Sequence[tuple[Task, BatchResult]], seconds: float, context: Context) -> None:
        """Log, count and trace a committed batch, and choose the size of the next one."""
        inputs = [result.records + result.timers for _, result in results]
        self._inputs = sum(inputs)
        self._batch_size = next_batch_size(self._batch_size, max(inputs, default=0), seconds)
        if self._tracing is not None:
            ended = time_ns()
            for _, result in results:
                self._tracing.record(result.verdicts, result.traceparents, ended - int(seconds * 1e9), ended)
        self._telemetry.batch(results, seconds, context.rules.version)

    def _current_broadcasts(self) -> Broadcasts:
        if self._broadcasts is None:
            raise Restart("the settings have not been read")
        return self._broadcasts

    def _poll_timeout(self, broadcasts: Broadcasts) -> float:
        """Return how many seconds to wait for the first record."""
        return TICK_TIMEOUT if broadcasts.topic_clock is not None else poll_timeout(task.timers.next() for task in self._tasks.values())

    def _enqueue(self, messages: Iterable[Message], broadcasts: Broadcasts) -> None:
        """Queue the records of our partitions that were not read before, and register the ends of partitions."""
        last: dict[TopicAndPartition, Message] = {}
        tasks, read, now = self._tasks, self._reader.read, wall_time()
        step = None if broadcasts.topic_clock is None else broadcasts.topic_clock.clock.now() or None
        for message in messages:
            kind = "record" if message.error() is None else message_kind(message)
            task = tasks.get(message.partition() or 0)
            if task is None or kind == "noise":
                continue
            topic, offset = message.topic() or "", message.offset() or 0
            if kind == "end":
                task.reach_end(topic, offset)
            elif offset >= task.fetched[topic]:
                record = read(message, topic, offset, now, step)
                task.enqueue(topic, record)
                last[topic, task.partition] = message
                if self._order is not None:
                    self._order.arrive(topic, task.partition, record.timestamp)
        if self._order is not None:
            for task in tasks.values():
                self._order.sort(task)
        self._origins.read(last)
        if last:
            self._last_record = monotonic()

    def _decide(self, broadcasts: Broadcasts, context: Context) -> list[tuple[Task, BatchResult]]:
        """Decide every partition that has inputs; one whose next input must be quarantined is decided alone."""
        now = broadcasts.clock.now() or 0
        self._request_watermark(now, context)
        quiet = monotonic() - self._last_record >= (QUIET_SECONDS if broadcasts.topic_clock is None else 0)
        until = inf if self._order is None else self._order.until(self._tasks, self._batch_size)
        results = []
        for task in sorted(self._tasks.values(), key=Task.quarantines_next, reverse=True):
            task.now = now if broadcasts.topic_clock is None else None
            result = self._decide_partition(task, now, context, until, quiet=quiet)
            if result is not None:
                results.append((task, result))
                if result.quarantined:
                    break
        self._waits = not results
        return results

    def _decide_partition(self, task: Task, now: int, context: Context, until: float, *, quiet: bool) -> BatchResult | None:
        """
        Decide a partition that has records or due timers, or that moved past transaction markers and has been quiet since.

        Records received after `until` wait: others that were received before them have not been read yet.
        """
        records = [record for _, record in islice(task.queue, self._batch_size)]
        if until < inf:
            records = list(takewhile(lambda record: record.timestamp <= until, records))
        watermark = self._watermark(task, now)
        due = task.has_due(watermark, now, context.rules.version)
        if not (records or due or (task.moved and quiet) or task.has_renewals(context)):
            return None
        return task.decide(records, watermark, self._batch_size, partial(self._read, task.partition), self._environment.codec, context)

    def _request_watermark(self, now: int, context: Context) -> None:
        """Request the watermark that the first timers wait for."""
        if self._watermarks is not None:
            version = context.rules.version
            awaited = [at for task in self._tasks.values() if (at := task.awaited_watermark(now, version)) is not None]
            if awaited:
                self._watermarks.request(max(awaited))

    def _watermark(self, task: Task, now: int) -> int | None:
        """
        Return the time up to which everything received has been decided once the queued records are; None if unknown.

        With the topic clock it is the last tick: nobody moves the clock before everything sent has been decided.
        """
        if self._watermarks is None:
            task.watermark = now
            return now
        latest = self._watermarks.latest
        return latest.time if latest.has_reached(task.partition, task.fetched) else None

    def _read(self, partition: int, fields: Sequence[bytes]) -> Sequence[bytes | None]:
        if self._caches is None:
            raise TypeError(f"{self._stage.name} keeps no state")
        return self._caches.read(partition, fields)

    def _clock_offset(self, broadcasts: Broadcasts, context: Context) -> int | None:
        """
        Return the offset of the topic clock to commit, which shows others whether time may move on; None with the system clock.

        It is the offset after the last tick if every timer due by it was decided, one less if more may be due.
        """
        if broadcasts.topic_clock is None:
            return None
        now, version = broadcasts.clock.now() or 0, context.rules.version
        done = all(task.caught_up and not task.has_due(now, now, version) for task in self._tasks.values())
        return broadcasts.topic_clock.position - (not done)

    def _report_lag(self, consumer: Consumer, broadcasts: Broadcasts) -> None:
        """Report the lag of every input, and the oldest record and timer; uses the ends that the last fetch reported."""
        for task in self._tasks.values():
            for topic, position in task.positions.items():
                ends = consumer.get_watermark_offsets(TopicPartition(topic, task.partition), cached=True)
                if ends[1] >= 0:
                    self._telemetry.lag(self._topics[topic].name, task.partition, max(0, ends[1] - position))
        if all(task.caught_up for task in self._tasks.values()):
            self._telemetry.oldest(0)
        due = [at for task in self._tasks.values() if (at := task.timers.next()) is not None]
        self._telemetry.overdue(max([0, *(wall_time() - at for at in due)]) / 1000 if broadcasts.topic_clock is None else 0)
