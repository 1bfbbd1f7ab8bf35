"""Killed or stood still at every point of the protocol: nothing lost, nothing twice, nothing wrong."""

import signal

import pytest

from processors.runtime.run.faults import POINTS
from tests.broker.bench import Bench

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def test_killed_at_every_point(bench: Bench) -> None:
    for point in POINTS:
        bench.send(150)
        worker = bench.start(f"probe.{point}=kill@{1 if point in {'assigned', 'restored'} else 2}")
        bench.send(150)
        if point not in {"assigned", "restored"}:
            worker.said('"event": "batch"')
        bench.send(50)
        assert worker.died() == -signal.SIGKILL, point
    bench.start()
    bench.settle()
    bench.verify()


def test_a_zombie_changes_nothing_wherever_it_stood_still(bench: Bench) -> None:
    points = ("decided", "begun", "produced", "sent", "committed")
    for point in points:
        bench.send(200)
        zombie = bench.start(f"probe.{point}=stop@2")
        zombie.said('"event": "batch"')
        bench.send(100)
        zombie.stopped()
        heir = bench.start()
        bench.settle()
        bench.send(100)
        bench.settle()
        zombie.signal(signal.SIGCONT)
        zombie.said('"event": "start_over"')
        bench.send(100)
        bench.settle()
        bench.verify()
        heir.kill()
        zombie.kill()


def test_a_bug_ends_the_process_and_commits_nothing(bench: Bench) -> None:
    bench.send(50)
    worker = bench.start("probe.decided=raise")
    assert worker.died() == 1
    assert bench.answers().total() == 0
    bench.start()
    bench.settle()
    bench.verify()
