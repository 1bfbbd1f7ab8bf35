"""A local Kafka broker: one KRaft node on loopback."""

import base64
import subprocess
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from processors.runtime.errors import UserError
from processors.runtime.local.aot_cache import cache_path, forget_recording, is_recording, keep_recording, record_for
from processors.runtime.local.daemon import Daemon

VERSION: Final = "4.4.0"
START_SECONDS: Final = 60

# One node, so every replication factor is 1. Few coordinator partitions and no rebalance delay make it start fast; few threads,
# since it shares the machine with the stages. Messages may be larger than the pipeline accepts, so that the pipeline refuses
# them with a reason. Paths are relative to the broker's home, so that they may contain any character.
# The interval for aborting timed-out transactions is longer than a restart: a transaction aborted before the broker knows
# its partitions gets no markers on those ("likely deleted"), and hides all later records forever. Retention and compaction run
# every few seconds, so that an erasure is off the disk soon (`vn erase --wait`).
PROPERTIES: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=data
auto.create.topics.enable=false
message.max.bytes=3145728
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.abort.timed.out.transaction.cleanup.interval.ms=5000
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
num.io.threads=3
num.network.threads=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.initial.task.delay.ms=5000
log.retention.check.interval.ms=15000
log.cleaner.backoff.ms=5000
"""

# The properties that a controller without a broker does not have.
BROKER_ONLY: Final = ("process.roles=", "listeners=", "advertised.listeners=")
CONTROLLER: Final = """\
process.roles=controller
listeners=CONTROLLER://127.0.0.1:{controller}
"""

LOGGING: Final = """\
status=error
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=../log/broker.log
appender.file.filePattern=../log/broker.%i.log
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{ISO8601} %-5p %m (%c)%n
appender.file.policies.type=Policies
appender.file.policies.size.type=SizeBasedTriggeringPolicy
appender.file.policies.size.size=10MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=2
rootLogger.level=info
rootLogger.appenderRef.file.ref=file
"""

JVM: Final = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC")
# For short runs only the C1 compiler: the broker starts a quarter faster, and within the first hundred thousand records C2 takes
# more CPU than it saves. After those the broker uses half the CPU with C2.
SHORT_RUN: Final = "-XX:TieredStopAtLevel=1"
ACTIVE: Final = "Activated periodic tasks"  # logged when the controller has started
FENCED: Final = "Fencing broker 1 "  # logged when the broker's session has expired
FENCE_SECONDS: Final = 6  # from the former to the latter at most: twice the session timeout
RECORDING_STOP_SECONDS: Final = 60  # a broker that records writes a cache of 70 MB when it stops
LOG_CONFIG: Final = "-Dlog4j2.configurationFile=log4j2.properties"


class LocalBroker:
    """The broker of one folder; a `long_running` one takes longer to start and then uses less CPU."""

    def __init__(self, folder: Path, port: int, controller: int, *, long_running: bool) -> None:
        self.address = f"127.0.0.1:{port}"
        self._properties = PROPERTIES.format(port=port, controller=controller)
        shared = (line for line in self._properties.splitlines(keepends=True) if not line.startswith(BROKER_ONLY))
        self._controller_properties = "".join((CONTROLLER.format(controller=controller), *shared))
        self._long_running = long_running
        self._home = folder / "broker"
        self._log = folder / "log" / "broker.log"
        self.daemon = Daemon(self._home, frozenset({"java"}), (self._log, folder / "log" / "broker.out"))

    def start(self, java: Path, jars: Sequence[Path]) -> None:
        """Start the broker without waiting for it; `wait` returns once it is up."""
        self._home.mkdir(mode=0o700, exist_ok=True)
        (self._home / "server.properties").write_text(self._properties)
        (self._home / "log4j2.properties").write_text(LOGGING)
        cache = cache_path(java, jars)
        cached = (f"-XX:AOTCache={cache}",) if cache and cache.exists() else ()
        classes = (*cached, LOG_CONFIG, "-cp", ":".join(map(str, jars)))
        short = [java, *JVM, SHORT_RUN, *classes]
        if not (self._home / "data" / "meta.properties").exists():
            self._format(short)
        elif not (self._home / "data" / ".kafka_cleanshutdown").exists():
            self._fence(short)
        forget_recording(self._home)
        record = (record_for(cache, self._home),) if cache and not cached and self._long_running else ()
        command = [java, *JVM, *record, *classes] if self._long_running else short
        self.daemon.start([*command, "kafka.Kafka", "server.properties"])

    def stop(self, progress: Callable[[str], None]) -> None:
        """Stop the broker; one that records leaves a cache for later ones, which is slow and reported to `progress`."""
        if not is_recording(self._home):
            self.daemon.stop()
            return
        progress("stopping Kafka; so that it starts faster from now on, Java writes a cache of its classes, once for this user")
        if self.daemon.stop(RECORDING_STOP_SECONDS):
            keep_recording(self._home)

    def _fence(self, command: Sequence[str | Path]) -> None:
        """
        After a crash, run only the controller until it has fenced the dead broker, before the broker starts again.

        A broker that starts while it still counts as alive completes the transactions that were committing when it died, then
        loses its partitions for a moment, takes them for deleted and writes no markers to them (Kafka 4.4, "likely deleted
        already"). Their records, and all later ones, would be hidden from read-committed readers forever.
        """
        log, before = self._log, self._log.stat().st_size if self._log.exists() else 0
        (self._home / "controller.properties").write_text(self._controller_properties)
        self.daemon.start([*command, "kafka.Kafka", "controller.properties"])
        deadline, active, pause = monotonic() + START_SECONDS, False, Event()
        while monotonic() < deadline and self.daemon.pid() is not None and FENCED not in (text := text_after(log, before)):
            if not active and ACTIVE in text:
                active, deadline = True, monotonic() + FENCE_SECONDS  # the broker may have been fenced before
            pause.wait(0.1)
        self.daemon.stop()

    def wait(self) -> None:
        """Wait until the broker answers; raises UserError with the end of its log if it ends or takes too long."""
        deadline = monotonic() + START_SECONDS
        while monotonic() < deadline:
            if self.answers(seconds=0.5):
                return
            if self.daemon.pid() is None:
                raise UserError(f"the local broker ended while starting; the end of its log:\n{self.daemon.log_tail()}")
        self.daemon.kill()
        raise UserError(f"the local broker did not answer within {START_SECONDS} s; the end of its log:\n{self.daemon.log_tail()}")

    def answers(self, seconds: float) -> bool:
        """Whether this broker (not another one on its port) answers within this many seconds."""
        admin = AdminClient(
            {"bootstrap.servers": self.address, "log_level": 0, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100}
        )
        try:
            cluster = admin.list_topics(timeout=seconds)
        except KafkaException:
            return False
        return cluster.cluster_id == self._cluster_id() and len(cluster.brokers) == 1

    def _cluster_id(self) -> str | None:
        written = self._home / "data" / "meta.properties"
        if not written.exists():
            return None
        entries = dict(line.split("=", 1) for line in written.read_text().splitlines() if "=" in line)
        return entries.get("cluster.id")

    def _format(self, command: Sequence[str | Path]) -> None:
        """Format the data folder with a new cluster id."""
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        format_data = ["kafka.tools.StorageTool", "format", "--ignore-formatted", f"--cluster-id={cluster_id}", "-c", "server.properties"]
        done = subprocess.run([*command, *format_data], cwd=self._home, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"the local broker's data folder could not be created:\n{done.stdout}{done.stderr}")


def text_after(log: Path, before: int) -> str:
    """Return the text of a log after the first `before` bytes; all of it if it was rotated meanwhile."""
    text = log.read_bytes() if log.exists() else b""
    return text[before if len(text) >= before else 0 :].decode(errors="replace")
