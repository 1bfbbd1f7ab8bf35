"""Copies share partitions, an idle group has no lag, and fatal conditions stop a worker with a sentence."""

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import ConfigResource, ResourceType

from processors.domain.policy import Policy
from processors.runtime.kafka.topics_admin import properties
from processors.topics import DEAD_LETTERS, DECISIONS, POLICIES, SUBMISSIONS
from tests.broker.probe import LEFT, RIGHT
from tests.broker.testbed import PARTITIONS, Testbed, until

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def test_copies_come_and_go(testbed: Testbed) -> None:
    first = testbed.start()
    testbed.send(300)
    first.wait_for_log('"event": "batch"')
    second = testbed.start()
    second.wait_for_log('"event": "settled"')
    testbed.send(300)
    assert first.stop() == 0
    testbed.send(300)
    third = testbed.start()
    testbed.send(300)
    third.wait_for_log('"event": "settled"')
    second.kill()
    testbed.wait_until_settled()
    testbed.verify()


def test_one_copy_has_the_same_partition_of_every_input(testbed: Testbed) -> None:
    first, second = testbed.start(), testbed.start()
    until(
        "both have one",
        lambda: all(
            '"partitions": [0], "event": "settled"' in w.log or '"partitions": [1], "event": "settled"' in w.log for w in (first, second)
        ),
    )
    admin = testbed.broker.admin()
    group = f"{testbed.prefix}probe"
    futures = admin.describe_consumer_groups([group])
    members = futures[group].result(10).members
    shares = [{(each.topic, each.partition) for each in member.assignment.topic_partitions} for member in members]
    assert sorted(sorted(share) for share in shares) == [
        [(testbed.prefix + side.name, p) for side in (LEFT, RIGHT)] for p in range(PARTITIONS)
    ]


def test_an_idle_group_has_no_lag_though_the_log_ends_with_the_mark_of_a_transaction(testbed: Testbed) -> None:
    testbed.start()
    until("the empty inputs are committed", testbed.idle)
    producer = testbed.broker.producer(f"{testbed.prefix}agency")
    producer.begin_transaction()
    producer.produce(testbed.prefix + LEFT.name, None, b"k")
    producer.abort_transaction(10)
    until("the mark is committed", testbed.idle)
    ends = [testbed.changelog()[partition][1].seq for partition in range(PARTITIONS)]
    testbed.send(50)
    testbed.wait_until_settled()
    assert all(now[1].seq <= before + 6 for before, now in zip(ends, testbed.changelog().values(), strict=True)), "it chases marks"


def test_settings_take_effect_while_it_runs(testbed: Testbed) -> None:
    testbed.start()
    testbed.client.send(POLICIES, [("surge.limit|||", testbed.codec.encode(Policy(key="surge.limit", value="none")))])

    def logged() -> bool:
        testbed.send(5)
        return any(verdict.rules == "r0.p1" for verdict in testbed.client.verdicts(DECISIONS))

    until("verdicts under the new settings", logged, 10)


def test_what_the_pipeline_wrote_and_cannot_read_is_a_dead_letter(testbed: Testbed) -> None:
    worker = testbed.start()
    testbed.send(100)
    send_raw(testbed, 3)
    testbed.send(100)
    testbed.wait_until_settled()
    testbed.verify()
    letters = list(testbed.client.values(DEAD_LETTERS))
    assert [letter.original for letter in letters] == [b"not ours"] * 3
    send_raw(testbed, 60)
    assert worker.wait_for_exit() == 1
    assert "cannot be read" in worker.log
    assert len(list(testbed.client.values(DEAD_LETTERS))) == 3, "the batch that was too much is not committed"


def send_raw(testbed: Testbed, count: int) -> None:
    producer = Producer({"bootstrap.servers": testbed.settings.kafka_properties()["bootstrap.servers"]})
    for _ in range(count):
        producer.produce(testbed.prefix + LEFT.name, b"not ours", b"k", 0)
    assert producer.flush(10) == 0


def test_lost_offsets_stop_it(testbed: Testbed) -> None:
    worker = testbed.start()
    testbed.send(50)
    testbed.wait_until_settled()
    assert worker.stop() == 0
    group = f"{testbed.prefix}probe"
    admin = testbed.broker.admin()
    futures = admin.delete_consumer_groups([group])
    until("the group is empty", futures[group].done)
    futures[group].result(10)
    again = testbed.start()
    assert again.wait_for_exit() == 1
    assert "lost or restored" in again.log


def test_topics_have_the_properties_that_the_pipeline_relies_on(testbed: Testbed) -> None:
    admin = testbed.broker.admin()
    resource = ConfigResource(ResourceType.TOPIC, testbed.prefix + POLICIES.name)
    futures = admin.describe_configs([resource])
    found = next(iter(futures.values())).result(10)
    assert {name: found[name].value for name in properties(POLICIES)} == properties(POLICIES)
    assert properties(SUBMISSIONS)["message.timestamp.type"] == "LogAppendTime"
