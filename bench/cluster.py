"""The benchmark's own broker and store, and the processes measured on them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final

import psutil

from processors.domain.policy import Policy
from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import Broker, TopicAndPartition, committed_offsets
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.runtime.stop_signals import exit_on_sigterm
from processors.topics import POLICIES, Topic

PARTITIONS: Final = 4  # where one stage is measured
DEFAULT_PARTITIONS: Final = int(Settings.model_fields["partitions"].default)  # where the whole pipeline is
TIMEOUT: Final = 120.0
POLL_INTERVAL: Final = 0.05
RUN: Final = (sys.executable, "-c", "from processors.cli.main import run; run()", "run")


@dataclass(slots=True)
class Deployment:
    """One topic prefix on the cluster: an independent pipeline."""

    prefix: str
    folder: Path
    partitions: int = PARTITIONS
    settings: Settings = field(init=False)
    client: UserClient = field(init=False)
    broker: Broker = field(init=False)
    processes: dict[str, psutil.Popen] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        os.environ |= {"VN_TOPIC_PREFIX": self.prefix, "VN_PARTITIONS": str(self.partitions)}
        self.settings = Settings()
        self.client = UserClient(self.settings)
        self.broker = Broker(self.settings)
        create_topics(self.settings)

    def set_policies(self, values: Mapping[str, str]) -> None:
        encode = self.client.codec.encode
        self.client.send(POLICIES, [(f"{key}|||", encode(Policy(key=key, value=value))) for key, value in values.items()])

    def start(self, name: str, *command: str, **variables: str) -> psutil.Popen:
        """Start a process, with environment variables of its own."""
        log = (self.folder / f"{self.prefix}{name}.log").open("wb")
        environment = {**os.environ, **variables, "VN_TOPIC_PREFIX": self.prefix}
        process = psutil.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.processes[name] = process
        return process

    def wait_for_topics(self, topics: Iterable[Topic]) -> None:
        """Wait until the broker knows the topics that were just created."""
        names = [self.prefix + topic.name for topic in topics]
        until("the broker knows the new topics", lambda: all(self.broker.partition_counts(names).values()))

    def wait_until_settled(self) -> None:
        """Wait until every started process has its partitions."""
        for name in self.processes:
            until(f"{name} is ready", lambda name=name: b'"ready"' in self.log(name))  # type: ignore[misc]

    def log(self, name: str) -> bytes:
        process = self.processes[name]
        text = (self.folder / f"{self.prefix}{name}.log").read_bytes()
        if process.poll() is not None:
            raise RuntimeError(f"{name} has ended: {text[-2000:].decode(errors='replace')}")
        return text

    def cpu(self) -> dict[str, float]:
        return {name: with_children(cpu_seconds, process) for name, process in self.processes.items()}

    def memory(self) -> dict[str, float]:
        return {name: with_children(peak_memory, process) for name, process in self.processes.items()}

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(TIMEOUT)
        self.processes.clear()

    def progress(self, group: str, topic: str) -> Callable[[], int]:
        """Return a function that returns how many records of a topic the group has committed."""
        consumer = self.broker.offsets_consumer(self.prefix + group)
        topic_partitions: list[TopicAndPartition] = [(self.prefix + topic, partition) for partition in range(self.partitions)]
        return lambda: sum(offset or 0 for offset in committed_offsets(consumer, topic_partitions).values())


@dataclass(frozen=True, slots=True)
class BenchCluster:
    local: LocalCluster
    folder: Path

    def deploy(self, prefix: str, partitions: int = PARTITIONS) -> Deployment:
        return Deployment(prefix, self.folder, partitions)

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds used so far by broker and store."""
        status = self.local.status()
        return {
            name: cpu_seconds(psutil.Process(service.pid))
            for name, service in (("broker", status.broker), ("store", status.store))
            if service.pid is not None
        }


@contextmanager
def bench_cluster() -> Iterator[BenchCluster]:
    """Run a broker and a store in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="vn-bench-") as folder, exit_on_sigterm():
        local = LocalCluster(Path(folder) / "local", long_running=True)
        before = dict(os.environ)
        try:
            addresses = local.up(lambda text: print(text, file=sys.stderr))
            os.environ.update(addresses.environment | {"VN_LOG_LEVEL": "info"})
            yield BenchCluster(local, Path(folder))
        finally:
            local.down()
            os.environ.clear()
            os.environ.update(before)


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def peak_memory(process: psutil.Process) -> float:
    """Return the most memory that the process has had, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def with_children(measure: Callable[[psutil.Process], float], process: psutil.Process) -> float:
    """Return the sum of a measure over a process and its children."""
    return sum(map(measure, (process, *process.children(recursive=True))))


def difference(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {name: value - before[name] for name, value in after.items()}


def until(what: str, true: Callable[[], Any], timeout: float = TIMEOUT, interval: float = POLL_INTERVAL) -> None:
    deadline, pause = monotonic() + timeout, Event()
    while not succeeded(true):
        if monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:.0f} s: {what}")
        pause.wait(interval)


def succeeded(true: Callable[[], Any]) -> Any:
    try:
        return true()
    except Restart:
        return None  # the broker does not know the topic yet


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
