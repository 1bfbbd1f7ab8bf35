"""docs/write-a-provider.md is followed to the letter: its Python and its Kafka tools, on a real broker."""

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import Producer
from jgo.maven import MavenContext

from processors.deliver.dispatch.headers import headers_of
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.local.broker import VERSION
from processors.runtime.local.jars import kafka_jars
from processors.runtime.local.programs import java
from processors.runtime.settings import Settings
from processors.topics import OUTBOUND, RECEIPTS
from tests.broker.harness import environment, until
from tests.providers.given import outbound

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "write-a-provider.md").read_text()
LATER = 4_000_000_000_000  # the lease of these messages does not end
TOOLS_SHA256: Final = "4eb9a7fbfd63badfd8d1a677aa2d54b47b2b2d442ff7d68fd223972afea1954c"  # kafka-tools is no part of the local broker
MAIN: Final = {
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
}


def block(language: str) -> str:
    """Return the page's one block of code in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


class Topics:
    """The topics that a provider uses, under a prefix of their own."""

    def __init__(self, local: LocalCluster) -> None:
        self.variables = {**local.addresses.environment, "VN_TOPIC_PREFIX": f"w{os.getpid()}-{time.monotonic_ns()}."}
        with environment(self.variables):
            settings = Settings()
            create_topics(settings, (*OUTBOUND.values(), RECEIPTS))
            self.client = UserClient(settings)
        self.prefix = settings.topic_prefix

    def send(self, *numbers: int, **fields: Any) -> list[str]:
        messages = [outbound(each, channel="sms", to="+18045551007", **({"expires_at": LATER} | fields)) for each in numbers]
        producer = Producer({"bootstrap.servers": self.variables["KAFKA_BOOTSTRAP_SERVERS"]})
        for each in messages:
            producer.produce(f"{self.prefix}outbound.sms", self.client.codec.encode(each), "R-1001", headers=[*headers_of(each, {})])
        assert producer.flush(30) == 0
        return [each.reference for each in messages]

    def receipts(self) -> list[Mapping[str, Any]]:
        return [self.client.codec.describe(each.value) for each in self.client.read(RECEIPTS)]


@pytest.fixture
def topics(cluster: LocalCluster) -> Topics:
    return Topics(cluster)


def test_forty_lines_of_python_deliver_each_message_once(topics: Topics, tmp_path: Path) -> None:
    code = block("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 40
    script = tmp_path / "provider.py"
    script.write_text(code)
    sent = topics.send(1, 2)
    topics.send(3, expires_at=1)
    run_until_answered(script, topics, len(sent))
    sent += topics.send(4)
    run_until_answered(script, topics, len(sent))
    assert sorted((each["reference"], each["status"]) for each in topics.receipts()) == sorted((each, "delivered") for each in sent)


def run_until_answered(script: Path, topics: Topics, count: int) -> None:
    """Run the provider until there are this many receipts, then kill it."""
    variables = {**os.environ, **topics.variables}
    with subprocess.Popen([sys.executable, script], env=variables, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        try:
            until("a receipt for each message", lambda: len(topics.receipts()) >= count)
        finally:
            process.kill()


def test_kafkas_own_tools_show_the_reference_and_report_on_it(topics: Topics, tmp_path: Path) -> None:
    (reference,) = topics.send(1)
    for name, main in MAIN.items():
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nexec {java()} -Xmx128m -cp {":".join(map(str, [tools(), *kafka_jars(print)]))} {main} "$@"\n')
        program.chmod(0o755)
    shell = block("console").replace("--topic vn.", f"--topic {topics.prefix}").replace("R-1001.0a1b2c3d4e5f0a1b2c3d", reference)
    variables = {**os.environ, **topics.variables, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-ec", shell], env=variables, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert f"ce_id:{reference}" in done.stdout
    assert "+1804" not in done.stdout
    (receipt,) = topics.receipts()
    assert (receipt["reference"], receipt["status"]) == (reference, "delivered")


def tools() -> Path:
    """Return the jar of Kafka's command line tools, fetched once."""
    found = MavenContext(timeout=60).create_dependency(f"org.apache.kafka:kafka-tools:{VERSION}").artifact.resolve()
    assert hashlib.sha256(found.read_bytes()).hexdigest() == TOOLS_SHA256
    return Path(found)
