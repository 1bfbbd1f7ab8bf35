"""Records of several inputs are decided in the order in which they were received."""

from collections.abc import Mapping
from math import inf

import pytest

from processors.ingest.read.decide import READ
from processors.runtime.decide.task import Task
from processors.runtime.run import receive_order
from processors.runtime.run.receive_order import SILENT_SECONDS, START_SECONDS, ReceiveOrder
from processors.runtime.wire.changelog import Position
from processors.stage import Record
from tests.runtime.stepped_clock import SteppedClock

MAIN = "submissions"
NAMES = [topic.name for topic in READ.inputs]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SteppedClock:
    found = SteppedClock()
    monkeypatch.setattr(receive_order, "monotonic", found)
    return found


@pytest.fixture
def order(clock: SteppedClock) -> ReceiveOrder:
    made = ReceiveOrder(MAIN)
    made.begin()
    return made


def tasks_of(count: int) -> dict[int, Task]:
    positions = dict.fromkeys(NAMES, 0)
    return {number: Task(READ, number, Position(0, positions), dict(positions), {}) for number in range(count)}


def end(tasks: Mapping[int, Task], *, main: bool = True) -> None:
    """Every input has been read to its end; without `main` all but the submissions."""
    for task in tasks.values():
        for name in NAMES:
            if main or name != MAIN:
                task.reach_end(name, task.fetched[name])


def arrive(order: ReceiveOrder, task: Task, topic: str, timestamp: int) -> None:
    task.enqueue(topic, Record(topic, task.partition, task.fetched[topic], None, timestamp, b"", b""))
    order.arrive(topic, task.partition, timestamp)
    order.sort(task)


def test_nothing_is_decided_until_the_other_inputs_have_been_read_to_their_ends(order: ReceiveOrder) -> None:
    tasks = tasks_of(2)
    arrive(order, tasks[0], MAIN, 5)
    assert order.until(tasks, 9) == -inf
    end(tasks, main=False)
    assert order.until(tasks, 9) == inf


def test_an_input_that_does_not_end_is_not_waited_for_for_ever(order: ReceiveOrder, clock: SteppedClock) -> None:
    tasks = tasks_of(1)
    arrive(order, tasks[0], MAIN, 5)
    clock.now += START_SECONDS
    assert order.until(tasks, 9) == inf


def test_a_registration_comes_before_the_submission_that_was_received_after_it(order: ReceiveOrder) -> None:
    tasks = tasks_of(1)
    for topic, timestamp in ((MAIN, 3), (MAIN, 7), ("registrations", 5), (MAIN, 7), ("registrations", 7)):
        arrive(order, tasks[0], topic, timestamp)
    assert [(topic, record.timestamp) for topic, record in tasks[0].queue] == [
        (MAIN, 3),
        ("registrations", 5),
        (MAIN, 7),
        (MAIN, 7),
        ("registrations", 7),
    ]
    offsets = [record.offset for topic, record in tasks[0].queue if topic == MAIN]
    assert offsets == sorted(offsets)


def test_what_was_received_later_waits_until_every_partition_has_been_read_as_far(order: ReceiveOrder) -> None:
    tasks = tasks_of(3)
    end(tasks)
    assert order.until(tasks, 9) == inf
    arrive(order, tasks[0], "registrations", 50)
    assert order.until(tasks, 9) == inf  # no submission is known to be on its way
    arrive(order, tasks[1], MAIN, 20)
    arrive(order, tasks[2], MAIN, 30)
    assert order.until(tasks, 9) == 20
    arrive(order, tasks[1], MAIN, 60)
    assert order.until(tasks, 9) == 30
    tasks[2].reach_end(MAIN, tasks[2].fetched[MAIN])
    assert order.until(tasks, 9) == 60


def test_submissions_alone_wait_for_nothing(order: ReceiveOrder) -> None:
    tasks = tasks_of(2)
    end(tasks)
    arrive(order, tasks[0], MAIN, 20)
    arrive(order, tasks[1], MAIN, 10)
    assert order.until(tasks, 9) == inf


def test_a_partition_that_sends_nothing_is_not_waited_for(order: ReceiveOrder, clock: SteppedClock) -> None:
    tasks = tasks_of(2)
    end(tasks)
    assert order.until(tasks, 9) == inf
    arrive(order, tasks[0], MAIN, 20)
    arrive(order, tasks[1], "registrations", 50)
    assert order.until(tasks, 9) == 20
    clock.now += SILENT_SECONDS
    assert order.until(tasks, 9) == inf


def test_a_partition_that_cannot_decide_all_at_once_holds_the_others_back(order: ReceiveOrder) -> None:
    tasks = tasks_of(2)
    end(tasks)
    assert order.until(tasks, 9) == inf
    for timestamp in (10, 20, 30):
        arrive(order, tasks[0], MAIN, timestamp)
    arrive(order, tasks[1], "registrations", 25)
    tasks[0].reach_end(MAIN, tasks[0].fetched[MAIN])
    assert order.until(tasks, 3) == inf
    assert order.until(tasks, 2) == 20
