"""A broker that has not registered yet, or is too slow to stay registered, answers and names no broker; no stage may end of that."""

import socketserver
import struct
from collections.abc import Iterator
from threading import Thread
from typing import Final

import pytest

from processors.runtime.errors import Restart
from processors.runtime.kafka.clients import Broker
from processors.runtime.settings import Settings

METADATA, API_VERSIONS = 3, 18
OFFERED: Final = ((METADATA, 0, 4), (API_VERSIONS, 0, 3))  # request, first and last version
HOST: Final = b"127.0.0.1"


class Unregistered(socketserver.ThreadingTCPServer):
    """The two requests of Kafka's protocol with which a client looks for brokers; only the first answer names one, itself."""

    daemon_threads = True
    asked = 0

    def metadata(self) -> bytes:
        self.asked += 1
        if self.asked > 1:
            return struct.pack(">iihii", 0, 0, -1, -1, 0)
        return struct.pack(f">iiih{len(HOST)}sihhii", 0, 1, 1, len(HOST), HOST, self.server_address[1], -1, -1, 1, 0)


class Connection(socketserver.StreamRequestHandler):
    server: Unregistered

    def handle(self) -> None:
        while len(size := self.rfile.read(4)) == 4:
            request, _, correlation = struct.unpack(">hhi", self.rfile.read(int.from_bytes(size))[:8])
            answer = versions() if request == API_VERSIONS else self.server.metadata()
            self.wfile.write(struct.pack(">ii", len(answer) + 4, correlation) + answer)


def versions() -> bytes:
    """Return the answer to ApiVersions 3."""
    return struct.pack(">hB", 0, len(OFFERED) + 1) + b"".join(struct.pack(">hhhB", *each, 0) for each in OFFERED) + struct.pack(">iB", 0, 0)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    with Unregistered((HOST.decode(), 0), Connection) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", f"{HOST.decode()}:{server.server_address[1]}")
        yield Broker(Settings())
        server.shutdown()


def test_a_cluster_that_names_no_broker_is_asked_again_later(broker: Broker) -> None:
    for _ in range(2):
        with pytest.raises(Restart, match="the cluster could not be described"):
            broker.cluster()
    with pytest.raises(Restart):
        broker.topic_identities(["vn.events"])
