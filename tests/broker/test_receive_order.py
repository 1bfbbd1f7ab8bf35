"""After an outage, ingest processes registrations and submissions in the order in which they were received."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import json

from processors.domain.intake import Intake
from processors.runtime.kafka.topics_admin import create_topics
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.local import LocalCluster
from processors.runtime.settings import Settings
from processors.topics import INTAKE, REGISTRATIONS, SUBMISSIONS
from tests.broker.harness import SHORT_TIMEOUTS, environment, until
from tests.stories.builders import registration, submission

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]

ALONE = 1_000  # submissions that come before the first registration
PAIRS = 100  # of a registration, and a submission received after it
# The control: an ingest that decides records in the order in which they were fetched.
AS_FETCHED = (
    "from processors.runtime.run.receive_order import ReceiveOrder, inf; "
    "ReceiveOrder.until = lambda *_: inf; ReceiveOrder.sort = lambda *_: None; "
)
RUN = "from processors.cli.main import run; run()"


@pytest.fixture
def variables(cluster: LocalCluster) -> dict[str, str]:
    prefix = f"o{os.getpid()}-{time.monotonic_ns()}."
    return {**cluster.addresses.environment, **SHORT_TIMEOUTS, "VN_TOPIC_PREFIX": prefix, "VN_PARTITIONS": "2"}


@pytest.fixture
def client(variables: dict[str, str]) -> Iterator[UserClient]:
    with environment(variables):
        create_topics(Settings())
        yield UserClient(Settings())


def send_backlog(client: UserClient) -> None:
    """Send submissions, then registrations and submissions in turns, each when the one before has been received."""

    def encoded(number: int) -> tuple[str, bytes]:
        return f"ORI{number}", json.encode(submission(message_id=f"M-{number}"))

    client.send(SUBMISSIONS, [encoded(number) for number in range(ALONE)])
    for number in range(PAIRS):
        client.send(REGISTRATIONS, [(f"G-{number}", json.encode(registration(f"R-{number}", registration_id=f"G-{number}")))])
        client.send(SUBMISSIONS, [encoded(ALONE + number)])


@pytest.mark.parametrize("without", ["", AS_FETCHED], ids=["", "as fetched"])
def test_a_backlog_is_taken_in_the_order_in_which_it_was_received(
    client: UserClient, variables: dict[str, str], tmp_path: Path, without: str
) -> None:
    send_backlog(client)
    with (tmp_path / "read.log").open("wb") as log:
        read = subprocess.Popen([sys.executable, "-c", f"{without}{RUN}", "run", "read"], env={**os.environ, **variables}, stderr=log)
    try:
        until("everything was passed on", lambda: len(list(client.read(INTAKE))) == ALONE + 2 * PAIRS, 150.0)
    finally:
        read.kill()
        read.wait()
    intake = [client.codec.decode(record.value or b"") for record in client.read(INTAKE)]
    assert all(is_in_place(intake, place) for place, each in enumerate(intake) if each.kind == "registration") is not bool(without)


def is_in_place(intake: list[Intake], place: int) -> bool:
    """Whether a record comes after everything that was received before it, and before everything that was received after it."""
    at = intake[place].received_at
    return all(each.received_at <= at for each in intake[:place]) and all(each.received_at >= at for each in intake[place:])
