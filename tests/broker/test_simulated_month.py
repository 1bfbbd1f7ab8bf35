"""A simulated month through `vn run all` on a real broker and store ends exactly as the oracle says."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from processors.cli.simulate import play_feed, write
from processors.domain.tick import Tick
from processors.domain.time import millis
from processors.pipeline import PIPELINE
from processors.rehearsal.answer_key import differences
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.simulation.world import simulate
from processors.topics import CLOCK
from tests.broker.harness import environment, until

START = millis("2026-03-01T00:00:00-05:00")
UNITS = sum(map(len, PIPELINE.values()))

pytestmark = [pytest.mark.long, pytest.mark.broker, pytest.mark.timeout(600, method="signal")]


@contextmanager
def everything_runs(log: Path) -> Iterator[None]:
    """Run all stages, with the current environment."""
    command = [sys.executable, "-c", "from processors.cli.main import run; run()", "run", "all"]
    with log.open("w") as file, subprocess.Popen(command, stderr=file, stdout=file) as process:
        try:
            client = UserClient(Settings())
            client.send(CLOCK, [(None, client.codec.encode(Tick(START)))])  # before it, no stage knows what time it is
            until("all units run", lambda: log.read_text().count('"event": "ready"') == UNITS, 150)
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def test_a_simulated_month_comes_to_what_the_oracle_says(cluster: LocalCluster, tmp_path: Path) -> None:
    world = simulate(START, 30, 7, 0.0002)
    key = world.key()
    assert len(key["told"]) > 3
    assert len(key["held"]) > 15
    assert key["rejected"]
    write(world, key, tmp_path)
    variables = {
        **cluster.addresses.environment,
        "VN_TOPIC_PREFIX": f"m{os.getpid()}-{time.monotonic_ns()}.",
        "VN_PARTITIONS": "2",
        "VN_CLOCK": "topic",
    }
    with environment(variables):
        create_topics(Settings())
        with everything_runs(tmp_path / "log"):
            result = play_feed(tmp_path)
    assert differences(json.loads((tmp_path / "key.json").read_text()), *result) == []
