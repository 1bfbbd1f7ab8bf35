"""`vn provider smtp` on a real broker, against a real SMTP server that counts: killed at every point, nothing leaves twice."""

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP

from processors.domain.external import ReceiptForm
from processors.providers.mail import reference_of
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.topics import OUTBOUND, RECEIPTS, SENDS
from tests.broker.harness import SHORT_TIMEOUTS, TIMEOUT, environment, until
from tests.providers.given import outbound

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

LATER = 4_000_000_000_000  # the lease of these messages does not end


class Mailbox:
    """An SMTP server in a thread of its own; `received` counts the messages by reference."""

    def __init__(self, folder: Path) -> None:
        self.received: Counter[str] = Counter()
        self.ca = folder / "ca.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = self._loop.create_server(
            lambda: SMTP(self, tls_context=context, require_starttls=True, hostname="mx.example.org"), "127.0.0.1", 0
        )
        self._listening = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port: int = self._listening.sockets[0].getsockname()[1]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802
        self.received[reference_of(message_from_bytes(envelope.content)["Message-ID"])] += 1
        return "250 2.0.0 queued"

    def close(self) -> None:
        async def close() -> None:
            self._listening.close()
            await asyncio.sleep(0.1)  # connections of providers that are gone are noticed

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Delivery:
    """A prefix on the cluster with the topics that providers use, a mailbox, and providers as processes."""

    def __init__(self, local: LocalCluster, folder: Path) -> None:
        self.mailbox = Mailbox(folder)
        self.variables = {
            **local.addresses.environment,
            **SHORT_TIMEOUTS,
            "VN_TOPIC_PREFIX": f"d{os.getpid()}-{time.monotonic_ns()}.",
            "VN_PARTITIONS": "2",
        }
        with environment(self.variables):
            self.settings = settings = Settings()
            create_topics(settings, (*OUTBOUND.values(), RECEIPTS, SENDS))
            self.client = UserClient(settings)
        self.config = folder / "providers.toml"
        self.config.write_text(
            f'[[vendor]]\nkind = "smtp"\nname = "relay"\nhost = "127.0.0.1"\nport = {self.mailbox.port}\nca_file = "{self.mailbox.ca}"\n'
            'from_address = "notify@vn.example.org"\nrate = 10000\n'
        )
        self.processes: list[subprocess.Popen[bytes]] = []

    def send(self, count: int, *, emergency: bool = False, start: int = 0, expires_at: int = LATER) -> set[str]:
        messages = [outbound(start + number, expires_at=expires_at, emergency=emergency) for number in range(count)]
        self.client.send(OUTBOUND["email"], ((f"R-{number}", self.client.codec.encode(each)) for number, each in enumerate(messages)))
        return {each.reference for each in messages}

    def provide(self, *faults: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "processors", "provider", "smtp", "--config", str(self.config)]
        variables = {**os.environ, **self.variables, "VN_FAULTS": ",".join(faults)}
        self.processes.append(subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL))
        return self.processes[-1]

    def receipts(self) -> list[ReceiptForm]:
        return list(self.client.values(RECEIPTS))

    def wait_for(self, references: set[str]) -> dict[str, ReceiptForm]:
        """Return the receipt of every reference once there is one for each; there is never a second one."""
        until("a receipt for each message", lambda: len(self.receipts()) >= len(references))
        found = self.receipts()
        assert Counter(each.reference for each in found) == Counter(references)
        return {each.reference: each for each in found}

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.mailbox.close()


@pytest.fixture
def delivery(cluster: LocalCluster, tmp_path: Path) -> Iterator[Delivery]:
    made = Delivery(cluster, tmp_path)
    yield made
    made.close()


def test_every_message_is_handed_over_once_and_has_one_receipt(delivery: Delivery) -> None:
    references = delivery.send(300)
    first, second = delivery.provide(), delivery.provide()
    receipts = delivery.wait_for(references)
    assert {each.status for each in receipts.values()} == {"accepted"}
    assert delivery.mailbox.received == Counter(references)
    assert delivery.client.table(SENDS) == {}
    for process in (first, second):
        process.terminate()
        assert process.wait(timeout=10) == 0


def test_attempts_whose_lease_ended_in_an_outage_hold_up_nothing(delivery: Delivery) -> None:
    """A transaction has only as many messages as are sent at the same time; those that are too late do not count."""
    delivery.send(3_000, expires_at=1)
    references = delivery.send(20, start=3_000)
    delivery.provide()
    delivery.wait_for(references)
    assert delivery.mailbox.received == Counter(references)
    ends = Broker(delivery.settings).end_offsets((delivery.client.topic(SENDS), partition) for partition in range(2))
    assert sum(ends.values()) < 3_300, "a tombstone for each, and the marks of few transactions"


def test_a_provider_that_dies_after_the_call_sends_nothing_twice(delivery: Delivery) -> None:
    references = delivery.send(60)
    assert delivery.provide("provider-email.sent=kill").wait(timeout=TIMEOUT) == -9
    delivery.provide()
    receipts = delivery.wait_for(references)
    assert delivery.mailbox.received == Counter(references)
    assert all("cannot" in (each.detail or "") or "queued" in (each.detail or "") for each in receipts.values())
    assert any("cannot tell" in (each.detail or "") for each in receipts.values())


def test_a_provider_that_dies_before_the_call_sends_emergencies_again_and_says_what_it_does_not_know(delivery: Delivery) -> None:
    urgent = delivery.send(20, emergency=True)
    ordinary = delivery.send(20, start=100)
    assert delivery.provide("provider-email.begun=kill").wait(timeout=TIMEOUT) == -9
    assert not delivery.mailbox.received
    intended = {each.reference for each in delivery.client.table(SENDS).values()}
    assert intended
    delivery.provide()
    receipts = delivery.wait_for(urgent | ordinary)
    assert delivery.mailbox.received == Counter((urgent | ordinary) - (intended & ordinary))
    assert all("cannot tell" in (receipts[each].detail or "") for each in intended & ordinary)


def test_an_emergency_is_not_behind_what_was_written_before_it_and_not_sent_again_after_a_crash(delivery: Delivery) -> None:
    """It is settled ahead of the read position, which the ledger remembers."""
    references = delivery.send(400)
    urgent = delivery.send(20, emergency=True, start=1_000)
    assert delivery.provide("provider-email.committed=kill@5").wait(timeout=TIMEOUT) == -9
    assert {each.reference for each in delivery.client.table(SENDS).values() if each.settled} <= urgent
    delivery.provide()
    delivery.wait_for(references | urgent)
    assert delivery.mailbox.received == Counter(references | urgent)
    order = list(delivery.mailbox.received)
    assert max(order.index(each) for each in urgent) < 200
    until("the ledger is empty", lambda: delivery.client.table(SENDS) == {})


def test_a_provider_that_dies_again_and_again_sends_nothing_twice(delivery: Delivery) -> None:
    references = delivery.send(120)
    for point in ("sent", "committed", "sent", "committed"):
        delivery.provide(f"provider-email.{point}=kill").wait(timeout=TIMEOUT)
        if len(delivery.receipts()) == len(references):
            break
    delivery.provide()
    delivery.wait_for(references)
    assert delivery.mailbox.received == Counter(references)
