"""
The transaction of a batch: steps 3 to 8 of the protocol in runner.py, with the same numbers.

Whenever the tasks are restored, `use_producer` is called with a new producer: creating it aborts what the last one left open.
After an error a producer is not used again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from heapq import merge
from itertools import chain
from operator import attrgetter
from typing import Any, Final, NamedTuple

from confluent_kafka import Message, Producer, TopicPartition

from processors.runtime.decide.batch import BatchResult, OutputRecord
from processors.runtime.decide.task import Task
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import CALL_DEADLINE, REQUEST_TIMEOUT, CallThread, Unavailable, translated_errors
from processors.runtime.run.caches import Caches
from processors.runtime.run.faults import Point
from processors.runtime.run.inputs import Origins
from processors.runtime.run.journal import journal_records
from processors.runtime.run.store import STAMP
from processors.runtime.run.telemetry import Telemetry
from processors.runtime.run.watermark import next_timer_metadata
from processors.runtime.wire.codec import Codec
from processors.stage import Stage
from processors.topics import DEAD_LETTERS, DECISIONS

ANY_PARTITION: Final = -1  # the partition is chosen by the key
MIN_WRITE_RATE: Final = 4_000_000  # bytes per second; a broker slower than that counts as unavailable


class DecidedBatch(NamedTuple):
    """What one transaction commits: the partitions' results, and the version of the rules that decided them."""

    results: Sequence[tuple[Task, BatchResult]]
    rules: str


class Transactions:
    """Commits the batches of one stage to Kafka, then to its caches."""

    def __init__(  # noqa: PLR0913, PLR0917  all that a batch is written with
        self,
        stage: Stage[Any],
        prefix: str,
        codec: Codec,
        caches: Caches | None,
        telemetry: Telemetry,
        fault: Callable[[Point], None],
    ) -> None:
        self._names = {topic.name: prefix + topic.name for topic in (*stage.outputs, *stage.inputs, DECISIONS, DEAD_LETTERS)}
        self._stage = stage.name
        self._in_order = stage.main_input is not None
        self._codec = codec
        self._caches = caches
        self._telemetry = telemetry
        self._fault = fault
        self._producer: Producer | None = None
        self._calls: CallThread | None = None
        self._writer = ThreadPoolExecutor(1, "caches")
        self._applying: Future[None] | None = None

    def use_producer(self, producer: Producer | None) -> None:
        """Commit with this producer from now on; None only stops using the last one."""
        if self._applying is not None:
            wait([self._applying])  # whether it succeeded does not matter: the caches are restored next
            self._applying = None
        if self._calls is not None:
            self._calls.close()
        self._producer = producer
        self._calls = None if producer is None else CallThread()

    def commit(self, batch: DecidedBatch, origins: Origins, metadata: Any, more: Sequence[TopicPartition]) -> None:
        """
        Commit the batch to Kafka, then start to update the caches: call `finish` before deciding the next batch.

        `metadata` is the group's metadata as of reading the records; `more` are other offsets to commit with the inputs'.
        """
        producer, calls = self._producer, self._calls
        if producer is None or calls is None:
            raise Restart("there is no producer")
        position_offsets: dict[int, int] = {}
        outputs = [result.outputs for _, result in batch.results]
        in_order = merge(*outputs, key=attrgetter("at")) if self._in_order else chain.from_iterable(outputs)
        records = [self._output(each) for each in in_order]
        records += self._journal(batch)
        records += [each for task, result in batch.results for each in self._changes(task.partition, result, position_offsets)]
        offsets = [*more, *self._offsets(batch, origins)]
        with self._count_outcome(), translated_errors("the outcome of the transaction is not known"):
            producer.begin_transaction()  # 3
            self._fault("begun")
            produce(producer, records)  # 4
            self._fault("produced")
            sent = calls.start(producer.send_offsets_to_transaction, offsets, metadata, REQUEST_TIMEOUT)  # 5
            written = sum(result.bytes for _, result in batch.results)
            waiting = producer.flush(REQUEST_TIMEOUT + written / MIN_WRITE_RATE)  # 6
            sent(CALL_DEADLINE)
            if waiting:
                raise Unavailable("the outcome of the transaction is not known: the broker takes no records")
            self._fault("sent")
            calls.start(producer.commit_transaction, REQUEST_TIMEOUT)(CALL_DEADLINE)  # 7
        self._fault("committed")
        if self._caches is None:
            self._fault("applied")
        else:
            self._applying = self._writer.submit(self._apply, self._caches, batch.results, position_offsets)  # 8

    def finish(self) -> None:
        """Wait until the caches hold what was committed last; raises the error if they could not be updated."""
        applying, self._applying = self._applying, None
        if applying is not None:
            applying.result()
            self._fault("applied")

    @staticmethod
    def _apply(caches: Caches, results: Sequence[tuple[Task, BatchResult]], position_offsets: Mapping[int, int]) -> None:
        for task, result in results:
            caches.apply(task.partition, result.position, position_offsets[task.partition], result.changes)

    @contextmanager
    def _count_outcome(self) -> Iterator[None]:
        """Count the transaction by how it ended."""
        try:
            yield
        except Exception:
            self._telemetry.transaction("in_doubt")
            raise
        self._telemetry.transaction("committed")

    def _output(self, written: OutputRecord) -> tuple[Any, ...]:
        """Return the arguments of `produce` for one output."""
        name = self._names[written.topic.name]
        if not written.headers:  # an empty list of headers nearly doubles the cost of a record
            return (name, written.value, written.key)
        return (name, written.value, written.key, ANY_PARTITION, None, None, 0, [*written.headers])

    def _journal(self, batch: DecidedBatch) -> Iterator[tuple[Any, ...]]:
        """
        Yield the arguments of `produce` for the journal of all partitions' results, in as few records as possible.

        Their key is the stage: each partition that a transaction writes to costs a request, a check and a marker.
        """
        verdicts = [verdict for _, result in batch.results for verdict in result.verdicts]
        for journal in journal_records(verdicts, batch.rules, self._codec.encode):
            yield self._names[DECISIONS.name], journal, self._stage

    def _changes(self, partition: int, result: BatchResult, position_offsets: dict[int, int]) -> Iterator[tuple[Any, ...]]:
        """
        Yield the arguments of `produce` for the state changes of a partition's result, with its position last.

        Once acknowledged, the position's offset is stored in `position_offsets` by partition.
        """
        if self._caches is None:
            return
        changelog = self._caches.topic
        for field, state in result.changes.items():
            yield changelog, state, field, partition

        def written(_: Any, message: Message) -> None:
            position_offsets[partition] = message.offset() or 0

        yield changelog, self._codec.encode(result.position), STAMP, partition, written

    @staticmethod
    def _offsets(batch: DecidedBatch, origins: Origins) -> Iterator[TopicPartition]:
        """Yield the offsets of every partition in the batch; their metadata says when its next timer is due and which log they are of."""
        for task, result in batch.results:
            timer = next_timer_metadata(task.timers.next())
            for topic, offset in result.position.positions.items():
                yield TopicPartition(topic, task.partition, offset, f"{timer} {origins.metadata(topic, task.partition)}".strip())


def produce(producer: Producer, records: Iterable[tuple[Any, ...]]) -> None:
    """
    Produce prepared records, one right after the other.

    The first makes the client add its partition to the transaction. Partitions of records that follow at once are added by the
    same request, later ones by another request after the first was answered.
    """
    write = producer.produce
    for each in records:
        write(*each)
