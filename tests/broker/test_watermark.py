"""Holds in real time, with real processes: they wait for earlier stages that lag, and for nothing else."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import json

from processors.domain.policy import Policy
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.topics import DECISIONS, DISTINCT, POLICIES, SUBMISSIONS
from tests.broker.harness import SHORT_TIMEOUTS, environment, until
from tests.stories.builders import submission

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

HOLD = 30
START = 150.0  # seconds that processes may take to start on a machine that is busy
SETTINGS = {"cancel.hold": f"{HOLD}s"}
# The control: a stage whose watermark is the clock.
BY_THE_CLOCK = "from processors.runtime.run.runner import Runner; Runner._watermark = lambda self, task, now: now; "
RUN = "from processors.cli.main import run; run()"


class Deployment:
    """One prefix on the cluster, and the processes that run on it."""

    def __init__(self, cluster: LocalCluster, folder: Path) -> None:
        self.variables = {
            **cluster.addresses.environment,
            **SHORT_TIMEOUTS,
            "VN_TOPIC_PREFIX": f"w{os.getpid()}-{time.monotonic_ns()}.",
            "VN_PARTITIONS": "2",
        }
        with environment(self.variables):
            self.client = UserClient(Settings())
            create_topics(Settings())
        self._folder = folder
        self._action_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600))
        self._processes: list[subprocess.Popen[bytes]] = []
        encode = self.client.codec.encode
        self.client.send(POLICIES, [(f"{key}|||", encode(Policy(key=key, value=value))) for key, value in SETTINGS.items()])

    def start(self, *stages: str, without: str = "") -> "subprocess.Popen[bytes]":
        log = (self._folder / f"{len(self._processes)}.log").open("wb")
        command = [sys.executable, "-c", f"{without}{RUN}", "run", *stages]
        with log:
            self._processes.append(subprocess.Popen(command, env={**os.environ, **self.variables}, stderr=log))
        return self._processes[-1]

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()

    def submit(self, message_id: str, **fields: str) -> None:
        document = submission(message_id=message_id, action_at=self._action_at, **fields)
        self.client.send(SUBMISSIONS, [(document["agency"]["ori"], json.encode(document))])

    def reasons(self, message_id: str, stage: str) -> list[str]:
        batches = [self.client.codec.decode(record.value or b"") for record in self.client.read(DECISIONS)]
        return [each.reason for batch in batches for each in batch.verdicts if (each.message_id, each.stage) == (message_id, stage)]

    def received(self, message_id: str) -> int:
        """Return when the broker received a submission."""
        return next(each.timestamp for each in self.client.read(SUBMISSIONS) if json.decode(each.value or b"")["message_id"] == message_id)

    def passed_on(self) -> list[str]:
        """Return what dedupe passed on, as news, change or cancellation."""
        return [self.client.codec.decode(record.value or b"").telling for record in self.client.read(DISTINCT)]


@pytest.fixture
def deployment(cluster: LocalCluster, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(cluster, tmp_path)
    yield made
    made.close()


def cancelled(deployment: Deployment) -> float:
    """Have an event sent and cancelled; return when the cancellation was sent."""
    deployment.submit("ADD")
    until("it is told", lambda: deployment.passed_on() == ["news"], START)
    sent = time.time()
    deployment.submit("CANCEL", operation="Cancel", refers_to="ADD")
    until("the cancellation waits", lambda: deployment.reasons("CANCEL", "dedupe") == ["cancel_hold"])
    return sent


def passed(moment: float) -> Callable[[], bool]:
    return lambda: time.time() > moment


@pytest.mark.parametrize("without", ["", BY_THE_CLOCK], ids=["", "by the clock"])
def test_a_hold_waits_for_a_read_that_lags(deployment: Deployment, without: str) -> None:
    read = deployment.start("read")
    deployment.start("identify")
    deployment.start("dedupe", without=without)
    sent = cancelled(deployment)
    read.kill()
    deployment.submit("AGAIN")
    assert deployment.received("AGAIN") < deployment.received("CANCEL") + HOLD * 1000, "the machine is too busy for this test"
    until("the hold is over", (lambda: len(deployment.passed_on()) > 1) if without else passed(sent + HOLD + 4))
    assert deployment.passed_on() == (["news", "cancellation"] if without else ["news"])
    deployment.start("read")
    until("it was sent again", lambda: deployment.reasons("AGAIN", "dedupe"), START)
    if without:
        assert deployment.reasons("AGAIN", "dedupe") == ["first_sighting"]
    else:
        assert deployment.reasons("AGAIN", "dedupe") == ["resubmitted"]
        until("nothing waits any more", passed(time.time() + 2))
        assert deployment.passed_on() == ["news"]


def test_a_hold_ends_without_traffic_and_if_one_stage_runs_alone(deployment: Deployment) -> None:
    others = deployment.start("read", "identify", "dedupe")
    sent = cancelled(deployment)
    others.terminate()
    assert others.wait(30) == 0
    deployment.start("dedupe")
    until("the cancellation goes on", lambda: deployment.reasons("CANCEL", "dedupe") == ["cancel_hold", "cancelled"], START)
    assert time.time() > sent + HOLD
