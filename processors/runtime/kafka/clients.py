"""
Kafka clients: construction, call deadlines, error classification.

- Any error within a transaction is a `Restart`: a commit answers "yes" or "don't know", never "no".
- Log ends are read by a consumer created for that call, or discarded at its first error: a client that lived through a
  broker's restart may repeat FENCED_LEADER_EPOCH forever. An AdminClient sometimes takes three seconds for the same
  answer: it misses a leader change and fetches the metadata again (librdkafka 2.16).
- Log ends are the *uncommitted* ones: the read-committed end hides committed records behind an open transaction.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic
from typing import Any, Final, Literal, TypeVar, cast

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined]

from processors.domain.trace import header_in
from processors.runtime.errors import Restart, Stop
from processors.runtime.settings import Settings

T = TypeVar("T")

REQUEST_TIMEOUT: Final = 10.0  # seconds a broker may take to answer one request
CALL_DEADLINE: Final = REQUEST_TIMEOUT + 5  # longer than the client's own timeout: dropping a client that waits crashes the process
MAX_RECORD_BYTES: Final = 3 * 1024 * 1024
TopicAndPartition = tuple[str, int]  # a partition of a topic: the topic's name on the broker, and the partition's number

EOF: Final = KafkaError._PARTITION_EOF  # noqa: SLF001  the library's own public name of it
EARLIEST, LATEST = -2, -1  # ListOffsets timestamps that stand for the start and the end of a log
OUT_OF_RANGE: Final = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001
PERMANENT_ERRORS: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.TOPIC_EXCEPTION})

# Send a partition's records in one request, when they are flushed. Records that are ready while others of their partition are
# in flight keep librdkafka 2.16 in a busy loop until those are acknowledged, and take a core that the broker may need.
BATCHED: Final = {"linger.ms": 1_000, "batch.size": MAX_RECORD_BYTES, "batch.num.messages": 100_000}
# KAFKA_* variables may override *_DEFAULTS but not *_FIXED, which the protocol depends on.
CONSUMER_DEFAULTS: Final = {
    "session.timeout.ms": 10_000,
    "fetch.wait.max.ms": 500,  # records arrive at once; this delays only the end-of-partition event
    "fetch.queue.backoff.ms": 5,  # the default of one second stalls a consumer that drains its queue faster
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 16_384,  # limits what is fetched ahead; by default 64 MiB
    "fetch.max.bytes": 16_777_216,  # of one response, in addition to the limit above
    "partition.assignment.strategy": "range",  # gives a member the same partition number of every input
    "reconnect.backoff.max.ms": 1_000,
    "topic.metadata.refresh.interval.ms": 10_000,  # how soon a running stage notices new partitions
}
LOW_LATENCY: Final = {"fetch.wait.max.ms": 10}  # for a caller that waits until a partition has been read to its end
CONSUMER_FIXED: Final = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
}
PRODUCER_DEFAULTS: Final = {
    "transaction.timeout.ms": 30_000,  # the largest batch takes that long on a busy broker
    "retry.backoff.ms": 1,  # doubled each time: a transaction can begin once the markers of the previous one are written
    **BATCHED,
    "compression.type": "lz4",
    "queue.buffering.max.messages": 0,
    "queue.buffering.max.kbytes": 2_097_151,
    "reconnect.backoff.max.ms": 1_000,
}
PRODUCER_FIXED: Final = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",
    "message.max.bytes": MAX_RECORD_BYTES,
}


FENCED_ERRORS: Final = frozenset(
    {
        KafkaError._FENCED,  # noqa: SLF001
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.PRODUCER_FENCED,
        KafkaError.UNKNOWN_MEMBER_ID,
    }
)
UNAVAILABLE_ERRORS: Final = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError.REQUEST_TIMED_OUT,
    }
)


# Authorization errors, and the right that is missing (for all names that begin with the prefix).
DENIED: Final = {
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "this user may not use transactional producers: grant IdempotentWrite on the cluster",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "this user may not join the group: grant Read on VN_TOPIC_PREFIX",
    KafkaError.SASL_AUTHENTICATION_FAILED: "the broker does not know this user: fix KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "this user may not use the topic: grant Read and Write on VN_TOPIC_PREFIX",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "this user may not use the transactional id: grant Write on VN_TOPIC_PREFIX",
    KafkaError._AUTHENTICATION: "the broker refuses this user or its certificate: fix KAFKA_SASL_* or KAFKA_SSL_*",  # noqa: SLF001
}
UNKNOWN_TOPIC: Final = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION})  # noqa: SLF001


class Fenced(Restart):
    """Another member of the group, or another producer with the same transactional id, has taken over."""


class Unavailable(Restart):
    """The broker did not answer."""


class UnknownTopic(Restart):
    """The broker knows no such topic or partition: it was deleted, or is not yet known to every broker."""


class Broker:
    """Creates clients of the Kafka cluster that the settings name, and answers questions about its topics."""

    def __init__(self, settings: Settings) -> None:
        self._properties: Mapping[str, Any] = settings.kafka_properties()
        self._log = logging.getLogger("librdkafka")
        self._members = CONSUMER_DEFAULTS | (LOW_LATENCY if settings.clock == "topic" else {})

    def group_consumer(
        self, group: str, topics: Iterable[str], assigned: Callable[[list[TopicPartition]], None], revoked: Callable[[], None]
    ) -> Consumer:
        """Return a consumer that joins the group; the callbacks run inside `poll` and `consume`."""
        consumer = self._create(Consumer, self._members, CONSUMER_FIXED | {"group.id": group})
        consumer.subscribe(
            list(topics),
            on_assign=lambda _, partitions: assigned(partitions),
            on_revoke=lambda _, __: revoked(),
            on_lost=lambda _, __: revoked(),
        )
        return consumer

    def partition_consumer(self, **properties: Any) -> Consumer:
        """Return a consumer that joins no group, for partitions assigned explicitly."""
        return self._create(Consumer, CONSUMER_DEFAULTS, CONSUMER_FIXED | {"group.id": "vn.reader"} | properties)

    def offsets_consumer(self, group: str) -> Consumer:
        """
        Return a consumer that reads the group's committed offsets and log ends, and never joins the group.

        Read-uncommitted: it reports uncommitted log ends, and does not wait for offsets pending in a transaction.

        An AdminClient could do this too, but crashes the process when the coordinator answers NOT_COORDINATOR or
        COORDINATOR_LOAD_IN_PROGRESS (librdkafka 2.16: a segmentation fault in rd_kafka_handle_OffsetFetch).
        """
        return self._create(Consumer, CONSUMER_DEFAULTS, CONSUMER_FIXED | {"group.id": group, "isolation.level": "read_uncommitted"})

    def producer(self, transactional_id: str) -> Producer:
        """Return an initialized producer; any transaction left open under this transactional id is aborted."""
        producer = self._create(Producer, PRODUCER_DEFAULTS, PRODUCER_FIXED | {"transactional.id": transactional_id})
        with translated_errors("the producer could not be initialized"):
            call_with_deadline(CALL_DEADLINE, producer.init_transactions, REQUEST_TIMEOUT)
        return producer

    def admin(self) -> AdminClient:
        return self._create(AdminClient, {}, {})

    def cluster(self, admin: AdminClient | None = None) -> ClusterMetadata:
        """
        Return the cluster's id, brokers and topics; creates a client unless one is given.

        Does not use `describe_cluster`: while the only broker is not registered, its answer names no broker, and
        librdkafka 2.16 ends the process (rd_kafka_admin_response_parse: Assertion `rko_result' failed).
        """
        with translated_errors("the cluster could not be described"):
            return (admin or self.admin()).list_topics(timeout=REQUEST_TIMEOUT)

    def end_offsets(self, topic_partitions: Iterable[TopicAndPartition], reader: Consumer | None = None) -> dict[TopicAndPartition, int]:
        """Return the end of each log, including uncommitted records; `reader` is an `offsets_consumer`, created if not given."""
        return self._offsets(topic_partitions, LATEST, reader)

    def start_offsets(self, topic_partitions: Iterable[TopicAndPartition]) -> dict[TopicAndPartition, int]:
        """Return the first offset that each log still holds."""
        return self._offsets(topic_partitions, EARLIEST)

    def partition_counts(self, topics: Iterable[str]) -> dict[str, int]:
        """Return the number of partitions of each topic; 0 if there is no such topic."""
        found = self.cluster().topics
        return {name: len(found[name].partitions) if name in found else 0 for name in topics}

    def topic_identity(self, topic: str) -> str:
        """Return `<cluster id>/<topic id>`, which changes if the topic is deleted and created again."""
        return self.topic_identities([topic])[topic]

    def topic_identities(self, topics: Iterable[str]) -> dict[str, str]:
        """Return `<cluster id>/<topic id>` of each topic."""
        admin, names = self.admin(), list(topics)
        cluster_id = self.cluster(admin).cluster_id
        with translated_errors("the topics could not be identified"):
            described = admin.describe_topics(TopicCollection(names), request_timeout=REQUEST_TIMEOUT)
            return {name: f"{cluster_id}/{described[name].result(CALL_DEADLINE).topic_id}" for name in names}

    def _offsets(
        self, topic_partitions: Iterable[TopicAndPartition], moment: int, reader: Consumer | None = None
    ) -> dict[TopicAndPartition, int]:
        wanted = [TopicPartition(*topic_partition, moment) for topic_partition in topic_partitions]
        if not wanted:
            return {}
        reader = reader or self.offsets_consumer("vn.reader")
        with translated_errors("the ends of the logs could not be read"):
            answer = call_with_deadline(CALL_DEADLINE, reader.offsets_for_times, wanted, REQUEST_TIMEOUT)
        return offsets_of(answer, "the ends of the logs could not be read")

    def _create(self, make: Callable[..., T], defaults: Mapping[str, Any], fixed: Mapping[str, Any]) -> T:
        try:
            return make({**defaults, **self._properties, **fixed}, logger=self._log)
        except KafkaException as error:
            raise Stop(f"a KAFKA_ setting cannot be used: {error.args[0].str()}") from None


@contextmanager
def translated_errors(what: str) -> Iterator[None]:
    """Translate a client's exception into one of ours, by what the caller must do; `what` describes the failure."""
    try:
        yield
    except KafkaException as error:
        reason: KafkaError = error.args[0]
        if reason.code() in PERMANENT_ERRORS:
            raise Stop(f"{what}: {reason.str()}") from None
        if (right := DENIED.get(reason.code())) is not None:
            raise Stop(f"{what}: {right}") from None
        error_type = Fenced if reason.code() in FENCED_ERRORS else Unavailable if reason.code() in UNAVAILABLE_ERRORS else Restart
        raise error_type(f"{what}: {reason.name()}") from None
    except BufferError:
        raise Restart(f"{what}: the producer's buffer is full") from None
    except TimeoutError:
        raise Unavailable(f"{what}: no answer in time") from None


class CallThread:
    """
    Makes calls one after the other in a thread of its own.

    The client's timeouts are not always reliable: `send_offsets_to_transaction` has hung forever when the broker was killed
    during the call. A call that takes too long is abandoned with its thread, and its client must not be used again; whatever
    the client still does is fenced by its successor's epoch or generation.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        Thread(target=self._run, daemon=True).start()

    def start(self, call: Callable[..., T], *arguments: Any) -> Callable[[float], T]:
        """Start a call; return a function that waits up to the given seconds for its result, and raises Unavailable after that."""
        outcome: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

        def run() -> None:
            try:
                outcome.put((call(*arguments), None))
            except BaseException as error:  # noqa: BLE001  raised again in the waiting thread
                outcome.put((None, error))

        def wait(seconds: float) -> T:
            try:
                answer, error = outcome.get(timeout=seconds)
            except Empty:
                raise Unavailable(f"{call.__name__} did not return in time") from None
            if error is not None:
                raise error
            return cast("T", answer)

        self._calls.put(run)
        return wait

    def close(self) -> None:
        """End the thread when its calls have returned."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # may hold the last reference to the client


def call_with_deadline(seconds: float, call: Callable[..., T], *arguments: Any) -> T:
    """Return the call's result; raises Unavailable if it takes longer than `seconds`."""
    thread = CallThread()
    wait = thread.start(call, *arguments)
    thread.close()
    return wait(seconds)


LOADING: Final = frozenset({KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR})
OFFSETS_SECONDS: Final = 3.0  # less than a session timeout: the caller may be a group member


def committed_offsets(consumer: Consumer, topic_partitions: Iterable[TopicAndPartition]) -> dict[TopicAndPartition, int | None]:
    """
    Return the group's committed offsets, None for a partition without one.

    With a read-committed consumer the offsets are stable: the call waits for those pending in a transaction.
    """
    return {topic_partition: offset for topic_partition, (offset, _) in committed_progress(consumer, topic_partitions).items()}


def committed_progress(
    consumer: Consumer, topic_partitions: Iterable[TopicAndPartition]
) -> dict[TopicAndPartition, tuple[int | None, str | None]]:
    """
    Return the group's committed offsets with their metadata, None for a partition without one.

    On a broker that has just started, the first request makes it load the group's coordinator; the call then tries again.
    """
    problem, wanted = "the committed offsets could not be read", [TopicPartition(*topic_partition) for topic_partition in topic_partitions]
    deadline, pause = monotonic() + OFFSETS_SECONDS, Event()
    with translated_errors(problem):
        while (answer := committed_once(consumer, wanted, last=monotonic() >= deadline)) is None:
            pause.wait(0.1)
    offsets = offsets_of(answer, problem)
    return {
        (each.topic, each.partition): (offset if (offset := offsets[each.topic, each.partition]) >= 0 else None, each.metadata)
        for each in answer
    }


def committed_once(consumer: Consumer, wanted: list[TopicPartition], *, last: bool) -> list[TopicPartition] | None:
    """Return the broker's answer; None if the group's coordinator is still loading and this is not the `last` try."""
    try:
        answer = call_with_deadline(CALL_DEADLINE, consumer.committed, wanted, REQUEST_TIMEOUT)
    except KafkaException as error:
        if last or error.args[0].code() not in LOADING:
            raise
        return None
    loading = any(each.error is not None and each.error.code() in LOADING for each in answer)
    return None if loading and not last else answer


def offsets_of(answer: Iterable[TopicPartition], problem: str) -> dict[TopicAndPartition, int]:
    """Return the offset of each partition; raises Restart if one has an error instead."""
    found = {}
    for each in answer:
        if each.error is not None:
            raise Restart(f"{problem}: {each.error.name()}")
        found[each.topic, each.partition] = each.offset
    return found


def message_kind(message: Message) -> Literal["record", "end", "noise"]:
    """Return what was consumed: a record, the end of a partition, or an error that the client recovers from by itself."""
    error = message.error()
    if error is None:
        return "record"
    if error.code() == EOF:
        return "end"
    if error.code() == OUT_OF_RANGE:
        raise Stop(
            f"{message.topic()}[{message.partition()}] does not hold offset {message.offset()}, which is next: records were removed before "
            "they were read, or the topic was deleted and created again; see deploy/runbook.md"
        )
    if (right := DENIED.get(error.code())) is not None:
        raise Stop(f"{message.topic() or 'the inputs'} cannot be read: {right}")
    if error.code() in UNKNOWN_TOPIC:
        raise UnknownTopic(f"the broker does not know {message.topic() or 'a topic'}")
    if error.fatal():
        raise Restart(f"the consumer failed: {error.name()}")
    return "noise"


def traceparent_of(message: Message) -> str | None:
    """Return the trace context in a record's headers, empty if malformed; None if there is none."""
    headers = message.headers()
    if not headers:
        return None
    return header_in(headers.items() if isinstance(headers, dict) else headers)


def poll_batch(consumer: Consumer, most: int, timeout: float, linger: float = 0.0) -> list[Message]:
    """Return a message that arrives within `timeout` and those fetched already or arriving within `linger` (s), at most `most`."""
    first = consumer.poll(timeout)
    if first is None:
        return []
    return [first, *consumer.consume(most - 1, linger)] if most > 1 else [first]
