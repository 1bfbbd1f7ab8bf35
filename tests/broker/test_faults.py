"""Killed or stopped at every point of the protocol: nothing lost, nothing twice, nothing wrong."""

import signal

import pytest

from processors.runtime.run.faults import POINTS
from tests.broker.testbed import Testbed

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def test_killed_at_every_point(testbed: Testbed) -> None:
    for point in POINTS:
        testbed.send(150)
        worker = testbed.start(f"probe.{point}=kill@{1 if point in {'assigned', 'restored'} else 2}")
        testbed.send(150)
        if point not in {"assigned", "restored"}:
            worker.wait_for_log('"event": "batch"')
        testbed.send(50)
        assert worker.wait_for_exit() == -signal.SIGKILL, point
    testbed.start()
    testbed.wait_until_settled()
    testbed.verify()


def test_a_zombie_changes_nothing_wherever_it_stood_still(testbed: Testbed) -> None:
    points = ("decided", "begun", "produced", "sent", "committed")
    for point in points:
        testbed.send(200)
        zombie = testbed.start(f"probe.{point}=stop@2")
        zombie.wait_for_log('"event": "batch"')
        testbed.send(100)
        zombie.wait_until_stopped()
        heir = testbed.start()
        testbed.wait_until_settled()
        testbed.send(100)
        testbed.wait_until_settled()
        zombie.signal(signal.SIGCONT)
        zombie.wait_for_log('"event": "start_over"')
        testbed.send(100)
        testbed.wait_until_settled()
        testbed.verify()
        heir.kill()
        zombie.kill()


def test_a_bug_ends_the_process_and_commits_nothing(testbed: Testbed) -> None:
    testbed.send(50)
    worker = testbed.start("probe.decided=raise")
    assert worker.wait_for_exit() == 1
    assert testbed.answers().total() == 0
    testbed.start()
    testbed.wait_until_settled()
    testbed.verify()
