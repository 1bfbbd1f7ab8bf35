"""Redis servers for tests: a Sentinel group and a cluster, of processes that a test may kill."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from redis import Redis, RedisError

from processors.runtime.local.ports import HIGHEST, LOWEST, is_free
from processors.runtime.local.programs import redis_server
from tests.broker.harness import until

SLOTS: Final = 16_384
BUS: Final = 10_000  # a cluster's nodes talk to each other on the port this much above their own


@dataclass(slots=True)
class Server:
    """One redis-server process."""

    folder: Path
    port: int
    arguments: tuple[str, ...]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it with its earlier data, and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([redis_server(), *self.arguments], cwd=self.folder, stdout=log, stderr=log)
        until(f"Redis answers on {self.port}", lambda: self.ask("PING"))

    def ask(self, *command: Any) -> Any:
        """Return the answer to a command; None if there is none."""
        with Redis(port=self.port, socket_timeout=5, retry=None, decode_responses=True) as client:
            try:
                return client.execute_command(*command)
            except RedisError:
                return None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def free_ports(count: int) -> list[int]:
    """Return ports that are free together with their bus ports."""
    return [port for port in range(LOWEST, HIGHEST) if is_free(port) and is_free(port + BUS)][-count:]


def options(port: int, *more: str) -> tuple[str, ...]:
    """What a server is told: it answers once it has written, since what it has put off is lost when it is killed."""
    written = ("--appendonly", "yes", "--appendfsync", "always")
    return ("--port", str(port), "--bind", "127.0.0.1", "--save", "", *written, *more)


@contextmanager
def sentinel_group(folder: Path) -> Iterator[tuple[str, Sequence[Server]]]:
    """Run a master, its replica and a Sentinel that promotes the replica; yield their URL and both servers."""
    first, second, watcher = free_ports(3)
    master = Server(folder / "master", first, options(first))
    replica = Server(folder / "replica", second, options(second, "--replicaof", "127.0.0.1", str(first)))
    sentinel = Server(folder / "sentinel", watcher, ("sentinel.conf", "--sentinel"))
    sentinel.folder.mkdir()
    (sentinel.folder / "sentinel.conf").write_text(
        f"port {watcher}\nbind 127.0.0.1\nsentinel monitor states 127.0.0.1 {first} 1\n"
        "sentinel down-after-milliseconds states 1000\nsentinel failover-timeout states 5000\n"
    )
    try:
        for server in (master, replica, sentinel):
            server.start()
        until("the replica is in step", lambda: in_step(replica))
        until("the Sentinel knows the replica", lambda: sentinel.ask("SENTINEL", "REPLICAS", "states"))
        yield f"redis+sentinel://127.0.0.1:{watcher}/states/0", (master, replica)
    finally:
        for server in (sentinel, replica, master):
            server.kill()


def in_step(replica: Server) -> bool:
    """Whether a replica is connected to its master."""
    found = replica.ask("INFO", "replication")
    return isinstance(found, dict) and found.get("master_link_status") == "up"


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, Sequence[Server]]]:
    """Run a cluster of three masters; yield its URL and the nodes."""
    ports = free_ports(3)
    more = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
    nodes = [Server(folder / f"node-{port}", port, options(port, *more)) for port in ports]
    try:
        for number, node in enumerate(nodes):
            node.start()
            share = range(number * SLOTS // 3, (number + 1) * SLOTS // 3)
            until("its slots are assigned", lambda node=node, share=share: node.ask("CLUSTER", "ADDSLOTS", *share))  # type: ignore[misc]
        for node in nodes[1:]:
            until("they have met", lambda node=node: nodes[0].ask("CLUSTER", "MEET", "127.0.0.1", node.port))  # type: ignore[misc]
        until("the cluster is whole", lambda: all(is_whole(node) for node in nodes))
        yield "redis+cluster://" + ",".join(f"127.0.0.1:{port}" for port in ports), nodes
    finally:
        for node in nodes:
            node.kill()


def is_whole(node: Server) -> bool:
    """Whether a node sees all slots served by three nodes."""
    found = str(node.ask("CLUSTER", "INFO"))
    return "cluster_state:ok" in found and "cluster_known_nodes:3" in found
