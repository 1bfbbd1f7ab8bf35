"""The pipeline on Kafka and Redis in containers, where a container engine answers (contract §7)."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.redis import RedisContainer

ROOT = Path(__file__).parents[2]
ALONE = {"KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1", "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1"}  # one broker


def engine_answers() -> bool:
    """Whether a container engine answers."""
    return shutil.which("docker") is not None and subprocess.run(["docker", "info"], check=False, capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(600, method="signal"),
    pytest.mark.skipif(not engine_answers(), reason="no container engine answers: `docker info` fails"),
]


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of a pipeline on a broker and a store in containers."""
    key = tmp_path_factory.mktemp("containers") / "key"
    key.touch(mode=0o600)
    key.write_text("ab" * 64 + "\n")
    kafka = KafkaContainer().with_kraft()
    for name, value in ALONE.items():
        kafka.with_env(name, value)
    with kafka, RedisContainer("redis:7-alpine", command="redis-server --appendonly yes --maxmemory-policy noeviction") as redis:
        store = f"redis://{redis.get_container_host_ip()}:{redis.get_exposed_port(redis.port)}/0"
        yield {"KAFKA_BOOTSTRAP_SERVERS": kafka.get_bootstrap_server(), "REDIS_URL": store, "VN_KEY_FILE": str(key)}


def test_a_message_goes_all_the_way(variables: dict[str, str]) -> None:
    def vn(*arguments: str, stdin: str = "") -> str:
        command, given = [sys.executable, "-m", "processors", *arguments], {**os.environ, **variables}
        return subprocess.run(command, input=stdin, env=given, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    vn("topics", "create")
    vn("register", "-", stdin=vn("sample", "registration"))
    vn("run", "all", "--until-idle", "3")
    vn("submit", "-", stdin=vn("sample", "icots-departure"))
    vn("run", "all", "--until-idle", "10")
    assert "John Q Sample left Virginia" in vn("tail", "outbound.sms", "--from-beginning", "--timeout", "2", "--json")
    assert "fix" not in vn("doctor")
