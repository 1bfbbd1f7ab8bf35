"""A local Kafka broker: one KRaft node on loopback."""

import base64
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from processors.runtime.errors import UserError
from processors.runtime.local.daemon import Daemon

VERSION: Final = "4.4.0"
START_SECONDS: Final = 60

# One node, so every replication factor is 1. Few coordinator partitions and no rebalance delay make it start and settle
# fast; few threads, since it shares its machine with the stages. Messages may be larger than the pipeline accepts, so that
# the pipeline refuses them with a reason. Paths are relative to the broker's home and so may hold any character.
# The interval for aborting timed-out transactions is longer than a restart: a transaction aborted before the broker knows
# its partitions gets no markers on those ("likely deleted"), and hides all records after it for ever. What was deleted or
# compacted is looked for every few seconds, so that an erasure is off the disk soon (`vn erase --wait`).
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

# What of these a controller without a broker does without.
OF_THE_BROKER: Final = ("process.roles=", "listeners=", "advertised.listeners=")
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
# For minutes the C1 compiler alone: the broker starts a quarter sooner, and C2 takes more from the machine's other processes
# than it gives within the first hundred thousand records. After those the broker costs half with it.
FOR_MINUTES: Final = "-XX:TieredStopAtLevel=1"
ACTIVE: Final = "Activated periodic tasks"  # what the controller says when it has started,
FENCED: Final = "Fencing broker 1 "  # and when the broker's session has ended
FENCE_SECONDS: Final = 6  # from the former to the latter at most: twice the session
CONFIGURED: Final = "-Dlog4j2.configurationFile=log4j2.properties"


class Broker:
    """The broker of one folder; one that is `long_running` takes longer to start and then costs less."""

    def __init__(self, folder: Path, port: int, controller: int, *, long_running: bool) -> None:
        self.address = f"127.0.0.1:{port}"
        self._properties = PROPERTIES.format(port=port, controller=controller)
        shared = (line for line in self._properties.splitlines(keepends=True) if not line.startswith(OF_THE_BROKER))
        self._controller_properties = "".join((CONTROLLER.format(controller=controller), *shared))
        self._jvm = JVM if long_running else (*JVM, FOR_MINUTES)
        self._home = folder / "broker"
        self._log = folder / "log" / "broker.log"
        self.daemon = Daemon(self._home, frozenset({"java"}), (self._log, folder / "log" / "broker.out"))

    def start(self, java: Path, jars: Sequence[Path]) -> None:
        """Start the broker; `wait` returns when it is up."""
        self._home.mkdir(mode=0o700, exist_ok=True)
        (self._home / "server.properties").write_text(self._properties)
        (self._home / "log4j2.properties").write_text(LOGGING)
        classes = (CONFIGURED, "-cp", ":".join(map(str, jars)))
        command: list[str | Path] = [java, *self._jvm, *classes]
        if not (self._home / "data" / "meta.properties").exists():
            self._format(command)
        elif not (self._home / "data" / ".kafka_cleanshutdown").exists():
            self._fence([java, *JVM, FOR_MINUTES, *classes])
        self.daemon.start([*command, "kafka.Kafka", "server.properties"])

    def _fence(self, command: Sequence[str | Path]) -> None:
        """
        Let the controller alone note that the broker has died, before it starts again.

        One that starts while it still counts as alive finishes the transactions that were committed when it died, and then loses
        its partitions for a moment: it takes those for deleted, and writes no markers to them (Kafka 4.4, "likely deleted already").
        Their records, and all after them, would be hidden from read-committed readers for ever.
        """
        log, before = self._log, self._log.stat().st_size if self._log.exists() else 0
        (self._home / "controller.properties").write_text(self._controller_properties)
        self.daemon.start([*command, "kafka.Kafka", "controller.properties"])
        deadline, active, pause = monotonic() + START_SECONDS, False, Event()
        while monotonic() < deadline and self.daemon.pid() is not None and FENCED not in (said := text_after(log, before)):
            if not active and ACTIVE in said:
                active, deadline = True, monotonic() + FENCE_SECONDS  # the broker may have been fenced before
            pause.wait(0.1)
        self.daemon.stop()

    def wait(self) -> None:
        """Wait until the broker answers; if it ends or takes too long, raise an error with the end of its log."""
        deadline = monotonic() + START_SECONDS
        while monotonic() < deadline:
            if self.answers(seconds=0.5):
                return
            if self.daemon.pid() is None:
                raise UserError(f"the local broker ended while starting; the end of its log:\n{self.daemon.why()}")
        self.daemon.kill()
        raise UserError(f"the local broker did not answer within {START_SECONDS} s; the end of its log:\n{self.daemon.why()}")

    def answers(self, seconds: float) -> bool:
        """Whether this broker (not another on its port) answers within so many seconds."""
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
            raise UserError(f"the local broker's data folder could not be made:\n{done.stdout}{done.stderr}")


def text_after(log: Path, before: int) -> str:
    """Return what a log holds beyond so many bytes; all of it if it was begun anew meanwhile."""
    text = log.read_bytes() if log.exists() else b""
    return text[before if len(text) >= before else 0 :].decode(errors="replace")
