"""
A broker that is not registered yet, or was suspended, answers with an empty cluster; no stage may end because of that, or stay
without a broker.

The server below is told how often it names itself, and whether it names a topic.
"""

import socketserver
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Final

import pytest
from confluent_kafka import Consumer

from processors.runtime.errors import Restart
from processors.runtime.kafka import lost_brokers
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.lost_brokers import BrokerProbe
from processors.runtime.settings import Settings

METADATA, API_VERSIONS = 3, 18
OFFERED: Final = ((METADATA, 0, 4), (API_VERSIONS, 0, 3))  # request, first and last version
HOST: Final = b"127.0.0.1"
TOPIC: Final = "vn.events"
CLIENTS, AT_ONCE = 50, 8


class Unregistered(socketserver.ThreadingTCPServer):
    """The two requests of Kafka's protocol with which a client looks for brokers; while it is `registered`, answers name one, itself."""

    daemon_threads = True
    registered = True
    topics: tuple[bytes, ...] = ()

    def metadata(self) -> bytes:
        address = (len(HOST), HOST, self.server_address[1], -1)
        brokers = struct.pack(f">iih{len(HOST)}sih", 1, 1, *address) if self.registered else struct.pack(">i", 0)
        topics = b"".join(struct.pack(f">hh{len(each)}sbi", 0, len(each), each, 0, 0) for each in self.topics)
        return struct.pack(">i", 0) + brokers + struct.pack(">hii", -1, 1, len(self.topics)) + topics


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
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Unregistered]:
    with Unregistered((HOST.decode(), 0), Connection) as made:
        Thread(target=made.serve_forever, daemon=True).start()
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", f"{HOST.decode()}:{made.server_address[1]}")
        yield made
        made.shutdown()


def test_a_cluster_that_names_no_broker_is_asked_again_later(server: Unregistered) -> None:
    server.registered = False
    broker = Broker(Settings())
    for _ in range(2):
        with pytest.raises(Restart, match="the cluster could not be described"):
            broker.cluster()
    with pytest.raises(Restart):
        broker.topic_identities(["vn.events"])


@pytest.mark.slow
def test_a_client_that_has_forgotten_every_broker_is_noticed(server: Unregistered, monkeypatch: pytest.MonkeyPatch) -> None:
    """If none of so many clients forgets the broker, librdkafka has been mended, and lost_brokers.py can go."""
    monkeypatch.setattr(lost_brokers, "PROBE_INTERVAL", 0)
    monkeypatch.setattr(lost_brokers, "REQUEST_TIMEOUT", 1)
    server.topics = (TOPIC.encode(),)
    broker, reach = Broker(Settings()), BrokerProbe(TOPIC)
    lost = next(client for _ in range(CLIENTS) if not reaches(reach, client := told_of_no_broker(server, broker)))
    assert not reaches(reach, lost), "it does not look for the broker, which has long been back"
    assert reaches(reach, broker.partition_consumer())


def told_of_no_broker(server: Unregistered, broker: Broker) -> Consumer:
    """Return a client that was told so several times at once by a broker that has registered again since."""
    client = broker.partition_consumer()
    client.list_topics(TOPIC, timeout=5)
    server.registered = False
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in range(AT_ONCE):
            threads.submit(client.list_topics, TOPIC, timeout=1)
    server.registered = True
    return client


def reaches(reach: BrokerProbe, client: Consumer) -> bool:
    try:
        reach.check(client)
    except Restart:
        return False
    return True
