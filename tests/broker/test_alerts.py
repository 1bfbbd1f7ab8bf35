"""
Operators are alerted: faults in a real pipeline, seen by a real Prometheus and Alertmanager with the files of deploy/,
arrive at a webhook within 90 seconds and clear within 120 seconds of the repair.

One of these tests runs with the other tests on the broker; `make alerts` runs all of them, in an hour.
"""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Event
from time import monotonic

import pytest

from processors.runtime.clock import wall_time
from processors.runtime.kafka.user_client import UserClient
from processors.runtime.settings import Settings
from processors.topics import DEAD_LETTERS
from tests.broker import board_load
from tests.broker.alert_times import record
from tests.broker.harness import environment
from tests.broker.operations import Operations

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager")), reason="Debian's prometheus is not installed"
    ),
]


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operations]:
    made = Operations(tmp_path_factory.mktemp("operations"))
    made.register()
    yield made
    made.close()


def settle_dead_letters(operations: Operations) -> None:
    with environment(operations.environment):
        letters = list(UserClient(Settings()).values(DEAD_LETTERS))
    for letter in letters:
        operations.vn("dead-letters", "settle", letter.dead_letter_id, "--reason", "a test")


def test_a_frozen_stage_and_a_dead_letter_each_arrive_and_clear(operations: Operations) -> None:
    operations.quiet()
    with operations.frozen("dedupe"):
        operations.submit(("VA0430000", b"<not well-formed"))
        refused = operations.fires("VnDeadLetterOpen")
        operations.fires("VnStageGone")
        settle_dead_letters(operations)
        settled = monotonic()
    operations.clears("VnStageGone")
    record("a record is refused", "quiet", "VnDeadLetterOpen", refused, operations.clears("VnDeadLetterOpen", settled))


@pytest.mark.long
def test_ten_quiet_minutes_wake_nobody(operations: Operations) -> None:
    operations.quiet()
    operations.hook.ever.clear()
    for _ in range(60):
        operations.submit_load(1)
        Event().wait(10)
    assert operations.hook.ever <= {"VnWatchdog"}


@contextmanager
def crashing(operations: Operations, stage: str) -> Iterator[None]:
    """Kill the stage every four seconds, as if a bad deployment kept ending it."""
    stop = threading.Event()

    def crash() -> None:
        while not stop.wait(4.0):
            try:
                os.kill(operations.stage_pid(stage), signal.SIGKILL)
            except (StopIteration, ProcessLookupError):
                continue  # it is being started

    thread = threading.Thread(target=crash)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    operations.wait_until_ready()


@contextmanager
def gone(operations: Operations) -> Iterator[None]:
    operations.stop("run")
    yield
    operations.start_stages()
    operations.wait_until_ready()


@contextmanager
def broker_away(operations: Operations) -> Iterator[None]:
    operations.local.kill_broker()
    yield
    operations.local.up()


@contextmanager
def store_away(operations: Operations) -> Iterator[None]:
    operations.local.kill_store()
    yield
    operations.local.up()


FAULTS = {
    "frozen": ("a stage is frozen", lambda operations: operations.frozen("match"), "VnStageGone"),
    "crashing": ("a stage ends every four seconds", lambda operations: crashing(operations, "match"), "VnStageGone"),
    "gone": ("all stages are gone", gone, "VnStageGone"),
    "broker": ("Kafka is gone", broker_away, "VnBrokerAway"),
    "store": ("Redis is gone", store_away, "VnStoreAway"),
}


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("traffic", ["quiet", "load"])
def test_a_fault_arrives_and_clears(operations: Operations, fault: str, traffic: str) -> None:
    operations.quiet()
    said, strike, alert = FAULTS[fault]
    with operations.load() if traffic == "load" else nullcontext():
        with strike(operations):
            fired = operations.fires(alert)
        record(said, traffic, alert, fired, operations.clears(alert))
    operations.quiet()


@pytest.mark.long
def test_an_emergency_in_review(operations: Operations) -> None:
    operations.quiet()
    operations.submit(board_load.emergency_for_review(wall_time()))
    due = monotonic() + 300
    Event().wait(290)
    fired = operations.fires("VnEmergencyInReview", due)
    (review,) = operations.open_reviews()
    operations.vn("review", "discard", review, "--reason", "a test")
    record(
        "an emergency waits for a reviewer, counted from its fifth minute",
        "quiet",
        "VnEmergencyInReview",
        fired,
        operations.clears("VnEmergencyInReview"),
    )


@pytest.mark.long
def test_an_agency_that_is_silent(operations: Operations) -> None:
    operations.quiet()
    operations.submit_load(len(board_load.AGENCIES))
    due = monotonic() + 60
    operations.vn("policy", "set", "feed.silence", "60s")
    fired = operations.fires("VnAgencySilent", due)
    with operations.load():
        record("an agency is silent, counted from its limit", "quiet", "VnAgencySilent", fired, operations.clears("VnAgencySilent"))
    operations.vn("policy", "unset", "feed.silence")


@pytest.mark.long
def test_an_emergency_that_leaves_late(operations: Operations) -> None:
    """The alert lasts half an hour, so it does not clear here."""
    operations.quiet()
    with operations.frozen("deliver"):
        operations.submit(board_load.emergency(wall_time()))
        Event().wait(75)  # later than notify.within
    record(
        "an emergency leaves late, counted from when it left", "quiet", "VnNotificationLate", operations.fires("VnNotificationLate"), None
    )


@pytest.mark.long
def test_a_canary_that_does_not_come_out(operations: Operations) -> None:
    operations.quiet()
    operations.stop("watch")
    with operations.frozen("deliver"):
        operations.start_watch(canary=True)
        fired = operations.fires("VnCanaryLate", monotonic() + 120)
    record("no canary comes out, counted from its second minute", "quiet", "VnCanaryLate", fired, operations.clears("VnCanaryLate"))


@pytest.mark.long
def test_the_watch_is_gone(operations: Operations) -> None:
    operations.quiet()
    operations.stop("watch")
    fired = operations.fires("VnWatchGone")
    operations.start_watch()
    record("the watch is gone", "quiet", "VnWatchGone", fired, operations.clears("VnWatchGone"))
