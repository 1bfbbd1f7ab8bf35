"""A record that ends the process, and one that an operator set aside, on a real broker: everything else goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from processors.runtime.decide.failures import PROCESS_ENDED
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.topics import DEAD_LETTERS, DECISIONS, SUBMISSIONS
from tests.broker.harness import SHORT_TIMEOUTS, environment

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

DEADLY = """
import os, signal, sys
from dataclasses import replace
from processors.pipeline import PIPELINE
from processors.runtime.run.supervise import run_stage
from processors.runtime.run.telemetry import configure
from processors.runtime.settings import Settings

stages = [stage for stages in PIPELINE.values() for stage in stages]
read = stages[0]

def decide(each, states, context):
    if b"deadly" in (getattr(each, "raw", None) or b""):
        os.kill(os.getpid(), signal.SIGKILL)
    return read.decide(each, states, context)

settings = Settings()
configure("info", "json")
sys.exit(run_stage(replace(read, decide=decide), stages, settings, idle=0.5))
"""

Start = Callable[[], int]


@pytest.fixture
def variables(cluster: LocalCluster, tmp_path: Path) -> dict[str, str]:
    found = {
        **cluster.addresses.environment,
        **SHORT_TIMEOUTS,
        "VN_TOPIC_PREFIX": f"p{os.getpid()}-{time.monotonic_ns()}.",
        "VN_PARTITIONS": "2",
        "TMPDIR": str(tmp_path),
    }
    with environment(found):
        create_topics(Settings())
    return found


def run_once(variables: dict[str, str]) -> int:
    """Run `read` until it is idle; return how it ended."""
    done = subprocess.run([sys.executable, "-c", DEADLY], env={**os.environ, **variables}, capture_output=True, timeout=60, check=False)
    return done.returncode


def quarantined(variables: dict[str, str]) -> list[tuple[int, int, str]]:
    with environment(variables):
        return [
            (each.partition, each.offset, each.detail)
            for each in UserClient(Settings()).values(DEAD_LETTERS)
            if each.reason == "quarantined"
        ]


def accepted_messages(variables: dict[str, str]) -> set[str]:
    """Return the messages that `read` decided, by id."""
    with environment(variables):
        return {
            each.message_id for batch in UserClient(Settings()).values(DECISIONS) for each in batch.verdicts if each.reason != "quarantined"
        }


def submit(variables: dict[str, str], *names: str) -> None:
    with environment(variables):
        UserClient(Settings()).send(
            SUBMISSIONS, [("VA1", b'{"message_id": "%s", "agency": {"ori": "VA1"}}' % name.encode()) for name in names]
        )


def test_a_record_that_ends_the_process_three_times_is_set_aside(variables: dict[str, str]) -> None:
    submit(variables, "fine-1", "deadly", "fine-2")
    assert [run_once(variables) for _ in range(4)] == [-signal.SIGKILL] * 3 + [0]
    ((_, offset, detail),) = quarantined(variables)
    assert offset == 1
    assert PROCESS_ENDED in detail
    assert accepted_messages(variables) == {"fine-1", "fine-2"}


def test_an_operator_sets_a_record_aside_while_the_stage_is_down_and_sends_it_again(variables: dict[str, str]) -> None:
    submit(variables, "fine-1")
    assert run_once(variables) == 0
    submit(variables, "deadly", "fine-2")
    assert run_once(variables) == -signal.SIGKILL
    with environment(variables):
        place = next(each for each in UserClient(Settings()).read(SUBMISSIONS) if b"deadly" in (each.value or b""))
    command = [sys.executable, "-m", "processors", "quarantine", "submissions", str(place.partition), str(place.offset)]
    command += ["--reason", "it ends the process", "--as", "ann"]
    done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, check=False)
    name = f"submissions-{place.partition}-{place.offset}"
    assert (done.returncode, done.stdout) == (0, f"{name}\n"), done.stderr
    assert run_once(variables) == 0
    assert quarantined(variables) == [(place.partition, place.offset, "set aside by hand: it ends the process (ann)")]
    assert accepted_messages(variables) == {"fine-1", "fine-2"}
    again = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 1
    assert "there is nothing left to set aside" in again.stderr
    replay = [sys.executable, "-m", "processors", "dead-letters", "replay", name]
    assert subprocess.run(replay, env={**os.environ, **variables}, capture_output=True, timeout=60, check=False).returncode == 0
    with environment(variables):
        assert sum(b"deadly" in (each.value or b"") for each in UserClient(Settings()).read(SUBMISSIONS)) == 2
