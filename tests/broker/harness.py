"""Runs the probe stage on a real broker and store, under faults, and compares its output with the fold of its inputs."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from confluent_kafka import KafkaError, Producer
from msgspec import DecodeError, json

from processors.domain.notification import Receipt
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import Broker, committed_offsets
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.run.catchup import Stamp
from processors.runtime.run.idle import PipelineProgress
from processors.runtime.run.store import Store
from processors.runtime.settings import Settings
from processors.runtime.wire.changelog import Position, State
from processors.runtime.wire.codec import Codec
from processors.stage import Stage
from processors.topics import CLOCK, DEAD_LETTERS, DECISIONS, KEY_IDS, POLICIES, QUARANTINE, Topic
from tests.broker.probe import LEFT, OUT, PROBE, PROBE_TOPICS, RIGHT, STATE, Tally, expected

TIMEOUT = 150.0
SHORT_TIMEOUTS = {"KAFKA_SESSION_TIMEOUT_MS": "1500", "KAFKA_HEARTBEAT_INTERVAL_MS": "300", "KAFKA_TRANSACTION_TIMEOUT_MS": "2500"}
PARTITIONS = 2


def until(what: str, true: Callable[[], Any], timeout: float = TIMEOUT) -> Any:
    """Poll until the condition is true and return its value; fail on timeout."""
    deadline, pause = time.monotonic() + timeout, Event()
    while not (answer := true()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:.0f} s: {what}")
        pause.wait(0.05)
    return answer


class ProbeHarness:
    """One prefix on the cluster, with the probe's topics."""

    def __init__(self, addresses: Mapping[str, str], seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.prefix = f"p{os.getpid()}-{time.monotonic_ns()}."
        self.environment = {**addresses, **SHORT_TIMEOUTS, "VN_TOPIC_PREFIX": self.prefix, "VN_PARTITIONS": str(PARTITIONS)}
        with environment(self.environment):
            self.settings = Settings()
            self.broker = Broker(self.settings)
            self.client = UserClient(self.settings)
            create_topics(self.settings, (*PROBE_TOPICS, POLICIES, CLOCK, DECISIONS, DEAD_LETTERS, KEY_IDS, QUARANTINE))
        self.codec = Codec()
        self.store = Store(self.settings.redis())
        self.sent: dict[str, list[tuple[str, Receipt]]] = {LEFT.name: [], RIGHT.name: []}
        self._folder = Path(tempfile.mkdtemp(prefix="vn-harness-"))
        self._workers: list[Worker] = []

    # -- input

    def send(self, count: int, keys: int = 40, sides: Sequence[Topic] = (LEFT, RIGHT)) -> None:
        """Send this many records to the inputs, a fifth of them duplicates."""
        failures: list[KafkaError] = []
        producer = Producer({"bootstrap.servers": self.settings.kafka_properties()["bootstrap.servers"], "partitioner": "murmur2_random"})
        for _ in range(count):
            side = self.random.choice(sides).name
            before = self.sent[side]
            if before and self.random.random() < 0.2:
                key, record = before[-self.random.randint(1, min(20, len(before)))]
            else:
                key = f"k{self.random.randrange(keys)}"
                record = Receipt(
                    reference=str(len(before)), status="accepted", occurred_at=0, provider="p", received_at=time.time_ns() // 1_000_000
                )
            before.append((key, record))
            producer.produce(
                self.prefix + side, self.codec.encode(record), key, on_delivery=lambda error, _: failures.append(error) if error else None
            )
        assert producer.flush(TIMEOUT) == 0
        assert not failures

    # -- workers

    def start(self, *faults: str, without: str = "", **environment: str) -> "Worker":
        """Start a worker with these faults armed and the named guards removed."""
        number = len(self._workers)
        log = self._folder / f"{number}.log"
        variables = {**os.environ, **self.environment, "VN_FAULTS": ",".join(faults), "VN_LOG_LEVEL": "info", **environment}
        command = [sys.executable, "-m", "tests.broker.worker", *without.split()]
        with log.open("wb") as file:
            process = subprocess.Popen(command, env=variables, stderr=file, stdout=file, cwd=Path(__file__).parents[2])
        worker = Worker(process, log)
        self._workers.append(worker)
        return worker

    def faults_struck(self) -> int:
        """Return how many armed faults have struck."""
        return sum(worker.log.count('"event": "fault"') for worker in self._workers)

    def backlog(self) -> int:
        """Return how many records of the inputs are not committed yet."""
        try:
            seen = PipelineProgress(self.broker, self.prefix, {PROBE.name: (PROBE,)}, clock=False).offsets()
        except Restart:
            return 0
        return sum(end - (committed or 0) for committed, end in seen.values())

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        shutil.rmtree(self._folder)
        self.store.close()

    # -- output

    def expected(self) -> Counter[tuple[str, str]]:
        return expected(self.sent)

    def answers(self) -> Counter[tuple[str, str]]:
        """Every committed answer."""
        found: Counter[tuple[str, str]] = Counter()
        for record in self.client.read(OUT):
            assert record.key is not None
            assert record.value is not None
            found[record.key, self.codec.decode(record.value).detail] += 1
        return found

    def idle(self, stage: Stage[Any] = PROBE) -> bool:
        """Whether the committed offsets equal the ends of the inputs, transaction markers included."""
        try:
            seen = PipelineProgress(self.broker, self.prefix, {stage.name: (stage,)}, clock=False).offsets()
        except Restart:
            return False  # the broker does not know the topic yet
        return all(committed == end for committed, end in seen.values())

    def wait_until_settled(self) -> None:
        """Wait until everything sent has been answered and the inputs are committed to their ends."""
        want = self.expected().total()
        until(f"{want} answers", lambda: self.answers().total() >= want)
        until("the offsets committed to the end", self.idle)

    def verify(self) -> None:
        """
        Assert that the answers equal the fold (none lost, none twice, none wrong), the cache equals the changelog, the
        changelog the fold's state, its positions the committed offsets, and its batches are one chain.
        """
        answers, want = self.answers(), self.expected()
        assert answers - want == Counter(), "twice or wrong"
        assert want - answers == Counter(), "lost"
        truth = self.changelog()
        for partition, (fields, position, _) in truth.items():
            cache = self.cache(partition)
            stamp = self.stamp(partition)
            assert stamp is not None
            assert stamp.position == position
            assert {field: value for field, value in cache.items() if field != b"__pos"} == fields
        tallies = {
            field[1:].decode(): self.tally(value) for fields, _, _ in truth.values() for field, value in fields.items() if field[:1] == b"="
        }
        for side in (LEFT.name, RIGHT.name):
            counts = Counter(key for key, said in want if said.startswith(side))
            assert {key: tally.counts[side] for key, tally in tallies.items() if side in tally.counts} == dict(counts)
        offsets = committed_offsets(
            self.broker.offsets_consumer(f"{self.prefix}probe"),
            [(self.prefix + topic.name, p) for topic in (LEFT, RIGHT) for p in range(PARTITIONS)],
        )
        for partition, (_, position, sequence) in truth.items():
            assert position.positions == {topic: offset for (topic, place), offset in offsets.items() if place == partition}
            assert sequence == sorted(set(sequence)), "a batch was committed twice or out of turn"

    def changelog(self) -> dict[int, tuple[dict[bytes, bytes], Position, list[int]]]:
        """Return the content of the changelog, by partition: the raw fields, the last position, and the sequence of batches."""
        found: dict[int, tuple[dict[bytes, bytes], Position, list[int]]] = {
            partition: ({}, Position(0, {}), []) for partition in range(PARTITIONS)
        }
        for record in self.client.read(STATE):
            assert record.key is not None
            fields, position, sequence = found[record.partition]
            if record.key == "__pos":
                position = self.codec.decode(record.value or b"")
                sequence.append(position.seq)
            elif record.value is None:
                fields.pop(record.key.encode(), None)
            else:
                fields[record.key.encode()] = record.value
            found[record.partition] = (fields, position, sequence)
        return found

    def tally(self, state: bytes) -> Tally:
        record = self.codec.decode(state)
        assert isinstance(record, State)
        return json.decode(record.state, type=Tally)

    # -- the cache

    def key(self, partition: int) -> str:
        return f"vn:{{{self.prefix}probe:{partition}}}"

    def cache(self, partition: int) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = self.store.call("HGETALL", self.key(partition))
        return found

    def stamp(self, partition: int) -> Stamp | None:
        try:
            return json.decode(self.store.read(self.key(partition), [])[0] or b"", type=Stamp)
        except DecodeError:
            return None

    def put(self, partition: int, fields: Mapping[bytes, bytes]) -> None:
        """Replace the cache by these fields, as a failover to a lagging replica would."""
        self.store.call("DEL", self.key(partition))
        if fields:
            self.store.call("HSET", self.key(partition), *(part for pair in fields.items() for part in pair))


class Worker:
    """One process that runs the probe stage."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_for_log(self, what: str, times: int = 1) -> None:
        """Wait until the worker's log contains the text this many times."""

        def logged() -> bool:
            if self.process.poll() is not None and self.log.count(what) < times:
                raise AssertionError(f"the worker ended ({self.process.returncode}) without saying {what}:\n{self.log[-3000:]}")
            return self.log.count(what) >= times

        until(f"the worker says {what}", logged)

    def wait_for_exit(self) -> int:
        """Wait for the process to end and return its exit status."""
        try:
            return self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the worker goes on:\n{self.log[-3000:]}") from None

    def wait_until_stopped(self) -> None:
        """Wait until the process is stopped, as by SIGSTOP."""
        until("the worker stands still", lambda: Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """Stop cleanly and return the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait_for_exit()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set the environment variables, and restore them afterwards."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
