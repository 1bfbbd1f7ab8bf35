"""What a group member does around its steps, with scripted consumers."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition

from processors.runtime.errors import Restart, Retry
from processors.runtime.kafka import group_member, lost_brokers
from processors.runtime.kafka.group_member import FIRST_WAIT, LONGEST_WAIT, GroupMember, MemberWork
from tests.runtime.stepped_clock import SteppedClock

UNKNOWN = SimpleNamespace(error=lambda: SimpleNamespace(code=lambda: KafkaError._UNKNOWN_TOPIC), topic=lambda: "vn.events")


class Consumer:
    """A consumer whose polls take the time they may, unless `met` holds something that one returns or does."""

    def __init__(self, time: SteppedClock, assigned: Callable[[list[TopicPartition]], None], revoked: Callable[[], None]) -> None:
        self.assigned = assigned
        self.revoked = revoked
        self.met: list[Any] = []
        self.polls: list[float] = []
        self.fetching: list[TopicPartition] = []
        self.id = "member-1"
        self.closed = False
        self._time = time

    def memberid(self) -> str:
        return self.id

    def poll(self, seconds: float) -> Any:
        self.polls.append(round(seconds, 3))
        if not self.met:
            self._time.now += seconds
            return None
        met = self.met.pop(0)
        return met() if callable(met) else met

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.fetching = partitions

    def close(self) -> None:
        self.closed = True


class Group:
    """A broker that gives out consumers, and the work of a member of its group: `steps`, after which it stops."""

    def __init__(self, time: SteppedClock) -> None:
        self.consumers: list[Consumer] = []
        self.calls: list[str] = []
        self.warnings: list[str] = []
        self.steps: Iterator[Callable[[Consumer], object]] = iter(())
        self._time = time
        work = MemberWork(
            self._step,  # type: ignore[arg-type]
            lambda error: self.calls.append(f"start over: {error}"),
            lambda: self.calls.append("assigned"),
            lambda: self.calls.append("revoked"),
            lambda: self.calls.append("left, closed" if self.consumers[-1].closed else "left"),
        )
        self.member = GroupMember(self, "vn.dedupe", ["vn.events"], work, SimpleNamespace(warning=self.warnings.append))  # type: ignore[arg-type]

    def group_consumer(
        self, _: str, __: list[str], assigned: Callable[[list[TopicPartition]], None], revoked: Callable[[], None]
    ) -> Consumer:
        self.consumers.append(Consumer(self._time, assigned, revoked))
        return self.consumers[-1]

    def run(self, *steps: Callable[[Consumer], object]) -> None:
        self.steps = iter(steps)
        self.member.run()

    def _step(self, consumer: Consumer) -> None:
        step = next(self.steps, None)
        if step is None:
            self.member.stop()
        else:
            step(consumer)


def fail(error: Exception) -> Callable[[object], None]:
    def step(_: object) -> None:
        raise error

    return step


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    time = SteppedClock()
    for module in (group_member, lost_brokers):
        monkeypatch.setattr(module, "monotonic", time)
    return Group(time)


def test_nothing_is_fetched_before_it_is_restored(group: Group) -> None:
    partition = TopicPartition("vn.events", 1)
    seen: list[Any] = []

    def first(consumer: Consumer) -> None:
        consumer.met.append(lambda: consumer.assigned([partition]))
        seen.append((group.member.is_assigned(), consumer.fetching))
        group.member.fetch_from({("vn.events", 1): 7})
        seen.append([(each.partition, each.offset) for each in consumer.fetching])

    group.run(first)
    assert seen == [(True, []), [(1, 7)]]
    assert group.calls == ["assigned", "revoked", "left"]
    assert group.consumers[0].closed


def test_a_member_without_partitions_waits_for_them(group: Group) -> None:
    group.run(lambda _: group.member.is_assigned())
    assert group.consumers[0].polls == [group_member.POLL_TIMEOUT]
    assert not group.member.assigned


def test_after_each_error_it_waits_longer_as_a_member_that_fetches_nothing_until_it_fetches_again(group: Group) -> None:
    fetching: list[int] = []

    def fetch_and_fail(consumer: Consumer) -> None:
        fetching.append(len(consumer.fetching))
        group.member.fetch_from({("vn.events", 0): 0})
        raise Restart("the broker")

    group.run(fetch_and_fail, fetch_and_fail, *[fail(Retry("the store"))] * 7)
    assert fetching == [0, 0]
    assert group.consumers[0].polls == [FIRST_WAIT, *(FIRST_WAIT * 2**each for each in range(6)), LONGEST_WAIT, LONGEST_WAIT]
    assert group.calls[:3] == ["start over: the broker", "start over: the broker", "start over: the store"]


def test_an_error_met_while_it_waits_is_one_more(group: Group) -> None:
    def fail_and_meet(consumer: Consumer) -> None:
        consumer.met.append(UNKNOWN)
        raise Restart("the broker")

    group.run(fail_and_meet)
    assert group.calls[:2] == ["start over: the broker", "start over: the broker does not know vn.events"]


def test_long_work_is_given_up_when_the_partitions_are_reassigned(group: Group) -> None:
    def restore(consumer: Consumer) -> None:
        keep_alive = group.member.keep_alive()
        keep_alive()
        consumer.met.append(consumer.revoked)
        keep_alive()

    group.run(restore)
    assert group.calls[:2] == ["revoked", "start over: the partitions were reassigned meanwhile"]


def test_a_consumer_that_stays_outside_the_group_is_replaced(group: Group) -> None:
    def outside(consumer: Consumer) -> None:
        consumer.id = ""
        group.member.heartbeat(lost_brokers.MAX_ABSENCE + 1)

    group.run(outside, outside, lambda _: None)
    first, second = group.consumers
    assert first.closed
    assert second.closed
    assert group.warnings == ["consumer_replaced"]
    assert group.calls == ["revoked", "left"] * 2
