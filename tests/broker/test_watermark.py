"""Holds by the wall's clock, with real processes: they wait for earlier stages that lag, and for nobody else."""

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
from processors.runtime.kafka.user_client import Client
from processors.runtime.local import Local
from processors.runtime.settings import Settings
from processors.topics import DECISIONS, OUTBOUND, POLICIES, REGISTRATIONS, SUBMISSIONS
from tests.broker.harness import SHORT_TIMEOUTS, environment, until
from tests.stories.builders import registration, submission

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

HOLD = 6
SETTINGS = {"cancel.hold": f"{HOLD}s", "merge.window": "0s", "quiet.hours": "none"}
LATER = ("identify", "dedupe", "validate", "match", "deliver")
# The control: a stage whose watermark is the clock.
BY_THE_CLOCK = "from processors.runtime.run.runner import Runner; Runner._watermark = lambda self, task, now: now; "
RUN = "from processors.cli.main import run; run()"


class Deployment:
    """One prefix on the cluster, and the processes that run on it."""

    def __init__(self, cluster: Local, folder: Path) -> None:
        self.variables = {
            **cluster.addresses.environment,
            **SHORT_TIMEOUTS,
            "VN_TOPIC_PREFIX": f"w{os.getpid()}-{time.monotonic_ns()}.",
            "VN_PARTITIONS": "2",
        }
        with environment(self.variables):
            self.client = Client(Settings())
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
        document = submission(
            message_id=message_id, action_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 600)), **fields
        )
        self.client.send(SUBMISSIONS, [(document["agency"]["ori"], json.encode(document))])

    def reasons(self, message_id: str, stage: str) -> list[str]:
        batches = [self.client.codec.decode(record.value or b"") for record in self.client.read(DECISIONS)]
        return [each.reason for batch in batches for each in batch.verdicts if (each.message_id, each.stage) == (message_id, stage)]

    def kinds(self) -> list[str]:
        return [self.client.codec.decode(record.value or b"").kind for record in self.client.read(OUTBOUND["sms"])]


@pytest.fixture
def deployment(cluster: Local, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(cluster, tmp_path)
    yield made
    made.close()


def cancelled(deployment: Deployment) -> float:
    """Have an event told and cancelled; return when the cancellation was sent."""
    person = registration()
    deployment.client.send(REGISTRATIONS, [(person["registration_id"], json.encode(person))])
    deployment.submit("ADD")
    until("it is told", lambda: deployment.kinds() == ["notification"])
    sent = time.time()
    deployment.submit("CANCEL", operation="Cancel", refers_to="ADD")
    until("the cancellation waits", lambda: deployment.reasons("CANCEL", "dedupe") == ["cancel_hold"])
    return sent


def passed(moment: float) -> Callable[[], bool]:
    return lambda: time.time() > moment


@pytest.mark.parametrize("without", ["", BY_THE_CLOCK], ids=["", "by the clock"])
def test_a_hold_waits_for_a_front_door_that_lags(deployment: Deployment, without: str) -> None:
    read = deployment.start("read")
    for stage in LATER:
        deployment.start(stage, without=without)
    sent = cancelled(deployment)
    read.kill()
    deployment.submit("AGAIN")
    until("the hold is over", (lambda: len(deployment.kinds()) > 1) if without else passed(sent + HOLD + 4))
    assert deployment.kinds() == (["notification", "correction"] if without else ["notification"])
    deployment.start("read")
    until("it was sent again", lambda: deployment.reasons("AGAIN", "dedupe"))
    if without:
        assert deployment.reasons("AGAIN", "dedupe") == ["first_sighting"]
    else:
        assert deployment.reasons("AGAIN", "dedupe") == ["resubmitted"]
        until("nothing waits any more", passed(time.time() + 2))
        assert deployment.kinds() == ["notification"]


def test_a_hold_ends_without_traffic_and_where_one_stage_runs_alone(deployment: Deployment) -> None:
    others = [deployment.start("read", "identify", "dedupe", "validate", "match", "deliver")]
    sent = cancelled(deployment)
    others[0].terminate()
    assert others[0].wait(30) == 0
    deployment.start("dedupe")
    until("the cancellation goes on", lambda: deployment.reasons("CANCEL", "dedupe") == ["cancel_hold", "cancelled"])
    assert time.time() > sent + HOLD
