"""
Runs a local broker and store in one folder: real Apache Kafka and Redis, on loopback, without Docker.

Data, ports and the key file stay in the folder between starts. `kill_broker` and `kill_store` are for fault tests.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from processors.runtime.errors import UserError
from processors.runtime.local.broker import VERSION, LocalBroker
from processors.runtime.local.ports import is_free, ports_file, recorded_ports
from processors.runtime.local.programs import java, redis_server
from processors.runtime.local.store import LocalStore


@dataclass(frozen=True, slots=True)
class Addresses:
    """What a client needs to connect; `environment` holds the same values as environment variables."""

    bootstrap_servers: str
    redis_url: str
    key_file: Path

    @property
    def environment(self) -> dict[str, str]:
        """These addresses as the environment variables that the pipeline reads."""
        return {"KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers, "REDIS_URL": self.redis_url, "VN_KEY_FILE": str(self.key_file)}


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The status of one service: its PID if it runs, its version if it answers."""

    address: str
    pid: int | None
    version: str | None

    @property
    def answers(self) -> bool:
        """Whether a client would get an answer."""
        return self.version is not None


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """The status of broker and store."""

    broker: ServiceStatus
    store: ServiceStatus

    @property
    def answers(self) -> bool:
        """Whether both would answer a client."""
        return self.broker.answers and self.store.answers


class LocalCluster:
    """The broker and the store of one folder; a `long_running` broker starts more slowly and uses less CPU after some minutes."""

    def __init__(self, folder: Path, *, long_running: bool = False) -> None:
        self.folder = folder.resolve()
        self._long_running = long_running

    def up(self, progress: Callable[[str], None] = lambda _: None) -> Addresses:
        """Start what is not running, on the ports used before, and wait until both answer; reports slow steps to `progress`."""
        with self._locked():
            broker, store = self._services()
            if store.daemon.pid() is None:
                self._check_port("store")
                store.start(redis_server())
            if broker.daemon.pid() is None:
                self._check_port("broker")
                self._check_port("controller")
                from processors.runtime.local.jars import kafka_jars  # noqa: PLC0415  jgo is slow to import, and only needed here

                jars = kafka_jars(progress)
                progress("starting Kafka and Redis")
                broker.start(java(), jars)
            store.wait()
            broker.wait()
            self._make_key()
        return self.addresses

    def down(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Stop both; their data is kept. Reports a slow step to `progress`."""
        if not ports_file(self.folder).exists():
            return
        with self._locked():
            broker, store = self._services()
            broker.stop(progress)
            store.daemon.stop()

    def status(self, seconds: float = 2.0) -> ClusterStatus:
        """Return the status of both, waiting at most this many seconds for each."""
        if not ports_file(self.folder).exists():
            nothing = ServiceStatus(address="-", pid=None, version=None)
            return ClusterStatus(nothing, nothing)
        broker, store = self._services()
        pid = broker.daemon.pid()
        return ClusterStatus(
            broker=ServiceStatus(broker.address, pid, VERSION if pid and broker.answers(seconds) else None),
            store=ServiceStatus(store.url, store.daemon.pid(), store.version(seconds)),
        )

    def kill_broker(self) -> None:
        """Kill the broker by `kill -9`."""
        self._services()[0].daemon.kill()

    def kill_store(self) -> None:
        """Kill the store by `kill -9`."""
        self._services()[1].daemon.kill()

    @property
    def addresses(self) -> Addresses:
        """The addresses of both, even if they are not running; raises UserError if they never were."""
        if not ports_file(self.folder).exists():
            raise UserError(f"nothing has run in {self.folder} yet: start it with `vn local up --dir {self.folder}`")
        broker, store = self._services()
        return Addresses(broker.address, store.url, self.folder / "key")

    def _services(self) -> tuple[LocalBroker, LocalStore]:
        ports = recorded_ports(self.folder)
        broker = LocalBroker(self.folder, ports["broker"], ports["controller"], long_running=self._long_running)
        return broker, LocalStore(self.folder, ports["store"])

    def _check_port(self, service: str) -> None:
        """Raise UserError if the service's port is taken."""
        port = recorded_ports(self.folder)[service]
        if not is_free(port):
            where = ports_file(self.folder)
            raise UserError(f"port {port} of the local {service} is taken by another process: end it, or delete {where} to get new ports")

    def _make_key(self) -> None:
        """Create the key file if missing: 64 random bytes in hex, readable by its owner only."""
        key = self.folder / "key"
        if key.exists():
            return
        partial = key.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(64) + "\n")
        partial.replace(key)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock, so that no other process starts or stops services in it."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise UserError(f"cannot use the folder {self.folder}: {error.strerror}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
