"""The systems that run the peers' job, each with what it needs: a stage of this pipeline, Quix Streams, Kafka Streams."""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.cluster import Deployment
from bench.peers import job
from processors.runtime.local.jars import cache_folder, locked_jars
from processors.runtime.local.programs import java

HERE: Final = Path(__file__).parent
KAFKA_STREAMS: Final = "Kafka Streams 4.4.0"
STREAMS_LOCK: Final = HERE / "kafka_streams.lock.toml"
STREAMS_SOURCE: Final = HERE / "KafkaStreamsJob.java"
STREAMS: Final = ("org.apache.kafka:kafka-streams:4.4.0", "org.apache.avro:avro:1.12.1", "org.slf4j:slf4j-nop:1.7.36")
QUIX_LOCK: Final = HERE / "quix.lock"


@dataclass(frozen=True, slots=True)
class System:
    """
    One system. `command` returns what starts it on a deployment's topics, or None if this machine lacks what it needs.

    Its group is the deployment's prefix and its name; its folder holds the schemas, and its state if it keeps one.
    """

    name: str
    title: str
    command: Callable[[Deployment, "System", Path], Sequence[str] | None]

    def start(self, deployment: Deployment) -> Sequence[str] | None:
        folder = deployment.folder / f"{deployment.prefix}{self.name}"
        folder.mkdir()
        for kind in (job.Change, job.DecidedChange):
            (folder / f"{kind.__name__}.avsc").write_text(json.dumps(job.schema(kind)))
        return self.command(deployment, self, folder)

    def arguments(self, deployment: Deployment, folder: Path) -> list[str]:
        """Return the arguments of an external program: broker, group, source, both sinks, folder."""
        topics = [deployment.prefix + topic.name for topic in (job.CHANGES, *job.sinks(self.name))]
        return [deployment.settings.kafka_properties()["bootstrap.servers"], deployment.prefix + self.name, *topics, str(folder)]


def stage(_: Deployment, __: System, ___: Path) -> Sequence[str]:
    return (sys.executable, "-m", "bench.peers.job")


def quix(deployment: Deployment, system: System, folder: Path) -> Sequence[str] | None:
    return (str(quix_python()), str(HERE / "quix.py"), *system.arguments(deployment, folder))


def quix_python() -> Path:
    """Return the Python of a virtual environment with Quix Streams, made once: it pins an older confluent-kafka than the pipeline."""
    home = cache_folder() / f"quix-{hashlib.sha256(QUIX_LOCK.read_bytes()).hexdigest()[:8]}"
    home.mkdir(parents=True, exist_ok=True)
    python, made = home / "bin" / "python", home / "made"
    with (home / "lock").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        if not made.exists():
            venv.create(home, with_pip=True)
            install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:")
            subprocess.run([python, *install, "-r", QUIX_LOCK], check=True)
            made.touch()
    return python


def kafka_streams(deployment: Deployment, system: System, folder: Path) -> Sequence[str] | None:
    compiler = shutil.which("javac")
    if compiler is None:
        return None
    classes = ":".join(map(str, (folder, *locked_jars(KAFKA_STREAMS, STREAMS_LOCK, print))))
    subprocess.run([compiler, "-d", folder, "-cp", classes, STREAMS_SOURCE], check=True)
    program = Path(compiler).resolve().with_name("java")  # the JVM of the compiler runs it
    runs = str(program if program.exists() else java())
    return (runs, "-Xmx512m", "-cp", classes, "KafkaStreamsJob", *system.arguments(deployment, folder))


SYSTEMS: Final = (
    System(job.NAME, "a stage of ours", stage),
    System("streams", KAFKA_STREAMS, kafka_streams),
    System("quix", "Quix Streams 3.28.1", quix),
)
