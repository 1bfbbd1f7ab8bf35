"""Killed or stopped at every point of the protocol: nothing lost, nothing twice, nothing wrong."""

import signal

import pytest

from processors.runtime.run.faults import POINTS
from tests.broker.harness import ProbeHarness

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]


def test_killed_at_every_point(harness: ProbeHarness) -> None:
    for point in POINTS:
        harness.send(150)
        worker = harness.start(f"probe.{point}=kill@{1 if point in {'assigned', 'restored'} else 2}")
        harness.send(150)
        if point not in {"assigned", "restored"}:
            worker.wait_for_log('"event": "batch"')
        harness.send(50)
        assert worker.wait_for_exit() == -signal.SIGKILL, point
    harness.start()
    harness.wait_until_settled()
    harness.verify()


def test_a_zombie_changes_nothing_wherever_it_stood_still(harness: ProbeHarness) -> None:
    points = ("decided", "begun", "produced", "sent", "committed")
    for point in points:
        harness.send(200)
        zombie = harness.start(f"probe.{point}=stop@2")
        zombie.wait_for_log('"event": "batch"')
        harness.send(100)
        zombie.wait_until_stopped()
        heir = harness.start()
        harness.wait_until_settled()
        harness.send(100)
        harness.wait_until_settled()
        zombie.signal(signal.SIGCONT)
        zombie.wait_for_log('"event": "start_over"')
        harness.send(100)
        harness.wait_until_settled()
        harness.verify()
        heir.kill()
        zombie.kill()


def test_a_bug_ends_the_process_and_commits_nothing(harness: ProbeHarness) -> None:
    harness.send(50)
    worker = harness.start("probe.decided=raise")
    assert worker.wait_for_exit() == 1
    assert harness.answers().total() == 0
    harness.start()
    harness.wait_until_settled()
    harness.verify()
