"""`vn run`: stages as processes that are killed and restarted; none is left running."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from processors.domain.tick import Tick
from processors.runtime.kafka.clients import Broker
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.local.ports import is_free
from processors.runtime.settings import Settings
from processors.topics import CLOCK, DEAD_LETTERS, REGISTRATIONS, SUBMISSIONS
from tests.broker.harness import SHORT_TIMEOUTS, environment, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def variables(cluster: LocalCluster) -> dict[str, str]:
    return {
        **cluster.addresses.environment,
        **SHORT_TIMEOUTS,
        "VN_TOPIC_PREFIX": f"r{os.getpid()}-{time.monotonic_ns()}.",
        "VN_PARTITIONS": "2",
    }


@pytest.fixture
def run(variables: dict[str, str], tmp_path: Path) -> Iterator[Run]:
    with environment(variables):
        create_topics(Settings())
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **more: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", "from processors.cli.main import run; run()", "run", *arguments]
        log = (tmp_path / "log").open("w")
        with log:
            started.append(subprocess.Popen(command, env={**os.environ, **variables, **more}, stderr=log, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def children(log: Path) -> list[int]:
    return [int(pid) for pid in re.findall(r'"pid": (\d+), "event": "started"', log.read_text())]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_ends_by_itself_when_nothing_is_in_flight(run: Run) -> None:
    assert run("dedupe", "--until-idle", "0.5").wait(120) == 0


def test_a_killed_unit_is_started_again_and_a_killed_supervisor_leaves_none(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    port = next(number for number in range(19_000, 20_000) if is_free(number))
    process = run("dedupe", "match", VN_METRICS_PORT=str(port))
    until("both run", lambda: log.read_text().count('"event": "ready"') == 2)
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    assert 'vn_ready{unit="dedupe"} 1.0' in metrics
    assert 'vn_ready{unit="match"} 1.0' in metrics
    os.kill(children(log)[0], signal.SIGKILL)
    until("it is started again", lambda: log.read_text().count('"event": "ready"') == 3)
    process.kill()
    until("no unit is left", lambda: all(gone(pid) for pid in children(log)))


def test_a_clean_stop_is_quick_and_leaves_none(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = run("ingest")
    until("both run", lambda: log.read_text().count('"event": "ready"') == 2)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(30) == 0
    assert time.monotonic() - began < 10
    assert all(gone(pid) for pid in children(log))


def test_a_stage_without_a_time_on_the_topic_clock_says_once_what_it_waits_for(run: Run, variables: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    run("dedupe", VN_CLOCK="topic")
    waits = '"event": "waits_for_clock"'
    until("it says what it waits for", lambda: waits in log.read_text())
    time.sleep(2)  # it asks for a time many times a second
    text = log.read_text()
    assert text.count(waits) == 1
    assert f"no time is on {variables['VN_TOPIC_PREFIX']}clock yet: with VN_CLOCK=topic set, `vn simulate --play` writes it" in text
    assert '"event": "ready"' not in text
    with environment(variables):
        client = UserClient(Settings())
        client.send(CLOCK, [(None, client.codec.encode(Tick(1_793_628_000_000)))])
    until("it is ready", lambda: '"event": "ready"' in log.read_text())


def test_a_unit_that_fails_ends_them_all(run: Run, tmp_path: Path) -> None:
    assert run("dedupe", "match", VN_FAULTS="match.restored=raise").wait(120) == 1
    assert all(gone(pid) for pid in children(tmp_path / "log"))
    assert "InjectedFault" in (tmp_path / "log").read_text()


def test_one_outsiders_record_larger_than_the_pipeline_can_write_does_not_end_read(run: Run, variables: dict[str, str]) -> None:
    """The broker limits the compressed size of a batch: forty million blanks pass it."""
    producer = Producer(
        {
            "bootstrap.servers": variables["KAFKA_BOOTSTRAP_SERVERS"],
            "compression.type": "lz4",
            "message.max.bytes": 50_000_000,
            "queue.buffering.max.kbytes": 100_000,
        }
    )
    topic = variables["VN_TOPIC_PREFIX"] + SUBMISSIONS.name
    producer.produce(topic, b"{" + b" " * 40_000_000, b"\xff" * 5_000, 0)
    producer.produce(topic, b"{}", b"VA1", 0)
    assert producer.flush(30) == 0
    assert run("ingest", "--until-idle", "0.5").wait(120) == 0
    with environment(variables):
        letters = sorted(UserClient(Settings()).values(DEAD_LETTERS), key=lambda each: each.offset)  # they may lie in two partitions
    assert [(each.offset, each.reason, each.length) for each in letters] == [(0, "too_large", 40_000_001), (1, "missing_field", None)]


def test_read_does_not_start_over_when_its_offsets_are_lost(run: Run, variables: dict[str, str], tmp_path: Path) -> None:
    with environment(variables):
        settings = Settings()
        UserClient(settings).send(REGISTRATIONS, [("V-1", None)])
        assert run("ingest", "--until-idle", "0.5").wait(120) == 0
        admin, group = Broker(settings).admin(), f"{settings.topic_prefix}read"
        until("the group is empty", lambda: admin.delete_consumer_groups([group])[group].exception(10) is None)
    assert run("ingest").wait(120) == 1
    assert "the committed offsets of read are lost" in (tmp_path / "log").read_text()
