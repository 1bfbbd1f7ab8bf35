"""Copies share partitions, an idle group has no lag, and fatal conditions stop a worker with one sentence."""

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import ConfigResource, ResourceType

from processors.domain.policy import Policy
from processors.runtime.kafka.topics_admin import properties
from processors.topics import DEAD_LETTERS, DECISIONS, POLICIES, SUBMISSIONS
from tests.broker.harness import PARTITIONS, ProbeHarness, until
from tests.broker.probe import LEFT, RIGHT

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600, method="signal")]


def test_copies_come_and_go(harness: ProbeHarness) -> None:
    first = harness.start()
    harness.send(300)
    first.wait_for_log('"event": "batch"')
    second = harness.start()
    second.wait_for_log('"event": "ready"')
    harness.send(300)
    assert first.stop() == 0
    harness.send(300)
    third = harness.start()
    harness.send(300)
    third.wait_for_log('"event": "ready"')
    second.kill()
    harness.wait_until_settled()
    harness.verify()


def test_one_copy_has_the_same_partition_of_every_input(harness: ProbeHarness) -> None:
    first, second = harness.start(), harness.start()
    until(
        "both have one",
        lambda: all(
            '"partitions": [0], "event": "ready"' in w.log or '"partitions": [1], "event": "ready"' in w.log for w in (first, second)
        ),
    )
    admin = harness.broker.admin()
    group = f"{harness.prefix}probe"
    futures = admin.describe_consumer_groups([group])
    members = futures[group].result(10).members
    shares = [{(each.topic, each.partition) for each in member.assignment.topic_partitions} for member in members]
    assert sorted(sorted(share) for share in shares) == [
        [(harness.prefix + side.name, p) for side in (LEFT, RIGHT)] for p in range(PARTITIONS)
    ]


def test_an_idle_group_has_no_lag_though_the_log_ends_with_the_mark_of_a_transaction(harness: ProbeHarness) -> None:
    harness.start()
    until("the empty inputs are committed", harness.idle)
    producer = harness.broker.producer(f"{harness.prefix}agency")
    producer.begin_transaction()
    producer.produce(harness.prefix + LEFT.name, None, b"k")
    producer.abort_transaction(10)
    until("the mark is committed", harness.idle)
    ends = [harness.changelog()[partition][1].seq for partition in range(PARTITIONS)]
    harness.send(50)
    harness.wait_until_settled()
    assert all(now[1].seq <= before + 6 for before, now in zip(ends, harness.changelog().values(), strict=True)), "it chases marks"


def test_settings_take_effect_while_it_runs(harness: ProbeHarness) -> None:
    harness.start().wait_for_log('"event": "ready"')
    harness.client.send(POLICIES, [("surge.limit|||", harness.codec.encode(Policy(key="surge.limit", value="none")))])

    def logged() -> bool:
        harness.send(5)
        return any(verdict.rules == "r0.p1" for verdict in harness.client.verdicts(DECISIONS))

    until("verdicts under the new settings", logged)


def test_what_the_pipeline_wrote_and_cannot_read_is_a_dead_letter(harness: ProbeHarness) -> None:
    worker = harness.start()
    harness.send(100)
    send_raw(harness, 3)
    harness.send(100)
    harness.wait_until_settled()
    harness.verify()
    letters = list(harness.client.values(DEAD_LETTERS))
    assert [letter.original for letter in letters] == [b"not ours"] * 3
    send_raw(harness, 60)
    assert worker.wait_for_exit() == 1
    assert "cannot be read" in worker.log
    assert len(list(harness.client.values(DEAD_LETTERS))) == 3, "the batch that was too much is not committed"


def test_the_limit_of_dead_letters_counts_across_restarts(harness: ProbeHarness) -> None:
    for _ in range(2):
        worker = harness.start()
        send_raw(harness, 24)
        until("they are read", harness.idle)
        assert worker.stop() == 0
    assert len(list(harness.client.values(DEAD_LETTERS))) == 48
    send_raw(harness, 2)
    worker = harness.start()
    assert worker.wait_for_exit() == 1
    assert "50 of the last 50 records" in worker.log


def send_raw(harness: ProbeHarness, count: int) -> None:
    producer = Producer({"bootstrap.servers": harness.settings.kafka_properties()["bootstrap.servers"]})
    for _ in range(count):
        producer.produce(harness.prefix + LEFT.name, b"not ours", b"k", 0)
    assert producer.flush(10) == 0


def test_lost_offsets_stop_it(harness: ProbeHarness) -> None:
    worker = harness.start()
    harness.send(50)
    harness.wait_until_settled()
    assert worker.stop() == 0
    group = f"{harness.prefix}probe"
    admin = harness.broker.admin()
    futures = admin.delete_consumer_groups([group])
    until("the group is empty", futures[group].done)
    futures[group].result(10)
    again = harness.start()
    assert again.wait_for_exit() == 1
    assert "lost or restored" in again.log


def test_topics_have_the_properties_that_the_pipeline_relies_on(harness: ProbeHarness) -> None:
    admin = harness.broker.admin()
    resource = ConfigResource(ResourceType.TOPIC, harness.prefix + POLICIES.name)
    futures = admin.describe_configs([resource])
    found = next(iter(futures.values())).result(10)
    assert {name: found[name].value for name in properties(POLICIES)} == properties(POLICIES)
    assert properties(SUBMISSIONS)["message.timestamp.type"] == "LogAppendTime"
